import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { httpBackend, rawBackend } from '../../test/fixtures/unit/server.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Candidate } from '../model/discovery.ts';
import { whyForbidden } from './address.ts';
import type { AddressGuard } from './connect.ts';
import { directFetch } from './direct.ts';
import { MAX_BODY_LIMIT, ProbeFailure } from './fetch.ts';

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

/** A resolver that gives one answer after the other, and then repeats the last one. */
function resolving(...answers: readonly (readonly string[])[]): {
  resolve: AddressGuard['resolve'];
  calls: () => number;
} {
  let calls = 0;
  const resolve: AddressGuard['resolve'] = () => {
    const answer = answers[Math.min(calls, answers.length - 1)] ?? [];
    calls += 1;
    return Promise.resolve(answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
  };
  return { resolve, calls: () => calls };
}

const failure = (asking: Promise<unknown>): Promise<unknown> =>
  asking.then(
    (answer) => new Error(`it answered ${JSON.stringify(answer)}`),
    (error: unknown) => error,
  );
const signal = (): AbortSignal => AbortSignal.timeout(5_000);

describe('attempts to bypass the address guard', () => {
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
    expect((error as ProbeFailure).message).toMatch(/not probed|does not resolve/);
    expect(asked()).toBe(0);
  });

  test.each(['169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '::ffff:169.254.169.254'])(
    'with the metadata address as %s',
    async (host) => {
      const error = await failure(directFetch(new Map())(at(host, 80), { path: '/' }, signal()));
      expect((error as ProbeFailure).message).toMatch(/not probed.*(link-local|embeds)/);
    },
  );

  test('with a name for the metadata address', async () => {
    const { resolve } = resolving(['169.254.169.254']);
    const fetch = directFetch(new Map(), { resolve, whyForbidden: whyForbidden });
    const error = await failure(fetch(at('metadata.example', 80), { path: '/' }, signal()));
    expect((error as ProbeFailure).message).toContain('metadata.example resolves to 169.254.169.254');
  });

  test('with a name that has both an allowed and a forbidden address', async () => {
    const { resolve } = resolving(['10.0.0.1', '127.0.0.1']);
    const fetch = directFetch(new Map(), { resolve, whyForbidden: whyForbidden });
    const error = await failure(fetch(at('mixed.example', 80), { path: '/' }, signal()));
    expect((error as ProbeFailure).message).toContain('127.0.0.1');
  });

  test('with a name that changes after the check', async () => {
    // Others listen on 127.0.0.1 too, so the port is chosen there.
    const bad = await listening('127.0.0.1');
    const good = await listening('127.0.0.2', bad.port);
    const { resolve, calls } = resolving(['127.0.0.2'], ['127.0.0.1']);
    const refused = (address: string): string | undefined => (address === '127.0.0.2' ? undefined : 'bad');
    const answer = await directFetch(new Map(), { resolve, whyForbidden: refused })(
      at('rebinding.example', good.port),
      { path: '/' },
      signal(),
    );
    expect(answer.body).toBe('hello');
    expect([good.asked(), bad.asked(), calls()]).toEqual([1, 0, 1]);
  });
});

const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';

/** Sends a block again and again, after something else, as fast as it is taken. */
const flood =
  (block: string, first = '') =>
  (socket: Socket): void => {
    const more = (): void => {
      while (socket.writable && socket.write(block));
    };
    socket.on('drain', more).write(first);
    more();
  };

describe('hostile responses', () => {
  test('excessively many headers', async () => {
    const backend = await rawBackend((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      for (let i = 0; i < 2_000; i++) socket.write(`x-${i}: ${'y'.repeat(100)}\r\n`);
      socket.end('\r\nhello');
    });
    const fetch = directFetch(backend.standsFor(prometheus));
    const error = await failure(fetch(prometheus, { path: '/' }, signal()));
    expect((error as ProbeFailure).message).toContain('headers are larger');
  });

  test('a body that arrives byte by byte forever ends with the timeout', async () => {
    const backend = await httpBackend((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const fetch = directFetch(backend.standsFor(prometheus));
    const limit = AbortSignal.timeout(300);
    expect(await failure(fetch(prometheus, { path: '/' }, limit))).toBe(limit.reason);
  });

  test.each<[string, (socket: Socket) => void, string]>([
    ['endless informational responses', flood('HTTP/1.1 102 Processing\r\n\r\n'.repeat(1_000)), '1xx'],
    ['chunks of one byte', flood('1\r\nx\r\n'.repeat(1_000), CHUNKED), '128 KiB'],
    ['chunks of one byte with extensions', flood('1;a=b\r\nx\r\n'.repeat(1_000), CHUNKED), '128 KiB'],
    ['an endless chunk extension', flood('a'.repeat(10_000), `${CHUNKED}1;`), 'Chunk extensions'],
    ['endless trailers', flood('a: b\r\n'.repeat(1_000), `${CHUNKED}0\r\n`), 'headers'],
  ])('%s are abandoned', async (_, answer, reason) => {
    const backend = await rawBackend(answer);
    const fetch = directFetch(backend.standsFor(prometheus));
    const error = await failure(fetch(prometheus, { path: '/' }, signal()));
    expect(error).toMatchObject({ kind: 'protocol', message: expect.stringContaining(reason) });
  });

  test('a few responses of status 1xx before the final one are accepted', async () => {
    const backend = await rawBackend((socket) => {
      socket.end(`${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(3)}HTTP/1.1 200 OK\r\n\r\nhello`);
    });
    const fetch = directFetch(backend.standsFor(prometheus));
    expect(await fetch(prometheus, { path: '/' }, signal())).toMatchObject({ status: 200, body: 'hello' });
  });

  test('a request may read more of a body, up to the maximum', async () => {
    const backend = await httpBackend((_, response) => response.end('x'.repeat(MAX_BODY_LIMIT + 1_000)));
    const fetch = directFetch(backend.standsFor(prometheus));
    const read = async (limit: number): Promise<number> =>
      (await fetch(prometheus, { path: '/', limit }, signal())).body.length;
    expect(await read(200_000)).toBe(200_000);
    expect(await read(10 * MAX_BODY_LIMIT)).toBe(MAX_BODY_LIMIT);
  });
});
