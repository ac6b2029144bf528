import type { Rest } from '../cluster/rest.ts';
import { createService } from '../cluster/services.ts';
import type { CaseService } from './case.ts';
import type { ServedPod } from './served-pod.ts';

/** Nothing listens there. */
const NO_POD = '10.9.255.254';

/** A Pod that runs, as the kubelet reports it. */
export async function createPod(admin: Rest, namespace: string, { pod, address }: ServedPod): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const ports = pod.ports.map(({ number, name }) => ({
    containerPort: number,
    ...(name === undefined ? {} : { name }),
  }));
  await admin.create(path, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod.name, labels: pod.labels ?? {} },
    spec: { containers: [{ name: 'main', image: 'registry.example/main', ports }] },
  });
  const ready = pod.ready === false ? 'False' : 'True';
  await admin.patch(`${path}/${pod.name}/status`, {
    status: {
      phase: 'Running',
      podIP: address,
      podIPs: [{ ip: address }],
      conditions: [{ type: 'Ready', status: ready }],
    },
  });
}

/** The Pods behind a Service. */
function podsOf({ selector, pods }: CaseService, all: readonly ServedPod[]): readonly ServedPod[] {
  if (pods !== undefined) return all.filter(({ pod }) => pods.includes(pod.name));
  if (selector === undefined) return [];
  return all.filter(({ pod }) =>
    Object.entries(selector).every(([key, value]) => pod.labels?.[key] === value),
  );
}

const specsOf = ({ ports = [] }: CaseService) =>
  ports.map((spec) => (typeof spec === 'number' ? { port: spec } : spec));

type Spec = ReturnType<typeof specsOf>[number];

/** The number of the container port to which a Service's port leads, as the EndpointSlice controller resolves it. */
function numberIn({ pod }: ServedPod, { port, targetPort = port }: Spec): number | undefined {
  return typeof targetPort === 'number'
    ? targetPort
    : pod.ports.find(({ name }) => name === targetPort)?.number;
}

/**
 * A Service, and what the controllers make of it: Endpoints, which the API server's proxy reads, and EndpointSlices, which
 * everybody else reads.
 */
export async function createServed(
  admin: Rest,
  namespace: string,
  service: CaseService,
  all: readonly ServedPod[],
): Promise<void> {
  await createService(admin, namespace, service);
  const { name } = service;
  const behind = podsOf(service, all).map((served) => {
    const ports = specsOf(service).flatMap((spec) => {
      const number = numberIn(served, spec);
      return number === undefined ? [] : [{ name: spec.name ?? '', port: number, protocol: 'TCP' }];
    });
    const targetRef = { kind: 'Pod', namespace, name: served.pod.name };
    return { address: served.address, isReady: served.pod.ready !== false, ports, targetRef };
  });
  if (service.selector === undefined && service.pods === undefined) return;
  await admin.create(`/api/v1/namespaces/${namespace}/endpoints`, {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name },
    subsets: behind.map(({ address, isReady, ports, targetRef }) => ({
      [isReady ? 'addresses' : 'notReadyAddresses']: [{ ip: address, targetRef }],
      ports,
    })),
  });
  const slices = behind.length === 0 ? [undefined] : behind;
  for (const slice of slices)
    await admin.create(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        generateName: `${name}-`,
        labels: {
          'kubernetes.io/service-name': name,
          ...(service.headless === true ? { 'service.kubernetes.io/headless': '' } : {}),
        },
      },
      addressType: 'IPv4',
      endpoints:
        slice === undefined
          ? []
          : [
              {
                addresses: [slice.address],
                conditions: { ready: slice.isReady },
                targetRef: slice.targetRef,
              },
            ],
      ports: slice?.ports ?? [],
    });
}

/** What the setting `connectTo` must say so that the name of a Service leads to a Pod, as cluster DNS would. */
export function connections(
  namespace: string,
  service: CaseService,
  all: readonly ServedPod[],
): readonly string[] {
  const host = `${service.name}.${namespace}.svc.cluster.local`;
  const pods = podsOf(service, all);
  const served = pods.find(({ pod }) => pod.ready !== false) ?? pods[0];
  return specsOf(service).flatMap((spec) => {
    const number = served === undefined ? undefined : numberIn(served, spec);
    const target = number === undefined ? `${NO_POD}:1` : `${served?.address}:${number}`;
    // The name of a headless Service leads to the Pods themselves.
    const asked = service.headless === true ? (number ?? spec.port) : spec.port;
    return [`${host}:${asked}:${target}`];
  });
}
