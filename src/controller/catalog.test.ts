import { describe, expect, test } from 'vitest';
import { discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { loki } from '../../test/fixtures/unit/engine.ts';
import { keyFor } from '../../test/fixtures/unit/service.ts';
import { toolset } from '../../test/fixtures/unit/toolset.ts';
import { conditionOf } from '../model/condition.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { keyOfService } from '../model/service.ts';
import { generate } from '../outputs/generate.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import type { Ids } from './backend-ids.ts';
import { Catalog, type CatalogInputs } from './catalog.ts';
import { toolKinds } from './pass.ts';

const GENERATION = { credentials: {}, holmesgptVersion: '0.32', kinds: toolKinds(rules) } as const;
const [a, b] = [discovered(loki('a')), discovered(loki('b'))];
const idsOf = (...found: readonly DiscoveredService[]): Ids =>
  new Map(found.map(({ service }) => [keyOfService(service), `id of ${service.name}`]));
const published = (...found: readonly DiscoveredService[]): readonly PublishedTool[] =>
  toolset(generate(found, { ...GENERATION, overrides: NO_OVERRIDES }).documents).tools;
const overridesOf = (tools: object): Overrides => overridesSchema.parse({ tools });

const INPUTS: CatalogInputs = {
  found: [a, b],
  ids: idsOf(a, b),
  tools: published(a, b),
  overrides: NO_OVERRIDES,
  policy: {},
  publication: {
    isKnown: true,
    rollback: undefined,
    overrideError: undefined,
    failure: undefined,
    decides: true,
  },
  cuts: [],
  omissions: [],
};

/** A catalog that is updated with what changes. */
function catalog() {
  const all = new Catalog();
  let inputs = INPUTS;
  const update = (change: Partial<CatalogInputs> = {}) => {
    inputs = { ...inputs, ...change };
    all.update(inputs, new Date(0));
    return all.backends;
  };
  update();
  const reasonOf = (index: number, condition: 'Healthy' | 'Published') =>
    conditionOf(all.backends[index]?.conditions ?? [], condition)?.reason;
  return { all, update, reasonOf };
}

test('a backend is found by its entry point', () => {
  const { all } = catalog();
  expect(all.of(keyFor('monitoring/b'))?.id).toBe('id of b');
  expect(all.of(keyFor('monitoring/c'))).toBeUndefined();
});

describe('an unchanged backend is the same object', () => {
  test.each<[string, Overrides]>([
    ['without overrides', NO_OVERRIDES],
    ['with overrides that switch nothing off', overridesOf({ 'b.monitoring': { description: 'Ours.' } })],
  ])('%s', (_, overrides) => {
    const { all, update } = catalog();
    const [first] = update({ overrides });
    expect(update({ found: [a, { ...b }] })[0]).toBe(first);
    expect(all.backends).toHaveLength(2);
  });
});

describe('a backend is a new object', () => {
  test('with another id', () => {
    const { update } = catalog();
    expect(update({ ids: new Map([...idsOf(a, b), [keyFor('monitoring/a'), 'other']]) })[0]?.id).toBe(
      'other',
    );
  });

  test('with another published tool', () => {
    const { update } = catalog();
    const tools = published(a, b).map((tool) => ({ ...tool, description: 'new' }));
    expect(update({ tools })[0]?.published?.description).toBe('new');
  });

  test('in an outage, and after it', () => {
    const { update, reasonOf } = catalog();
    expect(reasonOf(0, 'Healthy')).toBe('ProbeSucceeded');
    update({ isOutage: true });
    expect(reasonOf(0, 'Healthy')).toBe('Unreachable');
    update({ isOutage: false });
    expect(reasonOf(0, 'Healthy')).toBe('ProbeSucceeded');
  });
});

test('a backend that is no longer found stays while its tool is published, once', () => {
  const { all, update } = catalog();
  const gone = update({ found: [a], ids: idsOf(a) });
  expect(gone.map(({ id, isFound }) => [id, isFound])).toEqual([
    ['id of a', true],
    ['id of b', false],
  ]);
  expect(all.of(keyFor('monitoring/b'))?.isFound).toBe(false);
  expect(update({ tools: published(a) }).map(({ id }) => id)).toEqual(['id of a']);
  expect(all.of(keyFor('monitoring/b'))).toBeUndefined();
  expect(all.ownTools).toEqual([]);
});

test('a tool without a known backend is a custom one', () => {
  const { all, update } = catalog();
  const mine = { ...(published(a)[0] as PublishedTool), name: 'mine', namespace: 'other' };
  update({ tools: [...published(a, b), mine] });
  expect(all.ownTools).toEqual([{ published: mine, leftOutOf: [] }]);
});
