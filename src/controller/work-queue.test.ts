import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const turn = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
/** A turn of the event loop that a timer begins needs one more millisecond of the fake clock. */
const pass = (milliseconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);

/** A queue whose work ends when the test says so. */
function setup(more: Partial<WorkQueueOptions<string>> = {}) {
  const stop = new AbortController();
  const started: string[] = [];
  const open = new Map<string, PromiseWithResolvers<void>>();
  const onFailure = vi.fn();
  const queue = new WorkQueue<string>(
    {
      concurrency: 10,
      groupOf: (key) => key.slice(0, 1),
      process: (key) => {
        started.push(key);
        const work = Promise.withResolvers<void>();
        open.set(key, work);
        return work.promise;
      },
      onFailure,
      backoff: { firstDelay: 1_000, maxDelay: 8_000 },
      random: () => 1,
      ...more,
    },
    stop.signal,
  );
  const end = async (key: string): Promise<void> => {
    open.get(key)?.resolve();
    await turn();
  };
  const fail = async (key: string): Promise<void> => {
    open.get(key)?.reject(new Error(`${key} failed`));
    await turn();
  };
  return { queue, stop, started, end, fail, onFailure };
}

describe('keys', () => {
  test('a queued key is processed once, however often it was added', async () => {
    const { queue, started, end } = setup();
    for (let each = 0; each < 3; each++) queue.add('a');
    await turn();
    expect(started).toEqual(['a']);
    await end('a');
    expect(started).toEqual(['a']);
  });

  test('a key that is added during its processing is processed again afterwards', async () => {
    const { queue, started, end } = setup();
    queue.add('a');
    await turn();
    queue.add('a');
    queue.add('a');
    await turn();
    expect(started).toEqual(['a']);
    expect(queue.size).toBe(1);
    await end('a');
    expect(started).toEqual(['a', 'a']);
    await end('a');
    expect(started).toEqual(['a', 'a']);
  });

  test('one that never ends does not delay others', async () => {
    const { queue, started, end } = setup();
    for (const key of ['a1', 'a2', 'b1']) queue.add(key);
    await turn();
    await end('a2');
    queue.add('a2');
    await turn();
    expect(started.toSorted()).toEqual(['a1', 'a2', 'a2', 'b1']);
  });

  test('one that is removed while it is queued is not processed', async () => {
    const { queue, started } = setup();
    queue.add('a');
    queue.addAfter('b', 1_000);
    queue.remove('a');
    queue.remove('b');
    await pass(2_000);
    expect(started).toEqual([]);
  });

  test('one that is removed and added again is processed once', async () => {
    const { queue, started, end } = setup();
    queue.add('a');
    queue.remove('a');
    queue.add('a');
    await turn();
    expect(started).toEqual(['a']);
    await end('a');
    expect(started).toEqual(['a']);
  });
});

describe('a key that is added', () => {
  test('is present while it is queued and while it is processed', async () => {
    const { queue, end } = setup({ concurrency: 1 });
    queue.add('x');
    await turn();
    queue.add('a');
    expect([queue.has('x'), queue.has('a'), queue.has('b')]).toEqual([true, true, false]);
    await end('x');
    expect([queue.has('x'), queue.has('a')]).toEqual([false, true]);
    await end('a');
    expect(queue.has('a')).toBe(false);
  });

  test('is never processed concurrently, even if it was removed and added while it was queued', async () => {
    const { queue, started, end } = setup({ concurrency: 2 });
    queue.add('x');
    queue.add('y');
    await turn();
    queue.add('a');
    queue.remove('a');
    queue.add('a');
    await end('x');
    expect(started).toEqual(['x', 'y', 'a']);
    queue.add('a');
    await end('y');
    await pass(5);
    expect(started).toEqual(['x', 'y', 'a']);
    await end('a');
    await pass(5);
    expect(started).toEqual(['x', 'y', 'a', 'a']);
  });
});

describe('concurrency', () => {
  test('is limited, and groups take turns', async () => {
    const { queue, started, end } = setup({ concurrency: 2 });
    for (const key of ['a1', 'a2', 'a3', 'a4', 'b1']) queue.add(key);
    await turn();
    expect(started).toEqual(['a1', 'b1']);
    expect(queue.size).toBe(5);
    await end('b1');
    expect(started).toEqual(['a1', 'b1', 'a2']);
  });
});

