import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import { PatientProber } from './patient.ts';
import { ScheduledProber } from './schedule.ts';

const GOOD: Verdict = { health: 'healthy', authRequired: false, proof: 'proven', reason: 'ok', steps: [] };
const named = (name: string): Candidate =>
  candidate(service(name, { labels: { app: 'prometheus' }, ports: ['web:9090'] }));
const signal = new AbortController().signal;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Backends that answer when the test says so, and the passes over them. */
function setting() {
  const open = new Map<string, (verdict: Verdict) => void>();
  const made: string[] = [];
  const scheduled = new ScheduledProber(
    {
      probe: ({ service: { name } }) => {
        made.push(name);
        return new Promise((resolve) => open.set(name, resolve));
      },
    },
    { refresh: 60_000, now: () => Date.now(), random: () => 0.5 },
  );
  const wake = vi.fn();
  const patient = new PatientProber(scheduled, wake, { usual: 2_000, inUse: 10_000 });
  return {
    patient,
    wake,
    made,
    answer: (name: string, verdict = GOOD) => open.get(name)?.(verdict),
    /** What a pass is told of each, and how long it waited in milliseconds. */
    async pass(names: readonly string[], inUse: readonly string[] = []) {
      const candidates = names.map(named);
      const began = Date.now();
      await patient.prepare(candidates, signal);
      const told = Promise.all(
        candidates.map((each) => patient.probe(each, signal, inUse.includes(each.service.name))),
      );
      let isOver = false;
      void told.then(() => {
        isOver = true;
      });
      while (!isOver) await vi.advanceTimersByTimeAsync(100);
      const waited = Date.now() - began;
      return { told: (await told).map(({ pending, health }) => pending ?? health), waited };
    },
  };
}

test('a pass goes on without those that are slow, and hears of them when they answer', async () => {
  const { pass, answer, wake, made, patient } = setting();
  setTimeout(() => answer('quick'), 50);
  const first = await pass(['slow', 'quick']);
  expect(first.told).toEqual([true, 'healthy']);
  expect(first.waited).toBeLessThan(2_200);
  expect(wake).not.toHaveBeenCalled();
  // What was waited for once is not waited for again.
  const second = await pass(['slow', 'quick']);
  expect(second.told).toEqual([true, 'healthy']);
  expect(second.waited).toBeLessThanOrEqual(200);
  answer('slow');
  await patient.idle;
  expect(wake).toHaveBeenCalledOnce();
  expect((await pass(['slow', 'quick'])).told).toEqual(['healthy', 'healthy']);
  expect(made).toEqual(['slow', 'quick']);
});

test('what was known of a backend counts while it is asked again', async () => {
  const { pass, answer } = setting();
  setTimeout(() => answer('a'), 50);
  await pass(['a']);
  vi.setSystemTime(Date.now() + 600_000);
  expect(await pass(['a'])).toMatchObject({ told: ['healthy'] });
});

test('what is in use and was never asked is waited for longer', async () => {
  const { pass, answer } = setting();
  setTimeout(() => answer('a'), 5_000);
  expect(await pass(['a', 'b'], ['a'])).toEqual({
    told: ['healthy', true],
    waited: expect.closeTo(5_000, -3),
  });
  const other = setting();
  expect(await other.pass(['a'], ['a'])).toEqual({ told: [true], waited: expect.closeTo(10_000, -3) });
});

test('one that fails as none should is told to the pass that waits, and wakes the next one else', async () => {
  const failing = {
    prepare: async () => [],
    known: () => undefined,
    probe: () => new Promise<Verdict>((_, reject) => setTimeout(() => reject(new TypeError('oops')), 3_000)),
  };
  const wake = vi.fn();
  const late = new PatientProber(failing, wake, { usual: 2_000, inUse: 10_000 });
  const told = late.probe(named('a'), signal);
  await vi.advanceTimersByTimeAsync(2_000);
  expect((await told).pending).toBe(true);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(wake).toHaveBeenCalledOnce();
  const awaited = expect(late.probe(named('b'), signal, true)).rejects.toThrow('oops');
  await vi.advanceTimersByTimeAsync(3_000);
  await awaited;
});
