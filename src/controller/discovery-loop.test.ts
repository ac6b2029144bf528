import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { options as detection, rules } from '../../test/fixtures/unit/detection.ts';
import { HEALTHY, loki } from '../../test/fixtures/unit/engine.ts';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import type { Naming } from '../detection/names.ts';
import type { Candidate, Problem, Verdict } from '../model/discovery.ts';
import { partsOf } from '../model/key.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { contentHash } from '../planning/content-hash.ts';
import { BACKEND_GROUPS, CONTENT_HASH, rollbackAnnotations } from '../planning/plan.ts';
import { toolsShown } from '../planning/tools-shown.ts';
import { DiscoveryLoop, type DiscoveryOptions } from './discovery-loop.ts';
import type { EngineEvent } from './events.ts';

const UNHEALTHY: Verdict = {
  ...HEALTHY,
  health: 'unhealthy',
  proof: 'unproven',
  reason: 'GET / answered 500',
};

type Event<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;

let stop: AbortController;
beforeEach(() => {
  vi.useFakeTimers();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await vi.advanceTimersByTimeAsync(60_000);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const pass = (milliseconds = 100): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);

/** A loop over a prober that knows what it probed. Backends answer at once, unless a test says otherwise. */
function setup({ once = false } = {}) {
  const verdicts = new Map<string, Verdict>();
  const state = {
    retry: undefined as number | undefined,
    problems: [] as readonly Problem[],
    probe: async (_: Candidate): Promise<Verdict> => HEALTHY,
    /** Called with each question for a verdict. */
    onRecall: (): void => {},
  };
  const prepare = vi.fn(async (_: readonly Candidate[]) => state.problems);
  const nextRetry = vi.fn(() => state.retry);
  const prober = {
    prepare,
    async probe(way: Candidate): Promise<Verdict> {
      const verdict = await state.probe(way);
      verdicts.set(way.service.name, verdict);
      return verdict;
    },
    recall({ service: { name } }: Candidate) {
      state.onRecall();
      return { verdict: verdicts.get(name), isDue: !verdicts.has(name) };
    },
    invalidate: (key: ServiceKey): void => void verdicts.delete(partsOf(key).name),
    nextRetry,
  };
  const publisher = new MemoryPublisher();
  const events: EngineEvent[] = [];
  const onSnapshot = vi.fn<(isOther: boolean, isFullResync: boolean) => void>();
  const options: DiscoveryOptions = {
    stages: { rules, problems: [], prober, detection, maxBackends: 1_000 },
    publisher,
    outputs: OUTPUTS,
    credentials: {},
    emit: (event) => events.push(event),
    once,
  };
  const loop = new DiscoveryLoop(options, onSnapshot);
  const told = <K extends EngineEvent['kind']>(kind: K): Event<K>[] =>
    events.filter((event): event is Event<K> => event.kind === kind);
  return {
    loop,
    options,
    state,
    verdicts,
    prepare,
    nextRetry,
    publisher,
    onSnapshot,
    told,
    failures: () => told('discovery-failed').map(({ attempt, retryIn }) => [attempt, retryIn]),
    names: () => loop.snapshot?.services.map(({ service: { name } }) => name).sort(),
    sync: (services: readonly Service[], problems: readonly Problem[] = []) =>
      loop.apply({ kind: 'sync', services, stale: [], problems }),
    upsert: (service: Service) => loop.apply({ kind: 'upsert', service }),
    /** Runs it with Services that have answered. */
    async started(...services: Service[]) {
      void loop.run(stop.signal);
      loop.apply({ kind: 'sync', services, stale: [], problems: [] });
      await pass();
    },
  };
}

describe('the first snapshot', () => {
  test('comes after the source is listed, and nothing is probed before', async () => {
    const { loop, sync, names, nextRetry, publisher, prepare, state } = setup();
    state.retry = 10;
    const ended = loop.run(stop.signal);
    loop.wake();
    await pass(10_000);
    expect([loop.snapshot, loop.cycle, nextRetry.mock.calls.length]).toEqual([undefined, 0, 0]);
    expect([publisher.reads, prepare.mock.calls.length]).toEqual([0, 0]);
    state.retry = undefined;
    sync([loki('a')]);
    await pass();
    expect(names()).toEqual(['a']);
    stop.abort();
    await ended;
  });

  test('is emitted with everything that is known', async () => {
    const problem: Problem = { where: 'n', what: 'a word of the source' };
    const { loop, sync, told, onSnapshot } = setup();
    void loop.run(stop.signal);
    sync([loki('a'), loki('b')], [problem]);
    await pass();
    expect(told('pass').at(-1)).toMatchObject({
      full: true,
      before: [],
      examined: 2,
      detecting: 0,
      problems: [problem],
      changedAt: undefined,
    });
    expect(told('pass').map(({ cycle }) => cycle)).toEqual([loop.cycle]);
    expect(loop.snapshot?.cycle).toBe(loop.cycle);
    expect(loop.cycle).toBeGreaterThan(0);
    expect(onSnapshot.mock.calls).toEqual([[true, true]]);
  });

  test('waits for a backend that does not respond, for at most two seconds', async () => {
    const { loop, sync, upsert, names, state, told, onSnapshot } = setup();
    state.probe = () => new Promise(() => {});
    void loop.run(stop.signal);
    sync([loki('a')]);
    await pass(1_000);
    upsert(loki('a'));
    await pass(900);
    expect(loop.snapshot).toBeUndefined();
    await pass(300);
    expect(names()).toEqual([]);
    expect(told('pass').map(({ full }) => full)).toEqual([true]);
    // It still is the one after everything was listed.
    expect(onSnapshot.mock.calls).toEqual([[true, true]]);
  });

  test('is given up at once at shutdown', async () => {
    const { loop, sync, publisher, told } = setup();
    const read = vi.spyOn(publisher, 'read').mockReturnValue(new Promise(() => {}));
    let hasEnded = false;
    loop
      .run(stop.signal)
      .catch(() => {})
      .finally(() => {
        hasEnded = true;
      });
    sync([loki('a')]);
    await pass();
    expect([read.mock.calls.length, hasEnded]).toEqual([1, false]);
    stop.abort();
    await pass(10);
    expect(hasEnded).toBe(true);
    expect(told('discovery-failed')).toEqual([]);
  });

  test('has the entry points that published overrides name, and their approvals count', async () => {
    const { started, publisher, loop, names, prepare } = setup();
    const ways = ['gateway', 'read'].map((name) =>
      service(name, { labels: { app: 'loki' }, selector: { app: 'loki' }, ports: ['http:3100'] }),
    );
    publisher.edit('overrides.yaml', 'tools: { monitoring/read: { approved: mcp } }');
    await started(...ways);
    expect(names()).toEqual(['read']);
    const runs = prepare.mock.calls.length;
    loop.learn(undefined, new Map([[keyFor('monitoring/read'), { refused: false, as: ['mcp'] }]]));
    await pass();
    expect(prepare.mock.calls).toHaveLength(runs);
  });

  test('waits for the published state, for at most ten seconds', async () => {
    const { loop, sync, names, publisher } = setup();
    publisher.read = () => new Promise(() => {});
    void loop.run(stop.signal);
    sync([loki('a')]);
    await pass(9_900);
    expect(loop.snapshot).toBeUndefined();
    await pass(300);
    expect(names()).toEqual(['a']);
  });

  test('does not need the published state if that cannot be read', async () => {
    const { started, names, publisher } = setup();
    publisher.before = () => {
      throw new Error('no rights');
    };
    await started(loki('a'));
    expect(names()).toEqual(['a']);
    expect(publisher.reads).toBe(1);
  });
});

describe('later snapshots', () => {
  test('follow each change, with the previous state and the time of the change', async () => {
    const { started, upsert, told, onSnapshot } = setup();
    await started(loki('a'));
    const [first] = told('pass');
    const changedAt = performance.now();
    upsert(loki('b'));
    await pass();
    const last = told('pass').at(-1);
    expect(last).toMatchObject({ full: false, before: first?.services, changedAt, examined: 2 });
    expect(last?.services).toHaveLength(2);
    expect(last?.milliseconds).toBeLessThan(100);
    expect(onSnapshot.mock.lastCall).toEqual([true, false]);
  });

  test('tell how long detection took, if there was one', async () => {
    const now = performance.now.bind(performance);
    let calls = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now() + ++calls / 1_000);
    const { started, upsert, state, told } = setup();
    await started(loki('a'));
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    state.probe = () => promise;
    upsert(loki('b'));
    await pass();
    resolve(HEALTHY);
    await pass();
    const [first, ...later] = told('pass').map(({ detecting }) => detecting);
    expect(first).toBeGreaterThan(0);
    expect(later.at(-1)).toBe(0);
  });

  test('with the same documents are not marked as different', async () => {
    const { started, loop, onSnapshot, told } = setup();
    await started(loki('a'));
    loop.wake();
    await pass();
    expect(onSnapshot.mock.lastCall).toEqual([false, false]);
    expect(told('pass').at(-1)).toMatchObject({ full: false, changedAt: undefined });
  });

  test('are full after another list of everything', async () => {
    const { started, sync, onSnapshot, told } = setup();
    await started(loki('a'));
    sync([loki('a')]);
    await pass();
    expect(onSnapshot.mock.lastCall).toEqual([false, true]);
    expect(told('pass').at(-1)).toMatchObject({ full: true });
    sync([loki('a')]);
    await pass();
    expect(told('pass').at(-1)).toMatchObject({ full: true });
  });

  test('are full once all have a verdict, or their grace period is over', async () => {
    const { started, sync, state, told } = setup();
    await started(loki('a'));
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    state.probe = () => promise;
    const begun = performance.now();
    sync([loki('a'), loki('b')]);
    await pass(500);
    expect(
      told('pass')
        .slice(1)
        .map(({ full }) => full),
    ).toEqual([false]);
    resolve(HEALTHY);
    await pass(500);
    const last = told('pass').at(-1);
    expect(last?.full).toBe(true);
    expect(last?.milliseconds).toBeGreaterThanOrEqual(400);
    expect(last?.milliseconds).toBeLessThan(performance.now() - begun);
  });

  test('are full even if one backend never responds', async () => {
    const { started, sync, state, told } = setup();
    await started(loki('a'));
    state.probe = () => new Promise(() => {});
    sync([loki('a'), loki('b')]);
    await pass(9_000);
    expect(
      told('pass')
        .slice(1)
        .some(({ full }) => full),
    ).toBe(false);
    await pass(2_000);
    sync([loki('a'), loki('b')]);
    await pass(100);
    expect(told('pass').at(-1)?.full).toBe(true);
  });

  test('follow a new verdict without another detection', async () => {
    const { started, upsert, state, prepare, names } = setup();
    await started(loki('a'));
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    state.probe = () => promise;
    upsert(loki('b'));
    await pass();
    expect(names()).toEqual(['a']);
    const before = prepare.mock.calls.length;
    resolve(HEALTHY);
    await pass();
    expect(names()).toEqual(['a', 'b']);
    expect(prepare.mock.calls).toHaveLength(before);
  });

  test('problems of the prober are reported when they change', async () => {
    const { started, loop, state, told } = setup();
    await started(loki('a'));
    const passes = told('pass').length;
    state.problems = [{ where: 'n', what: 'no rights' }];
    loop.wake();
    await pass();
    expect(told('pass').at(-1)?.problems).toEqual(state.problems);
    // One for the wake-up, and one for the news.
    expect(told('pass')).toHaveLength(passes + 2);
  });

  test('the loop is idle while no probe runs', async () => {
    const { loop, state, sync } = setup();
    await loop.idle;
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    state.probe = () => promise;
    void loop.run(stop.signal);
    sync([loki('a')]);
    await pass();
    let isIdle = false;
    void loop.idle.then(() => {
      isIdle = true;
    });
    await pass();
    expect(isIdle).toBe(false);
    resolve(HEALTHY);
    await pass();
    expect(isIdle).toBe(true);
  });
});

