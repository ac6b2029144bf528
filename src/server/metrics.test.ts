import { expect, onTestFinished, test } from 'vitest';
import { UserError } from '../model/exit.ts';
import { serveMetrics } from './metrics.ts';

const exposition = { contentType: 'text/plain; version=0.0.4', metrics: async () => 'up 1\n' };

function stopping(): AbortSignal {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  return stop.signal;
}

test('GET /metrics and nothing else', async () => {
  const port = await serveMetrics({ host: '127.0.0.1', port: 0 }, exposition, stopping());
  const url = `http://127.0.0.1:${port}`;
  const answer = await fetch(`${url}/metrics?x=1`);
  expect(answer.headers.get('content-type')).toBe(exposition.contentType);
  expect(await answer.text()).toBe('up 1\n');
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405);
});

test('a failure to collect is 500 and says nothing of the inside', async () => {
  const failing = { ...exposition, metrics: () => Promise.reject(new Error('secret')) };
  const port = await serveMetrics({ host: '127.0.0.1', port: 0 }, failing, stopping());
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(answer.status).toBe(500);
  expect(await answer.text()).toBe('');
});

test('an address that is taken is told with what to do', async () => {
  const port = await serveMetrics({ host: '127.0.0.1', port: 0 }, exposition, stopping());
  const second = serveMetrics({ host: '127.0.0.1', port }, exposition, stopping());
  await expect(second).rejects.toThrow(UserError);
  await expect(second).rejects.toThrow(/--metrics-address/);
});
