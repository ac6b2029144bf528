import { describe, expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { answering, type Backend, httpBackend, rawBackend } from '../../test/fixtures/unit/server.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Candidate } from '../model/discovery.ts';
import { directFetch } from './direct.ts';
import { BODY_LIMIT, ProbeFailure, type ProbeRequest, type ProbeResponse } from './fetch.ts';

const prometheus = candidate(service('prometheus', { labels: { app: 'prometheus' }, ports: ['web:9090'] }));

const ask = (
  backend: Backend,
  asked: ProbeRequest = { path: '/' },
  signal: AbortSignal = AbortSignal.timeout(5_000),
): Promise<ProbeResponse> => directFetch(backend.standsFor(prometheus))(prometheus, asked, signal);

const failure = (asking: Promise<unknown>): Promise<unknown> =>
  asking.then(
    (answer) => new Error(`it answered ${JSON.stringify(answer)}`),
    (error: unknown) => error,
  );

describe('a request to a backend', () => {
  test.each([200, 204, 302, 401, 403, 404, 500, 503])('a response with %i is a response', async (status) => {
    const backend = await answering({ '/x?y=z': [status, '', { 'x-product': 'P' }] });
    const answer = await ask(backend, { path: '/x?y=z' });
    expect(answer.status).toBe(status);
    expect(answer.headers['x-product']).toBe('P');
  });

  test("has the backend's host, and no credentials", async () => {
    const backend = await answering({ '/': 'hello' });
    expect((await ask(backend)).body).toBe('hello');
    const [request] = backend.requests;
    expect(request?.method).toBe('GET');
    expect(request?.headers.host).toBe('prometheus.monitoring.svc.cluster.local:9090');
    for (const name of ['authorization', 'cookie', 'proxy-authorization'])
      expect(request?.headers).not.toHaveProperty(name);
  });

  test('a redirect is not followed', async () => {
    const other = await answering({ '/': 'the other' });
    const backend = await answering({
      '/': [302, '', { location: `http://127.0.0.1:${other.port}/` }],
    });
    expect((await ask(backend)).status).toBe(302);
    expect(other.asked).toEqual([]);
    expect(backend.asked).toEqual(['GET /']);
  });

  test('an endless body is truncated', async () => {
    const backend = await httpBackend((_, response) => {
      const more = (): void => {
        if (!response.destroyed) response.write('x'.repeat(10_000), () => setImmediate(more));
      };
      more();
    });
    expect((await ask(backend)).body).toHaveLength(BODY_LIMIT);
  });

  test('reading stops as soon as the result is known', async () => {
    const backend = await httpBackend((_, response) => {
      response.write('event: endpoint\n');
    });
    const enough = (chunk: Buffer): boolean => chunk.includes('endpoint');
    expect((await ask(backend, { path: '/', enough })).body).toBe('event: endpoint\n');
  });

  test('a compressed response is not decompressed', async () => {
    const backend = await answering({ '/': [200, 'not really gzip', { 'content-encoding': 'gzip' }] });
    expect((await ask(backend)).body).toBe('not really gzip');
    expect(backend.requests[0]?.headers['accept-encoding']).toBe('identity');
  });

  test('a request with a body is sent unchanged', async () => {
    const bodies: string[] = [];
    const backend = await httpBackend((request, response) => {
      request.on('data', (chunk) => bodies.push(String(chunk)));
      request.on('end', () => response.end('ok'));
    });
    const asked: ProbeRequest = {
      method: 'POST',
      path: '/mcp',
      headers: { 'content-type': 'application/json' },
      body: '{"ü":1}',
    };
    expect((await ask(backend, asked)).body).toBe('ok');
    expect(bodies.join('')).toBe('{"ü":1}');
    expect(backend.requests[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '8',
    });
  });
});

describe('a backend that does not respond', () => {
  test('because nothing listens', async () => {
    const backend = await answering({});
    await backend.close();
    const error = await failure(ask(backend));
    expect(error).toBeInstanceOf(ProbeFailure);
    expect((error as Error).message).toContain('refused');
  });

  test.each<[string, Parameters<typeof rawBackend>[0]]>([
    ['closes the connection', (socket) => socket.end()],
    ['resets the connection', (socket) => socket.resetAndDestroy()],
    ['stops within its headers', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-')],
    ['stops within its body', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')],
    ['speaks something else', (socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n')],
    ['has endless headers', (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`)],
    [
      'breaks its own framing',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
    ],
  ])('because it %s', async (_, answer) => {
    const backend = await rawBackend(answer);
    const error = await failure(ask(backend));
    expect(error).toBeInstanceOf(ProbeFailure);
    expect((error as Error).message).not.toBe('');
    expect((error as Error).message.length).toBeLessThanOrEqual(160);
  });

  test.each<[string, Parameters<typeof rawBackend>[0]]>([
    ['nothing', () => {}],
    ['headers and no body', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n')],
    [
      'a body without end, byte by byte',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        const drip = setInterval(() => socket.write('.'), 10);
        socket.on('close', () => clearInterval(drip));
      },
    ],
  ])('in time, but sends %s: the signal ends it', async (_, answer) => {
    const backend = await rawBackend(answer);
    const reason = new Error('that is long enough');
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 100);
    expect(await failure(ask(backend, { path: '/' }, stop.signal))).toBe(reason);
  });

  test('an aborted signal: nothing is sent', async () => {
    const backend = await answering({ '/': 'hello' });
    expect(await failure(ask(backend, { path: '/' }, AbortSignal.abort()))).toBeInstanceOf(Error);
    expect(backend.asked).toEqual([]);
  });
});

describe('without permission of the operator', () => {
  /** A server on this machine that must never be asked. */
  const guarded = (): Promise<Backend> => answering({ '/': 'a secret' }, true);
  const at = (host: string, port: number): Candidate => ({
    ...prometheus,
    endpoint: { scheme: 'http', host, port, path: '' },
  });

  test('a name that resolves to loopback is not probed, and the reason is reported', async () => {
    const server = await guarded();
    const error = await failure(
      directFetch(new Map())(at('localhost', server.port), { path: '/' }, AbortSignal.timeout(5_000)),
    );
    expect(error).toBeInstanceOf(ProbeFailure);
    expect((error as Error).message).toMatch(/localhost.*loopback/);
    expect(server.asked).toEqual([]);
  });

  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0',
    '0.0.0.0',
    '::1',
    '[::1]',
    '::ffff:127.0.0.1',
    '[::ffff:7f00:1]',
  ])('loopback in the notation %s is not probed', async (host) => {
    const server = await guarded();
    const asking = directFetch(new Map())(at(host, server.port), { path: '/' }, AbortSignal.timeout(5_000));
    expect(await failure(asking)).toBeInstanceOf(ProbeFailure);
    expect(server.asked).toEqual([]);
  });

  test('permission for another host or port does not apply', async () => {
    const server = await guarded();
    const to = { host: '127.0.0.1', port: server.port };
    const words = new Map([
      [`localhost:${server.port + 1}`, to],
      [`other:${server.port}`, to],
    ]);
    const asking = directFetch(words)(
      at('localhost', server.port),
      { path: '/' },
      AbortSignal.timeout(5_000),
    );
    expect(await failure(asking)).toBeInstanceOf(ProbeFailure);
    expect(server.asked).toEqual([]);
  });
});
