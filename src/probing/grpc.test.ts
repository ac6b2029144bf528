import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { rawBackend } from '../../test/fixtures/unit/server.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Candidate } from '../model/discovery.ts';
import { ProbeFailure } from './fetch.ts';
import { directGrpc, probeGrpc } from './grpc.ts';

const METHOD = 'observer.Observer/ServerStatus';
const relay = candidate(
  service('hubble-relay', { labels: { 'app.kubernetes.io/name': 'hubble-relay' }, ports: [':80:4245'] }),
);

let server: Http2Server | undefined;
afterEach(() => server?.close());

/** Starts a gRPC server, and returns what the probe says of it. */
async function verdictOn(answer: (stream: ServerHttp2Stream, path: string) => void, of: Candidate = relay) {
  server = createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    answer(stream, `${headers[':method']} ${headers[':path']} ${headers['content-type']}`);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { host, port: asked } = of.endpoint;
  const to = new Map([[`${host}:${asked}`, { host: '127.0.0.1', port }]]);
  return probeGrpc(of, METHOD, directGrpc(to), AbortSignal.timeout(5_000));
}

const trailersOnly = (status: number) => (stream: ServerHttp2Stream) =>
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': status },
    { endStream: true },
  );

test('a server that has the method is proven', async () => {
  const asked: string[] = [];
  const verdict = await verdictOn((stream, path) => {
    asked.push(path);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': 0 }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]));
  });
  expect(asked).toEqual([`POST /${METHOD} application/grpc`]);
  expect(verdict).toEqual({
    health: 'healthy',
    authRequired: false,
    proof: 'proven',
    reason: `it answered ${METHOD}`,
    steps: [{ asked: METHOD, answered: 'status 0' }],
  });
});

test.each([
  [16, { health: 'healthy', proof: 'unproven', authRequired: true }],
  [7, { health: 'healthy', proof: 'unproven', authRequired: true }],
  [12, { health: 'unhealthy', proof: 'contradicted', reason: `it has no method ${METHOD}` }],
  [14, { health: 'unhealthy', proof: 'unproven', reason: `${METHOD} answered status 14` }],
])('status %i', async (status, expected) => {
  expect(await verdictOn(trailersOnly(status))).toMatchObject(expected);
});

test('an HTTP/2 server without gRPC is something else', async () => {
  const verdict = await verdictOn((stream) => {
    stream.respond({ ':status': 404, 'content-type': 'text/html' });
    stream.end('not found');
  });
  expect(verdict).toMatchObject({ health: 'unhealthy', proof: 'contradicted' });
});

async function verdictOfRaw(respond: (socket: Socket) => void) {
  const backend = await rawBackend(async (socket) => respond(socket));
  return probeGrpc(relay, METHOD, directGrpc(backend.standsFor(relay)), AbortSignal.timeout(5_000));
}

test('an HTTP/1.1 server is something else', async () => {
  const verdict = await verdictOfRaw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  expect(verdict).toMatchObject({
    health: 'unhealthy',
    proof: 'contradicted',
    reason: 'its response is not one of gRPC',
  });
});

test('a server that closes the connection is unhealthy, and may still be one', async () => {
  expect(await verdictOfRaw((socket) => socket.end())).toMatchObject({
    health: 'unhealthy',
    proof: 'unproven',
  });
});

test('an endless response ends with the budget', async () => {
  const verdict = await verdictOn((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(Buffer.alloc(60 * 1024));
  });
  expect(verdict).toMatchObject({
    health: 'unhealthy',
    proof: 'unproven',
    reason: 'it sent more than 16 KiB for one response',
  });
});

test('a server that never answers is left when the time is over', async () => {
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const backend = await rawBackend(async () => resolve());
  const abort = new AbortController();
  const probe = probeGrpc(relay, METHOD, directGrpc(backend.standsFor(relay)), abort.signal);
  await connected;
  abort.abort(new Error('time is over'));
  await expect(probe).rejects.toThrow('time is over');
});

test('without a route for gRPC, and over TLS, nothing is sent', async () => {
  const signal = AbortSignal.timeout(5_000);
  const never = async (): Promise<never> => {
    throw new ProbeFailure('nobody should call', 'protocol');
  };
  expect(await probeGrpc(relay, METHOD, undefined, signal)).toMatchObject({ health: 'unknown' });
  const secured = { ...relay, endpoint: { ...relay.endpoint, scheme: 'https' as const } };
  expect(await probeGrpc(secured, METHOD, never, signal)).toMatchObject({ health: 'unknown' });
});
