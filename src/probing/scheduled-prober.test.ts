import { describe, expect, test } from 'vitest';
import type { Candidate, Verdict } from '../model/discovery.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import { serviceKey } from '../model/service.ts';
import type { ProbeEvent } from './prober.ts';
import { ScheduledProber } from './scheduled-prober.ts';

const MINUTE = 60_000;

const verdict = (health: Verdict['health'], proof: Verdict['proof'] = 'proven'): Verdict => ({
  health,
  authRequired: false,
  proof,
  reason: `it is ${health}`,
  steps: [{ asked: 'GET /', answered: health }],
});

const candidate = (name: string, port = 9090): Candidate => ({
  service: {
    cluster: HOME_CLUSTER,
    namespace: 'monitoring',
    name,
    labels: {},
    annotations: {},
    selector: {},
    ports: [],
    type: 'ClusterIP',
    headless: false,
  },
  type: 'prometheus',
  detector: 'prometheus',
  tool: name,
  kind: '',
  description: '',
  tenantDescription: false,
  endpoint: { scheme: 'http', host: `${name}.monitoring.svc.cluster.local`, port, path: '' },
  servicePort: port,
  mode: 'streamable-http',
  healthPath: undefined,
  certainty: 'recommended',
  evidence: [],
  alternates: [],
  fallbacks: [],
  mappings: {},
});

/** A schedule over a backend whose health the test decides, on a clock that the test moves. */
function setting(first: Verdict = verdict('healthy')) {
  let now = 0;
  let next = first;
  let asked = 0;
  const signal = new AbortController().signal;
  const schedule = new ScheduledProber(
    {
      probe: () => {
        asked += 1;
        return Promise.resolve(next);
      },
    },
    { refreshInterval: 5 * MINUTE, now: () => now, random: () => 0.5 },
  );
  const one = candidate('prometheus');
  return {
    schedule,
    one,
    signal,
    asked: () => asked,
    /** Moves the clock, sets what the backend says from now on, and makes a pass. */
    async at(time: number, says: Verdict = next): Promise<Verdict> {
      now = time;
      next = says;
      await schedule.prepare([one], signal);
      return schedule.probe(one, signal);
    },
  };
}

describe('a backend that failed twice', () => {
  function several(steps: Verdict['steps'] = verdict('healthy').steps) {
    const failing = new Set<string>();
    const asked: string[] = [];
    const state = { now: 0 };
    const { signal } = new AbortController();
    const schedule = new ScheduledProber(
      {
        probe: async ({ service }) => {
          asked.push(service.name);
          return { ...verdict(failing.has(service.name) ? 'unhealthy' : 'healthy'), steps };
        },
      },
      { refreshInterval: 5 * MINUTE, now: () => state.now, random: () => 0.5 },
    );
    const all = ['a', 'b', 'c'].map((name) => candidate(name));
    /** The names of those that a pass probes. */
    const pass = async (time: number): Promise<readonly string[]> => {
      state.now = time;
      asked.length = 0;
      await schedule.prepare(all, signal);
      for (const each of all) await schedule.probe(each, signal);
      return asked.toSorted();
    };
    return { failing, pass };
  }

  test('makes all others due, which may fail for the same reason', async () => {
    const { failing, pass } = several();
    await pass(0);
    failing.add('a');
    expect(await pass(5 * MINUTE)).toEqual(['a', 'b', 'c']);
    // A first failure may be a coincidence.
    expect(await pass(5 * MINUTE + 15_000)).toEqual(['a', 'b', 'c']);
    expect(await pass(5 * MINUTE + 16_000)).toEqual([]);
  });

  test('does so at most once in the refresh interval', async () => {
    const { failing, pass } = several();
    await pass(0);
    for (const name of ['a', 'b']) failing.add(name);
    await pass(5 * MINUTE);
    expect(await pass(5 * MINUTE + 15_000)).toEqual(['a', 'b', 'c']);
    expect(await pass(5 * MINUTE + 30_000)).toEqual(['a', 'b']);
  });

  test('makes no others due if Kubernetes says that it has no ready Pod', async () => {
    const { failing, pass } = several([]);
    await pass(0);
    failing.add('a');
    await pass(5 * MINUTE);
    expect(await pass(5 * MINUTE + 15_000)).toEqual(['a']);
  });
});

describe('a backend becomes healthy', () => {
  test('after one success', async () => {
    const { at } = setting(verdict('unhealthy'));
    expect((await at(0)).health).toBe('unhealthy');
    expect((await at(MINUTE, verdict('healthy'))).health).toBe('healthy');
  });

  test('a backend that was never healthy is not kept', async () => {
    const { at } = setting(verdict('unhealthy'));
    expect(await at(0)).toMatchObject({ health: 'unhealthy', reason: 'it is unhealthy' });
  });
});

