import type { Rest } from '../cluster/rest.ts';
import { createService, type ServiceSpec } from '../cluster/services.ts';
import { POD_ADDRESS } from './namespace.ts';

/** A Pod as the API server's proxy wants it: running, ready, with the address. No kubelet is asked. */
async function createPod(admin: Rest, namespace: string, name: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  await admin.create(path, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'backend', image: 'registry.example/backend' }] },
  });
  await admin.patch(`${path}/${name}/status`, {
    status: {
      phase: 'Running',
      podIP: POD_ADDRESS,
      podIPs: [{ ip: POD_ADDRESS }],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  });
}

/**
 * A Service with one Pod behind it, and the objects that controllers would make of them: the Endpoints, which the API
 * server's proxy reads, and the EndpointSlice, which everybody else reads.
 * @param targetPort where the backend listens
 */
export async function createServed(
  admin: Rest,
  namespace: string,
  service: ServiceSpec,
  targetPort: number,
): Promise<void> {
  const ports = (service.ports ?? []).map((spec) => (typeof spec === 'number' ? { port: spec } : spec));
  await createService(admin, namespace, {
    ...service,
    ports: ports.map((port) => ({ ...port, targetPort })),
  });
  const { name } = service;
  await createPod(admin, namespace, name);
  const targetRef = { kind: 'Pod', namespace, name };
  const named = ports.map((port) => ({ name: port.name ?? '', port: targetPort, protocol: 'TCP' }));
  await admin.create(`/api/v1/namespaces/${namespace}/endpoints`, {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name },
    subsets: [{ addresses: [{ ip: POD_ADDRESS, targetRef }], ports: named }],
  });
  await createSlice(
    admin,
    namespace,
    name,
    [{ addresses: [POD_ADDRESS], conditions: { ready: true }, targetRef }],
    named,
  );
}

/**
 * An EndpointSlice of a Service. Without endpoints it is what the controller makes where no Pod fits the selector.
 * @returns its path
 */
export async function createSlice(
  admin: Rest,
  namespace: string,
  service: string,
  endpoints: readonly object[] = [],
  ports: readonly object[] = [],
): Promise<string> {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  const { metadata } = await admin.create(path, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { generateName: `${service}-`, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    endpoints,
    ports,
  });
  return `${path}/${metadata.name}`;
}
