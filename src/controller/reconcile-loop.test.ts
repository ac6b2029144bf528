import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { loki, namesOf } from '../../test/fixtures/unit/engine.ts';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { ClusterError } from '../model/errors.ts';
import type { AgentState, Follower, FollowInput, FollowOutcome } from '../outputs/output.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import type { Snapshot } from './discovery-loop.ts';
import type { EngineEvent } from './events.ts';
import { toolKinds } from './pass.ts';
import { ReconcileLoop, type ReconcileLoopOptions } from './reconcile-loop.ts';

type Event<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;

let stop: AbortController;
beforeEach(() => {
  vi.useFakeTimers();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
});

const settle = (milliseconds = 1_000): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);
const services = (...names: string[]): DiscoveredService[] => names.map((name) => discovered(loki(name)));
const HOLD = 300_000;

/** A loop over a place in memory, a discovery whose snapshots a test makes, and an agent that is always up to date. */
function setup(more: Partial<ReconcileLoopOptions> = {}) {
  const place = new MemoryPublisher();
  const events: EngineEvent[] = [];
  const learn = vi.fn();
  const discovery = { snapshot: undefined as Snapshot | undefined, cycle: 0, learn };
  const agent = { due: undefined as number | undefined };
  const follow = vi.fn(async (_: FollowInput, _signal: AbortSignal): Promise<readonly FollowOutcome[]> => []);
  const state = { leads: true };
  const options: ReconcileLoopOptions = {
    publisher: place,
    version: '1',
    now: () => new Date(),
    outputs: OUTPUTS,
    generation: { credentials: {}, holmesgptVersion: '0.32', kinds: toolKinds(rules) },
    owner: async () => undefined,
    emit: (event) => events.push(event),
    force: false,
    removalHold: HOLD,
    once: false,
    mayPublish: () => state.leads,
    follower: { follow, nextDue: () => agent.due },
    ...more,
  };
  const loop = new ReconcileLoop(options, discovery);
  const told = <K extends EngineEvent['kind']>(kind: K): Event<K>[] =>
    events.filter((event): event is Event<K> => event.kind === kind);
  const it = {
    place,
    events,
    learn,
    discovery,
    agent,
    follow,
    state,
    options,
    loop,
    told,
    /** Discovery has found these. */
    find(found: readonly DiscoveredService[], isOther = true): void {
      const cycle = ++discovery.cycle;
      discovery.snapshot = {
        cycle,
        services: found,
        ids: new Map() as never,
        groups: undefined,
        use: undefined,
        contradicted: [],
        fingerprint: String(cycle),
      };
      loop.onSnapshot(isOther);
    },
    /** Runs it, and publishes these. */
    async started(...names: string[]) {
      const ended = loop.run(stop.signal);
      ended.catch(() => {});
      it.find(services(...names));
      await settle();
      return { ended };
    },
    /** What fails from now on; nothing by default. */
    failing(what?: 'read' | 'apply' | 'record'): void {
      place.before = (doing) => {
        if (doing === what) throw new ClusterError(`cannot ${what}`);
      };
    },
  };
  return it;
}

test('tools that an agent has no room for are left out of what it reads, and come back when it has', async () => {
  const agent: Follower & { room: number | undefined } = {
    room: undefined,
    nextDue: () => undefined,
    follow: async () => [],
  };
  const { started, place, loop } = setup({ follower: agent });
  const names = Array.from({ length: 40 }, (_, index) => `loki-${index}`);
  await started(...names);
  const count = (key: string): number =>
    names.filter((name) => place.live?.data[key]?.includes(`http://${name}.`)).length;
  expect([count('custom_toolset.yaml'), count('toolset.json')]).toEqual([40, 40]);
  const next = async (room: number | undefined): Promise<number> => {
    agent.follow = async () => {
      agent.room = room;
      return [];
    };
    loop.onExternalChange();
    await settle();
    expect(count('toolset.json')).toBe(40);
    return count('custom_toolset.yaml');
  };
  const few = await next(4_000);
  expect(few).toBeGreaterThan(5);
  expect(few).toBeLessThan(40);
  expect(Buffer.byteLength(place.live?.data['custom_toolset.yaml'] ?? '')).toBeLessThanOrEqual(4_000);
  expect(await next(undefined)).toBe(40);
});