describe('a healthy backend becomes unhealthy', () => {
  test('after three failures in a row over at least half a minute', async () => {
    const { at } = setting();
    await at(0);
    const bad = verdict('unhealthy');
    expect((await at(5 * MINUTE, bad)).health).toBe('healthy');
    expect((await at(5 * MINUTE + 16_000, bad)).health).toBe('healthy');
    const last = await at(5 * MINUTE + 32_000, bad);
    expect(last).toMatchObject({ health: 'unhealthy', reason: 'it is unhealthy' });
  });

  test('three failures in a shorter time are not enough', async () => {
    const { schedule, one, signal } = setting();
    let now = 0;
    let health: Verdict['health'] = 'healthy';
    const quick = new ScheduledProber(
      { probe: () => Promise.resolve(verdict(health)) },
      { refreshInterval: 1, now: () => now, random: () => 0 },
    );
    await quick.probe(one, signal);
    health = 'unhealthy';
    for (now = 14_000; now < 42_000; now += 14_000)
      expect((await quick.probe(one, signal)).health).toBe('healthy');
    now = 14_000 + 30_001;
    expect((await quick.probe(one, signal)).health).toBe('unhealthy');
    expect(schedule.nextRetry()).toBeUndefined();
  });

  test('a success between failures resets the count', async () => {
    const { at } = setting();
    await at(0);
    await at(5 * MINUTE, verdict('unhealthy'));
    await at(5 * MINUTE + 16_000, verdict('unhealthy'));
    await at(5 * MINUTE + 32_000, verdict('healthy'));
    expect((await at(10 * MINUTE + 32_000, verdict('unhealthy'))).health).toBe('healthy');
    expect((await at(10 * MINUTE + 48_000, verdict('unhealthy'))).health).toBe('healthy');
  });

  test('while it is kept, its reason names the failure', async () => {
    const { at } = setting();
    await at(0);
    expect((await at(5 * MINUTE, verdict('unhealthy'))).reason).toMatch(/kept.*failure 1.*unhealthy/);
  });

  test('another proven type is a failure too, and does not end it at once', async () => {
    const { at } = setting();
    await at(0);
    const other = verdict('unhealthy', 'contradicted');
    expect(await at(5 * MINUTE, other)).toMatchObject({ health: 'healthy', proof: 'proven' });
    await at(5 * MINUTE + 16_000, other);
    expect(await at(5 * MINUTE + 32_000, other)).toMatchObject({ proof: 'contradicted' });
  });

  test('an unknown result is no failure', async () => {
    const { at } = setting();
    await at(0);
    for (let time = 5 * MINUTE; time < 10 * MINUTE; time += 20_000)
      expect((await at(time, verdict('unknown'))).health).toBe('healthy');
  });
});

describe('schedule', () => {
  test('a healthy backend is probed again after the refresh interval, not earlier', async () => {
    const { at, asked } = setting();
    await at(0);
    await at(4 * MINUTE);
    expect(asked()).toBe(1);
    await at(5 * MINUTE + 1);
    expect(asked()).toBe(2);
  });

  test('a failing one is probed soon, an unhealthy one with backoff up to the refresh interval', async () => {
    const { at, schedule } = setting(verdict('unhealthy'));
    const pauses: number[] = [];
    let time = 0;
    for (let pass = 0; pass < 8; pass++) {
      await at(time);
      const pause = schedule.nextRetry() ?? Number.NaN;
      pauses.push(pause);
      time += pause;
    }
    expect(pauses).toEqual([15_000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000, 300_000]);
  });

  test('checks without a request have no backoff', async () => {
    const { at, schedule } = setting({ ...verdict('unhealthy'), steps: [] });
    for (let time = 0; time < 10 * MINUTE; time += 15_000) {
      await at(time);
      expect(schedule.nextRetry()).toBe(15_000);
    }
  });

  test('if all are healthy, nothing is due early', async () => {
    const { at, schedule } = setting();
    await at(0);
    expect(schedule.nextRetry()).toBeUndefined();
  });

  test('another endpoint is another backend and is probed at once', async () => {
    const { at, schedule, signal, asked } = setting();
    await at(0);
    await schedule.probe(candidate('prometheus', 9091), signal);
    expect(asked()).toBe(2);
  });

  test('a deleted Service is forgotten at once', async () => {
    const { at, schedule, signal, asked } = setting();
    await at(0);
    await schedule.prepare([candidate('other')], signal);
    expect((await at(1_000, verdict('unhealthy'))).health).toBe('unhealthy');
    expect(asked()).toBe(2);
  });
});

