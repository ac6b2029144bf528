import { expect, test } from 'vitest';
import { runAtOnce, runInSteps, type Steps, yieldEvery } from './yield-every.ts';

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

test('steps are done at once, or one by one with pauses between them', async () => {
  const done: number[] = [];
  function* steps(): Steps<string> {
    for (let step = 0; step < 3; step++) {
      done.push(step);
      yield;
    }
    return 'the result';
  }
  expect(runAtOnce(steps())).toBe('the result');
  expect(done).toEqual([0, 1, 2]);
  done.length = 0;
  const seen: number[] = [];
  const pause = (): Promise<void> | undefined => {
    seen.push(done.length);
    return done.length === 2 ? Promise.resolve() : undefined;
  };
  expect(await runInSteps(steps(), pause)).toBe('the result');
  expect(seen).toEqual([1, 2, 3]);
});
