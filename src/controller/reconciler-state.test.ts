/** What a reconciler remembers between its runs, and what it says of them. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { loki, namesOf } from '../../test/fixtures/unit/engine.ts';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { toolNames } from '../../test/fixtures/unit/toolset.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { runAtOnce } from '../model/yield-every.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import type { Groups } from '../planning/backend-groups.ts';
import { observe, observeRevisions } from '../planning/observed.ts';
import { plan } from '../planning/plan.ts';
import { rollbackIntent } from '../planning/rollback.ts';
import { toolsShown } from '../planning/tools-shown.ts';
import { nextProbeState } from '../probing/hysteresis.ts';
import { OwnerRefused, ShardsRefused } from '../publishers/publisher.ts';
import type { EngineEvent } from './events.ts';
import { toolKinds } from './pass.ts';
import { Reconciler, type ReconcilerOptions } from './reconciler.ts';
import { ToolWatch } from './tool-changes.ts';
import { acceptedText, notAccepted } from './unwanted.ts';

const HOLD = 300_000;
const GENERATION = { credentials: {}, holmesgptVersion: '0.32', kinds: toolKinds(rules) } as const;

let place: MemoryPublisher;
let events: EngineEvent[];
let stop: AbortController;
beforeEach(() => {
  vi.useFakeTimers();
  place = new MemoryPublisher();
  events = [];
  stop = new AbortController();
});
afterEach(() => {
  vi.useRealTimers();
});
const told = <K extends EngineEvent['kind']>(kind: K) =>
  events.filter((event): event is Extract<EngineEvent, { kind: K }> => event.kind === kind);
const lastOf = <T>(all: readonly T[]): T | undefined => all.at(-1);

/** A process that reconciles. */
function process(more: Partial<ReconcilerOptions> = {}, before?: Reconciler) {
  const options: ReconcilerOptions = {
    publisher: place,
    version: '1',
    now: () => new Date(),
    outputs: OUTPUTS,
    generation: GENERATION,
    owner: async () => undefined,
    emit: (event) => events.push(event),
    force: false,
    removalHold: HOLD,
    once: false,
    ...more,
  };
  const reconciler = new Reconciler(options, before);
  return {
    reconciler,
    run: (found: readonly DiscoveredService[], groups?: Groups) =>
      reconciler.run({ found, contradicted: [], groups }, 1, stop.signal),
  };
}
const fail = (): never => {
  throw new Error('it is there');
};
const LOKI = { labels: { app: 'loki' }, ports: ['http:3100'] };
const DOWN = {
  health: 'unhealthy',
  authRequired: false,
  proof: 'unproven',
  reason: 'GET / answered 503',
  steps: [{ asked: 'GET /', answered: '503' }],
} as const;
/** A healthy backend whose last probe failed. */
const failing = (found: DiscoveredService): DiscoveredService => {
  const probed = nextProbeState(undefined, '', found.verdict, 0, SCHEDULE);
  return { ...found, verdict: nextProbeState(probed, '', DOWN, 1, SCHEDULE).reportedVerdict };
};
const SCHEDULE = { refreshInterval: 300_000, random: () => 0.5 };
const lokis = (...names: string[]): DiscoveredService[] => names.map((name) => discovered(loki(name)));
/** One that wants credentials, which its published tool does not say. */
const locked = (name: string): DiscoveredService => discovered(loki(name), 'auth');
const wait = (milliseconds: number): void => void vi.advanceTimersByTime(milliseconds);

/** Outputs that fail, from the moment that they are broken. */
function breakable() {
  const state = { isBroken: false };
  const all = OUTPUTS.all.map((output) => ({
    ...output,
    render(...args: Parameters<typeof output.render>) {
      if (state.isBroken) throw new Error('cannot be made');
      return output.render(...args);
    },
  }));
  return { state, outputs: { ...OUTPUTS, all } };
}