describe('scheduling', () => {
  test('a failed backend is probed when it is due, at most once a second', async () => {
    const { started, state, prepare } = setup();
    await started(loki('a'));
    const before = prepare.mock.calls.length;
    state.retry = 0;
    await pass(950);
    // The loop sleeps without a reason to wake up, so the first run needs one.
    expect(prepare.mock.calls).toHaveLength(before);
    state.retry = undefined;
  });

  test('a retry of less than a second takes a second', async () => {
    const { started, loop, state, prepare } = setup();
    await started(loki('a'));
    state.retry = 0;
    loop.wake();
    await pass(50);
    const before = prepare.mock.calls.length;
    await pass(900);
    expect(prepare.mock.calls).toHaveLength(before);
    await pass(200);
    expect(prepare.mock.calls).toHaveLength(before + 1);
    await pass(3_000);
    expect(prepare.mock.calls.length).toBeGreaterThanOrEqual(before + 3);
    state.retry = undefined;
  });

  /** Starts a loop whose last run cost something, in milliseconds, after some changes, and other costly ones unless it is idle. */
  async function afterCostlyRun(cost: number, { changes = 0, isIdle = false } = {}) {
    const all = setup();
    await all.started(loki('a'));
    for (let change = 0; change < changes; change++) all.upsert(loki('a'));
    await pass(50);
    const now = performance.now.bind(performance);
    let spent = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now() + spent);
    const run = async (takes: number): Promise<void> => {
      all.state.onRecall = () => {
        spent += takes;
        all.state.onRecall = () => {};
      };
      all.loop.wake();
      await pass(20);
    };
    if (!isIdle) {
      await run(900);
      await pass(1_000);
    }
    await run(cost);
    const before = all.loop.cycle;
    return { ...all, runs: () => all.loop.cycle - before };
  }

  test('after a costly run it rests four times as long', async () => {
    const { loop, runs } = await afterCostlyRun(100);
    loop.wake();
    await pass(350);
    expect(runs()).toBe(0);
    await pass(100);
    expect(runs()).toBe(1);
  });

  test('after a single costly run it hardly rests', async () => {
    const { loop, runs } = await afterCostlyRun(100, { isIdle: true });
    loop.wake();
    await pass(20);
    expect(runs()).toBe(1);
  });

  test('a change in a quiet namespace ends that rest early', async () => {
    const { loop, upsert, runs } = await afterCostlyRun(100);
    loop.wake();
    await pass(50);
    upsert(loki('b'));
    await pass(20);
    expect(runs()).toBe(0);
    await pass(60);
    expect(runs()).toBeGreaterThanOrEqual(1);
  });

  test('a change in a namespace that changes all the time does not', async () => {
    const { upsert, runs } = await afterCostlyRun(100, { changes: 30 });
    upsert(loki('a'));
    await pass(350);
    expect(runs()).toBe(0);
    await pass(100);
    expect(runs()).toBeGreaterThanOrEqual(1);
  });

  test('nothing runs after the signal is aborted, not even a pending run', async () => {
    const { started, loop, prepare } = setup();
    await started(loki('a'));
    const before = [loop.cycle, prepare.mock.calls.length];
    loop.wake();
    await pass(0);
    stop.abort();
    await pass(5_000);
    expect([loop.cycle, prepare.mock.calls.length]).toEqual(before);
  });
});

