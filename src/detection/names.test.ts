import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { offered } from '../../test/fixtures/unit/service.ts';
import { toolset } from '../../test/fixtures/unit/toolset.ts';
import type { Candidate } from '../model/discovery.ts';
import { assignNames, type Holder, NO_NAMING, namesOf, publishedNames } from './names.ts';

const asks = (key: string, name: string, created?: string): Candidate => {
  const [namespace = '', service = ''] = key.split('/');
  return candidate(offered(service, { name }, { namespace, ...(created === undefined ? {} : { created }) }));
};
const published = (...tools: readonly object[]): Map<string, Holder> =>
  publishedNames(toolset({ 'toolset.json': JSON.stringify({ tools }) }).tools);
const named = (...args: Parameters<typeof assignNames>): Record<string, string> =>
  Object.fromEntries(
    assignNames(...args).candidates.map(({ service, tool }) => [
      `${service.namespace}/${service.name}`,
      tool,
    ]),
  );

describe('a name that two Services request', () => {
  const old = asks('shop/z', 'orders', '2026-01-01T00:00:00Z');
  const young = asks('evil/a', 'orders', '2026-02-01T00:00:00Z');

  test('goes to the older Service; only the newer one is renamed and reported', () => {
    const { candidates, problems } = assignNames([young, old], NO_NAMING);
    expect(candidates.map(({ tool }) => tool)).toEqual(['a.evil', 'orders']);
    expect(problems).toEqual([
      {
        where: 'Service evil/a',
        what: 'asks for the tool name orders, and is called a.evil: Service shop/z has that name',
        fix: 'give it another name',
      },
    ]);
  });

  test('stays with the Service that is published under it, even if the other one is older', () => {
    const held = published({ name: 'orders', namespace: 'evil', metadata: { service: 'a' } });
    expect(named([young, old], { ...NO_NAMING, held })).toEqual({ 'evil/a': 'orders', 'shop/z': 'z.shop' });
  });

  test('is free again when its holder requests another, or is gone', () => {
    const held = published({ name: 'orders', namespace: 'shop', metadata: { service: 'gone' } });
    expect(named([young], { ...NO_NAMING, held })).toEqual({ 'evil/a': 'orders' });
  });

  test('is decided by namespace and name as a last resort; a known age comes before none', () => {
    expect(named([asks('b/a', 'x'), asks('a/b', 'x')], NO_NAMING)).toEqual({ 'b/a': 'a.b', 'a/b': 'x' });
    const dated = asks('b/a', 'x', '2026-01-01T00:00:00Z');
    expect(named([dated, asks('a/b', 'x')], NO_NAMING)).toEqual({ 'b/a': 'x', 'a/b': 'b.a' });
  });

  test("goes to neither if an operator's tool has it", () => {
    const held = published({ name: 'orders', namespace: 'shop', metadata: { service: 'z' } });
    const { candidates, problems } = assignNames([old, young], { held, reserved: new Set(['orders']) });
    expect(candidates.map(({ tool }) => tool)).toEqual(['z.shop', 'a.evil']);
    expect(problems.map(({ where }) => where).sort()).toEqual(['Service evil/a', 'Service shop/z']);
    expect(problems[0]?.what).toContain('overrides.yaml has that name');
  });

  test('is the same name in any case', () => {
    const upper = asks('evil/a', 'ORDERS', '2026-02-01T00:00:00Z');
    expect(named([upper, old], NO_NAMING)).toEqual({ 'evil/a': 'a.evil', 'shop/z': 'orders' });
    const reserved = { ...NO_NAMING, reserved: new Set(['orders']) };
    expect(named([upper], reserved)).toEqual({ 'evil/a': 'a.evil' });
  });

  test.each(['default', 'Default', 'instance-0', 'INSTANCE-17'])(
    'goes to neither if HolmesGPT has it: %s',
    (name) => {
      const { candidates, problems } = assignNames([asks('evil/a', name)], NO_NAMING);
      expect(candidates.map(({ tool }) => tool)).toEqual(['a.evil']);
      expect(problems[0]?.what).toContain('HolmesGPT gives that name to backends without one');
    },
  );
});