describe('held tools', () => {
  test('stay literally the same, run after run, even if the published state does not describe all of them', async () => {
    const { run } = process();
    await run(['a', 'b', 'c'].map(locked));
    const before = place.live?.data;
    for (let time = 0; time < 3; time++) {
      await run([]);
      expect(place.live?.data).toEqual(before);
    }
  });

  test.each([
    ['some', ['a', 'b', 'c', 'd'], ['a', 'b', 'c']],
    ['all', ['a', 'b', 'c'], ['a', 'b', 'c', 'd']],
  ])('stay as they are published after a rollback that changes %s of them', async (_, first, later) => {
    const { run } = process();
    const found = (port: number, names: readonly string[]) =>
      names.map((name) => discovered({ ...loki(name), ports: [{ port, protocol: 'TCP' }] }));
    await run(found(3100, first));
    const before = place.live?.data;
    await run(found(80, later));
    expect(place.live?.data).not.toEqual(before);
    await rollBack(first.length);
    await run(found(80, later));
    expect(place.live?.data).toEqual(before);
    await run([]);
    expect(lastOf(told('removal-held'))).toMatchObject({ tools: namesOf(...first) });
    expect(place.live?.data).toEqual(before);
  });

  test('stay literally the same with other options, too', async () => {
    const first = process();
    await first.run(['a', 'b', 'c'].map(locked));
    const before = place.live?.data;
    const second = process({}, first.reconciler);
    await second.run([]);
    expect(place.live?.data).toEqual(before);
  });

  test('are reported once and stay the same, even if new documents could not be generated meanwhile', async () => {
    const { state, outputs } = breakable();
    const { run, reconciler } = process({ outputs });
    await run(['a', 'b', 'c'].map(locked));
    const before = place.live?.data;
    await run([]);
    expect(lastOf(told('reconciled'))?.problems.at(-1)?.what).toContain(
      '3 tools are gone, unusable or beyond a limit, and published until',
    );
    state.isBroken = true;
    await run(lokis('new'));
    expect(reconciler.due).toBeLessThanOrEqual(HOLD);
    state.isBroken = false;
    await run([]);
    expect(place.live?.data).toEqual(before);
    expect(told('removal-held')).toHaveLength(1);
  });

  test('include many removals in a short time, even if each was of one tool only', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const first = process();
    await first.run(lokis(...names));
    for (const left of [5, 4, 3]) {
      await first.run(lokis(...names.slice(0, left)));
      wait(1_000);
    }
    expect(place.tools).toEqual(namesOf('a', 'b', 'c'));
    await first.run(lokis('a', 'b'));
    expect(place.tools).toEqual(namesOf('a', 'b', 'c'));
  });

  test('include all of an outage that arrives over several passes', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const backends = names.map((name, index) => {
      const found = discovered(service(name, { ...LOKI, namespace: 'xxxyzz'.charAt(index) }));
      return { found, failing: failing(found), unhealthy: { ...found, verdict: DOWN } };
    });
    const { run } = process();
    await run(backends.map(({ found }) => found));
    const before = place.tools;
    expect(before).toHaveLength(6);
    // All fail, and one after the other becomes unhealthy.
    for (let count = 0; count <= 6; count++) {
      await run(backends.map(({ failing, unhealthy }, index) => (index < count ? unhealthy : failing)));
      expect(place.tools).toEqual(before);
      wait(3_000);
    }
    wait(HOLD);
    await run(backends.map(({ unhealthy }) => unhealthy));
    expect(place.tools).toEqual([]);
  });

  test('keep their count with other options', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const first = process();
    await first.run(lokis(...names));
    for (const left of [5, 4, 3]) await first.run(lokis(...names.slice(0, left)));
    await process({}, first.reconciler).run(lokis('a', 'b'));
    expect(place.tools).toEqual(namesOf('a', 'b', 'c'));
  });
});

/** Rolls back to the newest revision with so many tools. */
const rollBack = async (count: number, accepted?: string): Promise<void> => {
  const revisions = observeRevisions(place.revisions, OUTPUTS);
  const live = observe(place.live, OUTPUTS);
  const to = revisions.findLast(({ toolset }) => toolset.tools.length === count) ?? fail();
  const intent = rollbackIntent(to, live, revisions, accepted);
  await place.apply(plan(intent, live, '1'));
  const { documents, overrides, rollback } = intent;
  await place.history.record({ documents, overrides, rollback }, new Date());
};

