import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dueAt, type PendingReload, pendingAfter, retryDelay } from './schedule.ts';

const PACE = { lag: 100, interval: 1_000 };

test.each<[string, PendingReload, number | undefined, number]>([
  ['the first time: once it can be seen', { since: 5, latest: 5 }, undefined, 105],
  ['long after the last time', { since: 5_000, latest: 5_000 }, 0, 5_100],
  ['soon after the last time: an interval after it', { since: 300, latest: 300 }, 200, 1_200],
  ['later changes do not put it off', { since: 5, latest: 90 }, undefined, 105],
])('%s', (_, unread, last, due) => {
  expect(dueAt(unread, last, PACE)).toBe(due);
});

test('for any changes: each is read in the end, and reloads are at least an interval apart', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(400), { minLength: 1, maxLength: 40 }),
      fc.nat(300),
      fc.integer({ min: 1, max: 2_000 }),
      (gaps, lag, interval) => {
        const pace = { lag, interval };
        let time = 0;
        const changes = gaps.map((gap) => (time += gap));
        let unread: PendingReload | undefined;
        let last: number | undefined;
        const reloads: number[] = [];
        const until = (end: number): void => {
          while (unread !== undefined) {
            const due = dueAt(unread, last, pace);
            if (due > end) return;
            reloads.push(due);
            last = due;
            unread = pendingAfter(unread, pace, due);
          }
        };
        for (const at of changes) {
          until(at);
          unread = { since: unread?.since ?? at, latest: at };
        }
        until(Number.POSITIVE_INFINITY);
        expect(unread).toBeUndefined();
        expect(reloads.at(-1)).toBeGreaterThanOrEqual((changes.at(-1) ?? 0) + lag);
        for (const [index, at] of reloads.slice(1).entries())
          expect(at - (reloads[index] ?? 0)).toBeGreaterThanOrEqual(interval);
      },
    ),
  );
});

test('the delay between attempts grows to five minutes, with jitter', () => {
  expect([1, 2, 3, 20].map((failures) => retryDelay(failures, () => 1))).toEqual([5e3, 1e4, 2e4, 3e5]);
  expect(retryDelay(1, () => 0)).toBe(3_750);
});
