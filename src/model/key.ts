/**
 * The cluster where there is only one, and the one whose backends people name without a cluster where there are several:
 * `NAMESPACE/NAME` in overrides, approvals and credentials is always in this one.
 */
export const HOME_CLUSTER = '';

/** What identifies an object, and nothing else does: all of it comes from Kubernetes and from our own configuration. */
export interface ObjectKey {
  /** `HOME_CLUSTER`, or the name that our configuration gives the cluster; may hold any character. */
  readonly cluster: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

declare const opaque: unique symbol;

/**
 * An `ObjectKey` as one value, for maps and sets; equal for equal keys. It is a string, and its type hides that, so that it
 * is neither shown nor taken for a reference that a person wrote: `displayKey` is for people.
 */
export interface Key {
  readonly [opaque]: 'key';
}

/** A slash divides the parts, so a cluster's name must not hold one: names of EKS clusters do. */
export function keyOf({ cluster, kind, namespace, name }: ObjectKey): Key {
  const text = `${cluster === HOME_CLUSTER ? '' : encodeURIComponent(cluster)}/${kind}/${namespace}/${name}`;
  return text as unknown as Key;
}

/** The parts of a key. */
export function partsOf(key: Key): ObjectKey {
  const [cluster = '', kind = '', namespace = '', name = ''] = (key as unknown as string).split('/');
  return { cluster: decodeURIComponent(cluster), kind, namespace, name };
}

/** Orders keys by cluster, kind, namespace and name, the home cluster first. */
export function compareKeys(one: Key, other: Key): number {
  const [a, b] = [one as unknown as string, other as unknown as string];
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * An object as people write and read it: `namespace/name`, with the cluster first unless it is the home one, and with the
 * kind before all unless it is a Service. Different for different objects, since only a cluster's name may hold a slash.
 */
export function displayKey({
  cluster,
  kind = 'Service',
  namespace,
  name,
}: Omit<ObjectKey, 'kind'> & { readonly kind?: string }): string {
  return `${kind === 'Service' ? '' : `${kind} `}${displayNamespace({ cluster, namespace })}/${name}`;
}

/** A namespace as people read it, the cluster first unless it is the home one; different for different namespaces. */
export function displayNamespace({ cluster, namespace }: Pick<ObjectKey, 'cluster' | 'namespace'>): string {
  return cluster === HOME_CLUSTER ? namespace : `${cluster}/${namespace}`;
}
