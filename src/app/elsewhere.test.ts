import { expect, test } from 'vitest';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { Configuration } from './configuration.ts';
import { backendsElsewhere } from './elsewhere.ts';

const SIGNAL = new AbortController().signal;

const settings = (...namespaces: string[]): Configuration =>
  ({
    ...{ namespaces, userDetectors: [], detectors: {}, disabledDetectors: [] },
    ...{
      clusterDomain: 'cluster.local',
      allowedHosts: [],
      allowExternalNames: false,
      maxNamespaceServices: 5_000,
    },
  }) as unknown as Configuration;

const service = (namespace: string, name: string, port = 9090, labels = {}) => ({
  metadata: { namespace, name, labels },
  spec: { ports: [{ name: 'web', port }] },
});

/** A cluster with these Services, in pages of this size. */
function cluster(services: readonly object[], { size = 500, mayList = true } = {}) {
  const asked: string[] = [];
  const kube = {
    async request({ path }: { readonly path: string }) {
      if (path.includes('selfsubjectaccessreviews')) return { status: { allowed: mayList } };
      asked.push(path);
      const query = new URLSearchParams(path.split('?')[1]);
      const start = Number(query.get('continue') ?? 0);
      const end = start + Math.min(size, Number(query.get('limit')));
      const metadata = { resourceVersion: '1', ...(end < services.length ? { continue: String(end) } : {}) };
      return { items: services.slice(start, end), metadata };
    },
  } as unknown as KubeClient;
  return { kube, asked };
}

test('likely backends of namespaces that are not searched are counted, without those that only a port suggests', async () => {
  const { kube } = cluster([
    service('a', 'prometheus'),
    service('b', 'shop'),
    service('monitoring', 'prometheus'),
  ]);
  expect(await backendsElsewhere(settings('monitoring'), kube, SIGNAL)).toEqual({
    where: 'other namespaces',
    what: 'not searched, with 1 likely backend: a',
  });
  expect(await backendsElsewhere(settings('a'), kube, SIGNAL)).toMatchObject({
    what: 'not searched, with 1 likely backend: monitoring',
  });
  expect(await backendsElsewhere(settings('a', 'monitoring'), kube, SIGNAL)).toBeUndefined();
});

test('the Services of one backend count once, also if they are on two pages', async () => {
  const labels = { 'app.kubernetes.io/name': 'loki', 'app.kubernetes.io/instance': 'logs' };
  const parts = ['loki', 'loki-gateway', 'loki-read', 'loki-write'];
  const { kube, asked } = cluster(
    parts.map((name) => service('logs', name, 3100, labels)),
    { size: 3 },
  );
  expect(await backendsElsewhere(settings('a'), kube, SIGNAL)).toMatchObject({
    what: 'not searched, with 1 likely backend: logs',
  });
  expect(asked).toHaveLength(2);
});

test('at most five namespaces are named', async () => {
  const { kube } = cluster(Array.from({ length: 7 }, (_, index) => service(`n${index}`, 'prometheus')));
  expect(await backendsElsewhere(settings('a'), kube, SIGNAL)).toMatchObject({
    what: 'not searched, with 7 likely backends: n0, n1, n2, n3, n4, and 2 more',
  });
});

test('nothing is listed if all namespaces are searched, or if they may not be listed', async () => {
  const { kube, asked } = cluster([service('a', 'prometheus')]);
  expect(await backendsElsewhere(settings('*'), kube, SIGNAL)).toBeUndefined();
  expect(asked).toEqual([]);
  const denied = cluster([service('a', 'prometheus')], { mayList: false });
  expect(await backendsElsewhere(settings('b'), denied.kube, SIGNAL)).toBeUndefined();
  expect(denied.asked).toEqual([]);
  const failing = { request: () => Promise.reject(new Error('500')) } as unknown as KubeClient;
  expect(await backendsElsewhere(settings('b'), failing, SIGNAL)).toBeUndefined();
});