describe('a failed run', () => {
  const broken = (): never => {
    throw new Error('a bug');
  };

  test('is reported and retried with backoff, and no change is lost', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { started, upsert, prepare, told, names, failures } = setup();
    await started(loki('a'));
    const changedAt = performance.now();
    prepare.mockImplementation(broken);
    upsert(loki('b'));
    await pass(4_000);
    expect(failures()).toEqual([
      [1, 1_000],
      [2, 2_000],
      [3, 4_000],
    ]);
    prepare.mockImplementation(async () => []);
    await pass(4_500);
    expect(names()).toEqual(['a', 'b']);
    expect(told('pass').find(({ services }) => services.length === 2)).toMatchObject({ changedAt });
  });

  test('is not a success because its prober is ready later', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { started, loop, onSnapshot, failures } = setup();
    await started(loki('a'));
    onSnapshot.mockImplementation(broken);
    loop.wake();
    await pass(4_000);
    expect(failures()).toEqual([
      [1, 1_000],
      [2, 2_000],
      [3, 4_000],
    ]);
    onSnapshot.mockReset();
  });

  test('is over with the next success, even if its prober takes long to be ready', async () => {
    const { started, loop, prepare, upsert, names, failures } = setup();
    await started(loki('a'));
    prepare.mockImplementationOnce(broken);
    const { promise, resolve } = Promise.withResolvers<readonly Problem[]>();
    prepare.mockImplementationOnce(() => promise);
    upsert(loki('b'));
    await pass(2_000);
    expect(names()).toEqual(['a', 'b']);
    // Nothing happens, so nothing runs.
    const { cycle } = loop;
    await pass(5_000);
    expect(loop.cycle).toBe(cycle);
    resolve([]);
    await pass();
    prepare.mockImplementationOnce(broken);
    loop.wake();
    await pass();
    expect(failures().map(([attempt]) => attempt)).toEqual([1, 1]);
  });

  test('is not over before the prober of a later run is ready', async () => {
    const { started, loop, prepare, failures } = setup();
    await started(loki('a'));
    prepare.mockImplementationOnce(broken);
    prepare.mockImplementationOnce(() => new Promise(() => {}));
    loop.wake();
    await pass(3_000);
    prepare.mockImplementationOnce(broken);
    loop.wake();
    await pass();
    expect(failures().map(([attempt]) => attempt)).toEqual([1, 2]);
  });

  test('is not over when the prober of an earlier run is ready', async () => {
    const { started, loop, prepare, failures } = setup();
    await started(loki('a'));
    const { promise, resolve } = Promise.withResolvers<readonly Problem[]>();
    prepare.mockImplementationOnce(() => promise);
    loop.wake();
    await pass();
    prepare.mockImplementationOnce(broken);
    prepare.mockImplementationOnce(broken);
    loop.wake();
    await pass();
    resolve([]);
    await pass(3_000);
    expect(failures().map(([attempt]) => attempt)).toEqual([1, 2]);
  });

  test('is reported if only a verdict was new', async () => {
    const { loop, sync, state, onSnapshot, failures, names } = setup();
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    state.probe = ({ service: { name } }) => (name === 'b' ? promise : Promise.resolve(HEALTHY));
    void loop.run(stop.signal);
    sync([loki('a'), loki('b')]);
    await pass(3_000);
    expect(names()).toEqual(['a']);
    onSnapshot.mockImplementationOnce(broken);
    resolve(HEALTHY);
    await pass();
    expect(failures()).toHaveLength(1);
    await pass(3_000);
    expect(names()).toEqual(['a', 'b']);
  });

  test('waits for its backoff, whatever happens meanwhile', async () => {
    const { started, loop, prepare, failures } = setup();
    await started(loki('a'));
    prepare.mockImplementation(broken);
    for (let n = 0; n < 50; n++) {
      loop.wake();
      await pass(100);
    }
    expect(failures().length).toBeLessThan(6);
    prepare.mockImplementation(async () => []);
  });

  test('after a success, the backoff is short again', async () => {
    const { started, loop, prepare, failures } = setup();
    await started(loki('a'));
    for (let round = 0; round < 2; round++) {
      prepare.mockImplementation(broken);
      loop.wake();
      await pass(100);
      prepare.mockImplementation(async () => []);
      await pass(3_000);
    }
    expect(failures().map(([attempt]) => attempt)).toEqual([1, 1]);
  });

  test('a prober that cannot be prepared is a failure too, except at shutdown', async () => {
    const { started, loop, prepare, told } = setup();
    await started(loki('a'));
    prepare.mockRejectedValueOnce(new Error('no slices'));
    loop.wake();
    await pass(100);
    expect(told('discovery-failed')).toMatchObject([{ attempt: 1, error: new Error('no slices') }]);
    await pass(3_000);
    prepare.mockImplementationOnce(async () => {
      stop.abort();
      throw new Error('aborted');
    });
    loop.wake();
    await pass(100);
    expect(told('discovery-failed')).toHaveLength(1);
  });

  test('other options are tried at once', async () => {
    const { started, loop, options, prepare, told, sync } = setup();
    await started(loki('a'));
    prepare.mockImplementation(broken);
    loop.wake();
    await pass(4_000);
    prepare.mockImplementation(async () => []);
    const passes = told('pass').length;
    loop.reconfigure({ ...options });
    sync([loki('a')]);
    await pass(100);
    expect(told('pass').length).toBeGreaterThan(passes);
  });
});

