import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Retry } from './retry.ts';

beforeEach(() => {
  vi.useFakeTimers();
  // All jitter: each delay is a quarter shorter, except those that a server asks for.
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** An error of an API server that asks for a delay, below some errors that it caused. */
const asking = (retryAfter: unknown, depth: number): Error => {
  const error = Object.assign(new Error('busy'), { retryAfter });
  return depth === 0 ? error : new Error('failed', { cause: asking(retryAfter, depth - 1) });
};

test('the delay doubles up to a limit, and is short again after a success', () => {
  const retry = new Retry();
  const fail = (times: number): number[] =>
    Array.from({ length: times }, () => retry.failed(new Error('no')));
  expect(fail(7)).toEqual([750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500]);
  expect(retry.failures).toBe(7);
  retry.succeeded();
  expect(retry.failures).toBe(0);
  expect(fail(2)).toEqual([750, 1_500]);
});

test('the next attempt is due after the delay, and none is after a success', () => {
  const retry = new Retry();
  expect([retry.due, retry.isWaiting]).toEqual([undefined, false]);
  retry.failed(new Error('no'));
  expect([retry.due, retry.isWaiting]).toEqual([750, true]);
  vi.advanceTimersByTime(749);
  expect([retry.due, retry.isWaiting]).toEqual([1, true]);
  vi.advanceTimersByTime(1);
  expect([retry.due, retry.isWaiting]).toEqual([0, false]);
  vi.advanceTimersByTime(1_000);
  expect([retry.due, retry.isWaiting]).toEqual([0, false]);
  retry.succeeded();
  expect(retry.due).toBeUndefined();
});

test.each([
  ['the error itself', 20_000, 0, 20_000],
  ['a cause of it', 20_000, 4, 20_000],
  ['a cause too far below', 20_000, 5, 750],
  ['less than the usual delay', 10, 0, 750],
  ['a text instead of a number', '20000', 0, 750],
  ['much too long', 86_400_000, 0, 300_000],
])('the delay that an API server asks for is respected, within limits: %s', (_, asked, depth, delay) => {
  expect(new Retry().failed(asking(asked, depth))).toBe(delay);
});

test('an error that is its own cause has an end, and what is thrown need not be an error', () => {
  const error = new Error('round and round');
  error.cause = error;
  expect(new Retry().failed(error)).toBe(750);
  expect(new Retry().failed(undefined)).toBe(750);
});
