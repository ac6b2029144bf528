import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Observed } from '../planning/observed.ts';
import { DriftBackoff } from './drift-backoff.ts';
import type { EngineEvent } from './events.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const live = (text: string): Observed =>
  ({ names: ['tools'], data: { tools: text }, labels: {}, annotations: {} }) as unknown as Observed;

/** A backoff that has overruled the same change so often that it is left alone. */
function overruled() {
  const told: EngineEvent[] = [];
  const backoff = new DriftBackoff((event) => told.push(event));
  for (let n = 0; n < 3; n++) {
    expect(backoff.holds(live('evil'), ['tools'], n)).toBe(false);
    backoff.recordRevert(live('evil'));
  }
  return { backoff, told };
}

test('a change that comes back for the fourth time is left alone for a minute, which is reported once', () => {
  const { backoff, told } = overruled();
  expect(backoff.until).toBeUndefined();
  vi.advanceTimersByTime(10_000);
  const now = performance.now();
  expect(backoff.holds(live('evil'), ['tools'], 7)).toBe(true);
  expect(backoff.until).toBe(now + 50_000);
  expect(backoff.holds(live('evil'), ['tools'], 8)).toBe(true);
  expect(told).toEqual([{ kind: 'drift-repeated', cycle: 7, keys: ['tools'], retryIn: 50_000 }]);
});

test('after that it is reverted, and reported once more when it comes back again', () => {
  const { backoff, told } = overruled();
  expect(backoff.holds(live('evil'), ['tools'], 1)).toBe(true);
  vi.advanceTimersByTime(60_000);
  expect(backoff.holds(live('evil'), ['tools'], 2)).toBe(false);
  expect(backoff.until).toBeUndefined();
  backoff.recordRevert(live('evil'));
  expect(backoff.holds(live('evil'), ['tools'], 3)).toBe(true);
  expect(told).toMatchObject([{ cycle: 1 }, { cycle: 3 }]);
});

test('an unchanged target is never left alone', () => {
  const { backoff } = overruled();
  expect(backoff.holds(live('evil'), ['tools'], 1)).toBe(true);
  expect(backoff.holds(live('evil'), [], 2)).toBe(false);
  expect(backoff.until).toBeUndefined();
});
