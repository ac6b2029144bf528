import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { options, rules } from '../../test/fixtures/unit/detection.ts';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Verdict } from '../model/discovery.ts';
import { ClusterError } from '../model/errors.ts';
import type { Service } from '../model/service.ts';
import { documentFaults } from '../outputs/check.ts';
import type { Agent, AgentInput } from '../outputs/holmesgpt/follower.ts';
import type { Change, Source } from '../sources/source.ts';
import { Engine, type EngineOptions } from './engine.ts';
import type { EngineEvent } from './events.ts';

// Fake timers do not reach the module, so it sleeps by the global ones.
vi.mock('node:timers/promises', () => ({
  setImmediate: () => Promise.resolve(),
  setTimeout: (milliseconds: number, value: unknown, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve(value), milliseconds);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(new Error('aborted'));
      });
    }),
}));

/** Whether making documents fails. */
const making = vi.hoisted(() => ({ fails: false }));
vi.mock('../outputs/generate.ts', async (original) => {
  const real = await original<typeof import('../outputs/generate.ts')>();
  return {
    ...real,
    generate(...args: Parameters<typeof real.generate>) {
      if (making.fails) throw new Error('cannot be made');
      return real.generate(...args);
    },
  };
});

beforeEach(() => {
  making.fails = false;
  vi.useFakeTimers();
});
let stop: AbortController;
let ended: Promise<void> | undefined;
afterEach(async () => {
  stop.abort();
  await vi.advanceTimersByTimeAsync(60_000);
  await ended;
  vi.useRealTimers();
});

const HEALTHY: Verdict = {
  health: 'healthy',
  authRequired: false,
  proof: 'proven',
  reason: 'fine',
  steps: [],
};

const loki = (name: string, annotations: Record<string, string> = {}): Service =>
  service(name, {
    labels: { 'app.kubernetes.io/name': 'loki', 'app.kubernetes.io/instance': name },
    selector: { app: name },
    ports: ['http:3100'],
    annotations,
  });
const names = (...services: string[]): string[] => services.map((name) => `${name}.monitoring`).sort();

/** A source that tells what a test says. */
class FakeSource implements Source {
  tell: (change: Change) => void = () => {};
  run(changed: (change: Change) => void, signal: AbortSignal): Promise<void> {
    this.tell = changed;
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  }
  sync(services: readonly Service[], unread: readonly string[] = []): void {
    this.tell({ kind: 'sync', services, unread, problems: [] });
  }
  upsert(each: Service): void {
    this.tell({ kind: 'upsert', service: each });
  }
}

function setup(more: Partial<EngineOptions> = {}) {
  stop = new AbortController();
  const source = new FakeSource();
  const publisher = new MemoryPublisher();
  const events: EngineEvent[] = [];
  const probe = vi.fn(async (): Promise<Verdict> => HEALTHY);
  const prepare = vi.fn(async () => []);
  const state = { leads: true };
  const all: EngineOptions = {
    source,
    stages: {
      rules,
      problems: [],
      prober: { probe, prepare },
      detection: options,
      maxBackends: 1_000,
    } as never,
    generation: { credentials: {}, holmesgptVersion: '0.45.0' } as never,
    nextRetry: () => undefined,
    agent: undefined,
    mayPublish: () => state.leads,
    publisher,
    version: '1',
    now: () => new Date(),
    faultsOf: documentFaults,
    owner: async () => undefined,
    tell: (event) => events.push(event),
    force: false,
    removalHold: 300_000,
    once: false,
    ...more,
  };
  const engine = new Engine(all);
  ended = engine.run(stop.signal);
  ended.catch(() => {});
  const settle = (milliseconds = 1_000): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);
  const told = <K extends EngineEvent['kind']>(kind: K) =>
    events.filter((event): event is Extract<EngineEvent, { kind: K }> => event.kind === kind);
  return { engine, all, source, publisher, probe, prepare, state, settle, told };
}

test('nothing is concluded, nor published, before the source told all that there is', async () => {
  const { engine, source, publisher, settle } = setup();
  engine.wake();
  source.upsert(loki('a'));
  await settle(10_000);
  expect(publisher.reads).toBe(0);
  source.sync([loki('a'), loki('b')]);
  await settle();
  expect(publisher.tools).toEqual(names('a', 'b'));
});

test('changes that come together make one publication', async () => {
  const { source, publisher, settle } = setup();
  source.sync([]);
  await settle();
  const before = publisher.applied.length;
  for (const name of ['a', 'b', 'c']) source.upsert(loki(name));
  await settle();
  expect(publisher.tools).toEqual(names('a', 'b', 'c'));
  expect(publisher.applied).toHaveLength(before + 1);
});

