import { describe, expect, test } from 'vitest';
import {
  enginesOnFakeTimers,
  HEALTHY,
  loki,
  namesOf,
  type RunningEngine,
  targetOn,
} from '../../test/fixtures/unit/engine.ts';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import { offered, service } from '../../test/fixtures/unit/service.ts';
import type { Plan, Published } from '../model/published.ts';
import { contentHash } from '../planning/content-hash.ts';
import { rollbackAnnotations } from '../planning/plan.ts';
import type { EngineOptions } from './engine.ts';
import type { EngineTarget } from './target.ts';
import { pause } from './trigger.ts';

let running: RunningEngine;
const startEngine = enginesOnFakeTimers();

/** An engine with two targets, each in a place of its own. */
function setup(more: Partial<EngineOptions> = {}, second: Partial<EngineTarget> = {}) {
  const home = new MemoryPublisher();
  const other = new MemoryPublisher();
  const targets = [targetOn(home), targetOn(other, { id: 'other', ...second })] as const;
  running = startEngine({ targets, ...more });
  return { ...running, places: { home, other } };
}

const MCP = service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] });

/** Answers when the signal is aborted, as a connection to a server that hangs does. */
const hang = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

/** What keeps a place from working. */
const FAULTS = {
  'refuses writes': (place: MemoryPublisher) => {
    place.before = (what) => {
      if (what === 'apply') throw new Error('not now');
    };
  },
  'cannot be read': (place: MemoryPublisher) => {
    place.before = (what) => {
      if (what === 'read') throw new Error('not now');
    };
  },
  'does not answer': (place: MemoryPublisher) => {
    Object.assign(place, { read: hang });
  },
  'takes no writes to an end': (place: MemoryPublisher) => {
    Object.assign(place, { apply: (_plan: Plan, _now: Date, signal: AbortSignal) => hang(signal) });
  },
} as const;

const cases = Object.keys(FAULTS).flatMap((fault) =>
  (['home', 'other'] as const).map((id) => ({ fault: fault as keyof typeof FAULTS, id })),
);

/** Longer than the first discovery waits for the home target, in milliseconds. */
const PATIENCE = 11_000;

