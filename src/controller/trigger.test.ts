import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pause, Trigger } from './trigger.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A wait for a trigger, and what came of it. */
function waiting(trigger: Trigger, delay?: number) {
  const stop = new AbortController();
  const state = { ended: 'not yet' as boolean | 'not yet' };
  trigger.wait(delay, stop.signal).then((isFired) => {
    state.ended = isFired;
  });
  return { state, stop };
}

test('a wait ends when the trigger fires, and the next one waits again', async () => {
  const trigger = new Trigger();
  const first = waiting(trigger);
  await vi.advanceTimersByTimeAsync(1_000_000);
  expect(first.state.ended).toBe('not yet');
  trigger.fire();
  await vi.advanceTimersByTimeAsync(0);
  expect(first.state.ended).toBe(true);
  const second = waiting(trigger);
  await vi.advanceTimersByTimeAsync(1_000_000);
  expect(second.state.ended).toBe('not yet');
});

test('a trigger that fires while nobody waits ends the next wait at once, and only that one', async () => {
  const trigger = new Trigger();
  trigger.fire();
  trigger.fire();
  const [first, second] = [waiting(trigger), waiting(trigger)];
  await vi.advanceTimersByTimeAsync(0);
  expect([first.state.ended, second.state.ended]).toEqual([true, 'not yet']);
});

test('a wait ends without the trigger after its delay, and not earlier', async () => {
  const { state } = waiting(new Trigger(), 99.5);
  await vi.advanceTimersByTimeAsync(99);
  expect(state.ended).toBe('not yet');
  await vi.advanceTimersByTimeAsync(2);
  expect(state.ended).toBe(false);
});

test('a wait ends when the signal is aborted, before or meanwhile', async () => {
  const { state, stop } = waiting(new Trigger());
  stop.abort();
  await vi.advanceTimersByTimeAsync(0);
  expect(state.ended).toBe(false);
  expect(await new Trigger().wait(undefined, AbortSignal.abort())).toBe(false);
});

test.each(['the trigger', 'the delay', 'the signal'])(
  'after %s, no timer and no listener is left',
  async (what) => {
    const trigger = new Trigger();
    const { stop } = waiting(trigger, 1_000);
    if (what === 'the trigger') trigger.fire();
    if (what === 'the signal') stop.abort();
    if (what === 'the delay') await vi.advanceTimersByTimeAsync(1_001);
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  },
);

test('a pause takes its delay, or until the signal is aborted', async () => {
  const stop = new AbortController();
  const ended: number[] = [];
  for (const delay of [100, 500]) pause(delay, stop.signal).then(() => ended.push(delay));
  await vi.advanceTimersByTimeAsync(99);
  expect(ended).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(ended).toEqual([100]);
  stop.abort();
  await vi.advanceTimersByTimeAsync(0);
  expect(ended).toEqual([100, 500]);
});
