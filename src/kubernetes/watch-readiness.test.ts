import type { ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Answer, json, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { keyFor } from '../../test/fixtures/unit/service.ts';
import { displayKey, partsOf } from '../model/key.ts';
import { WatchedReadiness } from './watch-readiness.ts';

const slice = (service: string, name: string, version: number, ...ready: readonly (boolean | null)[]) => ({
  metadata: {
    name,
    namespace: 'n',
    resourceVersion: String(version),
    labels: { 'kubernetes.io/service-name': service },
  },
  endpoints: ready.map((one) => ({ conditions: { ready: one } })),
});
const list = (...items: readonly object[]) => ({ metadata: { resourceVersion: '5' }, items });
const until = (what: () => void) => vi.waitFor(what, { timeout: 20_000, interval: 10 });

async function watched(answer: Answer, everywhere = false) {
  const { kube, asked } = await kubeServer(answer);
  const stop = new AbortController();
  const told: string[] = [];
  const readiness = new WatchedReadiness(
    kube,
    (service, ready) => told.push(`${displayKey(partsOf(service))} ${ready}`),
    stop.signal,
    everywhere,
  );
  onTestFinished(() => stop.abort());
  const known = async (namespace: string) => {
    const index = await readiness.endpointsIn(namespace, new AbortController().signal);
    const services = [...(index?.services() ?? [])].map((key) => [partsOf(key).name, index?.get(key)?.ready]);
    return index && Object.fromEntries(services);
  };
  return { readiness, asked, told, known };
}

test('tracks which Services are ready, and reports changes', async () => {
  let stream: ServerResponse | undefined;
  const it = await watched((response, { watch }) => {
    if (!watch)
      return json(
        response,
        list(
          slice('a', 'a-1', 1, false, true),
          slice('a', 'a-2', 1, false),
          slice('b', 'b-1', 1, null),
          slice('c', 'c-1', 1),
          { metadata: { name: 'orphan' }, endpoints: null },
        ),
      );
    response.writeHead(200).flushHeaders();
    stream = response;
  });
  it.readiness.setNamespaces(['n']);
  expect(await it.known('n')).toEqual({ a: true, b: true, c: false });
  expect(it.told).toEqual([]);
  await until(() => expect(stream).toBeDefined());
  const send = (type: string, object: object) => stream?.write(`${JSON.stringify({ type, object })}\n`);

  send('MODIFIED', slice('a', 'a-1', 6, true, true));
  send('MODIFIED', slice('a', 'a-1', 7, false));
  await until(() => expect(it.told).toEqual(['n/a false']));
  send('MODIFIED', slice('a', 'a-2', 8, true));
  send('DELETED', slice('c', 'c-1', 9));
  send('ADDED', slice('d', 'd-1', 10, true));
  await until(async () => expect(await it.known('n')).toEqual({ a: true, b: true, d: true }));
  expect(it.told).toEqual(['n/a false', 'n/a true', 'n/c true']);
});

test('reports changed addresses of selected Services, and of no others', async () => {
  let stream: ServerResponse | undefined;
  const at = (service: string, version: number, address: string) => ({
    ...slice(service, `${service}-1`, version),
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  });
  const it = await watched((response, { watch }) => {
    if (!watch) return json(response, list(at('a', 1, '10.0.0.1'), at('b', 1, '10.0.0.1')));
    response.writeHead(200).flushHeaders();
    stream = response;
  });
  it.readiness.setNamespaces(['n'], new Set([keyFor('n/a'), keyFor('n/c')]));
  await it.known('n');
  await until(() => expect(stream).toBeDefined());
  const send = (object: object) => stream?.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`);
  send(at('b', 6, '10.66.6.6'));
  send(at('a', 7, '10.0.0.1'));
  send(at('a', 8, '10.66.6.6'));
  send(at('c', 9, '10.0.0.1'));
  await until(() => expect(it.told).toEqual(['n/a false', 'n/c false']));
});

test('namespaces that are no longer needed are dropped; unsynced ones are unknown', async () => {
  let open = 0;
  const it = await watched((response, { watch, path }) => {
    if (path.includes('/no/')) return refuse(response, 403, 'Forbidden');
    if (!watch) return json(response, list(slice('a', 'a-1', 1, true)));
    if (path.includes('/unwatched/')) return refuse(response, 403, 'Forbidden');
    response.writeHead(200).flushHeaders();
    open += 1;
    response.on('close', () => {
      open -= 1;
    });
  });
  it.readiness.setNamespaces(['n', 'm', 'no', 'unwatched']);
  expect(await it.known('n')).toEqual({ a: true });
  expect(await it.known('no')).toBeUndefined();
  expect(await it.known('stranger')).toBeUndefined();
  await until(() => expect(open).toBe(2));
  await until(() => expect(it.readiness.fault('unwatched')).toMatchObject({ error: { code: 403 } }));
  expect(await it.known('unwatched')).toBeUndefined();

  it.readiness.setNamespaces(['m']);
  await until(() => expect(open).toBe(1));
  expect(await it.known('n')).toBeUndefined();
  expect(it.asked.filter(({ path, watch }) => !watch && path.includes('/m/'))).toHaveLength(1);
});

test('very many namespaces are all watched, and each is listed once', async () => {
  const many = Array.from({ length: 80 }, (_, index) => `n${index}`);
  let open = 0;
  let most = 0;
  const it = await watched((response, { watch }) => {
    if (watch) return void response.writeHead(200).flushHeaders();
    open += 1;
    most = Math.max(most, open);
    setTimeout(() => {
      open -= 1;
      json(response, list());
    }, 5);
  });
  for (let pass = 0; pass < 3; pass++) {
    it.readiness.setNamespaces(many);
    expect(await it.known('n79')).toEqual({});
  }
  await until(() => expect(it.asked.filter(({ watch }) => watch)).toHaveLength(80));
  expect(it.asked.filter(({ watch }) => !watch)).toHaveLength(80);
  expect(most).toBeLessThanOrEqual(8);
});

test('a namespace that is no longer needed before its first list delays no other one', async () => {
  const it = await watched((response, { watch, path }) => {
    if (path.includes('/stuck')) return;
    if (watch) return void response.writeHead(200).flushHeaders();
    json(response, list());
  });
  it.readiness.setNamespaces(Array.from({ length: 9 }, (_, index) => `stuck${index}`));
  it.readiness.setNamespaces(['n']);
  expect(await it.known('n')).toEqual({});
});

describe('with the permission to watch all namespaces', () => {
  test('one list and one watch cover all of them', async () => {
    let stream: ServerResponse | undefined;
    const inOther = {
      ...slice('a', 'a-1', 1, false),
      metadata: { ...slice('a', 'a-1', 1).metadata, namespace: 'm' },
    };
    const it = await watched((response, { watch }) => {
      if (!watch) return json(response, list(slice('a', 'a-1', 1, true), inOther));
      response.writeHead(200).flushHeaders();
      stream = response;
    }, true);
    it.readiness.setNamespaces(['n', 'm', 'none']);
    const { signal } = new AbortController();
    const index = await it.readiness.endpointsIn('n', signal);
    expect(index?.get(keyFor('n/a'))?.ready).toBe(true);
    expect((await it.readiness.endpointsIn('m', signal))?.get(keyFor('m/a'))?.ready).toBe(false);
    it.readiness.setNamespaces(['n', 'x', 'y']);
    await until(() => expect(stream).toBeDefined());
    stream?.write(`${JSON.stringify({ type: 'MODIFIED', object: slice('a', 'a-1', 6, false) })}\n`);
    await until(() => expect(it.told).toEqual(['n/a false']));
    expect(it.asked.map(({ path, watch }) => `${path} ${watch}`)).toEqual([
      '/apis/discovery.k8s.io/v1/endpointslices false',
      '/apis/discovery.k8s.io/v1/endpointslices true',
    ]);
  });

  test('nothing is watched while there is no backend', async () => {
    const it = await watched((response) => json(response, list()), true);
    it.readiness.setNamespaces([]);
    expect(await it.known('n')).toBeUndefined();
    expect(it.asked).toEqual([]);
  });
});

test('a changed port number of a headless Service is reported; other Services need no ports', async () => {
  let stream: ServerResponse | undefined;
  const headless = (port: number, version: number) => {
    const { metadata, endpoints } = slice('a', 'a-1', version, true);
    const labels = { ...metadata.labels, 'service.kubernetes.io/headless': '' };
    return {
      metadata: { ...metadata, labels },
      endpoints,
      ports: [{ name: 'http', port }, null, { port: 7 }],
    };
  };
  const ordinary = (port: number, version: number) => ({
    ...slice('b', 'b-1', version, true),
    ports: [{ name: 'http', port }],
  });
  const it = await watched((response, { watch }) => {
    if (!watch) return json(response, list(headless(9090, 1), ordinary(1, 1)));
    response.writeHead(200).flushHeaders();
    stream = response;
  });
  it.readiness.setNamespaces(['n']);
  const { signal } = new AbortController();
  const index = await it.readiness.endpointsIn('n', signal);
  expect(Object.fromEntries(index?.get(keyFor('n/a'))?.ports ?? [])).toEqual({ http: 9090, '': 7 });
  expect(index?.get(keyFor('n/b'))?.ports.size).toBe(0);
  await until(() => expect(stream).toBeDefined());
  for (const object of [ordinary(2, 6), headless(9090, 7), headless(9091, 8)])
    stream?.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`);
  await until(() => expect(it.told).toEqual(['n/a true']));
  expect(index?.get(keyFor('n/a'))?.ports.get('http')).toBe(9091);
});
