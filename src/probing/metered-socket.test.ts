import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MeteredSocket } from './metered-socket.ts';

let server: Server;
beforeAll(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => void server.close());

/** A metered connection, and the server's end of it. */
async function metered(budget: number): Promise<{ readonly wire: Socket; readonly socket: MeteredSocket }> {
  const accepted = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  const socket = new MeteredSocket((onread) => connect({ host: '127.0.0.1', port, onread }), budget);
  const [wire] = (await accepted) as [Socket];
  wire.on('error', () => {});
  return { wire, socket };
}

test('a burst is delivered whole, in small chunks, and the event loop turns between them', async () => {
  const { wire, socket } = await metered(1_000_000);
  const perTurn: number[] = [0];
  let open = true;
  const turn = (): void => {
    perTurn.push(0);
    if (open) setImmediate(turn);
  };
  setImmediate(turn);
  const sent = Buffer.from(Array.from({ length: 100_000 }, (_, n) => n % 251));
  wire.end(sent);
  const pieces: Buffer[] = [];
  for await (const piece of socket as AsyncIterable<Buffer>) {
    pieces.push(piece);
    perTurn[perTurn.length - 1] = (perTurn.at(-1) ?? 0) + piece.length;
  }
  open = false;
  expect(Buffer.concat(pieces).equals(sent)).toBe(true);
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(16 * 1024);
});

test('all sockets share a budget per turn', async () => {
  let taken = 0;
  for (let n = 0; n < 20; n++) {
    const { wire, socket } = await metered(1_000_000);
    wire.write(Buffer.alloc(16_000));
    socket.on('data', (piece: Buffer) => {
      taken += piece.length;
    });
  }
  const perTurn: number[] = [];
  while (taken < 20 * 16_000) {
    const before = taken;
    await new Promise(setImmediate);
    perTurn.push(taken - before);
  }
  // What is asked for and what is waited for may meet in one turn of the test.
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(2 * 16 * 1024);
});

test('it ends when its budget is used up', async () => {
  const { wire, socket } = await metered(10_000);
  const error = new Promise((resolve) => socket.on('error', resolve));
  let length = 0;
  socket.on('data', (piece: Buffer) => {
    length += piece.length;
  });
  const closed = new Promise((resolve) => wire.on('close', resolve));
  wire.write(Buffer.alloc(50_000));
  expect(await error).toMatchObject({ name: 'ProbeFailure', kind: 'protocol' });
  expect(length).toBeLessThanOrEqual(10_000);
  await closed;
});

test('what nobody reads stays with the sender', async () => {
  const { wire, socket } = await metered(100_000_000);
  const chunk = Buffer.alloc(1_000_000);
  let isFull = false;
  for (let n = 0; n < 40 && !isFull; n++) {
    isFull = !wire.write(chunk);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(wire.writableLength).toBeGreaterThan(0);
  expect(socket.readableLength).toBeLessThanOrEqual(8 * 1024);
  socket.destroy();
});