describe('it runs', () => {
  test('not before there is a snapshot, whatever happens', async () => {
    const { loop, place } = setup();
    void loop.run(stop.signal);
    loop.onExternalChange();
    loop.onSnapshot(true);
    await settle(60_000);
    expect(place.reads).toBe(0);
  });

  test('when a snapshot changes documents, and not when it does not', async () => {
    const { place, find, started } = setup();
    await started('a');
    expect(place.tools).toEqual(namesOf('a'));
    const { reads } = place;
    find(services('a'), false);
    await settle(60_000);
    expect(place.reads).toBe(reads);
    find(services('a', 'b'));
    await settle();
    expect(place.tools).toEqual(namesOf('a', 'b'));
  });

  test('at the first snapshot, even without changes', async () => {
    const { place, find, loop } = setup();
    void loop.run(stop.signal);
    find(services('a'), false);
    await settle();
    expect(place.tools).toEqual(namesOf('a'));
  });

  test('with the current options', async () => {
    const other = new MemoryPublisher();
    const { place, options, loop, started } = setup();
    await started('a');
    loop.reconfigure({ ...options, publisher: other });
    await settle();
    expect(other.tools).toEqual(namesOf('a'));
    expect(place.applied).toHaveLength(1);
  });

  test('and writes by default', async () => {
    const { mayPublish: _, ...options } = setup().options;
    const place = new MemoryPublisher();
    const { discovery, find } = setup();
    const loop = new ReconcileLoop({ ...options, publisher: place }, discovery);
    find(services('a'));
    void loop.run(stop.signal);
    loop.onSnapshot(true);
    await settle();
    expect(place.tools).toEqual(namesOf('a'));
  });

  test('after an external change, which it reverts', async () => {
    const { place, loop, started } = setup();
    await started('a');
    const before = place.live?.data;
    place.edit('toolset.json', 'oops');
    loop.onExternalChange();
    await settle();
    expect(place.live?.data).toEqual(before);
  });

  test('when a hold ends, without any other event', async () => {
    const { place, find, started } = setup();
    await started('a', 'b', 'c');
    find([]);
    await settle(HOLD - 5_000);
    expect(place.tools).toEqual(namesOf('a', 'b', 'c'));
    await settle(10_000);
    expect(place.tools).toEqual([]);
  });

  test('when the agent is due, at most once a second', async () => {
    const { agent, follow, find, started } = setup();
    await started('a');
    agent.due = 0;
    find(services('a'), false);
    await settle(100);
    const before = follow.mock.calls.length;
    await settle(10_000);
    expect(follow.mock.calls.length - before).toBeGreaterThan(5);
    expect(follow.mock.calls.length - before).toBeLessThanOrEqual(10);
    agent.due = 20_000;
    await settle(2_000);
    const { length } = follow.mock.calls;
    await settle(10_000);
    expect(follow).toHaveBeenCalledTimes(length);
  });

  test('when the agent is due while removals are held', async () => {
    const { agent, follow, find, started } = setup();
    await started('a', 'b', 'c');
    agent.due = 5_000;
    find([]);
    await settle(1_000);
    const { length } = follow.mock.calls;
    agent.due = 0;
    await settle(6_000);
    expect(follow.mock.calls.length).toBeGreaterThan(length);
  });

  test('never by time alone without a snapshot', async () => {
    const { failing, started, discovery, place } = setup();
    failing('apply');
    await started('a');
    discovery.snapshot = undefined;
    await settle(60_000);
    expect(vi.getTimerCount()).toBe(0);
    expect(place.tools).toEqual([]);
  });

  test('not after its signal was aborted', async () => {
    const { place, loop, find, started } = setup();
    const { ended } = await started('a');
    const { reads } = place;
    find(services('a', 'b'));
    stop.abort();
    loop.onExternalChange();
    await settle();
    await ended;
    expect(place.reads).toBe(reads);
  });

  test('with the current snapshot, and with none that was withdrawn meanwhile', async () => {
    const { place, discovery, find, loop, told } = setup();
    void loop.run(stop.signal);
    await settle();
    find(services('a'));
    await settle(1);
    discovery.snapshot = undefined;
    await settle(5_000);
    expect(place.reads).toBe(0);
    expect(told('publish-failed')).toEqual([]);
    find(services('a', 'b'));
    await settle();
    expect(place.tools).toEqual(namesOf('a', 'b'));
  });
});

test('discovery learns names and approvals from the published state', async () => {
  const { place, loop, learn, started } = setup();
  place.edit('overrides.yaml', 'tools: { a.monitoring: { approved: mcp } }');
  await started('a');
  loop.onExternalChange();
  await settle();
  const [naming, approvals, groups] = learn.mock.calls.at(-1) ?? [];
  expect(naming.held.size).toBe(1);
  expect(approvals.size).toBe(1);
  expect(groups).toBeDefined();
});

