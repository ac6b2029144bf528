import { clusterLabel, displayKey, HOME_CLUSTER, type Key, keyOf, type ObjectKey } from './key.ts';

/** One port of a Service, as in Kubernetes' `v1.ServicePort`. */
export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly appProtocol?: string;
}

/**
 * What discovery needs of a Kubernetes `v1.Service`, and nothing else of it.
 * Every text in it is written by a tenant: treat it as hostile.
 */
export interface Service {
  /** The cluster that it is in; `HOME_CLUSTER` where there is only one. Its source says so, and no tenant. */
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly selector: Readonly<Record<string, string>>;
  /** Equal for equal selectors, where not all entries of it are kept. */
  readonly selectorHash?: string;
  readonly ports: readonly ServicePort[];
  readonly type: string;
  /** `clusterIP: None`: its DNS name resolves to Pods, so Pods' own ports count. */
  readonly headless: boolean;
  /** The host that one of type ExternalName leads to, in lower case and without a dot at its end. */
  readonly externalName?: string;
  /** Its IP addresses inside the cluster; none where it is headless or nothing tells them. */
  readonly clusterIPs?: readonly string[];
  /** Its `metadata.creationTimestamp`, in RFC 3339; only the API server sets it. Rendered manifests have none. */
  readonly created?: string;
  /** How many ports, labels and selector entries it has, where not all of them are kept. */
  readonly trimmed?: Readonly<Partial<Record<'ports' | 'labels' | 'selector', number>>>;
  /** Its `metadata.resourceVersion`: while that is the same, all else is. Manifests have none. */
  readonly version?: string;
}

/** The key of a Service. */
export type ServiceKey = Key;

/** What tells a Service from all others. */
export type ServiceName = Pick<ObjectKey, 'cluster' | 'namespace' | 'name'>;

/** The key of a Service. */
export function serviceKey({ cluster, namespace, name }: ServiceName): ServiceKey {
  return keyOf({ cluster, kind: 'Service', namespace, name });
}

const keys = new WeakMap<Service, ServiceKey>();

/** The same of a Service that lives long: its key is made once. */
export function keyOfService(service: Service): ServiceKey {
  const known = keys.get(service);
  if (known !== undefined) return known;
  const key = serviceKey(service);
  keys.set(service, key);
  return key;
}

/**
 * The name of a tool whose owner gives no other: `service.namespace`, and `service.namespace.cluster` outside the home
 * cluster. Different for different Services, since none of these parts holds a dot.
 */
export function defaultName({ cluster, namespace, name }: ServiceName): string {
  return [name, namespace, ...(cluster === HOME_CLUSTER ? [] : [clusterLabel(cluster)])].join('.');
}

/** The key of a Service's tool in documents: as people write it, and without dots, which HolmesGPT refuses in any key. */
export function toolKey(service: ServiceName): string {
  return displayKey({
    ...service,
    cluster: service.cluster === HOME_CLUSTER ? '' : clusterLabel(service.cluster),
  });
}