describe('a single run', () => {
  test('waits for all backends, however long that takes, and does not rest', async () => {
    const { loop, sync, state, names } = setup({ once: true });
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    state.probe = () => promise;
    void loop.run(stop.signal);
    sync([loki('a')]);
    await pass(60_000);
    expect(loop.snapshot).toBeUndefined();
    resolve(HEALTHY);
    await pass(2);
    expect(names()).toEqual(['a']);
  });

  test('ends with the first failure', async () => {
    const { loop, sync, prepare, told } = setup({ once: true });
    prepare.mockRejectedValueOnce(new Error('no slices'));
    const ended = loop.run(stop.signal);
    ended.catch(() => {});
    sync([loki('a')]);
    await pass();
    await expect(ended).rejects.toThrow('no slices');
    expect(told('discovery-failed')).toEqual([]);
  });
});

describe('other options', () => {
  test('apply from then on: nothing is known until everything is listed again', async () => {
    const { started, loop, options, told, sync, upsert } = setup();
    await started(loki('a'));
    const events: EngineEvent[] = [];
    loop.reconfigure({ ...options, emit: (event) => events.push(event) });
    expect(loop.snapshot).toBeUndefined();
    const passes = told('pass').length;
    upsert(loki('b'));
    await pass(5_000);
    expect([loop.snapshot, events]).toEqual([undefined, []]);
    sync([loki('a'), loki('b')]);
    await pass();
    expect(events.map(({ kind }) => kind)).toContain('pass');
    expect(told('pass')).toHaveLength(passes);
  });

  test('another leader may have published, so the published state is read again', async () => {
    const { started, loop, publisher, names } = setup();
    await started(loki('a'));
    loop.restart();
    expect(loop.snapshot).toBeUndefined();
    await pass();
    expect(publisher.reads).toBe(2);
    expect(names()).toEqual(['a']);
  });
});