describe('a failed run', () => {
  test('is reported, and retried with a growing backoff', async () => {
    const { place, failing, told, started } = setup();
    failing('apply');
    await started('a');
    expect(told('publish-failed')[0]).toMatchObject({
      cycle: 1,
      attempt: 1,
      error: new ClusterError('cannot apply'),
      retryIn: expect.any(Number),
    });
    await settle(10_000);
    const attempts = told('publish-failed').map(({ attempt }) => attempt);
    expect(attempts).toEqual(attempts.map((_, index) => index + 1));
    expect(attempts.length).toBeGreaterThan(1);
    failing();
    await settle(30_000);
    expect(place.tools).toEqual(namesOf('a'));
  });

  test('is not retried earlier because of changes', async () => {
    const { place, failing, told, started, find, loop } = setup();
    failing('apply');
    await started('a');
    await settle(20_000);
    const { length } = told('publish-failed');
    const { reads } = place;
    find(services('a', 'b'));
    loop.onExternalChange();
    await settle(1_000);
    expect(told('publish-failed')).toHaveLength(length);
    expect(place.reads).toBe(reads);
  });

  test('is followed by a short backoff again after a success', async () => {
    const { failing, told, started, find } = setup();
    failing('apply');
    await started('a');
    await settle(10_000);
    failing();
    await settle(30_000);
    failing('apply');
    find(services('b'));
    await settle(500);
    expect(told('publish-failed').at(-1)).toMatchObject({ attempt: 1 });
  });

  test.each(['onStartedLeading', 'reconfigure'] as const)('is retried at once after %s', async (what) => {
    const { place, failing, started, loop, options } = setup();
    failing('apply');
    await started('a');
    await settle(20_000);
    failing();
    if (what === 'reconfigure') loop.reconfigure(options);
    else loop.onStartedLeading();
    await settle(200);
    expect(place.tools).toEqual(namesOf('a'));
  });

  test('is no failure once another replica leads', async () => {
    const { place, told, state, started, loop } = setup();
    place.before = (what) => {
      if (what !== 'apply') return;
      state.leads = false;
      throw new ClusterError('the lease is lost');
    };
    await started('a');
    expect(told('publish-failed')).toEqual([]);
    place.before = () => {};
    state.leads = true;
    loop.onStartedLeading();
    await settle();
    expect(place.tools).toEqual(namesOf('a'));
  });

  test('is no failure if the options have changed meanwhile', async () => {
    const { place, told, options, started, loop } = setup();
    place.before = (what) => {
      if (what !== 'apply') return;
      place.before = () => {};
      loop.reconfigure({ ...options, generation: { ...options.generation } });
      throw new ClusterError('of the old options');
    };
    await started('a');
    expect(told('publish-failed')).toEqual([]);
    expect(place.tools).toEqual(namesOf('a'));
  });

  test('is no failure if only the history cannot be written', async () => {
    const { failing, told, started, place } = setup();
    failing('record');
    await started('a');
    expect(place.tools).toEqual(namesOf('a'));
    expect(told('publish-failed')).toEqual([]);
  });

  test('is not reported if it ends because of shutdown', async () => {
    const { place, told, started } = setup();
    place.before = (what) => {
      if (what !== 'apply') return;
      stop.abort();
      throw new Error('aborted');
    };
    await started('a');
    expect(told('publish-failed')).toEqual([]);
  });
});

describe('while new documents have a fault', () => {
  const broken = [{ ...discovered(loki('a')), endpoint: undefined as never }];
  /** One that cannot publish what was found, and keeps what is published. */
  const faulty = async () => {
    const it = setup();
    await it.started('a', 'b');
    it.find(broken);
    await settle(60_000);
    expect(it.told('publish-failed').length).toBeGreaterThan(0);
    return it;
  };

  test('external changes are reverted at once, every time', async () => {
    const { place, loop } = await faulty();
    const good = place.live?.data;
    for (const text of ['one', 'two']) {
      place.edit('toolset.json', text);
      loop.onExternalChange();
      await settle(200);
      expect(place.live?.data).toEqual(good);
    }
  });

  test('another snapshot waits for the backoff, also after a revert', async () => {
    const { place, loop, find, told } = await faulty();
    place.edit('toolset.json', 'oops');
    loop.onExternalChange();
    await settle(200);
    const { length } = told('publish-failed');
    find(broken);
    await settle(1_000);
    expect(told('publish-failed')).toHaveLength(length);
  });

  test('a failure of the target itself waits for the backoff, too', async () => {
    const { place, loop, told, failing } = await faulty();
    failing('read');
    loop.onExternalChange();
    await settle(200);
    const { length } = told('publish-failed');
    const { reads } = place;
    loop.onExternalChange();
    await settle(200);
    expect(place.reads).toBe(reads);
    expect(told('publish-failed')).toHaveLength(length);
  });
});

