import { describe, expect, test, vi } from 'vitest';
import {
  enginesOnFakeTimers,
  FakeSource,
  HEALTHY,
  loki,
  namesOf,
  type RunningEngine,
  targetOn,
} from '../../test/fixtures/unit/engine.ts';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Problem } from '../model/discovery.ts';
import { ClusterError, ConfigError, FindingsError } from '../model/errors.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import type { Plan } from '../model/published.ts';
import type { Follower, FollowInput } from '../outputs/output.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import type { Source } from '../sources/source.ts';
import type { EngineOptions } from './engine.ts';
import type { EngineTarget } from './target.ts';

let running: RunningEngine;
const startEngine = enginesOnFakeTimers();

function setup(more: Partial<EngineOptions> = {}, home: Partial<EngineTarget> = {}): RunningEngine {
  running = startEngine(more, home);
  return running;
}

test('nothing is concluded, nor published, before the source has listed everything', async () => {
  const { engine, source, publisher, settle } = setup();
  engine.wake();
  source.upsert(loki('a'));
  await settle(10_000);
  expect(publisher.reads).toBe(0);
  source.sync([loki('a'), loki('b')]);
  await settle();
  expect(publisher.tools).toEqual(namesOf('a', 'b'));
});

test('simultaneous changes cause one publication', async () => {
  const { source, publisher, settle } = setup();
  source.sync([]);
  await settle();
  const before = publisher.applied.length;
  for (const name of ['a', 'b', 'c']) source.upsert(loki(name));
  await settle();
  expect(publisher.tools).toEqual(namesOf('a', 'b', 'c'));
  expect(publisher.applied).toHaveLength(before + 1);
});

describe('a failed publication', () => {
  const failing = async (cause?: unknown) => {
    const given = setup();
    given.source.sync([]);
    await given.settle();
    given.publisher.before = (what) => {
      if (what === 'apply') throw new Error('not now', { cause });
    };
    given.source.upsert(loki('first'));
    await given.settle(0);
    return given;
  };

  test('the delay doubles up to half a minute, and is kept while Services change', async () => {
    const { source, settle, told } = await failing();
    for (let change = 0; change < 1_200; change++) {
      source.upsert(loki('churn', { change: String(change) }));
      await settle(100);
    }
    const pauses = told('publish-failed').map(({ retryIn }) => retryIn);
    for (const [index, pause] of pauses.entries()) {
      const longest = Math.min(30_000, 1_000 * 2 ** index);
      expect(pause).toBeLessThanOrEqual(longest);
      expect(pause).toBeGreaterThanOrEqual(longest * 0.75);
    }
    // 1 + 2 + 4 + 8 + 16 + 30 + 30 + 30 s, each up to a quarter less.
    expect(pauses.length).toBeGreaterThanOrEqual(7);
    expect(pauses.length).toBeLessThanOrEqual(10);
    expect(told('publish-failed').map(({ attempt }) => attempt)).toEqual(pauses.map((_, index) => index + 1));
  });

  test('Retry-After of the API server is respected', async () => {
    const { settle, told } = await failing(Object.assign(new Error('429'), { retryAfter: 20_000 }));
    await settle(19_000);
    expect(told('publish-failed')).toHaveLength(1);
    // Up to a tenth longer than asked.
    await settle(5_000);
    expect(told('publish-failed')).toHaveLength(2);
  });

  test('it is retried without any change, and then the delay is short again', async () => {
    const { publisher, source, settle, told } = await failing();
    await settle(10_000);
    publisher.before = () => {};
    await settle(30_000);
    expect(publisher.tools).toEqual(namesOf('first'));
    publisher.before = (what) => {
      if (what === 'apply') throw new Error('again');
    };
    source.upsert(loki('second'));
    await settle(500);
    expect(told('publish-failed').at(-1)).toMatchObject({ attempt: 1 });
  });

  test('a new leader does not wait', async () => {
    const { engine, publisher, settle } = await failing();
    // The fourth pause is over by then, and the fifth not before 23 s.
    await settle(18_000);
    publisher.before = () => {};
    engine.onStartedLeading();
    await settle(200);
    expect(publisher.tools).toEqual(namesOf('first'));
  });
});

