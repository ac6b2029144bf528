import { expect, test } from 'vitest';
import { DriftRateLimiter } from './drift-rate-limiter.ts';

test('a person is answered at once; a program that writes the same again is answered once a minute', () => {
  const limiter = new DriftRateLimiter();
  const revert = (content: string, now: number): number => {
    const pause = limiter.delayFor(content, now);
    if (pause === 0) limiter.recordRevert(content, now);
    return pause;
  };
  for (const [index, content] of ['a', 'b', 'a', 'b', 'a', 'b', 'a'].entries())
    expect(revert(content, index * 100)).toBe(0);
  const times = [1_000, 1_100, 1_200, 1_300, 31_200, 61_200, 61_300, 121_200].map((now) =>
    revert('same', now),
  );
  expect(times).toEqual([0, 0, 0, 59_900, 30_000, 0, 59_900, 0]);
});

test('after a long quiet time the count begins anew', () => {
  const limiter = new DriftRateLimiter();
  for (const now of [0, 1, 2]) limiter.recordRevert('same', now);
  expect(limiter.delayFor('same', 10)).toBeGreaterThan(0);
  expect(limiter.delayFor('same', 500_000)).toBe(0);
  limiter.recordRevert('same', 500_000);
  expect(limiter.delayFor('same', 500_001)).toBe(0);
});

test.each([2, 3, 10])('%i programs that write in turn are fought once a minute, too', (writers) => {
  const limiter = new DriftRateLimiter();
  let reverts = 0;
  for (let now = 0; now < 3_600_000; now += 100) {
    const turn = `of ${Math.floor(now / 100) % writers}`;
    if (limiter.delayFor(turn, now) > 0) continue;
    limiter.recordRevert(turn, now);
    reverts += 1;
  }
  expect(reverts).toBeGreaterThanOrEqual(60);
  expect(reverts).toBeLessThanOrEqual(20 + 60);
});
