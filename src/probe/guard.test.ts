import type { lookup } from 'node:dns';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { httpBackend, rawBackend } from '../../test/fixtures/unit/server.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Candidate } from '../model/discovery.ts';
import { refusedAddress } from './address.ts';
import { directFetch, type Guard } from './direct.ts';
import { ProbeFailure } from './fetch.ts';

const prometheus = candidate(service('prometheus', { labels: { app: 'prometheus' }, ports: ['web:9090'] }));
const at = (host: string, port: number): Candidate => ({
  ...prometheus,
  endpoint: { ...prometheus.endpoint, host, port },
});

/** A server on one address of the loopback range, and how often it was asked. */
async function listening(address: string, port = 0): Promise<{ port: number; asked: () => number }> {
  let asked = 0;
  const server: Server = createServer((_, response) => {
    asked += 1;
    response.end('hello');
  });
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject).listen(port, address, resolve);
  });
  onTestFinished(() => void server.close().closeAllConnections());
  return { port: (server.address() as AddressInfo).port, asked: () => asked };
}

/** A resolver that gives one answer after the other, the last one for ever. */
function resolving(...answers: readonly (readonly string[])[]): {
  resolve: Guard['resolve'];
  calls: () => number;
} {
  let calls = 0;
  const resolve = ((
    _name: string,
    _options: object,
    callback: (error: null, addresses: object[]) => void,
  ) => {
    const answer = answers[Math.min(calls, answers.length - 1)] ?? [];
    calls += 1;
    callback(
      null,
      answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  }) as unknown as typeof lookup;
  return { resolve, calls: () => calls };
}

const failure = (asking: Promise<unknown>): Promise<unknown> =>
  asking.then(
    (answer) => new Error(`it answered ${JSON.stringify(answer)}`),
    (error: unknown) => error,
  );
const signal = (): AbortSignal => AbortSignal.timeout(5_000);

describe('getting past the address guard', () => {
  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0',
    '::1',
    '[::1]',
    '::ffff:127.0.0.1',
    '[::ffff:7f00:1]',
    'localhost',
  ])('with this machine as %s', async (host) => {
    const { port, asked } = await listening('127.0.0.1');
    const error = await failure(directFetch(new Map())(at(host, port), { path: '/' }, signal()));
    expect(error).toBeInstanceOf(ProbeFailure);
    expect((error as ProbeFailure).message).toMatch(/not asked|does not resolve/);
    expect(asked()).toBe(0);
  });

  test.each(['169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '::ffff:169.254.169.254'])(
    'with the metadata address as %s',
    async (host) => {
      const error = await failure(directFetch(new Map())(at(host, 80), { path: '/' }, signal()));
      expect((error as ProbeFailure).message).toMatch(/not asked.*(link-local|hides)/);
    },
  );

  test('with a name for the metadata address', async () => {
    const { resolve } = resolving(['169.254.169.254']);
    const fetch = directFetch(new Map(), { resolve, refused: refusedAddress });
    const error = await failure(fetch(at('metadata.example', 80), { path: '/' }, signal()));
    expect((error as ProbeFailure).message).toContain('metadata.example resolves to 169.254.169.254');
  });

  test('with a name that has a good address beside a bad one', async () => {
    const { resolve } = resolving(['10.0.0.1', '127.0.0.1']);
    const fetch = directFetch(new Map(), { resolve, refused: refusedAddress });
    const error = await failure(fetch(at('mixed.example', 80), { path: '/' }, signal()));
    expect((error as ProbeFailure).message).toContain('127.0.0.1');
  });

  test('with a name that resolves to something else after it was checked', async () => {
    const good = await listening('127.0.0.2');
    const bad = await listening('127.0.0.1', good.port);
    const { resolve, calls } = resolving(['127.0.0.2'], ['127.0.0.1']);
    const refused = (address: string): string | undefined => (address === '127.0.0.2' ? undefined : 'bad');
    const answer = await directFetch(new Map(), { resolve, refused })(
      at('rebinding.example', good.port),
      { path: '/' },
      signal(),
    );
    expect(answer.body).toBe('hello');
    expect([good.asked(), bad.asked(), calls()]).toEqual([1, 0, 1]);
  });
});

describe('answers that are made to hurt', () => {
  test('more headers than anybody needs', async () => {
    const backend = await rawBackend((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      for (let i = 0; i < 2_000; i++) socket.write(`x-${i}: ${'y'.repeat(100)}\r\n`);
      socket.end('\r\nhello');
    });
    const fetch = directFetch(backend.standsFor(prometheus));
    const error = await failure(fetch(prometheus, { path: '/' }, signal()));
    expect((error as ProbeFailure).message).toContain('headers are larger');
  });

  test('a body that comes byte by byte for ever ends with the time limit', async () => {
    const backend = await httpBackend((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const fetch = directFetch(backend.standsFor(prometheus));
    const limit = AbortSignal.timeout(300);
    expect(await failure(fetch(prometheus, { path: '/' }, limit))).toBe(limit.reason);
  });

  test('"wait a moment" for ever ends with the time limit', async () => {
    const backend = await rawBackend((socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 20);
      socket.on('close', () => clearInterval(timer)).on('error', () => {});
    });
    const fetch = directFetch(backend.standsFor(prometheus));
    const limit = AbortSignal.timeout(300);
    expect(await failure(fetch(prometheus, { path: '/' }, limit))).toBe(limit.reason);
  });
});