describe('a publication fails', () => {
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

  test('the pause doubles up to half a minute, and is kept while Services change', async () => {
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

  test('what the API server asks to wait is waited', async () => {
    const { settle, told } = await failing(Object.assign(new Error('429'), { retryAfter: 20_000 }));
    await settle(19_000);
    expect(told('publish-failed')).toHaveLength(1);
    // Up to a tenth longer than asked.
    await settle(5_000);
    expect(told('publish-failed')).toHaveLength(2);
  });

  test('it is tried again by itself, and then the pause is short again', async () => {
    const { publisher, source, settle, told } = await failing();
    await settle(10_000);
    publisher.before = () => {};
    await settle(30_000);
    expect(publisher.tools).toEqual(names('first'));
    publisher.before = (what) => {
      if (what === 'apply') throw new Error('again');
    };
    source.upsert(loki('second'));
    await settle();
    expect(told('publish-failed').at(-1)).toMatchObject({ attempt: 1 });
  });

  test('who becomes the leader does not wait', async () => {
    const { engine, publisher, settle } = await failing();
    // The fourth pause is over by then, and the fifth not before 23 s.
    await settle(18_000);
    publisher.before = () => {};
    engine.takeOver();
    await settle(200);
    expect(publisher.tools).toEqual(names('first'));
  });
});

test('a pass that fails does not lose the change', async () => {
  const { source, publisher, prepare, settle, told } = setup();
  source.sync([]);
  await settle();
  prepare.mockRejectedValueOnce(new Error('a bug'));
  source.upsert(loki('a'));
  await settle(5_000);
  expect(told('publish-failed')).toHaveLength(1);
  expect(publisher.tools).toEqual(names('a'));
});

describe('a process that does not lead', () => {
  test('reads what is published and writes nothing, until it leads', async () => {
    const { engine, source, publisher, state, settle, told } = setup();
    state.leads = false;
    source.sync([loki('a')]);
    await settle(60_000);
    expect(publisher.applied).toEqual([]);
    expect(told('observed').length).toBeGreaterThan(0);
    expect(told('reconciled')).toEqual([]);
    state.leads = true;
    engine.takeOver();
    await settle();
    expect(publisher.tools).toEqual(names('a'));
  });
});

describe('the options change', () => {
  test('what is known of places that the new source cannot read yet stands, over several changes', async () => {
    const { engine, all, source, publisher, settle } = setup({ removalHold: 1_000 });
    source.sync([loki('a'), loki('b'), loki('c')]);
    await settle();
    engine.reconfigure({ ...all, source: new FakeSource() });
    await settle();
    const last = new FakeSource();
    engine.reconfigure({ ...all, source: last });
    await settle();
    last.sync([], ['monitoring']);
    await settle(60_000);
    expect(publisher.tools).toEqual(names('a', 'b', 'c'));
  });

  test('what the new ones do not find any more stays for a while, and everything else is published', async () => {
    const { engine, all, source, publisher, probe, settle } = setup();
    // What is published does not tell that these want credentials, so it has to be remembered.
    probe.mockResolvedValue({ ...HEALTHY, authRequired: true });
    source.sync([loki('a'), loki('b'), loki('c')]);
    await settle();
    const next = new FakeSource();
    engine.reconfigure({ ...all, source: next });
    await settle();
    next.sync([loki('new')]);
    await settle(290_000);
    expect(publisher.tools).toEqual(names('a', 'b', 'c', 'new'));
    await settle(20_000);
    expect(publisher.tools).toEqual(names('new'));
  });
});

test.each(['reconfigure', 'takeOver'] as const)('%s forgets no tools of MCP servers', async (what) => {
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
  if (what === 'takeOver') engine.takeOver();
  else engine.reconfigure({ ...all, source: next });
  await settle();
  (what === 'takeOver' ? source : next).sync([mcp]);
  await settle();
  expect(told('tools-changed')).toMatchObject([{ change: { added: ['delete_everything'] } }]);
});

test('while new documents have a fault, a hand edit is reverted at once, and the agent gets what was put right', async () => {
  const follow = vi.fn(async (_: AgentInput) => []);
  const agent: Agent = { follow, nextDue: () => undefined };
  const { source, publisher, settle, told } = setup({ agent });
  source.sync([loki('a')]);
  await settle();
  const good = publisher.live?.data;
  making.fails = true;
  source.upsert(loki('b'));
  await settle(120_000);
  expect(told('publish-failed').at(-1)).toMatchObject({ error: new Error('cannot be made') });
  publisher.edit('custom_toolset.yaml', 'toolsets: { evil: {} }');
  await settle(300);
  expect(publisher.live?.data).toEqual(good);
  expect(told('drift')).toHaveLength(1);
  expect(follow.mock.calls.at(-1)?.[0]).toMatchObject({ documents: good, rewritten: true });
  publisher.delete();
  await settle(300);
  expect(publisher.live?.data).toEqual(good);
  // Deleted and edited, it is as it was; what is wrong is told still.
  expect(told('publish-failed').length).toBeGreaterThan(2);
});

describe('once', () => {
  test('it ends after the first publication', async () => {
    const { source, publisher, settle } = setup({ once: true });
    source.sync([loki('a')]);
    await settle();
    await ended;
    expect(publisher.tools).toEqual(names('a'));
  });
  test('it ends with the first failure', async () => {
    const { source, publisher, settle } = setup({ once: true });
    publisher.before = () => {
      throw new Error('not now');
    };
    source.sync([loki('a')]);
    await settle();
    await expect(ended).rejects.toThrow('not now');
    ended = undefined;
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
      await expect(ended).rejects.toMatchObject({
        name: 'FindingsError',
        message: expect.stringMatching(/is published, .*history.*: controllerrevisions.apps is forbidden/),
      });
      ended = undefined;
      expect(publisher.tools).toEqual(names('a'));
    },
  );
});
