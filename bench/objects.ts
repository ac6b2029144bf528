import type { BenchService } from './services.ts';

/** The `v1.Service` of a Service, as it is sent to the API server. */
export function serviceObject({ namespace, spec }: BenchService) {
  const { name, labels = {}, annotations = {}, selector = {}, headless = false } = spec;
  const ports = (spec.ports ?? []).map((port) => (typeof port === 'number' ? { port } : port));
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name, labels, annotations },
    spec: { selector, ports, type: 'ClusterIP', ...(headless ? { clusterIP: 'None' } : {}) },
  };
}

/** The EndpointSlice that the controller would create for a Service: one ready Pod. */
export function sliceObject({ namespace, spec }: BenchService, index: number) {
  const address = `10.200.${(index >> 8) & 255}.${index & 255}`;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace,
      name: `${spec.name}-0`,
      labels: {
        'kubernetes.io/service-name': spec.name,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
    },
    addressType: 'IPv4',
    endpoints: [
      {
        addresses: [address],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: `node-${index % 100}`,
        targetRef: { kind: 'Pod', namespace, name: `${spec.name}-0` },
      },
    ],
    ports: (spec.ports ?? []).map((port) =>
      typeof port === 'number'
        ? { port, protocol: 'TCP', name: '' }
        : { port: port.port, protocol: 'TCP', name: port.name ?? '' },
    ),
  };
}
