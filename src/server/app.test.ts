import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../telemetry/logger.ts';
import { type Answered, createApp, listen } from './app.ts';
import { ProblemError } from './problem.ts';

async function setting() {
  const lines = new PassThrough();
  const answered: Answered[] = [];
  const { log } = createLogger({ logLevel: 'debug', logFormat: 'json' }, lines);
  const routes = (app: FastifyInstance): void => {
    app.get('/things/:name', {
      schema: { querystring: { type: 'object', properties: { kind: { enum: ['a', 'b'] } } } },
      handler: async () => ({ ok: true }),
    });
    app.post('/things', {
      schema: {
        body: {
          type: 'object',
          properties: { name: { type: 'string' } },
          required: ['name'],
          additionalProperties: false,
        },
      },
      handler: async () => ({ ok: true }),
    });
    app.get('/bug', async () => {
      throw new Error('the password is hunter2');
    });
    app.get('/told', async () => {
      throw new ProblemError('unavailable', 'Later.', {
        headers: { 'retry-after': '7' },
        code: 'DISCOVERY_FAILED',
      });
    });
  };
  const app = await createApp({
    log,
    component: 'api_server',
    answered: (one) => answered.push(one),
    routes,
  });
  onTestFinished(() => app.close());
  return {
    app,
    answered,
    log: async (): Promise<string> => {
      lines.end();
      return await text(lines);
    },
  };
}

test.for([
  ['GET', '/nothing', {}, undefined, 404, 'not-found'],
  ['PUT', '/things', {}, undefined, 405, 'method-not-allowed'],
  ['DELETE', '/things/x', {}, undefined, 405, 'method-not-allowed'],
  ['POST', '/things', { 'content-type': 'text/plain' }, 'x', 415, 'unsupported-media-type'],
  ['POST', '/things', { 'content-type': 'application/xml' }, '<x/>', 415, 'unsupported-media-type'],
  ['POST', '/things', { 'content-type': 'application/json' }, '{', 400, 'invalid-request'],
  ['POST', '/things', { 'content-type': 'application/json' }, '{"__proto__":{}}', 400, 'invalid-request'],
  [
    'POST',
    '/things',
    { 'content-type': 'application/json' },
    `{"a":"${'x'.repeat(1 << 20)}"}`,
    413,
    'payload-too-large',
  ],
  ['GET', '/things/x?kind=c', {}, undefined, 400, 'invalid-request'],
  ['GET', `/things/${'x'.repeat(300)}`, {}, undefined, 414, 'uri-too-long'],
  ['GET', '/things/%E0%A4%A', {}, undefined, 400, 'invalid-request'],
  ['GET', '/told', {}, undefined, 503, 'unavailable'],
] as const)(
  '%s %s is a problem with all its members',
  async ([method, url, headers, payload, status, kind]) => {
    const { app } = await setting();
    const answer = await app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({
      type: `https://kubernaut.io/errors/${kind}`,
      title: expect.stringMatching(/./),
      status,
      detail: expect.stringMatching(/./),
      instance: expect.stringMatching(/^\//),
      request_id: answer.headers['x-request-id'],
      correlationId: answer.headers['x-request-id'],
      code: expect.stringMatching(/^[A-Z_]+$/),
    });
  },
);

test('what is wrong with a request is told with its place and what is allowed', async () => {
  const { app } = await setting();
  const query = await app.inject('/things/x?kind=c');
  expect(query.json().errors).toEqual([{ parameter: 'kind', detail: 'is none of a, b' }]);
  const body = await app.inject({ method: 'POST', url: '/things', payload: { 'a/b': 1 } });
  expect(body.json().errors).toEqual([
    { pointer: '/name', detail: 'is missing' },
    { pointer: '/a~1b', detail: 'is not known here' },
  ]);
});

test('OPTIONS and HEAD; a wrong method is told the right ones', async () => {
  const { app } = await setting();
  const options = await app.inject({ method: 'OPTIONS', url: '/things/x' });
  expect([options.statusCode, options.headers.allow]).toEqual([204, 'GET, HEAD, OPTIONS']);
  const head = await app.inject({ method: 'HEAD', url: '/things/x' });
  expect([head.statusCode, head.body, head.headers['content-length']]).toEqual([200, '', '11']);
  const put = await app.inject({ method: 'PUT', url: '/things' });
  expect([put.headers.allow, put.json().detail]).toEqual([
    'OPTIONS, POST',
    'PUT is not taken here; use POST.',
  ]);
});

test('a bug is 500 without anything of the inside; the log has it', async () => {
  const { app, log, answered } = await setting();
  const answer = await app.inject({ url: '/bug', headers: { 'x-request-id': 'abc-1' } });
  expect(answer.statusCode).toBe(500);
  expect(answer.body).not.toMatch(/hunter2|node_modules|\.ts/);
  expect(answer.json().request_id).toBe('abc-1');
  await app.close();
  expect(answered).toEqual([{ method: 'GET', route: '/bug', status: 500, milliseconds: expect.any(Number) }]);
  const lines = (await log())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toEqual([
    expect.objectContaining({
      level: 'error',
      request_id: 'abc-1',
      stacktrace: expect.stringContaining('hunter2'),
    }),
    expect.objectContaining({ level: 'error', path: '/bug', status_code: 500, component: 'api_server' }),
  ]);
});

test.for(['x y', 'x\r\ny', 'é', 'x'.repeat(129), ''])(
  'a request id that may do harm is not taken: %j',
  async (id) => {
    const { app } = await setting();
    const answer = await app.inject({ url: '/things/x', headers: { 'x-request-id': id } });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  },
);

test.for([
  ['GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n', 400],
  [`GET / HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['\u0016\u0003\u0001', 400],
] as const)('what is no request gets a problem too: %j', async ([sent, status]) => {
  const { app } = await setting();
  const port = await listen(app, { host: '127.0.0.1', port: 0 });
  const socket = connect(port, '127.0.0.1');
  socket.end(sent);
  const answer = await text(socket);
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer).toContain('content-type: application/problem+json');
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status });
});
