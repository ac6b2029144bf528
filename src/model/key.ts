import { createHash } from 'node:crypto';
import { compareText } from './compare.ts';

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
export const compareKeys = (one: Key, other: Key): number =>
  compareText(one as unknown as string, other as unknown as string);

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

/** What `displayKey` wrote of a Service. Only a cluster's name holds slashes, so the last two parts are namespace and name. */
export function readKey(text: string): Omit<ObjectKey, 'kind'> {
  const [, cluster = HOME_CLUSTER, namespace = '', name = ''] =
    /^(?:(.*)\/)?([^/]*)\/([^/]*)$/s.exec(text) ?? [];
  return { cluster, namespace, name };
}

/**
 * A cluster's name as a part of names that hold letters, digits and hyphens only. A name that is more than that gets a hash,
 * so different clusters have different labels.
 */
export function clusterLabel(cluster: string): string {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(cluster)) return cluster;
  const words = cluster.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const digest = createHash('sha256').update(cluster).digest('hex').slice(0, 8);
  return `${[...words, ''].join('-').slice(-41)}${digest}`.replace(/^-/, '');
}

/** A namespace as people read it, the cluster first unless it is the home one; different for different namespaces. */
export function displayNamespace({ cluster, namespace }: Pick<ObjectKey, 'cluster' | 'namespace'>): string {
  return cluster === HOME_CLUSTER ? namespace : `${cluster}/${namespace}`;
}

/** The cluster as a field of logs, metrics and answers: only outside the home cluster, so that one cluster shows nowhere. */
export function clusterField({ cluster }: Pick<ObjectKey, 'cluster'>): { readonly cluster?: string } {
  return cluster === HOME_CLUSTER ? {} : { cluster };
}