describe('a backend of several Services', () => {
  const member = (chosen: string, other: string, displayNames: readonly string[] = []): Candidate => ({
    ...candidate(offered(chosen, {})),
    tool: `${chosen}.monitoring`,
    alternates: [other],
    displayNames,
  });

  test('keeps its published name when another of its Services becomes the entry point', () => {
    const before = assignNames([member('a', 'b')], NO_NAMING).candidates;
    const held = published({
      name: 'a.monitoring',
      namespace: 'monitoring',
      metadata: { service: 'a', alternates: 'b' },
    });
    for (const each of [held, namesOf(before)])
      expect(named([member('b', 'a')], { ...NO_NAMING, held: each })).toEqual({
        'monitoring/b': 'a.monitoring',
      });
  });

  test('keeps a display name that another member requests', () => {
    const held = published({
      name: 'logs',
      namespace: 'monitoring',
      metadata: { service: 'a', alternates: 'b' },
    });
    const now = member('b', 'a', ['other', 'logs']);
    expect(named([now], { ...NO_NAMING, held })).toEqual({ 'monitoring/b': 'logs' });
    expect(named([now], NO_NAMING)).toEqual({ 'monitoring/b': 'b.monitoring' });
    expect(named([{ ...now, displayName: 'other' }], NO_NAMING)).toEqual({ 'monitoring/b': 'other' });
    expect(named([{ ...now, displayName: 'other' }], { ...NO_NAMING, held })).toEqual({
      'monitoring/b': 'logs',
    });
  });

  test('is not renamed by another member, even one that had the name', () => {
    const held = published(
      { name: 'b.monitoring', namespace: 'monitoring', metadata: { service: 'b' } },
      { name: 'evil', namespace: 'monitoring', metadata: { service: 'a' } },
    );
    expect(named([member('b', 'a', ['evil'])], { ...NO_NAMING, held })).toEqual({
      'monitoring/b': 'b.monitoring',
    });
  });

  test('keeps its display name when a member leaves it that requests the same', () => {
    const held = published({
      name: 'logs',
      namespace: 'monitoring',
      metadata: { service: 'b', alternates: 'a' },
    });
    const asking = (name: string): Candidate => ({
      ...candidate(offered(name)),
      displayName: 'logs',
      displayNames: ['logs'],
    });
    expect(named([asking('a'), asking('b')], { ...NO_NAMING, held })).toEqual({
      'monitoring/a': 'a.monitoring',
      'monitoring/b': 'logs',
    });
  });

  test('keeps its name even with an entry point that is new to it', () => {
    const held = published({ name: 'logs', namespace: 'monitoring', metadata: { service: 'a' } });
    expect(named([member('b', 'a', ['logs'])], { ...NO_NAMING, held })).toEqual({ 'monitoring/b': 'logs' });
  });

  test('keeps the default name of a Service that is gone, also when that one is created again', () => {
    const [a, both] = [candidate(offered('a')), member('a', 'b')];
    let held = namesOf(assignNames([both], NO_NAMING).candidates);
    const next = (...candidates: readonly Candidate[]) => {
      const { candidates: given } = assignNames(candidates, { ...NO_NAMING, held });
      held = namesOf(given);
      return Object.fromEntries(given.map(({ service, tool }) => [service.name, tool]));
    };
    const alone = candidate(offered('b'));
    for (let pass = 0; pass < 3; pass++) expect(next(alone)).toEqual({ b: 'a.monitoring' });
    expect(next(both)).toEqual({ a: 'a.monitoring' });
    expect(next(alone)).toEqual({ b: 'a.monitoring' });
    // One of its own has the name that is its own.
    for (let pass = 0; pass < 2; pass++)
      expect(next(alone, a)).toEqual({ a: 'a.monitoring', b: 'b.monitoring' });
  });

  test('returns a default name to its Service when the backend splits', () => {
    const held = published({
      name: 'a.monitoring',
      namespace: 'monitoring',
      metadata: { service: 'b', alternates: 'a' },
    });
    const [a, b] = [candidate(offered('a')), candidate(offered('b'))];
    expect(named([a, b], { ...NO_NAMING, held })).toEqual({
      'monitoring/a': 'a.monitoring',
      'monitoring/b': 'b.monitoring',
    });
  });
});

test('tools without a Service hold no names', () => {
  expect(published({ name: 'a' }, { name: 'b', namespace: 'c' }).size).toBe(0);
});

test('names are unique, independent of order, and stable when they are assigned again', () => {
  const key = fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom('p', 'q', 'r'), fc.constantFrom('x', 'y'));
  const time = fc.constantFrom(undefined, '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z');
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(key, time), {
        selector: ([[namespace, name]]) => `${namespace}/${name}`,
        maxLength: 6,
      }),
      fc.boolean(),
      (all, isReserved) => {
        const reserved = new Set(isReserved ? ['x'] : []);
        const candidates = all.map(([[namespace, name, wanted], created]) =>
          asks(`${namespace}/${name}`, wanted, created),
        );
        const first = assignNames(candidates, { held: new Map(), reserved });
        const tools = first.candidates.map(({ tool }) => tool);
        expect(new Set(tools).size).toBe(tools.length);
        expect(tools).not.toContain(isReserved ? 'x' : '');
        expect(named(candidates.toReversed(), { held: new Map(), reserved })).toEqual(
          named(candidates, { held: new Map(), reserved }),
        );
        const again = assignNames(candidates, { held: namesOf(first.candidates), reserved });
        expect(again.candidates.map(({ tool }) => tool)).toEqual(tools);
      },
    ),
  );
});

test('names are unique whatever was held, and whatever the members of backends are', () => {
  const names = ['p', 'q', 'r', 's'];
  const some = fc.subarray(names);
  const name = fc.constantFrom('x', 'y', ...names.map((each) => `${each}.monitoring`));
  const holder = fc.tuple(name, fc.subarray(names, { minLength: 1 }));
  const backend = fc.record({ alternates: some, asks: fc.constantFrom(undefined, 'x', 'y') });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }),
      fc.array(backend, { minLength: 4, maxLength: 4 }),
      fc.uniqueArray(holder, { selector: ([each]) => each }),
      (entryPoints, backends, holders) => {
        const candidates = entryPoints.map((entryPoint, index): Candidate => {
          const { alternates = [], asks: wanted } = backends[index] ?? {};
          return {
            ...candidate(offered(entryPoint)),
            alternates: alternates.filter((each) => each !== entryPoint),
            displayName: wanted,
            displayNames: wanted === undefined ? [] : [wanted],
          };
        });
        const held = new Map(
          holders.map(([each, members]) => [each, { cluster: '', namespace: 'monitoring', members }]),
        );
        const given = named(candidates, { ...NO_NAMING, held });
        expect(new Set(Object.values(given)).size).toBe(candidates.length);
        // Nobody has the default name of another one's entry point.
        for (const [key, tool] of Object.entries(given))
          for (const other of entryPoints)
            if (key !== `monitoring/${other}`) expect(tool).not.toBe(`${other}.monitoring`);
        expect(named(candidates.toReversed(), { ...NO_NAMING, held })).toEqual(given);
      },
    ),
    { numRuns: 2_000 },
  );
});
