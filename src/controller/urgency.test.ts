import { expect, test } from 'vitest';
import { UrgencyBudget } from './urgency.ts';

/** How many of some events of a namespace are urgent. */
const urgentOf = (budget: UrgencyBudget, namespace: string, events: number): number =>
  Array.from({ length: events }, () => budget.take(namespace)).filter(Boolean).length;

test('a namespace that changes all the time is not urgent, and leaves the others urgent', () => {
  let time = 0;
  const budget = new UrgencyBudget(() => time);
  expect(urgentOf(budget, 'loud', 1_000)).toBe(6);
  expect(urgentOf(budget, 'quiet', 2)).toBe(2);
  time = 5_000;
  expect(urgentOf(budget, 'loud', 1_000)).toBe(1);
  expect(urgentOf(budget, 'quiet', 2)).toBe(2);
});

test('if every namespace changes all the time, hardly any event is urgent', () => {
  let time = 0;
  const budget = new UrgencyBudget(() => time);
  const all = (): number =>
    Array.from({ length: 100 }, (_, n) => urgentOf(budget, `team-${n}`, 3)).reduce((sum, n) => sum + n);
  expect(all()).toBe(20);
  time = 2_000;
  expect(all()).toBe(10);
});