describe('a rollback to a toolset with a backend that is gone', () => {
  const runTwice = async (): Promise<void> => {
    const { run } = process({ force: true });
    await run(lokis('a'));
    await run(lokis('a'));
  };
  beforeEach(async () => {
    const { run } = process({ force: true });
    await run(lokis('a', 'b'));
    await run(lokis('a'));
  });

  test('ends when overrides switch that off, although the inputs give the same', async () => {
    await rollBack(2);
    await runTwice();
    expect(place.tools).toEqual(namesOf('a', 'b'));
    place.edit('overrides.yaml', 'tools: { monitoring/b: { enabled: false } }');
    await runTwice();
    expect(place.tools).toEqual(namesOf('a'));
    expect(lastOf(told('rollback'))).toMatchObject({ holds: false });
  });

  const settings = (more: object, options: Partial<ReconcilerOptions> = {}) => ({
    force: true,
    generation: { ...GENERATION, ...more },
    ...options,
  });
  const KEY = { credentials: { 'monitoring/b': { apiKey: 'B_KEY' } } };
  const header = stringify({
    holmesgpt: {
      toolsets: { 'grafana/loki': { backends: { 'monitoring/b': { api_key: '{{ env.B_KEY }}' } } } },
    },
  });

  test.each<[string, Partial<ReconcilerOptions>, Partial<ReconcilerOptions>]>([
    ['withdraw its credentials', settings(KEY), settings({})],
    ['give it other credentials', settings(KEY), settings({ credentials: { loki: { apiKey: 'B_KEY' } } })],
    [
      'exclude it',
      settings({}),
      settings({}, { excluded: ({ name }) => (name === 'b.monitoring' ? 'off' : undefined) }),
    ],
  ])('ends when the settings %s, also after a restart', async (_, before, after) => {
    for (const found of [lokis('a', 'b'), lokis('a')]) await process(before).run(found);
    await rollBack(2);
    const serve = process(before);
    await serve.run(lokis('a'));
    await serve.run(lokis('a'));
    expect(place.tools).toEqual(namesOf('a', 'b'));
    await process(after).run(lokis('a'));
    expect(place.tools).toEqual(namesOf('a'));
    expect(place.live?.data['custom_toolset.yaml']).not.toContain('B_KEY');
    expect(lastOf(told('rollback'))).toMatchObject({ holds: false, revoked: expect.any(String) });
  });

  test('ends when overrides no longer have its header', async () => {
    place.edit('overrides.yaml', header);
    for (const found of [lokis('a', 'b'), lokis('a')]) await process({ force: true }).run(found);
    const { number } =
      observeRevisions(place.revisions, OUTPUTS).findLast(({ toolset }) => toolset.tools.length === 2) ??
      fail();
    await rollBack(2);
    await runTwice();
    expect(place.live?.data['custom_toolset.yaml']).toContain('B_KEY');
    place.edit('overrides.yaml', '');
    await runTwice();
    expect(place.live?.data['custom_toolset.yaml']).not.toContain('B_KEY');
    expect(lastOf(told('rollback'))).toMatchObject({
      to: number,
      revoked: expect.stringContaining('grafana/loki is not approved: the agent would send credentials to'),
    });
  });

  test.each<[string, Partial<ReconcilerOptions>]>([
    ['withdraw its credentials', settings({})],
    ['exclude it', settings(KEY, { excluded: ({ name }) => (name === 'b.monitoring' ? 'off' : undefined) })],
  ])('invalid overrides keep nothing that the settings forbid: they %s', async (_, after) => {
    for (const found of [lokis('a'), lokis('a', 'b')]) await process(settings(KEY)).run(found);
    expect(place.live?.data['custom_toolset.yaml']).toContain('B_KEY');
    place.edit('overrides.yaml', 'tools: {x');
    await process(settings(KEY)).run(lokis('a', 'b'));
    expect(place.live?.data['custom_toolset.yaml']).toContain('B_KEY');
    await process(after).run(
      lokis('a', 'b').filter(({ tool }) => after.excluded === undefined || tool === 'a.monitoring'),
    );
    expect(place.live?.data['custom_toolset.yaml']).not.toContain('B_KEY');
    expect(place.live?.annotations['kubernaut.io/override-error']).toContain('line 1');
    expect(lastOf(told('reconciled'))?.problems).toMatchObject([
      { where: 'overrides.yaml', what: expect.stringContaining('is what its last valid version gives') },
    ]);
  });

  test('without a history, the valid overrides that this process saw last count while they are invalid', async () => {
    const known = () => lastOf(told('reconciled'))?.problems.map(({ what }) => what);
    const first = process(settings(KEY));
    await first.run(lokis('a', 'b'));
    place.edit('overrides.yaml', 'tools: {x');
    place.revisions = [];
    await process(settings({})).run(lokis('a', 'b'));
    expect(place.live?.data['custom_toolset.yaml']).toContain('B_KEY');
    expect(known()).toEqual([expect.stringContaining('even if your settings no longer allow it')]);
    place.revisions = [];
    const next = process(settings({}), first.reconciler);
    await next.run(lokis('a', 'b'));
    expect(place.live?.data['custom_toolset.yaml']).not.toContain('B_KEY');
    expect(known()).toEqual([expect.stringContaining('is what its last valid version gives')]);
    // That one stays known.
    place.revisions = [];
    await next.run(lokis('a', 'b'));
    expect(known()).toEqual([]);
  });

  test('while overrides are invalid, the agent asks before tools that change', async () => {
    const orders = service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] });
    const offering = (digest: string, readOnly = true) => {
      const found = discovered(orders);
      return { ...found, verdict: { ...found.verdict, tools: [{ name: 'get_order', readOnly, digest }] } };
    };
    const approval = { approved: 'mcp', approvedTools: toolsShown(offering('a').verdict) };
    const tools = { 'monitoring/orders': approval };
    const asks = (): boolean | undefined =>
      place.live?.data['custom_toolset.yaml']?.includes('approval_required_tools:\n      - "*"');
    const { run } = process({ force: true, generation: { ...GENERATION, mcpPolicy: 'approve' } });
    place.edit('overrides.yaml', stringify({ tools }));
    await run([offering('a')]);
    expect(asks()).toBe(false);
    place.edit('overrides.yaml', 'tools: {x');
    for (const found of [[offering('a')], []]) {
      await run(found);
      expect(place.tools).toEqual(namesOf('orders'));
      expect(asks()).toBe(false);
    }
    await run([offering('b')]);
    expect(place.tools).toEqual(namesOf('orders'));
    expect(asks()).toBe(true);
    expect(lastOf(told('reconciled'))?.problems).toMatchObject([
      { what: expect.stringMatching(/\(.*orders is not approved: .*\)/) },
    ]);
  });

  test('invalid overrides keep all else as it is, also beside something that is off', async () => {
    place.edit('overrides.yaml', 'tools: { monitoring/c: { enabled: false } }');
    await process({ force: true }).run(lokis('a', 'b', 'c'));
    const { data } = place.live ?? fail();
    place.edit('overrides.yaml', 'tools: {x');
    await process({ force: true }).run(lokis('c'));
    expect(place.live?.data['custom_toolset.yaml']).toBe(data['custom_toolset.yaml']);
    expect(place.tools).toEqual(namesOf('a', 'b'));
  });

  test('holds with a header for the Service, although overrides give it another URL now', async () => {
    place.edit('overrides.yaml', header);
    for (const found of [lokis('a', 'b'), lokis('a')]) await process({ force: true }).run(found);
    const moved = 'tools: { monitoring/b: { endpoint: "http://wrong.example.com:3100" } }\n';
    place.edit('overrides.yaml', `${moved}${header}`);
    await runTwice();
    await rollBack(2);
    await runTwice();
    expect(lastOf(told('rollback'))).toMatchObject({ holds: true });
    expect(place.live?.data['custom_toolset.yaml']).toContain('B_KEY');
  });

  test('holds if a person accepted that they have it off', async () => {
    const off = 'tools: { monitoring/b: { enabled: false } }';
    place.edit('overrides.yaml', off);
    await runTwice();
    await rollBack(2, acceptedText([{ is: 'switched off', where: 'Service monitoring/b', what: '' }]));
    await runTwice();
    place.edit('overrides.yaml', `# mine\n${off}`);
    await runTwice();
    expect(place.tools).toEqual(namesOf('a', 'b'));
    place.edit('overrides.yaml', 'tools: {x');
    await runTwice();
    expect(place.tools).toEqual(namesOf('a', 'b'));
  });
});

