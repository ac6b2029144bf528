import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../telemetry/logger.ts';
import { type AppOptions, createApp, listen, type RequestOutcome } from './app.ts';
import { ProblemError } from './problem.ts';

async function setting(options: Partial<AppOptions> = {}) {
  const lines = new PassThrough();
  const answered: RequestOutcome[] = [];
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
    ...options,
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
  ['GET', `/things?${'x=1&'.repeat(501)}`, {}, undefined, 414, 'uri-too-long'],
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

test('an invalid request is explained with its fields and the allowed values', async () => {
  const { app } = await setting();
  const query = await app.inject('/things/x?kind=c');
  expect(query.json().errors).toEqual([{ parameter: 'kind', detail: 'must be one of a, b' }]);
  const body = await app.inject({ method: 'POST', url: '/things', payload: { 'a/b': 1 } });
  expect(body.json().errors).toEqual([
    { pointer: '/name', detail: 'is missing' },
    { pointer: '/a~1b', detail: 'is not known here' },
  ]);
});

test('OPTIONS and HEAD; a wrong method gets the allowed ones', async () => {
  const { app } = await setting();
  const options = await app.inject({ method: 'OPTIONS', url: '/things/x' });
  expect([options.statusCode, options.headers.allow]).toEqual([204, 'GET, HEAD, OPTIONS']);
  const head = await app.inject({ method: 'HEAD', url: '/things/x' });
  expect([head.statusCode, head.body, head.headers['content-length']]).toEqual([200, '', '11']);
  const put = await app.inject({ method: 'PUT', url: '/things' });
  expect([put.headers.allow, put.json().detail]).toEqual([
    'OPTIONS, POST',
    'PUT is not allowed here; use POST.',
  ]);
});

test('a bug is 500 without internal details; the log has them', async () => {
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

test.for(['x y', 'x\r\ny', 'é', 'x'.repeat(129), ''])('an unsafe request id is replaced: %j', async (id) => {
  const { app } = await setting();
  const answer = await app.inject({ url: '/things/x', headers: { 'x-request-id': id } });
  expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
});

/** A server on a port, and connections of peers that close nothing by themselves. */
async function onPort(options: Partial<AppOptions> = {}) {
  const { app, log, answered } = await setting(options);
  const port = await listen(app, { host: '127.0.0.1', port: 0 });
  const open = (sent = ''): Socket => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    if (sent !== '') socket.write(sent);
    return socket;
  };
  const connections = (): Promise<number> =>
    new Promise((resolve) => app.server.getConnections((_, number) => resolve(number)));
  return { app, log, answered, open, connections };
}

const GOOD = 'GET /things/x HTTP/1.1\r\nhost: x\r\n';

test.for([
  ['GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n', 400],
  [`GET / HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['\u0016\u0003\u0001', 400],
  ['GET /things/x HTTP/1.1\r\n\r\n', 400],
  [`${GOOD}Host: y\r\n\r\n`, 400],
  [`${GOOD}expect: foo\r\n\r\n`, 417],
  ['CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n', 405],
  ['QUERY /things/x HTTP/1.1\r\nhost: x\r\n\r\n', 405],
  ['PROPFIND /nothing HTTP/1.1\r\nhost: x\r\n\r\n', 404],
  ['GET /things/%zz HTTP/1.1\r\nhost: x\r\n\r\n', 400],
] as const)('an invalid or unusual request gets a problem, and is counted: %j', async ([sent, status]) => {
  const { open, answered } = await onPort();
  const socket = open();
  socket.end(sent);
  const answer = await text(socket);
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer).toMatch(/content-type: application\/problem\+json/i);
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status });
  if (status === 405) expect(answer).toMatch(/allow: GET, HEAD, OPTIONS/i);
  expect(answered.map((each) => each.status)).toEqual([status]);
});

test('a rejected client that never closes keeps no connection', async () => {
  const { open, connections } = await onPort();
  const sockets = ['\u0016\u0003\u0001', 'CONNECT a:1 HTTP/1.1\r\nhost: x\r\n\r\n'].map((sent) => open(sent));
  await Promise.all(sockets.map((socket) => once(socket, 'data')));
  await expect.poll(connections, { timeout: 5_000 }).toBe(0);
});

test('an address has at most its share of connections; each closed one is counted, and a burst is one line', async () => {
  const dropped: string[] = [];
  const { open, log, app, connections } = await onPort({
    connections: { total: 100, perAddress: () => 3 },
    dropped: (reason, address) => dropped.push(`${reason} ${address}`),
  });
  const sockets = Array.from({ length: 20 }, () => open());
  await expect.poll(() => dropped).toEqual(Array(17).fill('address 127.0.0.1'));
  await expect.poll(connections).toBe(3);
  for (const socket of sockets) socket.destroy();
  await expect.poll(connections).toBe(0);
  const socket = open();
  socket.end(`${GOOD}connection: close\r\n\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1.1 200 /);
  await app.close();
  expect((await log()).match(/MAX_CONNECTIONS_PER_ADDRESS/g)).toHaveLength(1);
});

test.for([
  { 'content-encoding': 'gzip' },
  { 'content-type': 'application/json; charset=utf-16' },
  { 'content-type': 'application/json; charset="latin1"' },
])('a body that is not plain UTF-8 is refused: %j', async (headers) => {
  const { app } = await setting();
  const post = async (more: Record<string, string>) =>
    await app.inject({
      method: 'POST',
      url: '/things',
      payload: '{"name":"a"}',
      headers: { 'content-type': 'application/json', ...more },
    });
  expect((await post(headers)).statusCode).toBe(415);
  expect((await post({ 'content-encoding': 'identity' })).statusCode).toBe(200);
  expect((await post({ 'content-type': 'application/json; charset=UTF-8' })).statusCode).toBe(200);
});

test('a body with bytes that are not UTF-8 is refused, and not changed', async () => {
  const { app } = await setting();
  const post = async (name: Buffer) =>
    await app.inject({
      method: 'POST',
      url: '/things',
      payload: Buffer.concat([Buffer.from('{"name":"'), name, Buffer.from('"}')]),
      headers: { 'content-type': 'application/json' },
    });
  const refused = await post(Buffer.from('caf\u00e9', 'latin1'));
  expect([refused.statusCode, refused.json().detail]).toEqual([415, 'Send the body in UTF-8.']);
  expect((await post(Buffer.from('caf\u00e9'))).statusCode).toBe(200);
});

test('every request of an address counts, including those that the framework rejects', async () => {
  let left = 3;
  const take = () => ({ allowed: left-- > 0, remaining: Math.max(0, left), retryAfterSeconds: 1 });
  const { app } = await setting({ take });
  const urls = [
    '/things/%zz',
    `/things/${'x'.repeat(300)}`,
    '/nothing',
    '/things/%zz',
    '/things/x',
    '/nothing',
  ];
  const statuses: number[] = [];
  for (const url of urls) statuses.push((await app.inject(url)).statusCode);
  expect(statuses).toEqual([400, 414, 404, 429, 429, 429]);
});

test('a flood of rejected requests causes few and short lines, and all of them are counted', async () => {
  const { app, log } = await setting();
  for (let n = 0; n < 200; n++)
    await app.inject({ url: `/nothing/${'x'.repeat(5_000)}`, headers: { 'user-agent': 'y'.repeat(5_000) } });
  await app.close();
  const lines = (await log())
    .trim()
    .split('\n')
    .filter((line) => !line.includes('"debug"'));
  expect(lines.length).toBeLessThan(20);
  for (const line of lines) expect(line.length).toBeLessThan(1_000);
});

test('a request does not wait for all requests of another address', async () => {
  const { app } = await setting();
  const ended: string[] = [];
  const send = async (remoteAddress: string): Promise<void> => {
    await app.inject({ url: '/things/x', remoteAddress });
    ended.push(remoteAddress);
  };
  const flood = Array.from({ length: 300 }, () => send('10.0.0.1'));
  await Promise.all([...flood, send('10.0.0.2')]);
  expect(ended).toHaveLength(301);
  expect(ended.indexOf('10.0.0.2')).toBeLessThan(30);
});
