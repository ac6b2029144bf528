import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { json, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { WatchedReadiness } from '../kube/watch-readiness.ts';
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
  const prober = new ReadinessProber(kube, noProber, watched);
  return {
    asked,
    changed,
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
  await vi.waitFor(() => expect(it.changed).toHaveBeenCalledWith('n/grafana', true));
  expect(await it.pass()).toEqual({ problems: [], health: 'unknown' });
});

test('where watching is denied it is listed in each pass, and the right to grant is told', async () => {
  const it = await watching(false);
  await it.pass();
  await vi.waitFor(async () => expect((await it.pass()).problems).toHaveLength(1));
  const lists = it.asked.filter(({ watch }) => !watch).length;
  expect(await it.pass()).toEqual({
    problems: [expect.objectContaining({ where: 'namespace n', fix: expect.stringContaining('"watch"') })],
    health: 'unhealthy',
  });
  expect(it.asked.filter(({ watch }) => !watch)).toHaveLength(lists + 1);
});