test('a rollback while removals are held stays after the hold, and until the inputs change', async () => {
  const { run } = process();
  await run(lokis('a', 'b', 'c', 'd'));
  await run(lokis('a', 'b', 'c', 'd', 'e'));
  await run(lokis('a'));
  expect(told('removal-held')).toHaveLength(1);
  const revisions = observeRevisions(place.revisions, OUTPUTS);
  const live = observe(place.live, OUTPUTS);
  const good = revisions.find(({ toolset }) => toolset.tools.length === 4);
  const { documents, overrides, rollback, ...intent } = rollbackIntent(good ?? fail(), live, revisions);
  await place.apply(plan({ documents, overrides, rollback, ...intent }, live, '1'));
  await place.history.record({ documents, overrides, rollback }, new Date());
  for (let time = 0; time < 4; time++) {
    await run(lokis('a'));
    expect(place.tools).toEqual(namesOf('a', 'b', 'c', 'd'));
    wait(HOLD / 2);
  }
  const ended = () => told('rollback').filter(({ holds }) => !holds);
  expect(ended()).toEqual([]);
  // Another process, and a deletion.
  const second = process();
  place.delete();
  await second.run(lokis('a'));
  expect(place.tools).toEqual(namesOf('a', 'b', 'c', 'd'));
  await second.run(lokis('a', 'b'));
  expect(ended()).toHaveLength(1);
});