describe('delays', () => {
  test('a key is added at its time, and not before', async () => {
    const { queue, started } = setup();
    queue.addAfter('a', 1_000);
    await pass(999);
    expect(started).toEqual([]);
    expect(queue.size).toBe(0);
    await pass(3);
    expect(started).toEqual(['a']);
  });

  test('of several times the earliest counts', async () => {
    const { queue, started, end } = setup();
    queue.addAfter('a', 2_000);
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 3_000);
    await pass(1_001);
    expect(started).toEqual(['a']);
    await end('a');
    await pass(5_000);
    expect(started).toEqual(['a']);
  });

  test('a key that is added now is not added again later', async () => {
    const { queue, started, end } = setup();
    queue.addAfter('a', 1_000);
    queue.add('a');
    queue.addAfter('a', 1_000);
    await turn();
    await end('a');
    await pass(5_000);
    expect(started).toEqual(['a']);
  });
});

describe('failures', () => {
  test('the backoff of a key doubles up to its cap, and is short again after a success', async () => {
    const { queue, started, end, fail, onFailure } = setup();
    queue.add('a');
    await turn();
    for (const pause of [1_000, 2_000, 4_000, 8_000, 8_000]) {
      await fail('a');
      expect(onFailure).toHaveBeenLastCalledWith('a', new Error('a failed'), pause);
      const before = started.length;
      await pass(pause - 2);
      expect(started).toHaveLength(before);
      await pass(3);
      expect(started).toHaveLength(before + 1);
    }
    await end('a');
    queue.add('a');
    await turn();
    await fail('a');
    expect(onFailure).toHaveBeenLastCalledWith('a', expect.anything(), 1_000);
  });

  test('one that fails does not block others, and a removed one starts again', async () => {
    const { queue, started, fail, onFailure } = setup();
    queue.add('a');
    await turn();
    await fail('a');
    queue.add('b');
    await turn();
    expect(started).toEqual(['a', 'b']);
    queue.remove('a');
    queue.add('a');
    await turn();
    await fail('a');
    expect(onFailure).toHaveBeenLastCalledWith('a', expect.anything(), 1_000);
  });
});

describe('idle and end', () => {
  test('it is idle when nothing is queued or processed', async () => {
    const { queue, end } = setup();
    await queue.idle;
    let isIdle = false;
    queue.add('a');
    void queue.idle.then(() => {
      isIdle = true;
    });
    await turn();
    expect(isIdle).toBe(false);
    queue.add('a');
    await end('a');
    expect(isIdle).toBe(false);
    await end('a');
    expect(isIdle).toBe(true);
    queue.add('b');
    isIdle = false;
    const idle = queue.idle;
    queue.remove('b');
    await idle;
  });

  test('everyone who waits for it to be idle is notified, each time again', async () => {
    const { queue, end } = setup();
    const idle: number[] = [];
    const waits = (who: number): void => void queue.idle.then(() => idle.push(who));
    queue.add('a');
    await turn();
    waits(1);
    waits(2);
    await turn();
    expect(idle).toEqual([]);
    await end('a');
    expect(idle).toEqual([1, 2]);
    queue.add('a');
    waits(3);
    await turn();
    expect(idle).toEqual([1, 2]);
    await end('a');
    expect(idle).toEqual([1, 2, 3]);
  });

  test('each result is reported, until its signal', async () => {
    const onDone = vi.fn();
    const { queue, stop, end, fail } = setup({ onDone });
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await turn();
    await end('a');
    await fail('b');
    expect(onDone.mock.calls).toEqual([
      ['a', 'a'],
      ['b', 'b'],
    ]);
    stop.abort();
    await end('c');
    expect(onDone).toHaveBeenCalledTimes(2);
  });

  test('it is idle at once when its signal is aborted while keys are only queued, and no timer is left', async () => {
    const { queue, stop } = setup();
    queue.add('a');
    queue.addAfter('b', 1_000);
    const { idle } = queue;
    stop.abort();
    queue.addAfter('c', 1_000);
    await idle;
    await pass(5);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('nothing is processed or retried after its signal', async () => {
    const { queue, stop, started, fail, onFailure } = setup({ concurrency: 1 });
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 1_000);
    await turn();
    stop.abort();
    await fail('a');
    queue.add('d');
    queue.addAfter('e', 1);
    await pass(60_000);
    expect(started).toEqual(['a']);
    expect(onFailure).not.toHaveBeenCalled();
    await queue.idle;
  });
});