test('a failed discovery does not lose the change', async () => {
  const { source, publisher, prepare, settle, told } = setup();
  source.sync([]);
  await settle();
  prepare.mockRejectedValueOnce(new Error('a bug'));
  source.upsert(loki('a'));
  await settle(5_000);
  expect(told('discovery-failed')).toHaveLength(1);
  expect(publisher.tools).toEqual(namesOf('a'));
});

describe('a replica that does not lead', () => {
  test('reads the published state and writes nothing, until it leads', async () => {
    const { engine, source, publisher, state, settle, told } = setup();
    state.leads = false;
    source.sync([loki('a')]);
    await settle(60_000);
    expect(publisher.applied).toEqual([]);
    expect(told('observed').length).toBeGreaterThan(0);
    expect(told('reconciled')).toEqual([]);
    state.leads = true;
    engine.onStartedLeading();
    await settle();
    expect(publisher.tools).toEqual(namesOf('a'));
  });
});

describe('a change of options', () => {
  test('state of places that the new source cannot read yet is kept, over several changes', async () => {
    const { engine, all, source, publisher, settle } = setup({}, { removalHold: 1_000 });
    source.sync([loki('a'), loki('b'), loki('c')]);
    await settle();
    engine.reconfigure({ ...all, source: new FakeSource() });
    await settle();
    const last = new FakeSource();
    engine.reconfigure({ ...all, source: last });
    await settle();
    last.sync([], ['monitoring']);
    await settle(60_000);
    expect(publisher.tools).toEqual(namesOf('a', 'b', 'c'));
  });

  test('tools that the new source does not find stay as they are for a while, and everything else is published', async () => {
    const { engine, all, source, publisher, probe, settle } = setup();
    // What is published does not tell that these want credentials, so it has to be remembered.
    probe.mockResolvedValue({ ...HEALTHY, authRequired: true });
    source.sync([loki('a'), loki('b'), loki('c')]);
    await settle();
    const before = publisher.live?.data['custom_toolset.yaml'];
    expect(before).not.toContain('loki');
    const next = new FakeSource();
    engine.reconfigure({ ...all, source: next });
    await settle();
    next.sync([loki('new')]);
    await settle(290_000);
    expect(publisher.tools).toEqual(namesOf('a', 'b', 'c', 'new'));
    expect(publisher.live?.data['custom_toolset.yaml']).toBe(before);
    await settle(20_000);
    expect(publisher.tools).toEqual(namesOf('new'));
  });
});

test.each(['reconfigure', 'onStartedLeading'] as const)(
  '%s forgets no tools of MCP servers',
  async (what) => {
    const tool = (name: string) => ({ name, readOnly: true, digest: '1' });
    const mcp = service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] });
    const { engine, all, source, probe, settle, told } = setup();
    probe.mockResolvedValue({ ...HEALTHY, tools: [tool('a')] });
    source.sync([mcp]);
    await settle();
    source.sync([]);
    await settle();
    probe.mockResolvedValue({ ...HEALTHY, tools: [tool('a'), tool('delete_everything')] });
    const next = new FakeSource();
    if (what === 'onStartedLeading') engine.onStartedLeading();
    else engine.reconfigure({ ...all, source: next });
    await settle();
    (what === 'onStartedLeading' ? source : next).sync([mcp]);
    await settle();
    expect(told('tools-changed')).toMatchObject([{ change: { added: ['delete_everything'] } }]);
  },
);

test('while new documents have a fault, a manual edit is reverted at once, and the agent is updated', async () => {
  const follow = vi.fn(async (_: FollowInput) => []);
  const follower: Follower = { follow, nextDue: () => undefined };
  let isBroken = false;
  const all = OUTPUTS.all.map((output) => ({
    ...output,
    render(...args: Parameters<typeof output.render>) {
      if (isBroken) throw new Error('cannot be made');
      return output.render(...args);
    },
  }));
  const outputs = { ...OUTPUTS, all };
  const { source, publisher, settle, told } = setup({}, { follower, outputs });
  source.sync([loki('a')]);
  await settle();
  const good = publisher.live?.data;
  isBroken = true;
  source.upsert(loki('b'));
  await settle(120_000);
  expect(told('publish-failed').at(-1)).toMatchObject({ error: new Error('cannot be made') });
  publisher.edit('custom_toolset.yaml', 'toolsets: { evil: {} }');
  await settle(300);
  expect(publisher.live?.data).toEqual(good);
  expect(told('drift')).toHaveLength(1);
  expect(follow.mock.calls.at(-1)?.[0]).toMatchObject({ documents: good, written: ['custom_toolset.yaml'] });
  publisher.delete();
  await settle(300);
  expect(publisher.live?.data).toEqual(good);
  // Deleted and edited, it is as it was; what is wrong is told still.
  expect(told('publish-failed').length).toBeGreaterThan(2);
});

