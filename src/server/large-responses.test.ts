import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { createApp, listen } from './app.ts';

const LONG = 'ä€x'.repeat(100_000);

async function started(): Promise<string> {
  const app = await createApp({
    log: pino({ level: 'silent' }),
    component: 'api_server',
    answered: () => {},
    routes: (each) => {
      each.get('/long', async () => ({ long: LONG }));
      each.get('/bytes', async (_, reply) => reply.type('application/json').send(Buffer.alloc(300_000, 'x')));
      // More than the sockets of both sides take.
      each.get('/huge', async () => ({ long: 'x'.repeat(15_000_000) }));
      each.get('/short', async () => ({ short: true }));
    },
  });
  onTestFinished(() => app.close());
  return `http://127.0.0.1:${await listen(app, { host: '127.0.0.1', port: 0 })}`;
}

test('long responses arrive whole, with their length', async () => {
  const url = await started();
  const long = await fetch(`${url}/long`);
  expect(await long.json()).toEqual({ long: LONG });
  expect(long.headers.get('content-length')).toBe(String(Buffer.byteLength(JSON.stringify({ long: LONG }))));
  const bytes = await fetch(`${url}/bytes`);
  expect(await bytes.text()).toBe('x'.repeat(300_000));
  expect(bytes.headers.get('content-length')).toBe('300000');
  const head = await fetch(`${url}/long`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
});

test('a client that does not read its responses gets no more long ones, until they end', async () => {
  const url = await started();
  const sent = request(`${url}/huge`).end();
  sent.on('error', () => {});
  const [response] = await once(sent, 'response');
  expect(response.statusCode).toBe(200);
  const refused = await fetch(`${url}/huge`);
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({
    detail: expect.stringMatching(
      /^Your client has responses that it has not read, .* is 16777216 bytes; wait/,
    ),
  });
  expect(await (await fetch(`${url}/short`)).json()).toEqual({ short: true });
  expect((await text(response)).length).toBe(15_000_011);
  await expect.poll(async () => (await fetch(`${url}/huge`, { method: 'HEAD' })).status).toBe(200);
});