describe('a replica that does not lead', () => {
  const following = (more: Partial<ReconcileLoopOptions> = {}) => {
    const it = setup(more);
    it.state.leads = false;
    return it;
  };

  test('reports and learns what the leader has published, and writes nothing', async () => {
    const { place, told, learn, started } = following();
    place.edit('overrides.yaml', 'tools: { a.monitoring: { approved: mcp } }');
    await started('a');
    expect(place.applied).toEqual([]);
    expect(told('observed')).toMatchObject([{ live: { data: place.live?.data } }]);
    expect(told('reconciled')).toEqual([]);
    const [, approvals] = learn.mock.calls.at(-1) ?? [];
    expect(approvals.size).toBe(1);
  });

  test('does nothing by itself, even if its agent is due', async () => {
    const { place, agent, follow, started } = following();
    agent.due = 0;
    await started('a');
    await settle(60_000);
    expect(place.reads).toBe(1);
    expect(follow).not.toHaveBeenCalled();
  });

  test('reports that it cannot read, and retries with backoff', async () => {
    const { failing, told, started, loop, place } = following();
    failing('read');
    await started('a');
    expect(told('observe-failed')[0]).toMatchObject({
      cycle: 1,
      error: new ClusterError('cannot read'),
      retryIn: expect.any(Number),
    });
    await settle(20_000);
    const { length } = told('observe-failed');
    expect(length).toBeGreaterThan(1);
    loop.onExternalChange();
    await settle(100);
    expect(told('observe-failed')).toHaveLength(length);
    failing();
    await settle(30_000);
    expect(told('observed')).toHaveLength(1);
    const { reads } = place;
    loop.onExternalChange();
    await settle(200);
    expect(place.reads).toBe(reads + 1);
    // The next failure is the first one of its row.
    failing('read');
    loop.onExternalChange();
    await settle(200);
    expect(told('observe-failed').at(-1)?.retryIn).toBeLessThanOrEqual(1_000);
  });

  test('learns the names of discovered services, even if nothing is published yet', async () => {
    const { learn, started } = following();
    await started('a');
    const [naming] = learn.mock.calls.at(-1) ?? [];
    expect([...naming.held.keys()]).toEqual(namesOf('a'));
  });

  test('does not read again because of a snapshot without changes', async () => {
    const { find, place, started } = following();
    await started('a');
    find(services('a'), false);
    await settle();
    expect(place.reads).toBe(1);
  });

  test('does not report a read that ends because of shutdown', async () => {
    const { place, told, started } = following();
    place.before = () => {
      stop.abort();
      throw new Error('aborted');
    };
    await started('a');
    expect(told('observe-failed')).toEqual([]);
  });

  test('publishes when it leads, even if it started to read before', async () => {
    const { place, state, started, loop } = following();
    place.before = (what) => {
      if (what !== 'read' || state.leads) return;
      state.leads = true;
      loop.onStartedLeading();
    };
    await started('a');
    expect(place.tools).toEqual(namesOf('a'));
  });
});

