import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { HEALTHY } from '../../test/fixtures/unit/engine.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import type { RememberingProber } from '../probing/prober.ts';
import { ProbeQueue } from './probe-queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const way = (name: string, namespace = 'n'): Candidate =>
  candidate(service(name, { namespace, labels: { 'app.kubernetes.io/name': 'loki' }, ports: ['http:3100'] }));
const pass = (milliseconds = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);

/** A queue over a prober whose probes end when the test says so. Nothing is known, and all is due. */
function setup({ maxBackends = 10 } = {}) {
  const stop = new AbortController();
  const started: string[] = [];
  const open = new Map<string, PromiseWithResolvers<Verdict>>();
  const due = { isDue: true, verdict: undefined as Verdict | undefined };
  const prober = {
    recall: () => due,
    probe(each: Candidate) {
      started.push(each.service.name);
      const probe = Promise.withResolvers<Verdict>();
      open.set(each.service.name, probe);
      return probe.promise;
    },
  } as unknown as RememberingProber;
  const onResult = vi.fn();
  const queue = new ProbeQueue({ prober, maxBackends }, onResult, stop.signal);
  return {
    queue,
    due,
    started,
    onResult,
    stop,
    async end(name: string): Promise<void> {
      open.get(name)?.resolve(HEALTHY);
      await pass(5);
    },
    async fail(name: string): Promise<void> {
      open.get(name)?.reject(new Error(`${name} throws`));
      await pass(5);
    },
  };
}

describe('an entry point that is due', () => {
  test('is probed once, however often it is recalled, and nobody waits for that', async () => {
    const { queue, started, onResult, end } = setup();
    for (let n = 0; n < 3; n++) expect(queue.recall(way('a'))).toBeUndefined();
    await pass();
    queue.recall(way('a'));
    expect(started).toEqual(['a']);
    expect([queue.isIdle, onResult.mock.calls.length]).toEqual([false, 0]);
    await end('a');
    await queue.idle;
    expect([queue.isIdle, onResult.mock.calls.length]).toEqual([true, 1]);
  });

  test('is probed again when it is due again', async () => {
    const { queue, started, end } = setup();
    queue.recall(way('a'));
    await pass();
    await end('a');
    queue.recall(way('a'));
    await pass();
    expect(started).toEqual(['a', 'a']);
  });

  test('has its last verdict meanwhile', () => {
    const { queue, due } = setup();
    due.verdict = HEALTHY;
    expect(queue.recall(way('a'))).toBe(HEALTHY);
  });

  test('that changed does not wait for the probe of its previous version', async () => {
    const { queue, started } = setup();
    const before = way('a');
    queue.recall(before);
    queue.recall({ ...before, endpoint: { ...before.endpoint, port: 9999 } });
    await pass();
    expect(started).toEqual(['a', 'a']);
  });

  test('shares the concurrency with those of other namespaces', async () => {
    const { queue, started, end } = setup({ maxBackends: 2 });
    for (const name of ['a1', 'a2', 'a3', 'a4']) queue.recall(way(name, 'a'));
    queue.recall(way('b1', 'b'));
    await pass();
    expect(started).toEqual(['a1', 'b1']);
    await end('b1');
    expect(started).toEqual(['a1', 'b1', 'a2']);
  });
});

test('an entry point that is not due is not probed', async () => {
  const { queue, due, started } = setup();
  Object.assign(due, { isDue: false, verdict: HEALTHY });
  expect(queue.recall(way('a'))).toBe(HEALTHY);
  await pass();
  expect(started).toEqual([]);
});

describe('a probe that throws', () => {
  async function failed() {
    const all = setup();
    all.queue.recall(way('a'));
    await pass();
    await all.fail('a');
    return all;
  }

  test('rethrows on recall, whether it is due or not, until it succeeds', async () => {
    const { queue, due, onResult, end } = await failed();
    expect(onResult).toHaveBeenCalledTimes(1);
    for (const isDue of [true, false]) {
      due.isDue = isDue;
      expect(() => queue.recall(way('a'))).toThrow('a throws');
    }
    await pass(20_000);
    await end('a');
    due.verdict = HEALTHY;
    expect(queue.recall(way('a'))).toBe(HEALTHY);
  });

  test('does not affect others', async () => {
    const { queue, due, started } = await failed();
    Object.assign(due, { isDue: false, verdict: HEALTHY });
    expect(queue.recall(way('b'))).toBe(HEALTHY);
    await pass();
    expect(started).toEqual(['a']);
  });

  test('is retried with a backoff from fifteen seconds to five minutes', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { started, fail } = await failed();
    for (const delay of [15_000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000]) {
      const before = started.length;
      await pass(delay - 10);
      expect(started).toHaveLength(before);
      await pass(20);
      expect(started).toHaveLength(before + 1);
      await fail('a');
    }
  });
});

describe('an entry point that is no longer needed', () => {
  test('is not probed if it is only queued, and others are', async () => {
    const { queue, started, end } = setup({ maxBackends: 1 });
    queue.recall(way('x'));
    await pass();
    for (const name of ['a', 'b']) queue.recall(way(name));
    queue.retain([way('x'), way('b')]);
    expect(queue.isIdle).toBe(false);
    await end('x');
    expect(started).toEqual(['x', 'b']);
  });

  test('loses its backoff', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { queue, fail, started } = setup();
    queue.recall(way('a'));
    await pass();
    await fail('a');
    queue.retain([]);
    queue.recall(way('a'));
    await pass();
    await fail('a');
    await pass(15_100);
    expect(started).toEqual(['a', 'a', 'a']);
  });

  test('loses its fault', async () => {
    const { queue, fail, started } = setup();
    queue.recall(way('a'));
    await pass();
    await fail('a');
    queue.retain([]);
    expect(queue.recall(way('a'))).toBeUndefined();
    await pass();
    expect(started).toEqual(['a', 'a']);
  });

  test('is not retried after a later error, which is no fault of one that comes back', async () => {
    const { queue, fail, started, onResult } = setup();
    queue.recall(way('a'));
    await pass();
    queue.retain([]);
    await fail('a');
    await pass(600_000);
    // The failure, and a look that finds nothing to do.
    expect(onResult).toHaveBeenCalledTimes(2);
    expect(started).toEqual(['a']);
    expect(queue.isIdle).toBe(true);
    expect(queue.recall(way('a'))).toBeUndefined();
    await pass();
    expect(started).toEqual(['a', 'a']);
  });

  test('is any one that is not in the list, also while nothing is queued', () => {
    const { queue } = setup();
    queue.retain([way('a')]);
    expect(queue.isIdle).toBe(true);
  });
});
