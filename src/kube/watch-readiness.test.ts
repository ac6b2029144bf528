import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Answer, json, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
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
const until = (what: () => void) => vi.waitFor(what, { timeout: 4_000, interval: 10 });

async function watched(answer: Answer) {
  const { kube, asked } = await kubeServer(answer);
  const stop = new AbortController();
  const told: string[] = [];
  const readiness = new WatchedReadiness(
    kube,
    (service, ready) => told.push(`${service} ${ready}`),
    stop.signal,
  );
  onTestFinished(() => stop.abort());
  const known = async (namespace: string) => {
    const services = await readiness.known(namespace, new AbortController().signal);
    return services && Object.fromEntries(services);
  };
  return { readiness, asked, told, known };
}

test('follows which Services are ready, and tells when that changes', async () => {
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
  it.readiness.follow(['n']);
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

test('namespaces that are not wanted any more are left; what is not in step is not known', async () => {
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
  it.readiness.follow(['n', 'm', 'no', 'unwatched']);
  expect(await it.known('n')).toEqual({ a: true });
  expect(await it.known('no')).toBeUndefined();
  expect(await it.known('stranger')).toBeUndefined();
  await until(() => expect(open).toBe(2));
  await until(() => expect(it.readiness.fault('unwatched')).toMatchObject({ code: 403 }));
  expect(await it.known('unwatched')).toBeUndefined();

  it.readiness.follow(['m']);
  await until(() => expect(open).toBe(1));
  expect(await it.known('n')).toBeUndefined();
  expect(it.asked.filter(({ path, watch }) => !watch && path.includes('/m/'))).toHaveLength(1);
});

test('of very many namespaces only some are followed', async () => {
  const it = await watched((response, { watch }) => {
    if (!watch) return json(response, list());
    response.writeHead(200).flushHeaders();
  });
  it.readiness.follow(Array.from({ length: 80 }, (_, index) => `n${index}`));
  await until(() => expect(it.asked.filter(({ watch }) => watch)).toHaveLength(50));
});
