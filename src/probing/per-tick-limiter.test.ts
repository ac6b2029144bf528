import { expect, test } from 'vitest';
import { perTickLimiter } from './per-tick-limiter.ts';

test('a limited number starts per turn of the event loop, the others later, in order', async () => {
  const turn = perTickLimiter(2);
  const begun: number[] = [];
  const all = [1, 2, 3, 4, 5].map((number) => turn().then(() => begun.push(number)));
  await Promise.resolve();
  await Promise.resolve();
  expect(begun).toEqual([1, 2]);
  await new Promise(setImmediate);
  expect(begun).toEqual([1, 2, 3, 4]);
  await Promise.all(all);
  expect(begun).toEqual([1, 2, 3, 4, 5]);
});

test('after a pause, the full number may start again', async () => {
  const turn = perTickLimiter(1);
  await turn();
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  let began = false;
  void turn().then(() => {
    began = true;
  });
  await Promise.resolve();
  await Promise.resolve();
  expect(began).toBe(true);
});
