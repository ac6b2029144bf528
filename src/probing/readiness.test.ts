import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { json, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import { WatchedReadiness } from '../kubernetes/watch-readiness.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import { noProber } from './no-prober.ts';
import { ReadinessProber } from './readiness.ts';

const signal = new AbortController().signal;
const backend = candidate(service('grafana', { namespace: 'n', ports: ['http:3000'] }));
const slice = (ready: boolean, version: number) => ({
  metadata: {
    name: 'g-1',
    namespace: 'n',
    resourceVersion: String(version),
    labels: { 'kubernetes.io/service-name': 'grafana' },
  },
  endpoints: [{ conditions: { ready } }],
});
const list = (ready: boolean) => ({ metadata: { resourceVersion: '1' }, items: [slice(ready, 1)] });

/** A prober over watched slices; `watchable`: whether watching is allowed. */
async function watching(watchable: boolean) {
  const clock = { now: 0 };
  let stream: ServerResponse | undefined;
  const { kube, asked } = await kubeServer((response, { watch }) => {
    if (!watch) return json(response, list(false));
    if (!watchable) return refuse(response, 403, 'Forbidden');
    response.writeHead(200).flushHeaders();
    stream = response;
  });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const changed = vi.fn();
  const watched = new WatchedReadiness(kube, changed, stop.signal);
  const prober = new ReadinessProber(kube, noProber, { watched, now: () => clock.now });
  return {
    asked,
    changed,
    clock,
    send: (object: object) => stream?.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`),
    pass: async () => {
      const problems = await prober.prepare([backend], signal);
      return { problems, health: (await prober.probe(backend, signal)).health };
    },
  };
}

test('what is watched is not listed in each pass', async () => {
  const it = await watching(true);
  expect(await it.pass()).toEqual({ problems: [], health: 'unhealthy' });
  expect(await it.pass()).toEqual({ problems: [], health: 'unhealthy' });
  await vi.waitFor(() => expect(it.asked.map(({ watch }) => watch)).toEqual([false, true]));
  it.send(slice(true, 2));
  await vi.waitFor(() => expect(it.changed).toHaveBeenCalledWith(keyFor('n/grafana'), true));
  expect(await it.pass()).toEqual({ problems: [], health: 'unknown' });
});

test('it knows the addresses of Services, also of those that are not asked about, and where nothing is asked', async () => {
  let answer: 'list' | 'fail' | 'deny' = 'list';
  const { kube } = await kubeServer((response) => {
    if (answer !== 'list') return refuse(response, answer === 'deny' ? 403 : 500, 'No');
    const { metadata } = slice(false, 1);
    const other = { ...metadata, name: 'o-1', labels: { 'kubernetes.io/service-name': 'other' } };
    json(response, {
      metadata: { resourceVersion: '1' },
      items: [
        { metadata, endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: false } }] },
        { metadata: other, endpoints: [{ addresses: ['10.0.0.2'] }] },
      ],
    });
  });
  const prober = new ReadinessProber(kube, noProber, { isProbing: false });
  const at = { cluster: HOME_CLUSTER, namespace: 'n' };
  expect(prober.addressesIn(at)).toBeUndefined();
  await prober.prepare([backend], signal);
  const known = new Map([
    ['grafana', { listed: ['10.0.0.1'], isCut: false }],
    ['other', { listed: ['10.0.0.2'], isCut: false }],
  ]);
  expect(prober.addressesIn(at)).toEqual(known);
  expect((await prober.probe(backend, signal)).health).toBe('unknown');
  answer = 'fail';
  await prober.prepare([backend], signal);
  expect(prober.addressesIn(at)).toEqual(known);
  expect(prober.addressesIn({ ...at, cluster: 'elsewhere' })).toBeUndefined();
  answer = 'deny';
  expect(await prober.prepare([backend], signal)).toMatchObject([
    { what: expect.stringContaining('selectors') },
  ]);
  expect(prober.addressesIn(at)).toBeUndefined();
});

test('where watching is denied it is listed every few seconds, and the right to grant is told', async () => {
  const it = await watching(false);
  await it.pass();
  await vi.waitFor(async () => expect((await it.pass()).problems).toHaveLength(1));
  const lists = (): number => it.asked.filter(({ watch }) => !watch).length;
  const before = lists();
  const told = {
    problems: [expect.objectContaining({ where: 'namespace n', fix: expect.stringContaining('"watch"') })],
    health: 'unhealthy',
  };
  for (it.clock.now = 0; it.clock.now < 5_000; it.clock.now += 1_000) expect(await it.pass()).toEqual(told);
  expect(lists() - before).toBeLessThanOrEqual(1);
  it.clock.now = 10_000;
  expect(await it.pass()).toEqual(told);
  expect(lists() - before).toBeLessThanOrEqual(2);
  expect(lists()).toBeGreaterThan(before);
});

test('what a list said before does not count where the next one fails', async () => {
  let broken = false;
  const { kube } = await kubeServer((response) =>
    broken ? refuse(response, 500, 'InternalError') : json(response, list(false)),
  );
  const prober = new ReadinessProber(kube, noProber);
  await prober.prepare([backend], signal);
  expect((await prober.probe(backend, signal)).health).toBe('unhealthy');
  broken = true;
  expect(await prober.prepare([backend], signal)).toEqual([]);
  expect((await prober.probe(backend, signal)).health).toBe('unknown');
});

test('a namespace whose list takes long keeps the probes of no other waiting', async () => {
  const held = Promise.withResolvers<void>();
  const { kube } = await kubeServer(async (response, { path }) => {
    if (path.includes('/slow/')) await held.promise;
    json(response, list(false));
  });
  const prober = new ReadinessProber(kube, noProber);
  const slow = candidate(service('grafana', { namespace: 'slow', ports: ['http:3000'] }));
  const prepared = prober.prepare([backend, slow], signal);
  const waiting = prober.probe(slow, signal);
  expect((await prober.probe(backend, signal)).health).toBe('unhealthy');
  held.resolve();
  expect((await waiting).health).toBe('unhealthy');
  await prepared;
});

test('all namespaces that may not be watched together are one problem, and no list in each pass', async () => {
  const { kube, asked } = await kubeServer((response) => refuse(response, 403, 'Forbidden'));
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const watched = new WatchedReadiness(kube, () => {}, stop.signal, true);
  const prober = new ReadinessProber(kube, noProber, { watched });
  const many = ['a', 'b', 'c'].map((namespace) =>
    candidate(service('grafana', { namespace, ports: ['http:3000'] })),
  );
  for (let pass = 0; pass < 3; pass++)
    expect(await prober.prepare(many, signal)).toEqual([
      expect.objectContaining({ where: 'all namespaces', fix: expect.stringContaining('ClusterRole') }),
    ]);
  expect(asked).toHaveLength(1);
  expect((await prober.probe(backend, signal)).health).toBe('unknown');
});

test('a command that reads once lists a few namespaces at a time', async () => {
  let open = 0;
  let most = 0;
  const { kube, asked } = await kubeServer((response) => {
    open += 1;
    most = Math.max(most, open);
    setTimeout(() => {
      open -= 1;
      json(response, { metadata: { resourceVersion: '1' }, items: [] });
    }, 5);
  });
  const many = Array.from({ length: 30 }, (_, index) =>
    candidate(service('grafana', { namespace: `n${index}`, ports: ['http:3000'] })),
  );
  expect(await new ReadinessProber(kube, noProber).prepare(many, signal)).toEqual([]);
  expect(asked).toHaveLength(30);
  expect(most).toBeLessThanOrEqual(8);
});