describe('external changes', () => {
  test('that are left alone do not delay a hold that ends earlier', async () => {
    const { run, reconciler } = process({ removalHold: 20_000 });
    await run(lokis('a', 'b', 'c'));
    await run([]);
    for (let time = 0; time < 4; time++) {
      place.edit('toolset.json', 'oops');
      await run([]);
    }
    expect(told('drift-repeated')).toHaveLength(1);
    expect(reconciler.due).toBeLessThanOrEqual(20_000);
  });

  test('are reverted at once, however often it has run before', async () => {
    const { run } = process();
    for (let time = 0; time < 25; time++) await run(lokis('a'));
    const good = place.live?.data;
    place.edit('toolset.json', 'oops');
    await run(lokis('a'));
    expect(place.live?.data).toEqual(good);
    expect(told('drift-repeated')).toEqual([]);
  });

  test('are reverted without a history too, while new documents cannot be generated', async () => {
    const { state, outputs } = breakable();
    Object.assign(place, { history: undefined });
    const { run } = process({ outputs });
    await run(lokis('a'));
    const good = place.live?.data;
    state.isBroken = true;
    place.edit('toolset.json', 'oops');
    expect(await run(lokis('a', 'b'))).toMatchObject({ failure: { error: new Error('cannot be made') } });
    expect(place.live?.data).toEqual(good);
  });
});

describe('a deleted ConfigMap', () => {
  test('is restored with its overrides, which is reported, also without a history', async () => {
    Object.assign(place, { history: undefined });
    const { run } = process();
    await run(lokis('a'));
    place.edit('overrides.yaml', '# mine');
    await run(lokis('a'));
    place.delete();
    await run(lokis('a'));
    expect(place.live?.data).toMatchObject({ 'overrides.yaml': '# mine' });
    expect(told('recreated')).toMatchObject([{ overrides: true }]);
  });

  test('is recognized by the history, and reported', async () => {
    await process().run(lokis('a'));
    expect(told('recreated')).toEqual([]);
    place.delete();
    await process().run(lokis('a'));
    expect(told('recreated')).toHaveLength(1);
  });
});

test('an invalid stored document is replaced by the newest revision, which the agent gets', async () => {
  const { run } = process();
  await run(lokis('a'));
  const good = place.live?.data;
  const apply = place.apply.bind(place);
  vi.spyOn(place, 'apply').mockImplementationOnce(async (plan) => {
    await apply(plan);
    place.edit('toolset.json', 'what a webhook made of it');
    return place.live;
  });
  const reconciled = await run(lokis('a', 'b'));
  expect(place.live?.data).toEqual(good);
  expect(reconciled).toMatchObject({ documents: good, tools: [{ name: 'a.monitoring' }] });
  expect(told('rolled-back')).toMatchObject([{ to: 1 }]);
  expect(lastOf(told('reconciled'))).toMatchObject({ tools: [{ name: 'a.monitoring' }] });
});

