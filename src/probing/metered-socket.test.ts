import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { MeteredSocket } from './metered-socket.ts';

const metered = (budget: number): { readonly wire: PassThrough; readonly socket: MeteredSocket } => {
  const wire = new PassThrough();
  return { wire, socket: new MeteredSocket(wire as unknown as Socket, budget) };
};

test('a burst is delivered in small chunks, and the event loop turns between them', async () => {
  const { wire, socket } = metered(1_000_000);
  const perTurn: number[] = [0];
  let open = true;
  const turn = (): void => {
    perTurn.push(0);
    if (open) setImmediate(turn);
  };
  setImmediate(turn);
  wire.end(Buffer.alloc(100_000));
  let length = 0;
  for await (const piece of socket as AsyncIterable<Buffer>) {
    length += piece.length;
    perTurn[perTurn.length - 1] = (perTurn.at(-1) ?? 0) + piece.length;
  }
  open = false;
  expect(length).toBe(100_000);
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(16 * 1024);
});

test('all sockets share a budget per turn', async () => {
  const many = Array.from({ length: 20 }, () => metered(1_000_000));
  let taken = 0;
  for (const { wire, socket } of many) {
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
  const { wire, socket } = metered(10_000);
  const error = new Promise((resolve) => socket.on('error', resolve));
  let length = 0;
  socket.on('data', (piece: Buffer) => {
    length += piece.length;
  });
  wire.write(Buffer.alloc(50_000));
  expect(await error).toMatchObject({ name: 'ProbeFailure', kind: 'protocol' });
  expect(length).toBeLessThanOrEqual(10_000);
  expect(wire.destroyed).toBe(true);
});
