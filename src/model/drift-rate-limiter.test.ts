import { expect, test } from 'vitest';
import { DriftRateLimiter } from './drift-rate-limiter.ts';

test('a manual edit is reverted at once; a program that repeats it is overruled once a minute', () => {
  const limiter = new DriftRateLimiter(60_000);
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

test('after a long quiet time the count starts again', () => {
  const limiter = new DriftRateLimiter(60_000);
  for (const now of [0, 1, 2]) limiter.recordRevert('same', now);
  expect(limiter.delayFor('same', 10)).toBeGreaterThan(0);
  expect(limiter.delayFor('same', 500_000)).toBe(0);
  limiter.recordRevert('same', 500_000);
  expect(limiter.delayFor('same', 500_001)).toBe(0);
});

test.each([2, 3, 10])('%i programs that write in turn are also overruled once a minute', (writers) => {
  const limiter = new DriftRateLimiter(60_000);
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

const MINUTE = 60_000;

/** A limiter that has reverted so many different changes at the time 0. */
function after(reverts: number): DriftRateLimiter {
  const limiter = new DriftRateLimiter(60_000);
  for (let n = 0; n < reverts; n++) limiter.recordRevert(`change ${n}`, 0);
  return limiter;
}

test('twenty changes of any kind are reverted at once, and one each minute from then on', () => {
  expect(after(19).delayFor('next', 0)).toBe(0);
  const limiter = after(20);
  expect([0, 1_000, MINUTE - 1, MINUTE].map((now) => limiter.delayFor('next', now))).toEqual([
    MINUTE,
    MINUTE - 1_000,
    1,
    0,
  ]);
  limiter.recordRevert('next', MINUTE);
  expect(limiter.delayFor('another', MINUTE + 1)).toBe(MINUTE - 1);
});

test('a minute starts when the budget is used up', () => {
  const limiter = after(1);
  // It is full again after a minute, and is first used half a minute later.
  expect(limiter.delayFor('next', 1.5 * MINUTE)).toBe(0);
  for (let n = 0; n < 20; n++) limiter.recordRevert(`next ${n}`, 1.5 * MINUTE);
  expect(limiter.delayFor('last', 1.5 * MINUTE)).toBe(MINUTE);
});

test('a revert after a long quiet time counts as one of the twenty', () => {
  const limiter = after(20);
  limiter.recordRevert('next', 100 * MINUTE);
  for (let n = 1; n < 20; n++) {
    expect(limiter.delayFor(`next ${n}`, 100 * MINUTE)).toBe(0);
    limiter.recordRevert(`next ${n}`, 100 * MINUTE);
  }
  expect(limiter.delayFor('last', 100 * MINUTE)).toBe(MINUTE);
});

test('a different external change is reverted at once while another one is limited', () => {
  const limiter = new DriftRateLimiter(60_000);
  for (let n = 0; n < 3; n++) limiter.recordRevert('same', 0);
  expect([limiter.delayFor('same', 0), limiter.delayFor('other', 0)]).toEqual([MINUTE, 0]);
});

test.each([
  [2 * MINUTE - 1, MINUTE],
  [2 * MINUTE, 0],
])(
  'the same change %d ms after the last revert waits %d ms after it was reverted once more',
  (now, delay) => {
    const limiter = new DriftRateLimiter(60_000);
    for (let n = 0; n < 3; n++) limiter.recordRevert('same', 7 * MINUTE);
    limiter.recordRevert('same', 7 * MINUTE + now);
    expect(limiter.delayFor('same', 7 * MINUTE + now)).toBe(delay);
  },
);

test('the rest of a minute counts when there is budget again', () => {
  const limiter = after(20);
  limiter.recordRevert('next', 1.5 * MINUTE);
  expect(limiter.delayFor('last', 1.5 * MINUTE)).toBe(MINUTE / 2);
});

test('the same change after all twenty are used up is reverted again a minute later', () => {
  const limiter = after(17);
  for (let n = 0; n < 3; n++) limiter.recordRevert('same', 0);
  expect([MINUTE - 1, MINUTE, 1.5 * MINUTE].map((now) => limiter.delayFor('same', now))).toEqual([1, 0, 0]);
});
