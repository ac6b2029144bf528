import { expect, test } from 'vitest';
import { Settling } from './settling.ts';

test('a single change hardly waits; a storm waits longer and longer, up to a limit; after a quiet second it is new', () => {
  const settling = new Settling();
  const times = [0, 100, 200, 300, 400, 500, 600, 5_000, 5_100];
  expect(times.map((now) => settling.next(now))).toEqual([10, 20, 40, 80, 160, 160, 160, 10, 20]);
});
