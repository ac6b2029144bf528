import { expect, test } from 'vitest';
import { yieldEvery } from './yield-every.ts';

test('yields to the event loop after each slice of work, and not before', async () => {
  let now = 0;
  let turns = 0;
  const turn = (): Promise<void> => {
    turns += 1;
    now += 1_000;
    return Promise.resolve();
  };
  const breathe = yieldEvery(20, () => now, turn);
  for (let step = 0; step < 9; step++) {
    now += 10;
    await breathe();
  }
  expect(turns).toBe(4);
});

test('uses the clock and the event loop of the process by default', async () => {
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  await yieldEvery(0)();
  expect(turned).toBe(true);
});