describe('the watch of an agent', () => {
  function watched(options: Parameters<typeof setup>[0] = {}) {
    const state = { due: undefined as number | undefined, isRunning: false };
    const listener: { changed?: () => void; note?: (problem: Problem) => void } = {};
    const follow = vi.fn(async (_: FollowInput) => {
      state.due = undefined;
      return [];
    });
    const follower: Follower = {
      follow,
      nextDue: () => state.due,
      async watch(each, signal) {
        state.isRunning = true;
        Object.assign(listener, each);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        state.isRunning = false;
      },
    };
    return { ...setup(options, { follower }), state, listener, follow };
  }

  test('makes the follower run at once if it is due, reports problems, and ends with the engine', async () => {
    const { source, settle, told, state, listener, follow } = watched();
    source.sync([loki('a')]);
    await settle();
    const calls = follow.mock.calls.length;
    listener.changed?.();
    await settle(300);
    expect(follow).toHaveBeenCalledTimes(calls);
    state.due = 0;
    listener.changed?.();
    await settle(300);
    expect(follow).toHaveBeenCalledTimes(calls + 1);
    const problem = { where: 'ConfigMap', what: 'cannot be watched' };
    listener.note?.(problem);
    expect(told('agent').at(-1)).toMatchObject({ outcome: { kind: 'agent-note', problem } });
    expect(state.isRunning).toBe(true);
    await running.stop();
    expect(state.isRunning).toBe(false);
  });

  test('does not run for a single publication', async () => {
    const { source, settle, listener, follow } = watched({ once: true });
    source.sync([loki('a')]);
    await settle();
    expect(follow).toHaveBeenCalledTimes(1);
    expect(listener).toEqual({});
  });
});

describe('a source', () => {
  const failure = { kind: 'failure', error: new Error('away'), reason: 'network', retryIn: 5_000 } as const;

  test('that cannot be read for a while is reported; the published state stays, and later changes are published', async () => {
    const { source, publisher, settle, told } = setup();
    source.sync([loki('a')]);
    await settle();
    source.emit(failure);
    await settle(60_000);
    const { error, reason, retryIn } = failure;
    expect(told('source-failed')).toMatchObject([{ error, reason, retryIn }]);
    expect(publisher.tools).toEqual(namesOf('a'));
    source.upsert(loki('b'));
    await settle();
    expect(publisher.tools).toEqual(namesOf('a', 'b'));
    expect(told('source-recovered')).toEqual([]);
    source.sync([loki('a'), loki('b')]);
    source.sync([loki('a'), loki('b')]);
    await settle();
    expect(told('source-recovered')).toHaveLength(1);
  });

  test('of several clusters has recovered when each of them was read', async () => {
    const { source, settle, told } = setup();
    source.clusters = [HOME_CLUSTER, 'east'];
    for (const cluster of source.clusters) source.emit({ ...failure, cluster });
    source.sync([loki('a')]);
    await settle();
    expect(told('source-recovered')).toEqual([]);
    source.emit({ kind: 'sync', cluster: 'east', services: [], stale: [], problems: [] });
    await settle();
    expect(told('source-recovered')).toHaveLength(1);
  });

  test('that can never work ends the engine', async () => {
    const fault = new ConfigError('no such namespace');
    let isRunning = true;
    const publisher = new MemoryPublisher();
    publisher.watch = async (_, __, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      isRunning = false;
    };
    setup({ source: { run: () => Promise.reject(fault) }, targets: [targetOn(publisher)] });
    await expect(running.ended).rejects.toBe(fault);
    expect(isRunning).toBe(false);
  });

  test('is not started any more when the process stops during a change of options', async () => {
    const { engine, all, source, settle } = setup();
    source.sync([loki('a')]);
    await settle();
    const run = vi.fn(async () => {});
    engine.reconfigure({ ...all, source: { run } });
    await running.stop();
    expect(run).not.toHaveBeenCalled();
  });
});

