import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoff, exponential, jittered, requestedDelay } from './backoff.ts';

const PACE = { firstDelay: 1_000, maxDelay: 30_000 };

test('delays double up to the cap, and jitter takes up to a quarter off', () => {
  const pauses = (random: number) =>
    [1, 2, 3, 6, 100].map((failures) => backoff(failures, PACE, () => random));
  expect(pauses(1)).toEqual([1_000, 2_000, 4_000, 30_000, 30_000]);
  expect(pauses(0)).toEqual([750, 1_500, 3_000, 22_500, 22_500]);
});

test('for any options: no delay exceeds the cap or is shorter than the jitter allows, and none shrinks before jitter', () => {
  fc.assert(
    fc.property(
      fc.nat(100_000),
      fc.nat(1_000_000),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 5_000 }),
      (firstDelay, maxDelay, jitter, random, failures) => {
        const pace = { firstDelay, maxDelay, jitter };
        const whole = exponential(failures, pace);
        const pause = backoff(failures, pace, () => random);
        expect(whole).toBeLessThanOrEqual(maxDelay);
        expect(whole).toBeLessThanOrEqual(exponential(failures + 1, pace));
        expect(pause).toBeLessThanOrEqual(whole * (1 + 1e-9));
        expect(pause).toBeGreaterThanOrEqual(whole * (1 - jitter) * (1 - 1e-9));
      },
    ),
  );
});

test('a delay without jitter is exact', () => {
  expect(jittered(100, 0, () => 0.3)).toBe(100);
});

test('a delay that a server requests is only shortened by the cap', () => {
  expect(requestedDelay(5_000, 300_000, () => 0)).toBe(5_000);
  expect(requestedDelay(5_000, 300_000, () => 1)).toBe(5_500);
  expect(requestedDelay(900_000, 300_000, () => 0)).toBe(300_000);
});
