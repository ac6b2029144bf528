import { expect, test } from 'vitest';
import { OpenBodies } from './open-bodies.ts';

const limits = { total: 1_000, client: 300 };

test('a client has its own budget, which is returned once', () => {
  const bodies = new OpenBodies(limits);
  const back = bodies.take('a', 200);
  expect(() => bodies.take('a', 200)).toThrow(/limit for all of a client together is 300 bytes/);
  bodies.take('b', 200);
  back();
  back();
  bodies.take('a', 300);
  expect(() => bodies.take('a', 1)).toThrow(/300 bytes/);
});

test('a single body of a client may exceed it', () => {
  const bodies = new OpenBodies(limits);
  bodies.take('a', 900);
  expect(() => bodies.take('a', 1)).toThrow(/300 bytes/);
});

test('all clients share the total budget', () => {
  const bodies = new OpenBodies(limits);
  const given = ['a', 'b', 'c'].map((client) => bodies.take(client, 300));
  expect(() => bodies.take('d', 200)).toThrow(/Too many bodies/);
  given[0]?.();
  bodies.take('d', 200);
});

test('if the first one is free, the total keeps out only clients that have some', () => {
  const bodies = new OpenBodies({ total: 500, client: 300 }, 'some', true);
  bodies.take('a', 300);
  bodies.take('b', 150);
  expect(() => bodies.take('b', 100)).toThrow(/Too many bodies and responses/);
  bodies.take('c', 300);
});
