import type { Rest, StoredObject } from './rest.ts';

/** A port by its number, or with what else a test cares about. `protocol` is TCP unless given. */
type PortSpec =
  | number
  | {
      readonly port: number;
      readonly name?: string;
      readonly targetPort?: number | string;
      readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
      readonly appProtocol?: string;
    };

/** A Service in short. Ports without a name are called `port-<number>` where there are several. */
export interface ServiceSpec {
  readonly name: string;
  readonly ports?: readonly PortSpec[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly selector?: Readonly<Record<string, string>>;
  readonly type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
  /** `clusterIP: None`. */
  readonly headless?: boolean;
  /** The name an `ExternalName` Service points at; makes it one. */
  readonly externalName?: string;
}

/** Creates a Service in a namespace. Throws an `ApiError` where the API server refuses it. */
export function createService(admin: Rest, namespace: string, service: ServiceSpec): Promise<StoredObject> {
  const ports = (service.ports ?? []).map((spec, _index, all) => {
    const port = typeof spec === 'number' ? { port: spec } : spec;
    return all.length > 1 ? { name: `port-${port.port}`, ...port } : port;
  });
  return admin.create(`/api/v1/namespaces/${namespace}/services`, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: service.name,
      labels: service.labels ?? {},
      annotations: service.annotations ?? {},
    },
    spec: {
      ...(ports.length === 0 ? {} : { ports }),
      ...(service.selector === undefined ? {} : { selector: service.selector }),
      ...(service.headless ? { clusterIP: 'None' } : {}),
      ...(service.externalName === undefined ? {} : { externalName: service.externalName }),
      type: service.type ?? (service.externalName === undefined ? 'ClusterIP' : 'ExternalName'),
    },
  });
}
