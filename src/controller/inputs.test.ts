import { afterEach, describe, expect, test, vi } from 'vitest';
import { options as detection, rules } from '../../test/fixtures/unit/detection.ts';
import { loki } from '../../test/fixtures/unit/engine.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import { approvalsIn, NO_APPROVALS } from '../model/approvals.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import type { Service } from '../model/service.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { type Batch, Inputs } from './inputs.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const OPTIONS = { rules, detection };
const PROBLEM = { where: 'namespace secret', what: 'cannot be read' };

/** Inputs, and a clock that a test sets. */
function setup(clusters?: readonly string[]) {
  const clock = { now: 1_000 };
  vi.spyOn(performance, 'now').mockImplementation(() => clock.now);
  const inputs = new Inputs(OPTIONS, clusters);
  const detect = (): Promise<Batch> => inputs.detect(NO_APPROVALS, new Map());
  return {
    clock,
    inputs,
    detect,
    sync: (
      services: readonly Service[],
      more: { stale?: string[]; problems?: (typeof PROBLEM)[]; cluster?: string } = {},
    ) => inputs.apply({ kind: 'sync', services, stale: [], problems: [], ...more }),
    upsert: (each: Service) => inputs.apply({ kind: 'upsert', service: each }),
    /** The backends that are detected. */
    found: async (): Promise<string[]> =>
      (await detect()).detection.candidates.map(({ service: { name } }) => name).sort(),
  };
}

test('a missing Service means something only after each cluster was listed', () => {
  const { inputs, upsert, sync } = setup([HOME_CLUSTER, 'far']);
  upsert(loki('a'));
  expect(inputs.isSynced).toBe(false);
  sync([], { cluster: HOME_CLUSTER });
  expect(inputs.isSynced).toBe(false);
  sync([], { cluster: 'far' });
  expect(inputs.isSynced).toBe(true);
});

test('they are dirty after each change, until the next detection', async () => {
  const { inputs, sync, upsert, detect } = setup();
  expect(inputs.isDirty).toBe(true);
  const changes = [
    () => sync([loki('a')]),
    () => upsert(loki('b')),
    () => inputs.apply({ kind: 'delete', key: keyFor('monitoring/b') }),
    () => inputs.reconfigure(OPTIONS),
  ];
  for (const change of changes) {
    change();
    expect(inputs.isDirty).toBe(true);
    await detect();
    expect(inputs.isDirty).toBe(false);
  }
});

describe('a batch', () => {
  test('is a full resync once after everything was listed', async () => {
    const { sync, upsert, detect } = setup();
    sync([loki('a')]);
    expect(await detect()).toMatchObject({ isFullResync: true, examined: 1 });
    upsert(loki('b'));
    expect(await detect()).toMatchObject({ isFullResync: false, examined: 2 });
    sync([loki('a')]);
    expect(await detect()).toMatchObject({ isFullResync: true, examined: 1 });
  });

  test('counts from the first change since the last batch, and a list is no change', async () => {
    const { clock, sync, upsert, detect } = setup();
    sync([loki('a')]);
    expect((await detect()).changedAt).toBeUndefined();
    upsert(loki('b'));
    clock.now += 500;
    upsert(loki('c'));
    expect((await detect()).changedAt).toBe(1_000);
    expect((await detect()).changedAt).toBeUndefined();
  });

  test('that failed is due again, with the oldest change', async () => {
    const { clock, inputs, sync, upsert, detect } = setup();
    sync([]);
    upsert(loki('a'));
    const failed = await detect();
    clock.now += 500;
    upsert(loki('b'));
    inputs.restore(failed);
    expect(inputs.isDirty).toBe(true);
    const again = await detect();
    expect(again.changedAt).toBe(1_000);
    inputs.restore(again);
    expect((await detect()).changedAt).toBe(1_000);
  });

  test('that failed without a change keeps the newer one', async () => {
    const { inputs, sync, upsert, detect } = setup();
    sync([]);
    const failed = await detect();
    expect(inputs.isDirty).toBe(false);
    inputs.restore(failed);
    expect(inputs.isDirty).toBe(true);
    upsert(loki('a'));
    inputs.restore(failed);
    expect((await detect()).changedAt).toBe(1_000);
  });

  test('has the duration of its own changes only', async () => {
    const { inputs, clock, sync, detect } = setup();
    vi.spyOn(performance, 'now').mockImplementation(() => ++clock.now);
    const remove = () => inputs.apply({ kind: 'delete', key: keyFor('monitoring/none') });
    const times: number[] = [];
    for (const changes of [[() => sync([])], [], [remove, remove], []]) {
      for (const change of changes) change();
      times.push((await detect()).detecting);
    }
    const [listed = 0, nothing = 0, removed = 0, after = 0] = times;
    expect([listed - nothing, removed - nothing, after - nothing]).toEqual([1, 2, 0]);
  });
});