test('another schedule keeps the memory of the previous one', async () => {
  const asked: string[] = [];
  let health: Verdict['health'] = 'healthy';
  let now = 0;
  const prober = {
    probe: async ({ tool }: Candidate): Promise<Verdict> => {
      asked.push(tool);
      return verdict(health);
    },
  };
  const options = { refreshInterval: MINUTE, now: () => now, random: () => 0.5 };
  const { signal } = new AbortController();
  const first = new ScheduledProber(prober, options);
  await first.probe(candidate('loki'), signal);
  health = 'unhealthy';
  const second = new ScheduledProber(prober, options, first);
  expect((await second.probe(candidate('loki'), signal)).health).toBe('healthy');
  expect(asked).toHaveLength(1);
  now = 2 * MINUTE;
  expect(await second.probe(candidate('loki'), signal)).toMatchObject({
    health: 'healthy',
    reason: expect.stringContaining('kept for now, failure 1'),
  });
  expect((await first.probe(candidate('loki'), signal)).reason).toContain('failure 1');
  expect(asked).toHaveLength(3);
});

test('the result of each probe is emitted, but no cached verdict', async () => {
  const told: ProbeEvent[] = [];
  const answers: (() => Promise<Verdict>)[] = [
    () => Promise.reject(new Error('a bug')),
    () => Promise.resolve(verdict('healthy')),
  ];
  const schedule = new ScheduledProber(
    { probe: () => answers.shift()?.() ?? Promise.reject(new Error('it was asked once more')) },
    { refreshInterval: MINUTE, now: () => 0, random: () => 0, emit: (event) => told.push(event) },
  );
  const { signal } = new AbortController();
  await expect(schedule.probe(candidate('a'), signal)).rejects.toThrow('a bug');
  await schedule.probe(candidate('a'), signal);
  await schedule.probe(candidate('a'), signal);
  expect(told).toEqual([
    { kind: 'probed', type: 'prometheus', verdict: undefined },
    { kind: 'probed', type: 'prometheus', verdict: verdict('healthy') },
  ]);
});

/** A schedule over several backends, each with a scripted answer. */
function several(
  options: Partial<ConstructorParameters<typeof ScheduledProber>[1]> = {},
  before?: ScheduledProber,
) {
  const state = {
    now: 0,
    asked: [] as string[],
    answer: async (_: string): Promise<Verdict> => verdict('healthy'),
  };
  const prober = {
    probe: ({ service: { name } }: Candidate) => {
      state.asked.push(name);
      return state.answer(name);
    },
  };
  const schedule = new ScheduledProber(
    prober,
    { refreshInterval: 5 * MINUTE, now: () => state.now, random: () => 0.5, ...options },
    before,
  );
  const signal = new AbortController().signal;
  const pass = async (...names: string[]): Promise<void> => {
    const candidates = names.map((name) => candidate(name));
    await schedule.prepare(candidates, signal);
    await Promise.all(candidates.map((each) => schedule.probe(each, signal)));
  };
  return { state, schedule, pass, prober };
}
const keyOf = (name: string) => serviceKey(candidate(name).service);
const answers =
  (bad: readonly string[]) =>
  async (name: string): Promise<Verdict> =>
    verdict(bad.includes(name) ? 'unhealthy' : 'healthy');

test('another schedule keeps the memory, and knows which backends are due', async () => {
  const first = several();
  first.state.answer = answers(['b']);
  await first.pass('a', 'b');
  const next = several({}, first.schedule);
  expect(next.schedule.nextRetry()).toBe(15_000);
  expect(next.schedule.recall(candidate('a'))).toMatchObject({
    isDue: false,
    verdict: { health: 'healthy' },
  });
  await next.pass('a', 'b');
  expect(next.state.asked).toEqual([]);
});

test('deleted backends are forgotten, and new ones are not due for a retry', async () => {
  const { state, pass, schedule } = several();
  state.answer = answers(['b']);
  await pass('a', 'b');
  await pass('a');
  expect(schedule.nextRetry()).toBeUndefined();
  await schedule.prepare([candidate('a'), candidate('c')], new AbortController().signal);
  schedule.invalidateMatching(() => true, true);
  expect(schedule.recall(candidate('b'))).toEqual({ verdict: undefined, isDue: true });
  expect(schedule.recall(candidate('c'))).toEqual({ verdict: undefined, isDue: true });
});

