import { createHash } from 'node:crypto';
import { compareText } from './compare.ts';
import { DNS_LABEL } from './dns-label.ts';

/**
 * The home cluster. It is the only one, or among several, the one without a prefix: `NAMESPACE/NAME` in overrides,
 * approvals and credentials always refers to it.
 */
export const HOME_CLUSTER = '';

/** The identity of an object. It comes only from Kubernetes and our own configuration. */
export interface ObjectKey {
  /** `HOME_CLUSTER`, or the configured name of the cluster, which may contain any character. */
  readonly cluster: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

declare const opaque: unique symbol;

/**
 * An `ObjectKey` as one value, for maps and sets. It is a string, but its type is opaque, so that it is neither printed
 * nor confused with a reference that a user wrote. Use `displayKey` for display.
 */
export interface Key {
  readonly [opaque]: 'key';
}

/** Joins the parts with slashes. The cluster is encoded, because its name may contain a slash, as for EKS. */
export function keyOf({ cluster, kind, namespace, name }: ObjectKey): Key {
  const text = `${cluster === HOME_CLUSTER ? '' : encodeURIComponent(cluster)}/${kind}/${namespace}/${name}`;
  return text as unknown as Key;
}

/** The parts of a key. */
export function partsOf(key: Key): ObjectKey {
  const [cluster = '', kind = '', namespace = '', name = ''] = (key as unknown as string).split('/');
  return { cluster: decodeURIComponent(cluster), kind, namespace, name };
}

/** Sorts keys by cluster, kind, namespace and name, the home cluster first. */
export const compareKeys = (one: Key, other: Key): number =>
  compareText(one as unknown as string, other as unknown as string);

/**
 * Formats a key for display: `namespace/name`, with the cluster first unless it is the home cluster, and preceded by the
 * kind unless it is a Service. It is unique, because only the name of a cluster may contain a slash.
 */
export function displayKey({
  cluster,
  kind = 'Service',
  namespace,
  name,
}: Omit<ObjectKey, 'kind'> & { readonly kind?: string }): string {
  return `${kind === 'Service' ? '' : `${kind} `}${displayNamespace({ cluster, namespace })}/${name}`;
}

/** Parses what `displayKey` wrote for a Service. Only the name of a cluster may contain a slash. */
export function readKey(text: string): Omit<ObjectKey, 'kind'> {
  const [, cluster = HOME_CLUSTER, namespace = '', name = ''] =
    /^(?:(.*)\/)?([^/]*)\/([^/]*)$/s.exec(text) ?? [];
  return { cluster, namespace, name };
}

/**
 * Converts the name of a cluster to letters, digits and hyphens. Names with other characters get a hash, so that
 * different clusters have different labels.
 */
export function clusterLabel(cluster: string): string {
  if (DNS_LABEL.test(cluster)) return cluster;
  const words = cluster.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const digest = createHash('sha256').update(cluster).digest('hex').slice(0, 8);
  return `${[...words, ''].join('-').slice(-41)}${digest}`.replace(/^-/, '');
}

/** Formats a namespace for display, with the cluster first unless it is the home cluster. Unique. */
export function displayNamespace({ cluster, namespace }: Pick<ObjectKey, 'cluster' | 'namespace'>): string {
  return cluster === HOME_CLUSTER ? namespace : `${cluster}/${namespace}`;
}

/** The field `cluster` of logs, metrics and responses. The home cluster has none, so it never appears with one cluster. */
export function clusterField({ cluster }: Pick<ObjectKey, 'cluster'>): { readonly cluster?: string } {
  return cluster === HOME_CLUSTER ? {} : { cluster };
}