test('published entry points are known from the first run on, and names are kept', async () => {
  const first = setup();
  await first.started(loki('a'));
  expect(first.loop.snapshot?.groups).toBeDefined();
  expect(first.loop.snapshot?.use?.inUse.size).toBe(1);
  // Without an answer it is not known which ids are published.
  const second = setup();
  second.publisher.before = () => {
    throw new Error('no rights');
  };
  await second.started(loki('a'));
  expect(second.loop.snapshot?.groups).toBeUndefined();
  expect(second.loop.snapshot?.use).toBeUndefined();
  second.loop.learn(undefined, undefined, new Map());
  await pass();
  expect(second.loop.snapshot?.groups).toBeDefined();
  const runs = second.prepare.mock.calls.length;
  second.loop.learn(undefined, undefined, new Map());
  await pass();
  expect(second.prepare.mock.calls).toHaveLength(runs);
});

describe('ids of backends', () => {
  const group = (...names: string[]) => ({
    namespace: 'monitoring',
    members: names.map((name) => ({ name, roles: [] })),
  });
  const idsOf = ({ loop }: ReturnType<typeof setup>) => [...(loop.snapshot?.ids.values() ?? [])];

  test('are those that are published when it starts, and another leader may have published others', async () => {
    const all = setup();
    const tool = { name: 'a', type: 'loki', endpoint: 'http://a:3100', description: 'Logs.' };
    const tools = [{ ...tool, namespace: 'monitoring', metadata: { service: 'a' } }];
    const publish = (id: string) =>
      all.publisher.write({
        data: { 'toolset.json': JSON.stringify({ tools }) },
        annotations: { [BACKEND_GROUPS]: JSON.stringify({ monitoring: { [id]: ['a'] } }) },
      });
    publish('old');
    await all.started(loki('a'));
    expect(idsOf(all)).toEqual(['monitoring/old']);
    publish('older');
    all.loop.restart();
    await pass();
    expect(idsOf(all)).toEqual(['monitoring/older']);
  });

  test('are learned once if the published state could not be read at the start', async () => {
    const all = setup();
    all.publisher.before = () => {
      throw new Error('no rights');
    };
    await all.started(loki('a'));
    expect(idsOf(all)).toEqual(['monitoring/a']);
    for (const id of ['monitoring/old', 'monitoring/other']) {
      all.loop.learn(undefined, undefined, new Map([[id, group('a')]]));
      await pass();
      expect(idsOf(all)).toEqual(['monitoring/old']);
    }
  });

  test('stay with a published backend that is not found for a while', async () => {
    const all = setup();
    await all.started(loki('a'));
    all.loop.learn(undefined, undefined, new Map([['monitoring/a', group('a')]]));
    all.sync([]);
    await pass();
    expect([...(all.loop.snapshot?.groups?.keys() ?? [])]).toEqual(['monitoring/a']);
    // Its tool is published no longer.
    all.loop.learn(undefined, undefined, new Map());
    all.sync([]);
    await pass();
    expect([...(all.loop.snapshot?.groups?.keys() ?? [])]).toEqual([]);
  });
});