test.each<[string, (name: string) => boolean, boolean, string[]]>([
  ['all', () => true, true, ['a', 'b']],
  ['those that fail', () => true, false, ['b']],
  ['requested ones', (name) => name === 'a', true, ['a']],
  ['requested ones, only if they fail', (name) => name === 'a', false, []],
])('made due now: %s', async (_, wanted, all, expected) => {
  const { state, pass, schedule } = several();
  state.answer = answers(['b']);
  await pass('a', 'b');
  state.asked.length = 0;
  schedule.invalidateMatching((key) => ['a', 'b'].some((name) => wanted(name) && keyOf(name) === key), all);
  await pass('a', 'b');
  expect(state.asked).toEqual(expected);
});

test('changes of Pods during a probe count after it: due at once, and readiness is not undone by its result', async () => {
  const { state, schedule, pass } = several();
  state.answer = answers(['a']);
  await pass('a');
  state.now = MINUTE;
  state.answer = async (name) => {
    schedule.invalidate(keyOf(name), true);
    schedule.invalidate(keyOf(name));
    return verdict('unhealthy');
  };
  await pass('a');
  expect(schedule.nextRetry()).toBe(0);
  // It became ready, so it is asked again a second later.
  state.answer = answers(['a']);
  await pass('a');
  expect(schedule.nextRetry()).toBe(1_000);
});

test('changes without readiness keep the backoff', async () => {
  const { state, schedule, pass } = several();
  state.answer = answers(['a']);
  await pass('a');
  state.now = MINUTE;
  state.answer = async (name) => {
    schedule.invalidate(keyOf(name));
    return verdict('unhealthy');
  };
  await pass('a');
  state.answer = answers(['a']);
  await pass('a');
  expect(schedule.nextRetry()).toBe(60_000);
});

test('another endpoint starts with a new state: success at the old one does not keep it', async () => {
  const { state, schedule } = several();
  const signal = new AbortController().signal;
  await schedule.probe(candidate('a'), signal);
  state.answer = answers(['a']);
  expect(await schedule.probe(candidate('a', 9091), signal)).toMatchObject({ health: 'unhealthy' });
  expect(schedule.recall(candidate('a'))).toEqual({ verdict: undefined, isDue: true });
});

test('problems of the inner prober are passed on', async () => {
  const { prober } = several();
  const problem = { where: 'x', what: 'y' };
  const options = { refreshInterval: 1, now: () => 0, random: () => 0 };
  const signal = new AbortController().signal;
  const told = new ScheduledProber({ ...prober, prepare: async () => [problem] }, options);
  expect(await told.prepare([], signal)).toEqual([problem]);
  expect(await new ScheduledProber(prober, options).prepare([], signal)).toEqual([]);
});

test('an aborted probe emits no event', async () => {
  const events: ProbeEvent[] = [];
  const { state, schedule } = several({ emit: (event) => events.push(event) });
  const stop = new AbortController();
  state.answer = async () => {
    stop.abort();
    throw new Error('aborted');
  };
  await expect(schedule.probe(candidate('a'), stop.signal)).rejects.toThrow('aborted');
  expect(events).toEqual([]);
});