describe('an invalid stored document is not replaced by a revision', () => {
  const orders = discovered(
    service('orders', { namespace: 'shop', labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }),
  );
  const APPROVED = 'tools: { shop/orders: { approved: mcp } }';
  const spoilOnce = (): void => {
    const apply = place.apply.bind(place);
    vi.spyOn(place, 'apply').mockImplementationOnce(async (plan) => {
      await apply(plan);
      place.edit('toolset.json', 'what a webhook made of it');
      return place.live;
    });
  };

  test.each<[string, string, string]>([
    ['with a server that is no longer approved', APPROVED, ''],
    [
      'with a backend that is off now',
      APPROVED,
      `${APPROVED.slice(0, -1)}, monitoring/b: { enabled: false } }`,
    ],
    [
      "with an entry that HolmesGPT's part of overrides has off now",
      APPROVED,
      `${APPROVED}\nholmesgpt: { mcp_servers: { shop/orders: { enabled: false } } }`,
    ],
  ])('%s, and an older one is', async (_, before, now) => {
    const { run } = process({ generation: { ...GENERATION, mcpPolicy: 'approve', namespaces: ['*'] } });
    await run(lokis('a'));
    place.edit('overrides.yaml', before);
    await run([...lokis('a', 'b'), orders]);
    place.edit('overrides.yaml', now);
    spoilOnce();
    await run([...lokis('a', 'b', 'c'), orders]);
    expect(told('rolled-back')).toMatchObject([{ to: 1 }]);
    expect(toolNames(place.live?.data ?? {})).toEqual(['a.monitoring']);
  });

  test('unless it is as approved as before', async () => {
    const { run } = process({ generation: { ...GENERATION, mcpPolicy: 'approve', namespaces: ['shop'] } });
    await run(lokis('a'));
    await run([...lokis('a', 'b'), orders]);
    spoilOnce();
    await run([...lokis('a', 'b', 'c'), orders]);
    expect(told('rolled-back')).toMatchObject([{ to: 2 }]);
  });

  test('unless its namespace is trusted', async () => {
    const { run } = process({ generation: { ...GENERATION, mcpPolicy: 'approve', namespaces: ['shop'] } });
    await run([...lokis('a'), orders]);
    spoilOnce();
    await run(lokis('a', 'b'));
    expect(told('rolled-back')).toMatchObject([{ to: 1 }]);
    expect(place.tools).toEqual(['a.monitoring', 'orders.shop']);
  });

  const KEY = 'GRAFANA_KEY';
  const grafana = (name: string, more: Partial<DiscoveredService> = {}) => ({
    ...discovered(service(name, { namespace: 'shop', labels: { app: 'grafana' }, ports: ['http:3000'] })),
    ...more,
  });
  const keyed = { ...GENERATION, credentials: { 'shop/grafana': { apiKey: KEY } } };

  test.each([
    ['with credentials that the settings had', GENERATION, 1],
    ['without credentials that the settings have, but with them', keyed, 2],
  ])('%s', async (_, generation, to) => {
    await process({ generation: keyed }).run(lokis('b'));
    await process({ generation: keyed }).run([...lokis('b'), grafana('grafana')]);
    spoilOnce();
    await process({ generation }).run(lokis('a', 'b'));
    expect(told('rolled-back')).toMatchObject([{ to }]);
  });

  test.each<[string, object]>([
    [
      'server',
      { mcp_servers: { deploys: { config: { url: 'http://mcp.evil.svc.cluster.local:8000/mcp' } } } },
    ],
    [
      'header',
      { toolsets: { 'grafana/loki': { backends: { 'monitoring/a': { api_key: '{{ env.A }}' } } } } },
    ],
  ])('with a %s that a person wrote and removed', async (_, holmesgpt) => {
    const { run } = process();
    await run(lokis('b'));
    place.edit('overrides.yaml', stringify({ holmesgpt }));
    await run(lokis('a'));
    expect(place.live?.data['custom_toolset.yaml']).toMatch(/deploys|env\.A/);
    place.edit('overrides.yaml', '');
    spoilOnce();
    await run(lokis('a', 'c'));
    expect(told('rolled-back')).toMatchObject([{ to: 1 }]);
  });

  test('with what the settings exclude now', async () => {
    const { run } = process({ excluded: ({ name }) => (name === 'b.monitoring' ? 'off' : undefined) });
    await run(lokis('a'));
    await run(lokis('a', 'b'));
    spoilOnce();
    await run(lokis('a', 'c'));
    expect(told('rolled-back')).toMatchObject([{ to: 1 }]);
  });

  test('that overrides elsewhere switch off', async () => {
    let overrides = '';
    const { run } = process({ readOverrides: async () => overrides });
    await run(lokis('a'));
    overrides = 'tools: { monitoring/a: { enabled: false } }';
    spoilOnce();
    const failed = await run(lokis('a', 'b')).catch((error: unknown) => error);
    expect(String(failed)).toContain(
      'no revision to return to by itself: revision 1 has what is switched off now (Service monitoring/a: overrides.yaml',
    );
  });
});

describe('the report of a run', () => {
  test('has its duration, and no problems', async () => {
    wait(5_000);
    const read = place.read.bind(place);
    vi.spyOn(place, 'read').mockImplementationOnce(async () => {
      wait(1_500);
      return read();
    });
    await process().run(lokis('a'));
    expect(told('reconciled')).toMatchObject([{ cycle: 1, ok: true, problems: [], milliseconds: 1_500 }]);
    expect(told('observed')).toHaveLength(2);
  });

  test('has all problems, unless the run fails or the overrides are invalid', async () => {
    const { run } = process();
    await run(lokis('a'));
    vi.spyOn(place, 'read').mockRejectedValueOnce(new Error('away'));
    await expect(run(lokis('a'))).rejects.toThrow('away');
    await run(lokis('a'));
    place.edit('overrides.yaml', 'tools: [');
    await run(lokis('a'));
    expect(told('reconciled').map(({ isPartial }) => isPartial)).toEqual([false, true, false, true]);
  });

  test('is omitted at shutdown', async () => {
    place.before = () => {
      stop.abort();
      throw new Error('aborted');
    };
    await expect(process().run(lokis('a'))).rejects.toThrow('aborted');
    expect(told('reconciled')).toEqual([]);
  });

  test('says that documents were generated, once while they stay the same', async () => {
    const { run } = process();
    await run(lokis('a'));
    await run(lokis('a'));
    expect(told('generated').map(({ ok }) => ok)).toEqual([true]);
    await run(lokis('a', 'b'));
    place.edit('overrides.yaml', 'tools: [');
    await run(lokis('a', 'b'));
    expect(told('generated').map(({ ok }) => ok)).toEqual([true, true, false]);
    expect(told('overrides-invalid')).toHaveLength(1);
  });

  test('names the namespaces whose backends may get other ids because of lack of room', async () => {
    const members = Array.from({ length: 8 }, (_, number) => ({ name: `${'m'.repeat(800)}${number}` }));
    const names = Array.from({ length: 20 }, (_, number) => `loki-${number}`);
    const groups: Groups = new Map(
      names.map((name) => [
        `monitoring/${name}-former`,
        { namespace: 'monitoring', members: [{ name }, ...members] },
      ]) as never,
    );
    await process().run(lokis(...names), groups);
    const { problems = [] } = lastOf(told('reconciled')) ?? {};
    expect(problems).toMatchObject([
      { where: 'the place', what: expect.stringMatching(/no room for \d+ backends of namespace monitoring/) },
    ]);
  });
});