describe('the agent', () => {
  test('gets the published state after each reconciliation, with the documents that were written', async () => {
    const { place, follow, loop, started } = setup();
    await started('a');
    expect(follow.mock.lastCall?.[0]).toMatchObject({
      documents: place.live?.data,
      written: expect.arrayContaining(['custom_toolset.yaml', 'toolset.json']),
    });
    loop.onExternalChange();
    await settle();
    expect(follow.mock.lastCall?.[0]).toMatchObject({ written: [] });
  });

  test('delays no publication, however slow it is', async () => {
    const { place, follow, find, started } = setup();
    follow.mockImplementation(() => new Promise(() => {}));
    await started('a');
    find(services('a', 'b'));
    await settle();
    expect(place.tools).toEqual(namesOf('a', 'b'));
  });

  test('is reported, and updated again when it is due next', async () => {
    const { agent, follow, told, started } = setup();
    const outcome: FollowOutcome = { kind: 'agent-restarted', target: 'deployment/holmes' };
    follow.mockImplementationOnce(async () => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      agent.due = 5_000;
      return [outcome];
    });
    await started('a');
    expect(told('agent')).toMatchObject([{ cycle: 1, outcome }]);
    const { length } = follow.mock.calls;
    agent.due = 0;
    await settle(6_000);
    expect(follow.mock.calls.length).toBeGreaterThan(length);
  });

  test('is no failure of a former leader, but its actions are reported', async () => {
    const { state, follow, told, started } = setup();
    const failed: FollowOutcome = { kind: 'agent-failed', error: new Error('fenced'), retryIn: 1 };
    const done: FollowOutcome = { kind: 'agent-restarted', target: 'deployment/holmes' };
    follow.mockImplementationOnce(async () => {
      state.leads = false;
      return [failed, done];
    });
    await started('a');
    expect(told('agent').map(({ outcome }) => outcome)).toEqual([done]);
  });

  test('is reported when it fails', async () => {
    const { follow, told, started } = setup();
    const failed: FollowOutcome = { kind: 'agent-failed', error: new Error('no rights'), retryIn: 1 };
    follow.mockResolvedValueOnce([failed]);
    await started('a');
    expect(told('agent').map(({ outcome }) => outcome)).toEqual([failed]);
  });

  describe('has a state, which is reported', () => {
    const problem = { where: 'HolmesGPT', what: 'no rights' };

    /** An agent with a state that a test sets. */
    function withState() {
      const agent = {
        state: undefined as AgentState | undefined,
        follow: async () => [],
        nextDue: () => undefined,
      };
      const it = setup({ follower: agent });
      const states = () => it.told('agent-state').map(({ state, before }) => [state, before]);
      const again = async (state: AgentState | undefined) => {
        agent.state = state;
        it.loop.onExternalChange();
        await settle();
      };
      return { ...it, agent, states, again };
    }

    test('when it changes, with the one before', async () => {
      const { started, states, again } = withState();
      await started('a');
      expect(states()).toEqual([]);
      await again({});
      await again({});
      await again({ problem });
      await again({ problem: { ...problem } });
      await again({});
      expect(states()).toEqual([
        [{}, undefined],
        [{ problem }, {}],
        [{}, { problem }],
      ]);
    });

    test('by the leader only', async () => {
      const { agent, state, started, states, loop } = withState();
      agent.follow = async () => {
        agent.state = { problem };
        state.leads = false;
        return [];
      };
      await started('a');
      expect(states()).toEqual([]);
      agent.follow = async () => [];
      state.leads = true;
      loop.onStartedLeading();
      await settle();
      expect(states()).toEqual([[{ problem }, undefined]]);
    });

    test('until another configuration has an agent that knows better, or none', async () => {
      const { options, started, states, again, loop } = withState();
      await started('a');
      await again({ problem });
      loop.reconfigure({ ...options, follower: { follow: async () => [], nextDue: () => undefined } });
      await settle();
      expect(states()).toHaveLength(1);
      loop.reconfigure({ ...options, follower: undefined });
      await settle();
      expect(states().at(-1)).toEqual([undefined, { problem }]);
    });
  });

  test('gets nothing if an external change is left alone', async () => {
    const { place, loop, follow, started, told } = setup();
    await started('a');
    for (let time = 0; time < 4; time++) {
      follow.mockClear();
      place.edit('toolset.json', 'oops');
      loop.onExternalChange();
      await settle();
    }
    expect(told('drift-repeated')).toHaveLength(1);
    expect(follow).not.toHaveBeenCalled();
  });

  test('may be interrupted by shutdown', async () => {
    const { follow, started } = setup();
    follow.mockImplementation(async () => {
      stop.abort();
      throw new Error('aborted');
    });
    const { ended } = await started('a');
    await expect(ended).resolves.toBeUndefined();
  });
});

describe('a single run', () => {
  test('may be interrupted while the agent is updated', async () => {
    const { follow, started } = setup({ once: true });
    follow.mockImplementation(async () => {
      stop.abort();
      throw new Error('aborted');
    });
    const { ended } = await started('a');
    await expect(ended).resolves.toBeUndefined();
  });

  test('fails with any other error of the agent, which is a bug', async () => {
    const { follow, started } = setup({ once: true });
    follow.mockRejectedValue(new Error('a bug'));
    const { ended } = await started('a');
    await expect(ended).rejects.toThrow('a bug');
  });

  test('ends after the agent has the published state', async () => {
    const { follow, started } = setup({ once: true });
    let isDone = false;
    follow.mockImplementation(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      isDone = true;
      return [];
    });
    const { ended } = await started('a');
    await settle(10_000);
    await ended;
    expect(isDone).toBe(true);
  });

  test('ends with the first failure, which it throws and does not report', async () => {
    const { failing, told, loop, find } = setup({ once: true });
    failing('apply');
    const ended = loop.run(stop.signal);
    ended.catch(() => {});
    find(services('a'));
    await settle();
    await expect(ended).rejects.toThrow('cannot apply');
    expect(told('publish-failed')).toEqual([]);
  });
});
