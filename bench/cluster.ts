import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { TestProject } from 'vitest/node';
import type { ClusterConnection } from '../test/cluster/connection.ts';
import startControlPlane from '../test/cluster/global-setup.ts';
import { ApiError, type Rest, restClient } from '../test/cluster/rest.ts';
import { serviceObject, sliceObject } from './objects.ts';
import { type BenchService, benchServices } from './services.ts';

/** Concurrent creations. More are not faster on a small machine. */
const AT_ONCE = 16;

/** The cluster of a run: a real API server with its store, filled for the benchmarks. */
export interface BenchCluster {
  readonly connection: ClusterConnection;
  readonly admin: Rest;
  /**
   * Creates Services until there are at least this many.
   * @param backends maximum number of backends; default: one in ten
   * @returns all of them
   */
  grow(count: number, backends?: number): Promise<readonly BenchService[]>;
  /** Creates more Services, with their EndpointSlices. */
  create(services: readonly BenchService[]): Promise<void>;
  namespace(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the test control plane, outside Vitest. @param say receives progress messages */
export async function startCluster(say: (text: string) => void): Promise<BenchCluster> {
  let connection: ClusterConnection | undefined;
  // The setup uses its project only to pass on the connection.
  const project = {
    provide: (_: string, value: ClusterConnection) => {
      connection = value;
    },
  } as unknown as TestProject;
  say('starting a kube-apiserver and its etcd');
  const stop = await startControlPlane(project);
  if (connection === undefined) throw new Error('the test control plane did not provide its connection');
  const { server, caPem } = connection;
  const admin = restClient(server, caPem, connection);
  const namespaces = new Set<string>();
  const limit = pLimit(AT_ONCE);
  let held: readonly BenchService[] = [];

  const namespace = async (name: string): Promise<void> => {
    if (namespaces.has(name)) return;
    namespaces.add(name);
    await admin.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  };
  const create = async (services: readonly BenchService[]): Promise<void> => {
    for (const name of new Set(services.map((service) => service.namespace))) await namespace(name);
    await limit.map(services, async (service, index) => {
      const path = `/namespaces/${service.namespace}`;
      await patiently(() => admin.create(`/api/v1${path}/services`, serviceObject(service)));
      await patiently(() =>
        admin.create(`/apis/discovery.k8s.io/v1${path}/endpointslices`, sliceObject(service, index)),
      );
    });
  };
  return {
    connection,
    admin,
    create,
    namespace,
    stop,
    async grow(count, backends) {
      if (count > held.length) {
        const all = benchServices(count, backends);
        const started = performance.now();
        say(`creating Services, up to ${count}`);
        await create(all.slice(held.length));
        say(`created in ${((performance.now() - started) / 1000).toFixed(1)} s`);
        held = all;
      }
      return held;
    },
  };
}

/** Retries while the server is busy or not ready: a new address range takes a moment to become active. */
async function patiently(action: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await action();
      return;
    } catch (error) {
      const passing = error instanceof ApiError && (error.status === 429 || error.status >= 500);
      if (!passing || attempt === 8) throw error;
      await sleep(50 * 2 ** attempt * (0.5 + Math.random()));
    }
  }
}
