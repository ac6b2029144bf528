import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assignIds, type BackendGroup, type BackendId } from './backend-id.ts';

/** A group of Services `name@time`, or `name` without a time. */
const group = (...members: string[]): BackendGroup => ({
  namespace: 'shop',
  members: members.map((text) => {
    const [name = '', created] = text.split('@');
    return {
      name,
      roles: [],
      ...(created === undefined ? {} : { created: `2026-01-0${created}T00:00:00Z` }),
    };
  }),
});

const known = (...groups: (readonly [BackendId, BackendGroup])[]): Map<BackendId, BackendGroup> =>
  new Map(groups);

test('a backend is named after its oldest Service, in any order; Services without a time come last', () => {
  expect(assignIds([group('b@2', 'a@3', 'c@1')], new Map())).toEqual(['shop/c']);
  expect(assignIds([group('a', 'b@9')], new Map())).toEqual(['shop/b']);
  expect(assignIds([group('b', 'a')], new Map())).toEqual(['shop/a']);
});

test('a backend keeps its id when an older Service joins, and when the namesake Service is deleted', () => {
  const before = known(['shop/b', group('b@2', 'c@3')]);
  expect(assignIds([group('a@1', 'b@2', 'c@3')], before)).toEqual(['shop/b']);
  expect(assignIds([group('c@3')], before)).toEqual(['shop/b']);
});

test('when a backend splits, the part with the namesake keeps the id, even if others are older', () => {
  const before = known(['shop/b', group('a@1', 'b@2', 'c@3')]);
  expect(assignIds([group('a@1', 'c@3'), group('b@2')], before)).toEqual(['shop/a', 'shop/b']);
});

test('when a backend without its namesake splits, the part with the older Service keeps the id', () => {
  const before = known(['shop/x', group('a@1', 'b@2', 'c@3')]);
  expect(assignIds([group('b@2', 'c@3'), group('a@1')], before)).toEqual(['shop/b', 'shop/x']);
});

test('merged backends keep the id of a namesake, and of several the oldest', () => {
  const before = known(['shop/c', group('c@3')], ['shop/b', group('b@2')], ['shop/x', group('a@1')]);
  expect(assignIds([group('a@1', 'b@2', 'c@3')], before)).toEqual(['shop/b']);
});

test('a Service that returns alone does not get the id of others with its name', () => {
  const before = known(['shop/a', group('b@2')]);
  expect(assignIds([group('a@5'), group('b@2')], before)).toEqual(['shop/a.2', 'shop/a']);
});

test('an id that was in use recently is not given to another backend', () => {
  const before = known(['shop/a', group('b@2')]);
  expect(assignIds([group('a@5')], before)).toEqual(['shop/a.2']);
});

test('the same name in another namespace is another backend', () => {
  const there = { ...group('a@1'), namespace: 'bank' };
  expect(assignIds([there], known(['shop/a', group('a@1')]))).toEqual(['bank/a']);
});

/** A discovery: Services with ages, divided into backends, in any order. */
const discovery = fc
  .array(
    fc.record({ name: fc.constantFrom(...'abcdefg'), age: fc.nat(4), backend: fc.nat(3), at: fc.nat() }),
    {
      maxLength: 8,
    },
  )
  .map((services) => {
    const distinct = [...new Map(services.map((each) => [each.name, each])).values()].sort(
      (a, b) => a.at - b.at,
    );
    return [...Map.groupBy(distinct, ({ backend }) => backend).values()].map((all) =>
      group(...all.map(({ name, age }) => (age === 0 ? name : `${name}@${age}`))),
    );
  });

const names = ({ members }: BackendGroup): readonly string[] => members.map(({ name }) => name);
const share = (one: BackendGroup, other: BackendGroup): boolean =>
  names(one).some((name) => names(other).includes(name));

test('for any discoveries: no id is shared, and a backend keeps its id unless it merges or splits', () => {
  fc.assert(
    fc.property(fc.array(discovery, { maxLength: 6 }), (discoveries) => {
      let before = new Map<BackendId, BackendGroup>();
      for (const groups of discoveries) {
        const ids = assignIds(groups, before);
        expect(new Set(ids).size).toBe(groups.length);
        for (const [index, each] of groups.entries()) {
          const [ancestor, ...others] = [...before].filter(([, old]) => share(old, each));
          if (ancestor === undefined) {
            expect([...before.keys()]).not.toContain(ids[index]);
            continue;
          }
          const [id, old] = ancestor;
          const heirs = groups.filter((other) => share(old, other));
          if (others.length === 0 && heirs.length === 1) expect(ids[index]).toBe(id);
        }
        before = new Map(groups.map((each, index) => [ids[index] ?? '', each]));
      }
    }),
  );
});

test('for any backends: ids do not depend on the order of backends and Services', () => {
  fc.assert(
    fc.property(discovery, discovery, fc.infiniteStream(fc.nat()), (first, second, chance) => {
      const shuffled = <T>(items: readonly T[]): T[] =>
        items
          .map((item) => ({ item, at: chance.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ item }) => item);
      const ids = assignIds(first, new Map());
      const before = new Map(first.map((each, index) => [ids[index] ?? '', each]));
      const byGroup = (groups: readonly BackendGroup[]) => {
        const given = assignIds(groups, new Map(shuffled([...before])));
        return Object.fromEntries(
          groups.map(({ members }, index) => [
            members
              .map(({ name }) => name)
              .sort()
              .join(),
            given[index],
          ]),
        );
      };
      const mixed = shuffled(second.map((each) => ({ ...each, members: shuffled(each.members) })));
      expect(byGroup(mixed)).toEqual(byGroup(second));
    }),
  );
});