test('the published state has the groups of Services for ids', async () => {
  const groups: Groups = new Map([
    ['monitoring/former', { namespace: 'monitoring', members: [{ name: 'a' }, { name: 'b' }] }],
  ] as never);
  await process().run(lokis('a'), groups);
  const next = process();
  await next.run(lokis('a'));
  expect([...(next.reconciler.groups?.keys() ?? [])]).toEqual(['monitoring/former']);
  expect(place.live?.annotations).not.toHaveProperty('kubernaut.io/published-tools');
});

test('tools are stored beside documents that cannot be read back', async () => {
  await process({ outputs: { ...OUTPUTS, readsBack: false } }).run(lokis('a'));
  expect(place.live?.annotations['kubernaut.io/published-tools']).toContain('a');
});

test('invalid overrides revoke no approval, and nobody is reported as waiting for one', async () => {
  const mcp = discovered(service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
  const generation = { ...GENERATION, mcpPolicy: 'approve' } as const;
  place.edit('overrides.yaml', 'tools: { orders.monitoring: { approved: mcp } }');
  const { run, reconciler } = process({ tools: new ToolWatch(), generation });
  await run([mcp]);
  expect(place.tools).toEqual(namesOf('orders'));
  expect(reconciler.approvals?.size).toBe(1);
  place.edit('overrides.yaml', 'tools: [');
  await run([mcp]);
  expect(reconciler.approvals?.size).toBe(1);
  place.revisions = [];
  await process({ tools: new ToolWatch(), generation }).run([mcp]);
  expect(told('approvals-waiting')).toEqual([]);
});

describe('a rollback to an MCP server that nobody approves now, which a person accepted', () => {
  const mcp = discovered(service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
  const approving = (mcpPolicy: 'off' | 'approve') =>
    process({ force: true, generation: { ...GENERATION, mcpPolicy } });
  const waiting = { is: 'not approved', where: 'Service monitoring/orders', what: '' } as const;
  const credentials = { ...waiting, where: 'grafana/loki', detail: 'to monitoring/a' };

  test.each<[string, string, 'off' | 'approve', boolean]>([
    ['holds while nobody decides against it', '# mine\n', 'approve', true],
    ['ends when overrides refuse it', 'tools: { monitoring/orders: { approved: false } }', 'approve', false],
    ['ends when MCP_POLICY is off', '', 'off', false],
  ])('%s', async (_, overrides, policy, holds) => {
    place.edit('overrides.yaml', 'tools: { monitoring/orders: { approved: mcp } }');
    await approving('approve').run([mcp]);
    place.edit('overrides.yaml', '');
    for (let time = 0; time < 2; time++) await approving('approve').run([mcp]);
    expect(place.tools).toEqual([]);
    await rollBack(1, acceptedText([waiting]));
    place.edit('overrides.yaml', overrides);
    for (let time = 0; time < 2; time++) await approving(policy).run([mcp]);
    expect(place.tools).toEqual(holds ? namesOf('orders') : []);
  });

  test('accepting credentials for one place is not accepting them for another of the same toolset', () => {
    const text = acceptedText([credentials]);
    expect(notAccepted([credentials], text)).toEqual([]);
    const other = { ...credentials, detail: 'to monitoring/b' } as const;
    expect(notAccepted([other], text)).toEqual([other]);
  });

  test('accepting very much is not accepting what is refused', () => {
    const many = Array.from({ length: 3_000 }, (_, index) => ({ ...waiting, where: `Service a/${index}` }));
    const refused = { ...waiting, detail: 'refused' };
    expect(notAccepted([...many, refused], acceptedText(many))).toEqual([refused]);
  });
});

test.each([
  ['off', 'approve'],
  ['approve', 'publish'],
] as const)('invalid overrides keep no MCP server with MCP_POLICY=%s after %s', async (after, before) => {
  const mcp = discovered(service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
  const withPolicy = (mcpPolicy: 'off' | 'approve' | 'publish') =>
    process({ force: true, generation: { ...GENERATION, mcpPolicy } });
  const approval = before === 'approve' ? 'tools: { monitoring/orders: { approved: mcp } }' : 'tools: {}';
  place.edit('overrides.yaml', approval);
  await withPolicy(before).run([mcp]);
  place.edit('overrides.yaml', 'tools: [');
  await withPolicy(before).run([mcp]);
  expect(place.tools).toEqual(namesOf('orders'));
  await withPolicy(after).run([mcp]);
  expect(place.tools).toEqual([]);
});

test('a refused owner is a failure if there is none', async () => {
  const refusing = vi.spyOn(place, 'apply').mockRejectedValue(new OwnerRefused('no owner'));
  await expect(process().run(lokis('a'))).rejects.toThrow('no owner');
  expect(refusing).toHaveBeenCalledTimes(2);
});

describe('the size of documents', () => {
  /** Outputs whose documents have so many KiB more. */
  const padded = (kib: number) => ({
    ...OUTPUTS,
    all: OUTPUTS.all.map((output) => ({
      ...output,
      render(...args: Parameters<typeof output.render>) {
        const steps = output.render(...args);
        const rendered = 'next' in steps ? runAtOnce(steps) : steps;
        const pad = `${' '.repeat((kib * 1024) / OUTPUTS.all.length)}\n`;
        const artifacts = rendered.artifacts.map((each) => ({ ...each, content: `${each.content}${pad}` }));
        return { ...rendered, artifacts };
      },
    })),
  });

  test('is reported if it is close to the limit of a ConfigMap', async () => {
    await process({ outputs: padded(600) }).run(lokis('a'));
    expect(place.tools).toEqual(namesOf('a'));
    expect(lastOf(told('reconciled'))).toMatchObject({
      ok: true,
      problems: [{ where: 'the place', what: expect.stringContaining('no longer published') }],
    });
  });

  test('prevents publishing if a ConfigMap cannot hold them, and the last ones stay', async () => {
    const first = process();
    await first.run(lokis('a'));
    const good = place.live?.data;
    const reconciled = await process({ outputs: padded(1_000) }, first.reconciler).run(lokis('a', 'b'));
    expect(reconciled?.failure?.error).toMatchObject({
      name: 'FindingsError',
      message: expect.stringMatching(/have 1\d* KiB.*left as it is/),
    });
    expect(place.live?.data).toEqual(good);
    expect(lastOf(told('reconciled'))).toMatchObject({ ok: false });
  });

  test('if nothing was published before, the reason is thrown', async () => {
    const { state, outputs } = breakable();
    state.isBroken = true;
    await expect(process({ outputs }).run(lokis('a'))).rejects.toThrow('cannot be made');
    expect(place.live).toBeUndefined();
  });
});

describe('further ConfigMaps that cannot be written', () => {
  const found = lokis(...Array.from({ length: 90 }, (_, number) => `loki-${number}`));
  const generation = { ...GENERATION, maxToolsPerNamespace: 1_000, maxDocumentKib: 16, maxShards: 4 };
  const isUsable = vi.fn(async (_: ShardsRefused, _signal: AbortSignal) => false);
  beforeEach(() => {
    isUsable.mockReset().mockResolvedValue(false);
    Object.assign(place, { isUsable });
  });

  test('are used as soon as they can be, and are not checked after that', async () => {
    place.mostShards = 1;
    const { run } = process({ generation });
    await run(found);
    expect(isUsable).not.toHaveBeenCalled();
    await run(found);
    expect(place.tools.length).toBeLessThan(90);
    expect(isUsable.mock.calls).toEqual([[expect.any(ShardsRefused), stop.signal]]);
    place.mostShards = 16;
    isUsable.mockResolvedValue(true);
    await run(found);
    expect(Object.keys(place.live?.data ?? {})).toContain('toolset.json#2');
    await run(found);
    expect(isUsable).toHaveBeenCalledTimes(2);
  });

  test('are named only while there are tools for them', async () => {
    place.mostShards = 1;
    const { run } = process({ generation: { ...generation, maxToolsPerNamespace: 50 }, force: true });
    const isNamed = () => lastOf(told('reconciled'))?.problems.some(({ what }) => what.includes('place-2'));
    await run(found);
    expect(isNamed()).toBe(true);
    await run(found.slice(0, 2));
    expect(isNamed()).toBe(false);
  });

  test.each([
    ['as many as there are', 4, generation],
    ['one, without a setting for more', 1, GENERATION],
  ])('are a failure if the target refuses %s', async (_, most, those) => {
    const refusing = vi.spyOn(place, 'apply').mockRejectedValue(new ShardsRefused(most, 'no'));
    await expect(process({ generation: those }).run(lokis('a'))).rejects.toThrow('no');
    expect(refusing).toHaveBeenCalledTimes(1);
  });
});
