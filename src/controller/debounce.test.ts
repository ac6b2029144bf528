import { describe, expect, test } from 'vitest';
import { AdaptiveDebounce, DutyCycle } from './debounce.ts';

test('a single change is hardly delayed; a burst is delayed longer and longer, up to a limit, until a quiet time', () => {
  const debounce = new AdaptiveDebounce();
  const times = [0, 100, 200, 300, 400, 500, 600, 5_000, 5_100, 5_371, 5_631];
  expect(times.map((now) => debounce.next(now))).toEqual([10, 20, 40, 80, 160, 160, 160, 10, 20, 10, 20]);
});

describe('the rest between runs', () => {
  const usual = { isMoreExpected: true, isUrgent: false };
  /** After a run that used up all savings, and one with this cost. */
  function afterRun(cost: number): DutyCycle {
    const cycle = new DutyCycle();
    cycle.ended(10_000, 10_000);
    cycle.ended(cost, 10_000 + cost);
    return cycle;
  }

  test.each([
    ['what costs little', 1, 0, 10],
    ['what costs more', 20, 0, 80],
    ['what costs very much', 1_000, 0, 1_000],
    ['what rested for a part of it', 20, 50, 30],
    ['what rested long enough', 20, 1_000, 10],
  ])('depends on the cost: %s', (_, cost, since, delay) => {
    expect(afterRun(cost).before(usual, 10_000 + cost + since)).toBe(delay);
  });

  test('is not needed after a cheap run if nothing more is expected', () => {
    const reasons = { ...usual, isMoreExpected: false };
    expect(afterRun(25).before(reasons, 10_025)).toBe(0);
    expect(afterRun(100).before(reasons, 10_100)).toBe(400);
  });

  test('is as long as the last run took if there is an urgent reason', () => {
    const reasons = { ...usual, isUrgent: true };
    expect(afterRun(100).before(reasons, 10_100)).toBe(100);
    expect(afterRun(100).before(reasons, 10_140)).toBe(60);
    expect(afterRun(1).before(reasons, 10_001)).toBe(10);
  });

  test('is saved up while a loop is idle, for a few runs, and is a fifth of the time in the long run', () => {
    const cycle = new DutyCycle();
    let now = 100_000;
    const rests = Array.from({ length: 8 }, () => {
      now += 100;
      cycle.ended(100, now);
      const rest = cycle.before(usual, now);
      now += rest;
      return rest;
    });
    expect(rests).toEqual([10, 10, 380, 400, 400, 400, 400, 400]);
    now += 600;
    cycle.ended(100, now + 100);
    expect(cycle.before(usual, now + 100)).toBeLessThan(400);
  });
});
