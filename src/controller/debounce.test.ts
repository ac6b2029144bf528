import { expect, test } from 'vitest';
import { AdaptiveDebounce, restAfter } from './debounce.ts';

test('a single change is hardly delayed; a burst is delayed longer and longer, up to a limit, until a quiet time', () => {
  const debounce = new AdaptiveDebounce();
  const times = [0, 100, 200, 300, 400, 500, 600, 5_000, 5_100, 5_371, 5_631];
  expect(times.map((now) => debounce.next(now))).toEqual([10, 20, 40, 80, 160, 160, 160, 10, 20, 10, 20]);
});

test.each([
  ['what costs little', 1, 0, 10],
  ['what costs more', 20, 0, 80],
  ['what costs very much', 1_000, 0, 1_000],
  ['what rested for a part of it', 20, 50, 30],
  ['what rested long enough', 20, 1_000, 10],
])('a loop rests by its cost: %s', (_, cost, since, delay) => {
  expect(restAfter({ cost, since })).toBe(delay);
});

test('a cheap run needs no rest if nothing more is expected, and a costly one does', () => {
  expect(restAfter({ cost: 25, since: 0, isMoreExpected: false })).toBe(0);
  expect(restAfter({ cost: 100, since: 0, isMoreExpected: false })).toBe(400);
});

test('an urgent reason waits as long as the last run took', () => {
  expect(restAfter({ cost: 100, since: 0, isUrgent: true })).toBe(100);
  expect(restAfter({ cost: 100, since: 40, isUrgent: true })).toBe(60);
  expect(restAfter({ cost: 1, since: 0, isUrgent: true })).toBe(10);
});
