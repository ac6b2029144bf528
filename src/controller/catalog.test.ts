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

test('a replica that does not lead tells which documents have a backend, and not why', () => {
  const publication = { ...INPUTS.publication, decides: false };
  const leftOutOf = ({ name }: PublishedTool) => (name === a.tool ? ['custom_toolset.yaml'] : []);
  const { all, update, reasonOf } = catalog();
  update({ publication, leftOutOf });
  expect([reasonOf(0, 'Published'), reasonOf(1, 'Published')]).toEqual(['KnownByLeader', 'InToolset']);
  expect(all.backends.map((each) => each.leftOutOf)).toEqual([['custom_toolset.yaml'], []]);
  update({ publication: INPUTS.publication });
  expect([reasonOf(0, 'Published'), reasonOf(1, 'Published')]).toEqual(['InToolset', 'InToolset']);
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

  test('with other limits', () => {
    const { all, update, reasonOf } = catalog();
    const cut = {
      limit: 'namespace_tools',
      key: 'monitoring/a',
      why: 'too many',
      leftOutOf: 'a.yaml',
    } as const;
    update({ cuts: [cut] });
    expect([all.backends[0]?.leftOutOf, all.backends[1]?.leftOutOf]).toEqual([['a.yaml'], []]);
    update({ cuts: [] });
    expect([all.backends[0]?.leftOutOf, reasonOf(0, 'Published')]).toEqual([[], 'InToolset']);
  });

  test('if overrides no longer switch off another one of its Pods, because that is another product', () => {
    const { update, reasonOf } = catalog();
    const beside = { ...a, sharesPods: ['b'] };
    update({ found: [beside, b], overrides: overridesOf({ 'monitoring/b': { enabled: false } }) });
    expect(reasonOf(0, 'Published')).toBe('KeptForNow');
    update({ found: [beside, { ...b, type: 'tempo', detector: 'tempo' }] });
    expect(reasonOf(0, 'Published')).toBe('InToolset');
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
  const omission = { key: 'mine', tool: 'mine', why: 'needs some', cause: 'credentials' } as const;
  const omissions = [{ ...omission, leftOutOf: 'custom_toolset.yaml' }];
  update({ omissions });
  expect(all.ownTools).toEqual([{ published: mine, leftOutOf: ['custom_toolset.yaml'] }]);
  update({ publication: { ...INPUTS.publication, decides: false } });
  expect(all.ownTools).toEqual([{ published: mine, leftOutOf: undefined }]);
});

test('a backend tells which documents it is left out of, as far as this replica knows', () => {
  const { all, update } = catalog();
  const omission = { key: 'monitoring/a', tool: a.tool, why: 'needs some', cause: 'credentials' } as const;
  const leftOut = () => all.backends.map((each) => each.leftOutOf);
  update({ omissions: [{ ...omission, leftOutOf: 'custom_toolset.yaml' }] });
  expect(leftOut()).toEqual([['custom_toolset.yaml'], []]);
  update({ publication: { ...INPUTS.publication, decides: false } });
  expect(leftOut()).toEqual([undefined, undefined]);
});

describe('while a rollback holds', () => {
  const publication = { ...INPUTS.publication, rollback: 3 };
  /** One backend, with the entry point `one` and the other Service `two`. */
  const [one, two] = [discovered(loki('one')), discovered(loki('two'))];
  const both = { ...one, alternates: ['two'], members: ['one', 'two'].map((name) => ({ name, roles: [] })) };
  const toolOf = (found: DiscoveredService, name = found.tool): PublishedTool => ({
    ...(published(found)[0] as PublishedTool),
    name,
  });
  /** What is known of the backend, with these tools in the documents. */
  const backendWith = (tools: readonly PublishedTool[], more: Partial<CatalogInputs> = {}) => {
    const { all, update } = catalog();
    const [backend] = update({ found: [both], ids: idsOf(both), tools, publication, ...more });
    const { reason, message } = conditionOf(backend?.conditions ?? [], 'Published') ?? {};
    return { backend, reason, message, all, update };
  };

  test.each<[string, PublishedTool, string, string | undefined, string | undefined]>([
    ['of its entry point', toolOf(one), 'InToolset', one.tool, undefined],
    ['of its entry point under another name', toolOf(one, 'former'), 'InToolset', 'former', undefined],
    [
      'of its name that leads to another of its Services',
      toolOf(two, one.tool),
      'InToolset',
      one.tool,
      undefined,
    ],
    ['of another of its Services', toolOf(two), 'HeldByRollback', undefined, two.tool],
    [
      'of its name that another Service had',
      toolOf(discovered(loki('x')), one.tool),
      'HeldByRollback',
      undefined,
      undefined,
    ],
  ])('the documents have the tool %s', (_, tool, reason, own, instead) => {
    const { backend, all, ...is } = backendWith([tool]);
    expect([is.reason, backend?.published?.name, backend?.instead?.published.name]).toEqual([
      reason,
      own,
      instead,
    ]);
    expect(all.ownTools.map(({ published: each }) => each)).toEqual((own ?? instead) ? [] : [tool]);
  });

  test('a tool of another of its Services is none of a backend that is gone', () => {
    const { all, update } = backendWith([toolOf(one), toolOf(two)]);
    update();
    expect(all.backends).toHaveLength(1);
    expect(all.ownTools.map(({ published: { name } }) => name)).toEqual([two.tool]);
  });

  test('other documents without a tool make another object', () => {
    const { update } = backendWith([toolOf(one)]);
    const leftOutOf = (): string[] => ['a.yaml'];
    expect(update({ leftOutOf })[0]?.leftOutOf).toEqual(['a.yaml']);
    expect(update({ leftOutOf: () => [] })[0]?.leftOutOf).toEqual([]);
  });

  test('afterwards, a tool of any of its Services is its own until the next publication', () => {
    const { update, all } = backendWith([toolOf(two)]);
    update({ publication: INPUTS.publication });
    expect(all.backends[0]).toMatchObject({ published: { name: two.tool }, instead: undefined });
  });

  test('a tool with a URL from overrides is found by its name, and one of another place is not', () => {
    const { namespace: _, ...rest } = { ...toolOf(one), endpoint: 'https://x', metadata: {} };
    expect(backendWith([rest]).backend?.published).toBe(rest);
    const elsewhere = {
      ...toolOf(one),
      namespace: 'other',
      endpoint: 'http://one.other.svc.cluster.local:3100',
    };
    expect(backendWith([elsewhere]).backend?.published).toBeUndefined();
    const moved = { ...toolOf(one), namespace: 'shown as another' };
    expect(backendWith([moved]).backend?.published).toBe(moved);
  });

  test('the documents say where a tool is, its own or the other one', () => {
    const leftOutOf = ({ name }: PublishedTool) => (name === two.tool ? ['b.yaml'] : ['a.yaml']);
    const own = backendWith([toolOf(one)], { leftOutOf });
    expect([own.backend?.leftOutOf, own.reason, own.message]).toEqual([
      ['a.yaml'],
      'HeldByRollback',
      expect.stringMatching(/^left out of a\.yaml: the rollback/),
    ]);
    const { backend, message } = backendWith([toolOf(two)], { leftOutOf });
    expect(backend?.instead).toEqual({ published: toolOf(two), leftOutOf: ['b.yaml'] });
    expect(message).toContain(`the documents have the tool ${two.tool} at ${toolOf(two).endpoint}`);
    expect(backendWith([toolOf(two)]).backend?.instead?.leftOutOf).toEqual([]);
    const mine = { ...toolOf(one), name: 'mine', namespace: 'other' };
    expect(backendWith([mine], { leftOutOf }).all.ownTools).toEqual([
      { published: mine, leftOutOf: ['a.yaml'] },
    ]);
    const follower = { leftOutOf, publication: { ...publication, decides: false } };
    expect(backendWith([toolOf(two)], follower).backend?.instead?.leftOutOf).toBeUndefined();
    // Without a hold, the inputs decide.
    const unheld = backendWith([toolOf(one)], { leftOutOf, publication: INPUTS.publication });
    expect([unheld.backend?.leftOutOf, unheld.reason]).toEqual([[], 'InToolset']);
  });

  test.each([
    ['name', toolOf(one, 'former'), `, as the tool former at ${toolOf(one).endpoint}`],
    ['port', { ...toolOf(one), endpoint: 'http://one:1' }, `, as the tool ${one.tool} at http://one:1`],
    ['path only, as of a tenant', { ...toolOf(one), endpoint: `${toolOf(one).endpoint}/a` }, ''],
  ])('a tool with another %s is described as it is', (_, tool, text) => {
    expect(backendWith([tool], { leftOutOf: () => [] }).message).toBe(
      `it is in the published documents${text}`,
    );
  });

  test('a tool with a URL from overrides is as people want it', () => {
    const overrides = overridesOf({ 'monitoring/one': { endpoint: 'https://x' } });
    const tool = { ...toolOf(one), endpoint: 'https://x' };
    expect(backendWith([tool], { leftOutOf: () => [], overrides }).message).toBe(
      'it is in the published documents',
    );
  });

  test('another tool makes another object', () => {
    const { backend, update } = backendWith([toolOf(two)]);
    expect(update()[0]).toBe(backend);
    const [own] = update({ tools: [toolOf(one)] });
    expect(own?.instead).toBeUndefined();
    expect(update({ tools: [toolOf(one, 'former')] })[0]?.published?.name).toBe('former');
    expect(update({ tools: [toolOf(two)] })[0]?.instead?.published.name).toBe(two.tool);
    expect(update({ tools: [] })[0]?.instead).toBeUndefined();
    const leftOutOf = ({ name }: PublishedTool) => (name === 'former' ? ['a.yaml'] : []);
    expect(update({ tools: [toolOf(one)], leftOutOf })[0]?.leftOutOf).toEqual([]);
    expect(update({ tools: [toolOf(one, 'former')] })[0]?.leftOutOf).toEqual(['a.yaml']);
  });
});