describe('learning from the published state', () => {
  const naming = (more: Partial<Naming> = {}): Naming =>
    ({
      held: new Map(),
      reserved: new Map(),
      named: new Set(),
      placed: new Map(),
      ...(more as object),
    }) as unknown as Naming;

  async function learning() {
    const all = setup();
    await all.started(loki('a'), loki('b'));
    all.loop.learn(naming(), undefined);
    await pass();
    const before = all.prepare.mock.calls.length;
    return { ...all, runs: () => all.prepare.mock.calls.length - before };
  }

  test('without news, nothing runs', async () => {
    const { loop, runs } = await learning();
    loop.learn(undefined, undefined);
    loop.learn(naming(), new Map());
    await pass();
    expect(runs()).toBe(0);
  });

  test('a Service named in overrides causes a run', async () => {
    const { loop, runs } = await learning();
    const named = naming({ named: new Set([keyFor('monitoring/b')]) });
    loop.learn(named, undefined);
    await pass();
    expect(runs()).toBe(1);
    loop.learn(named, undefined);
    await pass();
    expect(runs()).toBe(1);
  });

  test('an approval causes a run, and the same approval does not', async () => {
    const { loop, runs } = await learning();
    const approvals = new Map([[keyFor('monitoring/b'), { refused: true, as: [] }]]);
    loop.learn(undefined, approvals);
    await pass();
    expect(runs()).toBe(1);
    loop.learn(undefined, new Map(approvals));
    await pass();
    expect(runs()).toBe(1);
  });
});