describe('when the next probe is due', () => {
  /** A schedule whose probes end when the test says so. */
  function open() {
    let now = 0;
    const probes: PromiseWithResolvers<Verdict>[] = [];
    const schedule = new ScheduledProber(
      {
        probe: () => {
          const probe = Promise.withResolvers<Verdict>();
          probes.push(probe);
          return probe.promise;
        },
      },
      { refreshInterval: 5 * MINUTE, now: () => now, random: () => 0.5 },
    );
    const { signal } = new AbortController();
    return {
      schedule,
      signal,
      end: (says: Verdict) => probes.shift()?.resolve(says),
      at: (time: number): void => {
        now = time;
      },
    };
  }
  const one = candidate('prometheus');

  test('a failed candidate counts, except while it is probed', async () => {
    const { schedule, signal, end, at } = open();
    expect(schedule.nextRetry()).toBeUndefined();
    const first = schedule.probe(one, signal);
    expect(schedule.nextRetry()).toBeUndefined();
    end(verdict('unhealthy'));
    await first;
    const due = schedule.nextRetry() ?? 0;
    expect(due).toBeGreaterThan(0);
    at(due);
    expect(schedule.nextRetry()).toBe(0);
    const second = schedule.probe(one, signal);
    expect(schedule.nextRetry()).toBeUndefined();
    end(verdict('unhealthy'));
    await second;
    expect(schedule.nextRetry()).toBeGreaterThan(0);
  });

  test('only candidates of the last pass count, whether they were probed or recalled', async () => {
    const { schedule, signal, end } = open();
    const first = schedule.probe(one, signal);
    end(verdict('unhealthy'));
    await first;
    await schedule.prepare([one, candidate('never-probed')], signal);
    expect(schedule.nextRetry()).toBeUndefined();
    expect(schedule.recall(candidate('never-probed'))).toEqual({ verdict: undefined, isDue: true });
    expect(schedule.nextRetry()).toBeUndefined();
    schedule.recall(one);
    expect(schedule.nextRetry()).toBeGreaterThan(0);
  });

  test('a candidate is due at its time, and not before', async () => {
    const { schedule, signal, end, at } = open();
    const first = schedule.probe(one, signal);
    end(verdict('healthy'));
    await first;
    at(5 * MINUTE - 1);
    expect(schedule.recall(one).isDue).toBe(false);
    at(5 * MINUTE);
    expect(schedule.recall(one).isDue).toBe(true);
  });

  test("a candidate's verdict from before its port changed does not count", async () => {
    const { schedule, signal, end } = open();
    const moved = candidate('prometheus', 9091);
    const outdated = schedule.probe(one, signal);
    const current = schedule.probe(moved, signal);
    end(verdict('unhealthy'));
    expect(await outdated).toMatchObject({ health: 'unhealthy' });
    // The second probe still runs, so an invalidation of it holds.
    schedule.invalidate(serviceKey(one.service));
    end(verdict('healthy'));
    await current;
    expect(schedule.recall(one)).toEqual({ verdict: undefined, isDue: true });
    expect(schedule.recall(moved)).toMatchObject({ verdict: { health: 'healthy' }, isDue: true });
  });

  test.each<[string, Partial<Candidate['service']>]>([
    ['another Service of its name', { uid: '2' }],
    ['other Pods', { selector: { app: 'other' } }],
    ['other Pods, by one of many entries', { selectorHash: 'b' }],
  ])("a candidate's verdict does not count for %s", async (_, change) => {
    const { schedule, signal, end } = open();
    const before = { ...one, service: { ...one.service, uid: '1', selectorHash: 'a' } };
    if (change.selector !== undefined) Object.assign(before.service, { selectorHash: undefined });
    const other = { ...before, service: { ...before.service, ...change } };
    const first = schedule.probe(before, signal);
    end(verdict('healthy'));
    await first;
    expect(schedule.recall(before)).toMatchObject({ verdict: { health: 'healthy' } });
    await schedule.prepare([other], signal);
    expect(schedule.recall(other)).toEqual({ verdict: undefined, isDue: true });
  });

  test('a verdict on a candidate that is gone meanwhile does not count when it returns', async () => {
    const { schedule, signal, end } = open();
    const probing = schedule.probe(one, signal);
    await schedule.prepare([], signal);
    await schedule.prepare([one], signal);
    end(verdict('healthy'));
    expect(await probing).toMatchObject({ health: 'healthy' });
    expect(schedule.recall(one)).toEqual({ verdict: undefined, isDue: true });
  });

  test("a candidate's verdict from before its port changed does not replace the current one, however late it comes", async () => {
    const ends: ((verdict: Verdict) => void)[] = [];
    const probe = () => new Promise<Verdict>((resolve) => ends.push(resolve));
    const schedule = new ScheduledProber(
      { probe },
      { refreshInterval: MINUTE, now: () => 0, random: () => 0.5 },
    );
    const { signal } = new AbortController();
    const moved = candidate('prometheus', 9091);
    const outdated = schedule.probe(candidate('prometheus'), signal);
    const current = schedule.probe(moved, signal);
    ends[1]?.(verdict('healthy'));
    await current;
    ends[0]?.(verdict('unhealthy'));
    expect(await outdated).toMatchObject({ health: 'unhealthy' });
    expect(schedule.recall(moved)).toMatchObject({ verdict: { health: 'healthy' }, isDue: false });
  });
});

test('a change of the Pods of a Service makes its parts due, and no others', async () => {
  const { state, schedule, pass } = several();
  state.answer = answers(['lgtm', 'lgtm:3100', 'lgtm:3200', 'lgtm-2', 'loki']);
  const all = ['lgtm', 'lgtm:3100', 'lgtm:3200', 'lgtm-2', 'loki'];
  await pass(...all);
  schedule.invalidate(keyOf('lgtm'));
  const due = all.filter((name) => schedule.recall(candidate(name)).isDue);
  expect(due).toEqual(['lgtm', 'lgtm:3100', 'lgtm:3200']);
});