test('an approval counts in the next detection', async () => {
  const created = (name: string, year: number): Service =>
    service(name, { labels: { app: 'mcp-server' }, ports: ['mcp:8000'], created: `${year}-01-01T00:00:00Z` });
  const inputs = new Inputs({ rules, detection: { ...detection, maxNamespaceServices: 1 } });
  const services = [created('old', 2020), created('young', 2025)];
  inputs.apply({ kind: 'sync', services, stale: [], problems: [] });
  const approvals = approvalsIn(
    overridesSchema.parse({ tools: { 'young.monitoring': { approved: 'mcp' } } }),
  );
  const found = async (by: typeof approvals): Promise<string[]> =>
    (await inputs.detect(by, new Map())).detection.candidates.map(({ service: { name } }) => name);
  expect(await found(NO_APPROVALS)).toEqual(['old']);
  expect(await found(approvals)).toEqual(['young']);
});

test('what is in use counts in the next detection of a namespace with too many Services', async () => {
  const inputs = new Inputs({ rules, detection: { ...detection, maxNamespaceServices: 1 } });
  const one = (name: string, year: number): Service => ({
    ...loki(name),
    created: `${year}-01-01T00:00:00Z`,
  });
  inputs.apply({ kind: 'sync', services: [one('old', 2020), one('new', 2025)], stale: [], problems: [] });
  const found = async (...inUse: readonly (readonly [name: string, at: number])[]): Promise<string[]> => {
    const since = new Map(inUse.map(([name, at]) => [keyFor(`monitoring/${name}`), { at }]));
    const { detection: all } = await inputs.detect(NO_APPROVALS, since);
    return all.candidates.map(({ service: { name } }) => name);
  };
  expect(await found()).toEqual(['old']);
  expect(await found(['new', 5])).toEqual(['new']);
  expect(await found(['new', 5], ['old', 4])).toEqual(['old']);
  expect(await found(['new', 3], ['old', 4])).toEqual(['new']);
});

test('problems are those of the last list of each cluster, also with other options', () => {
  const { inputs, sync } = setup([HOME_CLUSTER, 'far']);
  sync([], { cluster: HOME_CLUSTER, problems: [PROBLEM] });
  sync([], { cluster: 'far', problems: [{ ...PROBLEM, where: 'far' }] });
  expect(inputs.problems.map(({ where }) => where)).toEqual(['namespace secret', 'far']);
  inputs.reconfigure(OPTIONS, [HOME_CLUSTER, 'near']);
  expect(inputs.problems).toEqual([PROBLEM]);
  sync([], { cluster: HOME_CLUSTER });
  expect(inputs.problems).toEqual([]);
});

describe('other options', () => {
  test('apply from then on, and only what the new source lists is known', async () => {
    const { inputs, sync, found } = setup();
    sync([loki('a'), loki('b')]);
    expect(await found()).toEqual(['a', 'b']);
    inputs.reconfigure({ ...OPTIONS, rules: { ...rules, detectors: [] } as never });
    expect(inputs.isSynced).toBe(false);
    inputs.reconfigure(OPTIONS);
    sync([loki('b')]);
    expect(inputs.isSynced).toBe(true);
    expect(await found()).toEqual(['b']);
  });

  test('are those that detection goes by', async () => {
    const { inputs, sync, found } = setup();
    sync([loki('a')]);
    inputs.reconfigure({ ...OPTIONS, detection: { ...detection, maxNamespaceServices: 1 } });
    sync([loki('a'), loki('b')]);
    expect(await found()).toEqual(['a']);
  });

  test('keep it for each cluster until that one was listed', async () => {
    const clusters = [HOME_CLUSTER, 'far'];
    const { inputs, sync, found } = setup(clusters);
    const far = { ...loki('b'), cluster: 'far' };
    sync([loki('a')]);
    sync([far], { cluster: 'far' });
    inputs.reconfigure(OPTIONS, clusters);
    sync([loki('a')]);
    sync([], { cluster: 'far', stale: ['monitoring'] });
    expect(await found()).toEqual(['a', 'b']);
  });

  test('keep the state of places that the new source cannot read, until it can', async () => {
    const { inputs, sync, found } = setup();
    sync([loki('a'), loki('b')]);
    inputs.reconfigure(OPTIONS);
    inputs.reconfigure(OPTIONS);
    sync([], { stale: ['monitoring'] });
    expect(await found()).toEqual(['a', 'b']);
    inputs.apply({ kind: 'delete', key: keyFor('monitoring/a') });
    sync([], { stale: ['monitoring'] });
    expect(await found()).toEqual(['b']);
    sync([]);
    expect(await found()).toEqual([]);
  });
});