describe('an evaluation takes several turns of the event loop', () => {
  /** Something happens between two backends of an evaluation, which takes longer than one turn may. */
  function meanwhile({ state }: ReturnType<typeof setup>, happen: () => void): void {
    const now = performance.now.bind(performance);
    let spent = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now() + spent);
    state.onRecall = () => {
      state.onRecall = () => {};
      spent += 50;
      setImmediate(happen);
    };
  }

  test('and ends without a snapshot at shutdown', async () => {
    const all = setup();
    await all.started(loki('a'), loki('b'));
    const passes = all.told('pass').length;
    meanwhile(all, () => stop.abort());
    all.loop.wake();
    await pass(20);
    expect(all.told('pass')).toHaveLength(passes);
  });

  test('and uses the verdicts that come meanwhile', async () => {
    const all = setup();
    await all.started(loki('a'), loki('b'));
    const cycles = all.loop.cycle;
    meanwhile(all, () => all.verdicts.set('b', { ...HEALTHY, health: 'unhealthy' }));
    all.loop.wake();
    await pass(20);
    const { cycle, services } = all.told('pass').at(-1) ?? {};
    expect(cycle).toBe(cycles + 1);
    expect(services?.map(({ verdict }) => verdict.health)).toEqual(['healthy', 'unhealthy']);
  });

  test('a name that is reserved meanwhile is not given', async () => {
    const all = setup();
    await all.started(loki('a'), loki('b'));
    const reserved = {
      held: new Map(),
      reserved: new Set(['x']),
      named: new Set<never>(),
      placed: new Set<never>(),
    };
    meanwhile(all, () => all.loop.learn(reserved, undefined));
    all.upsert(loki('b', { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-name': 'x' }));
    await pass(2_000);
    const names = all.told('pass').map(({ services }) => services.map(({ tool }) => tool));
    expect(names.at(-1)).toEqual(['a.monitoring', 'b.monitoring']);
    expect(names.flat()).not.toContain('x');
  });

  test('a name that is reserved during the last one is not given, either', async () => {
    const all = setup();
    await all.started(loki('a'));
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    all.state.probe = () => promise;
    all.upsert(loki('b', { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-name': 'x' }));
    await pass(3_000);
    const none = new Set<never>();
    const reserved = { held: new Map(), reserved: new Set(['x']), named: none, placed: none };
    meanwhile(all, () => all.loop.learn(reserved, undefined));
    resolve(HEALTHY);
    await pass(2_000);
    const names = all.told('pass').map(({ services }) => services.map(({ tool }) => tool));
    expect(names.at(-1)).toEqual(['a.monitoring', 'b.monitoring']);
    expect(names.flat()).not.toContain('x');
  });

  test('without a snapshot of what another leader may have changed meanwhile', async () => {
    const all = setup();
    await all.started(loki('a'));
    meanwhile(all, () => all.loop.restart());
    all.loop.wake();
    await pass(2_000);
    expect(all.publisher.reads).toBe(2);
    expect(all.names()).toEqual(['a']);
  });

  test('without a snapshot of a source that was replaced meanwhile', async () => {
    const all = setup();
    await all.started(loki('a'));
    const passes = all.told('pass').length;
    meanwhile(all, () => all.loop.reconfigure({ ...all.options }));
    all.loop.wake();
    await pass(2_000);
    expect(all.loop.snapshot).toBeUndefined();
    all.sync([loki('b')]);
    await pass(2_000);
    expect(all.names()).toEqual(['b']);
    expect(
      all
        .told('pass')
        .slice(passes)
        .every(({ services }) => services.every(({ service }) => service.name === 'b')),
    ).toBe(true);
  });

  test('what is approved meanwhile counts, and the change that it began with is not lost', async () => {
    const all = setup();
    await all.started(loki('a'));
    const approvals = new Map([[keyFor('monitoring/b'), { refused: true, as: [] }]]);
    meanwhile(all, () => all.loop.learn(undefined, approvals));
    const passes = all.told('pass').length;
    const runs = all.prepare.mock.calls.length;
    all.verdicts.set('a', { ...HEALTHY, health: 'unhealthy' });
    all.upsert(loki('a'));
    await pass(2_000);
    expect(all.told('pass').length - passes).toBe(1);
    expect(all.prepare.mock.calls.length - runs).toBe(2);
    expect(all.told('pass').at(-1)?.changedAt).toBeDefined();
  });

  test('what is approved while a new verdict is evaluated counts too', async () => {
    const all = setup();
    await all.started(loki('a'));
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    all.state.probe = () => promise;
    all.upsert(loki('b'));
    await pass();
    const approvals = new Map([[keyFor('monitoring/b'), { refused: true, as: [] }]]);
    meanwhile(all, () => all.loop.learn(undefined, approvals));
    const runs = all.prepare.mock.calls.length;
    resolve(HEALTHY);
    await pass(2_000);
    expect(all.failures()).toEqual([]);
    expect(all.names()).toEqual(['a', 'b']);
    expect(all.prepare.mock.calls.length - runs).toBe(1);
  });

  test('at most every other one is discarded, however often its inputs are replaced', async () => {
    const all = setup();
    await all.started(loki('a'));
    const now = performance.now.bind(performance);
    let spent = 0;
    let round = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now() + spent);
    all.state.onRecall = () => {
      spent += 50;
      const approvals = new Map([[keyFor(`monitoring/${++round}`), { refused: true as const, as: [] }]]);
      setImmediate(() => all.loop.learn(undefined, approvals));
    };
    const passes = all.told('pass').length;
    all.loop.wake();
    await pass(5_000);
    expect(all.told('pass').length - passes).toBeGreaterThan(1);
    all.state.onRecall = () => {};
  });
});

test('an approval that shows other tools than the last probe has the server probed again at once', async () => {
  const all = setup();
  const offers = (...names: string[]): Verdict => ({
    ...HEALTHY,
    tools: names.map((name) => ({ name, readOnly: true, digest: '1' })),
  });
  const approval = (verdict: Verdict) =>
    new Map([
      [keyFor('monitoring/a'), { refused: false, as: ['mcp'] as const, tools: toolsShown(verdict) ?? '' }],
    ]);
  let probes = 0;
  all.state.probe = async () => offers('ping', ...(probes++ === 0 ? [] : ['rm_all']));
  await all.started(loki('a'));
  await pass(2_000);
  expect(probes).toBe(1);
  all.loop.learn(undefined, approval(offers('ping')));
  await pass(2_000);
  expect(probes).toBe(1);
  all.loop.learn(undefined, approval(offers('ping', 'rm_all')));
  await pass(2_000);
  expect(probes).toBe(2);
  expect(all.loop.snapshot?.services[0]?.verdict.tools).toHaveLength(2);
  // If the server still offers other tools, that must be reported, although no document changes.
  all.onSnapshot.mockClear();
  all.loop.learn(undefined, approval(offers('other')));
  await pass(2_000);
  expect(probes).toBe(3);
  expect(all.onSnapshot.mock.calls.filter(([isOther]) => isOther)).toHaveLength(1);
});

describe('a Service of the same backend that is preferred, and works later than the other one,', () => {
  const MINUTE = 60_000;
  async function workingAfter(
    minutes: number,
  ): Promise<{ readonly taken: boolean; readonly shown: string[][] }> {
    const all = setup();
    const shown: string[][] = [];
    all.onSnapshot.mockImplementation(() => void shown.push(all.names() ?? []));
    all.state.probe = async ({ service: { name } }) => (name === 'prometheus' ? HEALTHY : UNHEALTHY);
    const labels = { 'app.kubernetes.io/name': 'prometheus' };
    const one = (name: string): Service =>
      service(name, {
        labels,
        selector: { app: 'p' },
        ports: ['http:9090'],
        created: '2026-01-01T00:00:00Z',
      });
    await all.started(one('prometheus-gateway'), one('prometheus'));
    expect(all.names()).toEqual(['prometheus']);
    await pass(minutes * MINUTE);
    shown.length = 0;
    all.state.probe = async () => HEALTHY;
    for (let round = 0; round < 3; round++) {
      all.verdicts.clear();
      all.loop.wake();
      await pass(MINUTE / 10);
    }
    expect(shown.length).toBeGreaterThan(0);
    return { taken: shown.flat().includes('prometheus-gateway'), shown };
  }

  test('takes its place within ten minutes', async () => {
    expect((await workingAfter(8)).taken).toBe(true);
  });

  test('never shows afterwards, not even for one pass', async () => {
    const { taken, shown } = await workingAfter(11);
    expect(shown.at(-1)).toEqual(['prometheus']);
    expect(taken).toBe(false);
  });
});

test('while a rollback holds, a process that starts keeps the entry points and names from before it', async () => {
  const all = setup();
  const labels = { 'app.kubernetes.io/name': 'prometheus' };
  const annotations = { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-name': 'shop' };
  const one = (name: string, created: string): Service =>
    service(name, { labels, annotations, selector: { app: name }, ports: ['http:9090'], created });
  const documents = (entryPoint: string, alternates: string) => ({
    'toolset.json': JSON.stringify({
      tools: [
        {
          ...{
            name: 'shop',
            type: 'prometheus',
            endpoint: `http://${entryPoint}:9090`,
            description: 'Metrics.',
          },
          ...{ namespace: 'monitoring', metadata: { service: entryPoint, alternates } },
        },
      ],
    }),
    'custom_toolset.yaml': 'toolsets: {}\n',
  });
  const before = documents('prometheus', 'prometheus-gateway');
  const rolledBack = documents('prometheus-gateway', '');
  all.publisher.revisions = [rolledBack, before].map((each, index) => ({
    ...{ name: `r${index}`, number: index + 1, created: `2026-01-02T00:00:0${index}Z` },
    ...{ documents: each, overrides: undefined, rollback: undefined },
  }));
  const rollback = rollbackAnnotations({ to: 1, from: contentHash(before) });
  all.publisher.write({
    data: rolledBack,
    annotations: { ...rollback, [CONTENT_HASH]: contentHash(rolledBack) },
  });
  await all.started(
    one('prometheus-gateway', '2026-01-01T00:00:00Z'),
    one('prometheus', '2026-01-01T00:00:02Z'),
  );
  expect(all.loop.snapshot?.services.map(({ tool, service: { name } }) => [tool, name])).toEqual([
    ['shop', 'prometheus'],
  ]);
});