describe('two targets', () => {
  test('both get the results of one discovery, and each backend is probed once', async () => {
    const { source, places, probe, settle } = setup();
    source.sync([loki('a'), loki('b')]);
    await settle();
    expect(places.home.tools).toEqual(namesOf('a', 'b'));
    expect(places.other.live?.data).toEqual(places.home.live?.data);
    expect(probe).toHaveBeenCalledTimes(2);
  });

  test.each(cases)('$id $fault: the other one is published in time', async ({ fault, id }) => {
    const { source, places, settle, told } = setup();
    FAULTS[fault](places[id]);
    const well = places[id === 'home' ? 'other' : 'home'];
    source.sync([loki('a')]);
    await settle(PATIENCE);
    expect(well.tools).toEqual(namesOf('a'));
    source.upsert(loki('b'));
    await settle(200);
    expect(well.tools).toEqual(namesOf('a', 'b'));
    expect(well.applied).toHaveLength(2);
    for (const { targetId } of told('publish-failed')) expect(targetId).toBe(id === 'home' ? undefined : id);
  });

  test('each backs off and catches up independently', async () => {
    const { source, places, settle, told } = setup();
    FAULTS['refuses writes'](places.other);
    source.sync([loki('a')]);
    await settle(5_000);
    const failed = told('publish-failed');
    expect(failed.map(({ attempt }) => attempt)).toEqual(failed.map((_, index) => index + 1));
    expect(failed.length).toBeGreaterThan(1);
    expect(told('published').map(({ targetId }) => targetId)).toEqual([undefined]);
    places.other.before = () => {};
    await settle(30_000);
    expect(places.other.tools).toEqual(namesOf('a'));
    expect(places.home.applied).toHaveLength(1);
  });

  test('each holds removals by its own policy', async () => {
    const { source, places, settle, told } = setup({}, { removalHold: 0 });
    source.sync([loki('a'), loki('b'), loki('c')]);
    await settle();
    source.sync([]);
    await settle();
    expect(places.home.tools).toEqual(namesOf('a', 'b', 'c'));
    expect(places.other.tools).toEqual([]);
    expect(told('removal-held').map(({ targetId }) => targetId)).toEqual([undefined]);
  });

  test('an external change of one is reverted there, and named', async () => {
    const { source, places, settle, told } = setup();
    source.sync([loki('a')]);
    await settle();
    const good = places.other.live?.data;
    places.other.edit('custom_toolset.yaml', 'toolsets: { evil: {} }');
    await settle(300);
    expect(places.other.live?.data).toEqual(good);
    expect(told('drift').map(({ targetId }) => targetId)).toEqual(['other']);
    expect(places.home.applied).toHaveLength(1);
  });

  test('those that use the overrides of the home target follow them at once, store none, and do not follow each other', async () => {
    const home = new MemoryPublisher();
    const [other, third] = [new MemoryPublisher(), new MemoryPublisher()];
    const readOverrides = async () => home.live?.data['overrides.yaml'];
    const { source, settle } = setup({
      targets: [
        targetOn(home),
        targetOn(other, { id: 'other', readOverrides }),
        targetOn(third, { id: 'third', readOverrides }),
      ],
    });
    source.sync([loki('a'), loki('b')]);
    await settle();
    home.edit('overrides.yaml', 'tools: { monitoring/a: { enabled: false } }');
    await settle(500);
    for (const place of [other, third]) expect(place.tools).toEqual(namesOf('b'));
    const { reads } = third;
    other.delete();
    await settle(500);
    expect(other.tools).toEqual(namesOf('b'));
    expect(third.reads).toBe(reads);
    expect(other.live?.data).not.toHaveProperty(['overrides.yaml']);
  });

  test('overrides elsewhere approve nothing at home, and cost no requests there', async () => {
    const generation = { credentials: {}, holmesgptVersion: '0.32', mcpPolicy: 'approve' } as const;
    const home = new MemoryPublisher();
    const other = new MemoryPublisher();
    const targets = [targetOn(home, { generation }), targetOn(other, { id: 'other', generation })] as const;
    other.write({ data: { 'overrides.yaml': 'tools: { orders.monitoring: { approved: mcp } }' } });
    const { source, settle } = setup({ targets });
    source.sync([MCP, loki('a')]);
    await settle();
    const { reads } = home;
    other.edit('overrides.yaml', 'tools: { orders.monitoring: { approved: mcp }, x: { enabled: false } }');
    await settle();
    expect(home.tools).toEqual(namesOf('a'));
    expect(other.tools).toEqual(namesOf('a', 'orders'));
    expect(home.reads).toBe(reads);
    const before = other.reads;
    home.edit('overrides.yaml', '# mine');
    await settle();
    expect(other.reads).toBe(before);
  });

  test('overrides elsewhere take no name from a backend', async () => {
    const { source, places, settle, told } = setup();
    source.sync([offered('a', { type: 'loki', name: 'logs' }, { ports: ['http:3100'] })]);
    await settle();
    const own = '{ type: custom, endpoint: "http://mine:80", description: Mine. }';
    places.other.edit('overrides.yaml', `tools: { logs: ${own} }`);
    await settle();
    expect(places.other.live?.data['toolset.json']).toContain('http://mine:80');
    expect(places.home.tools).toEqual(['logs']);
    expect(
      told('pass')
        .at(-1)
        ?.services.map(({ tool }) => tool),
    ).toEqual(['logs']);
  });

  test('a rollback of one stays there, and the other one continues', async () => {
    const { source, places, settle } = setup();
    source.sync([loki('a')]);
    await settle();
    const older = places.other.live as Published;
    source.upsert(loki('b'));
    await settle();
    const [first] = places.other.revisions;
    const from = contentHash({ ...places.other.live?.data });
    const annotations = {
      ...older.annotations,
      ...rollbackAnnotations({ to: first?.number ?? 0, from }),
    };
    places.other.write({ data: older.data, annotations });
    places.other.edit('custom_toolset.yaml', older.data['custom_toolset.yaml'] ?? '');
    await settle(5_000);
    expect(places.other.tools).toEqual(namesOf('a'));
    expect(places.home.tools).toEqual(namesOf('a', 'b'));
    expect(places.home.live?.annotations).not.toHaveProperty('kubernaut.io/rolled-back-to');
    // Other inputs end it.
    source.upsert(loki('c'));
    await settle();
    expect(places.other.tools).toEqual(namesOf('a', 'b', 'c'));
  });

  test('a former leader writes to none, and a new one to all', async () => {
    const { engine, source, places, state, settle, told } = setup();
    source.sync([loki('a')]);
    await settle();
    state.leads = false;
    source.upsert(loki('b'));
    await settle(60_000);
    for (const place of Object.values(places)) expect(place.tools).toEqual(namesOf('a'));
    expect(new Set(told('observed').map(({ targetId }) => targetId))).toEqual(new Set([undefined, 'other']));
    state.leads = true;
    engine.onStartedLeading();
    await settle();
    for (const place of Object.values(places)) expect(place.tools).toEqual(namesOf('a', 'b'));
  });

  test('an MCP server that waits for approval is reported once', async () => {
    const generation = {
      credentials: {},
      holmesgptVersion: '0.32',
      mcpPolicy: 'approve',
      namespaces: ['ops'],
    } as const;
    const targets = [
      targetOn(new MemoryPublisher(), { generation }),
      targetOn(new MemoryPublisher(), { id: 'other', generation }),
    ] as const;
    const { source, settle, told } = setup({ targets });
    source.sync([MCP]);
    await settle();
    expect(told('approvals-waiting').map(({ targetId }) => targetId)).toEqual([undefined]);
  });

  test('changed tools of an MCP server are reported once', async () => {
    const { source, probe, settle, told } = setup();
    const tool = (name: string) => ({ name, readOnly: true, digest: '1' });
    probe.mockResolvedValue({ ...HEALTHY, tools: [tool('a')] });
    source.sync([MCP]);
    await settle();
    probe.mockResolvedValue({ ...HEALTHY, tools: [tool('a'), tool('b')] });
    source.sync([]);
    await settle();
    source.sync([MCP]);
    await settle();
    const changes = told('tools-changed').filter(({ change }) => change.added.includes('b'));
    expect(changes.map(({ targetId }) => targetId)).toEqual([undefined]);
  });

  test('other options add and remove a target, without affecting one that stays', async () => {
    const { engine, all, source, places, settle } = setup();
    source.sync([loki('a')]);
    await settle();
    const third = new MemoryPublisher();
    const [home] = all.targets;
    engine.reconfigure({ ...all, targets: [home, targetOn(third, { id: 'third' })] });
    await settle();
    source.sync([loki('a'), loki('b')]);
    await settle();
    expect(third.tools).toEqual(namesOf('a', 'b'));
    expect(places.home.applied).toHaveLength(2);
    expect(places.other.tools).toEqual(namesOf('a'));
  });

  test('a bug in the follower of one ends the engine, instead of leaving that target alone', async () => {
    const nextDue = () => {
      throw new Error('a bug');
    };
    const { source, settle, ended } = setup({}, { follower: { follow: async () => [], nextDue } });
    source.sync([loki('a')]);
    await settle();
    await expect(ended).rejects.toThrow('a bug');
  });

  test('a target that stays gets its new options at once', async () => {
    const { engine, all, source, places, settle } = setup();
    const [home, other] = all.targets as readonly [EngineTarget, EngineTarget];
    source.sync([loki('a'), loki('b'), loki('c')]);
    await settle();
    engine.reconfigure({ ...all, targets: [home, { ...other, removalHold: 0 }] });
    await settle();
    source.sync([]);
    await settle();
    expect(places.home.tools).toEqual(namesOf('a', 'b', 'c'));
    expect(places.other.tools).toEqual([]);
  });

  test.each(['home', 'other'] as const)(
    'in a single run, %s fails, and the other one is published',
    async (id) => {
      const { source, places, settle, ended } = setup({ once: true });
      FAULTS['refuses writes'](places[id]);
      const well = places[id === 'home' ? 'other' : 'home'];
      const apply = well.apply.bind(well);
      Object.assign(well, {
        async apply(plan: Plan, _: Date, signal: AbortSignal) {
          await pause(1_000, signal);
          signal.throwIfAborted();
          return await apply(plan);
        },
      });
      source.sync([loki('a')]);
      await settle(PATIENCE);
      await expect(ended).rejects.toThrow('not now');
      expect(well.tools).toEqual(namesOf('a'));
    },
  );
});
