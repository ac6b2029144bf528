import { clusterLabel, displayKey, HOME_CLUSTER, type Key, keyOf, type ObjectKey } from './key.ts';

/** One port of a Service, see `v1.ServicePort`. */
export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly appProtocol?: string;
}

/** The part of a `v1.Service` that discovery needs. Tenants write every text in it: treat it as hostile. */
export interface Service {
  /** Its cluster, set by the source. `HOME_CLUSTER` if there is only one. */
  readonly cluster: string;
  readonly namespace: string;
  /** That of a part is `SERVICE:PORT`, see `part.ts`; DNS and the API server know `objectName`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly selector: Readonly<Record<string, string>>;
  /** Hash of the whole selector, if not all entries are kept. */
  readonly selectorHash?: string;
  readonly ports: readonly ServicePort[];
  readonly type: string;
  /** `clusterIP: None`. Its DNS name resolves to Pods, so the ports of the Pods count. */
  readonly headless: boolean;
  /** The host of type ExternalName, in lower case, without a trailing dot. */
  readonly externalName?: string;
  /** Its cluster IPs. Empty if it is headless, or if they are unknown. */
  readonly clusterIPs?: readonly string[];
  /** Its `metadata.creationTimestamp`, RFC 3339. Only the API server sets it, so manifests have none. */
  readonly created?: string;
  /** Its `metadata.uid`: a Service that is created again has another one. Manifests have none. */
  readonly uid?: string;
  /** Set if it is being deleted: it only waits for its finalizers. */
  readonly terminating?: true;
  /** Total numbers of ports, labels and selector entries, if not all are kept. */
  readonly trimmed?: Readonly<Partial<Record<'ports' | 'labels' | 'selector', number>>>;
  /** Its `metadata.resourceVersion`. While it is unchanged, so is the Service. Manifests have none. */
  readonly version?: string;
}

/** The key of a Service. */
export type ServiceKey = Key;

/** The identity of a Service. */
export type ServiceName = Pick<ObjectKey, 'cluster' | 'namespace' | 'name'>;

/** The key of a Service. */
export function serviceKey({ cluster, namespace, name }: ServiceName): ServiceKey {
  return keyOf({ cluster, kind: 'Service', namespace, name });
}

const keys = new WeakMap<Service, ServiceKey>();

/** Like `serviceKey`, with a cache, for long-lived Services. */
export function keyOfService(service: Service): ServiceKey {
  const known = keys.get(service);
  if (known !== undefined) return known;
  const key = serviceKey(service);
  keys.set(service, key);
  return key;
}

/**
 * The default name of a tool: `service.namespace`, or `service.namespace.cluster` outside the home cluster. That of a part is
 * `service_port.namespace`. Unique, because none of these contains a dot, and only a part has an underscore.
 */
export function defaultName({ cluster, namespace, name }: ServiceName): string {
  const local = `${name.replace(':', '_')}.${namespace}`;
  return cluster === HOME_CLUSTER ? local : `${local}.${clusterLabel(cluster)}`;
}

/** The key of a Service's tool in documents: the display key without dots, which HolmesGPT rejects in keys. */
export function toolKey(service: ServiceName): string {
  return displayKey({
    ...service,
    cluster: service.cluster === HOME_CLUSTER ? '' : clusterLabel(service.cluster),
  });
}
