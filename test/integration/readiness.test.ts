import { describe, expect, test } from 'vitest';
import { testCluster, waitUntil } from '../cluster/cluster.ts';
import { createSlice } from '../proxy/objects.ts';
import { type Backend, startBackend } from './backend.ts';
import { PUBLISHING, WATCHING } from './rights.ts';
import { startServe } from './serve-process.ts';

const CONFIG_MAP = 'kubernaut-toolset-config';
/** A backend that was not ready is looked at again after 15 s, give or take a tenth. */
const RETRY_LIMIT_MS = 40_000;

/** One address of an EndpointSlice; without `ready` it does not say. */
const endpoint = (last: number, ready?: boolean) => ({
  addresses: [`10.9.9.${last}`],
  conditions: ready === undefined ? {} : { ready },
});

/** A Prometheus with a backend of its own for each name, and an account that may do all that `serve` needs. */
async function setting(names: readonly string[], rights: { readonly slices: boolean } = { slices: true }) {
  const cluster = testCluster();
  const watched = await cluster.namespace('watched');
  const target = await cluster.namespace('target');
  const account = await cluster.serviceAccount({
    namespace: target,
    rulesIn: {
      [watched]: rights.slices ? WATCHING : WATCHING.slice(0, 1),
      [target]: PUBLISHING,
    },
  });
  const backends = new Map<string, Backend>();
  const connectTo: string[] = [];
  for (const name of names) {
    const backend = await startBackend();
    backends.set(name, backend);
    connectTo.push(`${name}.${watched}.svc.cluster.local:9090:127.0.0.1:${backend.port}`);
    await cluster.service(watched, {
      name,
      labels: { 'app.kubernetes.io/name': 'prometheus', 'app.kubernetes.io/instance': name },
      selector: { instance: name },
      ports: [{ port: 9090, name: 'web' }],
    });
  }
  return {
    cluster,
    watched,
    env: {
      KUBECONFIG: await cluster.kubeconfig(account),
      NAMESPACES: watched,
      CONFIGMAP_NAMESPACE: target,
      PROBE: 'direct',
      CONNECT_TO: connectTo.join(','),
    },
    asked: (name: string) => backends.get(name)?.asked ?? [],
    slice: (service: string, ...endpoints: readonly object[]) =>
      createSlice(cluster.admin, watched, service, endpoints),
    /** Names of the Services that are published. */
    published: async (): Promise<string[]> => {
      const path = `/api/v1/namespaces/${target}/configmaps/${CONFIG_MAP}`;
      const { data } = await cluster.admin.get<{ readonly data: Readonly<Record<string, string>> }>(path);
      const { tools } = JSON.parse(data['toolset.json'] ?? '') as {
        readonly tools: { readonly name: string }[];
      };
      return tools.map(({ name }) => name.replace(`.${watched}`, '')).sort();
    },
  };
}

describe('EndpointSlices', () => {
  test('none ready: not probed and not published; published as soon as one is ready, without another event', {
    timeout: RETRY_LIMIT_MS + 40_000,
  }, async () => {
    const { cluster, env, asked, slice, published } = await setting(['late', 'there']);
    const path = await slice('late', endpoint(1, false), endpoint(2, false));
    await slice('there', endpoint(3, true));
    const serve = startServe({ ...env, DISCOVERY_INTERVAL: '10m' });
    await serve.logged('toolset published');
    expect(await published()).toEqual(['there']);
    expect(asked('late')).toEqual([]);
    expect(serve.lines.find((line) => line.service_name === 'late')).toMatchObject({
      health: 'unhealthy',
      reason: 'none of its endpoints is ready',
    });

    await cluster.admin.patch(path, { endpoints: [endpoint(1, false), endpoint(2, true)] });
    const since = performance.now();
    await waitUntil('it is published', async () => (await published()).includes('late'), {
      limitMs: RETRY_LIMIT_MS,
    });
    console.log(`published ${((performance.now() - since) / 1000).toFixed(1)} s after it became ready`);
    expect(asked('late')).toEqual(['/-/healthy']);
    expect(await published()).toEqual(['late', 'there']);
    expect(asked('there'), 'the other is not asked again').toEqual(['/-/healthy']);
    expect(await serve.stop()).toBe(0);
  });

  test('probed if one of several slices has a ready one, if readiness is unset, and if there are none', async () => {
    const names = ['mixed', 'silent', 'bare', 'empty', 'leaving'];
    const { env, asked, slice, published } = await setting(names);
    await slice('mixed', endpoint(1, false));
    await slice('mixed', endpoint(2, false), endpoint(3, true));
    await slice('mixed');
    await slice('silent', endpoint(4));
    await slice('empty');
    await slice('leaving', {
      addresses: ['10.9.9.5'],
      conditions: { ready: false, serving: true, terminating: true },
    });
    const serve = startServe(env, ['--once']);
    await serve.logged('toolset published');
    expect(await published()).toEqual(['bare', 'mixed', 'silent']);
    expect(names.filter((name) => asked(name).length > 0)).toEqual(['mixed', 'silent', 'bare']);
    expect(serve.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('denied: reported, with the permission to grant, and all are probed', async () => {
    const { env, watched, asked, slice, published } = await setting(['blind'], { slices: false });
    await slice('blind', endpoint(1, false));
    const serve = startServe(env, ['--once']);
    await serve.logged('toolset published');
    expect(await published()).toEqual(['blind']);
    expect(asked('blind')).toEqual(['/-/healthy']);
    const warnings = serve.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`namespace ${watched}: listing EndpointSlices was denied`);
    expect(warnings[0]).toContain('grant "list" on endpointslices.discovery.k8s.io');
  });
});