describe('a single run', () => {
  test('it publishes with the options of its last change, and ends', async () => {
    const { engine, all, settle } = setup({ once: true });
    const [next, publisher] = [new FakeSource(), new MemoryPublisher()];
    engine.reconfigure({ ...all, source: next, targets: [targetOn(publisher)] });
    await settle();
    next.sync([loki('a')]);
    await settle();
    await running.ended;
    expect(publisher.tools).toEqual(namesOf('a'));
  });
  test('an error of the source after the publication is none of the run', async () => {
    let emit: Parameters<Source['run']>[0] = () => {};
    const run: Source['run'] = async (changed, signal) => {
      emit = changed;
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const { publisher, settle } = setup({ once: true, source: { run } });
    emit({ kind: 'sync', services: [loki('a')], stale: [], problems: [] });
    await settle();
    await running.ended;
    expect(publisher.tools).toEqual(namesOf('a'));
  });
  test('stopped while one target is published, it ends without the failure of another one', async () => {
    const [home, other] = [new MemoryPublisher(), new MemoryPublisher()];
    home.before = () => {
      throw new Error('not now');
    };
    Object.assign(other, {
      apply: (_plan: Plan, _now: Date, signal: AbortSignal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    const targets = [targetOn(home), targetOn(other, { id: 'other' })] as const;
    const { source, settle } = setup({ once: true, targets });
    source.sync([loki('a')]);
    await settle();
    await running.stop();
    await expect(running.ended).resolves.toBeUndefined();
  });
  test('it ends with the first failure of the source', async () => {
    const { source, settle } = setup({ once: true });
    source.emit({ kind: 'failure', error: new Error('away'), reason: 'network', retryIn: 5_000 });
    await settle();
    await expect(running.ended).rejects.toThrow('away');
  });
  test('of several failures, the first one is thrown', async () => {
    const [home, other] = [new MemoryPublisher(), new MemoryPublisher()];
    const failing = (place: MemoryPublisher, message: string): void => {
      place.before = () => {
        throw new Error(message);
      };
    };
    failing(home, 'first');
    failing(other, 'second');
    const { source, settle } = setup({
      once: true,
      targets: [targetOn(home), targetOn(other, { id: 'other' })],
    });
    source.sync([loki('a')]);
    await settle();
    await expect(running.ended).rejects.toThrow('first');
  });
  test('it ends with the faults of overrides that cannot be used', async () => {
    const publisher = new MemoryPublisher();
    const { source, settle } = setup({ once: true, targets: [targetOn(publisher)] });
    publisher.write({ data: { 'overrides.yaml': 'toolz: {}' } });
    source.sync([loki('a')]);
    await settle();
    await expect(running.ended).rejects.toThrow(
      /^overrides\.yaml of .* cannot be used: line 1, column 1: .*toolz.*; no tool is published until it is fixed$/,
    );
    await expect(running.ended).rejects.toBeInstanceOf(FindingsError);
  });
  test('nothing is watched', async () => {
    const publisher = new MemoryPublisher();
    const watch = vi.spyOn(publisher, 'watch');
    const { source, settle } = setup({ once: true, targets: [targetOn(publisher)] });
    source.sync([loki('a')]);
    await settle();
    await running.ended;
    expect(watch).not.toHaveBeenCalled();
  });
  test('it ends after the first publication', async () => {
    const { source, publisher, settle } = setup({ once: true });
    source.sync([loki('a')]);
    await settle();
    await running.ended;
    expect(publisher.tools).toEqual(namesOf('a'));
  });
  test('it ends with the first failure', async () => {
    const { source, publisher, settle } = setup({ once: true });
    publisher.before = () => {
      throw new Error('not now');
    };
    source.sync([loki('a')]);
    await settle();
    await expect(running.ended).rejects.toThrow('not now');
  });
  test.each(['read', 'write'])(
    'a history that it cannot %s is a failure, after the publication',
    async (what) => {
      const { source, publisher, settle } = setup({ once: true });
      const denied = async () => {
        throw new ClusterError('controllerrevisions.apps is forbidden');
      };
      if (what === 'read') publisher.history.list = denied;
      publisher.history.record = denied;
      source.sync([loki('a')]);
      await settle();
      await expect(running.ended).rejects.toMatchObject({
        name: 'IncompleteError',
        message: expect.stringMatching(/is published, .*history.*: controllerrevisions.apps is forbidden/),
      });
      expect(publisher.tools).toEqual(namesOf('a'));
    },
  );
});
