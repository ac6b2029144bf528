import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { lingerOnClose } from './lingering-close.ts';

const BODY = 512 * 1024;

/** A server that rejects each request before it reads the body, and a connection to it. */
async function rejected(): Promise<{
  client: Socket;
  response: Promise<string>;
  connections: () => Promise<number>;
}> {
  const server = createServer((_request, response) => {
    response.writeHead(413, { connection: 'close' }).end('too large');
  });
  lingerOnClose(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const client = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  onTestFinished(() => void client.destroy());
  client.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${BODY}\r\n\r\n`);
  const connections = (): Promise<number> =>
    new Promise((resolve) => server.getConnections((_, number) => resolve(number)));
  return { client, response: read(client), connections };
}

/** Reads until the other side ends; unlike an iterator, it does not close the client. */
async function read(client: Socket): Promise<string> {
  let got = '';
  client.on('data', (data) => {
    got += String(data);
  });
  await once(client, 'end');
  return got;
}

test('a client can send all of its body after the response, and then the connection is closed', async () => {
  const { client, response, connections } = await rejected();
  expect(await response).toMatch(/^HTTP\/1\.1 413 [\s\S]*too large/);
  for (let sent = 0; sent < BODY; sent += BODY / 8) {
    expect(await connections()).toBe(1);
    await new Promise((written) => client.write('x'.repeat(BODY / 8), written));
    await sleep(1);
  }
  await expect.poll(connections).toBe(0);
});

test('a client that never sends the rest of its body does not keep the connection', async () => {
  const { response, connections } = await rejected();
  await response;
  expect(await connections()).toBe(1);
  await expect.poll(connections, { timeout: 5_000 }).toBe(0);
});
