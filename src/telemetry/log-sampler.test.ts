import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LogSampler } from './log-sampler.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setting() {
  const sampled = new LogSampler();
  const written: [kind: string, more: number][] = [];
  const line = (kind: string): void => sampled.log(kind, (more) => written.push([kind, more]));
  return { line, written };
}

test('the first line at once, then one a second with the number of others, and none when nothing more arrives', () => {
  const { line, written } = setting();
  for (let n = 0; n < 100; n++) line('a');
  expect(written).toEqual([['a', 0]]);
  vi.advanceTimersByTime(1_000);
  line('a');
  vi.advanceTimersByTime(10_000);
  expect(written).toEqual([
    ['a', 0],
    ['a', 98],
    ['a', 0],
  ]);
  line('a');
  expect(written).toHaveLength(4);
});

test('each kind has its own lines, and with any number of kinds, the lines stay few and count everything', () => {
  const { line, written } = setting();
  for (let second = 0; second < 5; second++) {
    for (let n = 0; n < 10_000; n++) line(`address ${n}`);
    vi.advanceTimersByTime(1_000);
  }
  vi.advanceTimersByTime(10_000);
  expect(written.length).toBeLessThan(6 * 52);
  expect(written.reduce((sum, [, more]) => sum + 1 + more, 0)).toBe(50_000);
});
