import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { offered } from '../../test/fixtures/unit/service.ts';
import { byPrecedence, namespaceOf } from './budget.ts';
import { type Division, divide, type ShardRoom } from './division.ts';
import { discoveredTool, type Tool } from './tools.ts';

const template = discoveredTool(discovered(offered('template')));

/** A tool of a Service. @param age the higher, the younger */
const toolOf = (namespace: string, number: number, age = number, pinned = false): Tool => ({
  ...template,
  key: `${namespace}/s${number}`,
  namespace,
  tool: `s${number}.${namespace}`,
  created: new Date(Date.UTC(2026, 0, 1) + age * 1000).toISOString(),
  pinned,
});

const many = (namespace: string, count: number): Tool[] =>
  Array.from({ length: count }, (_, number) => toolOf(namespace, number));

const SIZE = 600;
const sizesOf = (tools: readonly Tool[]) => new Map(tools.map((tool) => [tool, SIZE]));
const ordered = (tools: readonly Tool[]): Tool[] => byPrecedence(tools, new Map());
const divided = (tools: readonly Tool[], room: ShardRoom): Division =>
  divide(ordered(tools), sizesOf(tools), room);

/** The number of the ConfigMap of each tool. */
const places = ({ shards }: Division): Map<string, number> =>
  new Map(shards.flatMap((tools, index) => tools.map(({ key }) => [key, index + 1] as const)));

/** The ConfigMaps that differ between two divisions. */
const changedShards = (a: Division, b: Division): number[] => {
  const keys = ({ shards }: Division, index: number) =>
    (shards[index] ?? [])
      .map(({ key }) => key)
      .sort()
      .join();
  const most = Math.max(a.shards.length, b.shards.length);
  return Array.from({ length: most }, (_, index) => index).filter(
    (index) => keys(a, index) !== keys(b, index),
  );
};

/** Tools of some namespaces, of any size and age. */
const someTools = fc
  .uniqueArray(
    fc.record({
      namespace: fc.constantFrom('a', 'b', 'c', 'd'),
      number: fc.nat(500),
      age: fc.nat(1000),
      pinned: fc.boolean().map((flag) => flag && true),
      size: fc.integer({ min: 100, max: 2_000 }),
    }),
    { selector: ({ namespace, number }) => `${namespace}/${number}`, maxLength: 300 },
  )
  .map((all) => {
    const tools = all.map(({ namespace, number, age, pinned }) =>
      toolOf(namespace, number, age, pinned && number % 20 === 0),
    );
    return { tools, sizes: new Map(tools.map((tool, index) => [tool, all[index]?.size ?? 0])) };
  });

describe('tools are divided', () => {
  const room: ShardRoom = { first: 30_000, each: 60_000, most: 4 };

  test('so that each is in exactly one ConfigMap or left out, and no ConfigMap is too large', () => {
    fc.assert(
      fc.property(someTools, ({ tools, sizes }) => {
        const { shards, beyond } = divide(ordered(tools), sizes, room);
        expect([...shards.flat(), ...beyond].map(({ key }) => key).sort()).toEqual(
          tools.map(({ key }) => key).sort(),
        );
        expect(shards.length).toBeLessThanOrEqual(room.most);
        for (const [index, shard] of shards.entries())
          expect(shard.reduce((sum, tool) => sum + (sizes.get(tool) ?? 0), 0)).toBeLessThanOrEqual(
            index === 0 ? room.first : room.each,
          );
        expect([...beyond].some(({ pinned }) => pinned)).toBe(false);
      }),
    );
  });

  test('none is left out while they fit into the guaranteed size of the ConfigMaps', () => {
    fc.assert(
      fc.property(someTools, ({ tools, sizes }) => {
        const bytes = [...sizes.values()].reduce((sum, each) => sum + each, 0);
        const least = (room.first * 7) / 8 + (3 * room.each * 7) / 8 - 4 * 2_000;
        fc.pre(bytes <= least);
        expect(divide(ordered(tools), sizes, room).beyond.size).toBe(0);
      }),
    );
  });

  test('by rank: of each namespace, the older Services are in the earlier ConfigMaps', () => {
    fc.assert(
      fc.property(someTools, ({ tools, sizes }) => {
        const { shards } = divide(ordered(tools), sizes, { ...room, most: 16 });
        const place = new Map(shards.flatMap((shard, index) => shard.map((tool) => [tool, index] as const)));
        for (const all of Map.groupBy(ordered(tools.filter(({ pinned }) => !pinned)), namespaceOf).values()) {
          const numbers = all.map((tool) => place.get(tool) ?? -1);
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        }
        const rest = shards.slice(1).flatMap((shard) => shard.filter(({ pinned }) => !pinned));
        expect(rest).toEqual(ordered(rest));
      }),
    );
  });

  test('independently of what is published', () => {
    fc.assert(
      fc.property(someTools, fc.nat(), ({ tools, sizes }, seed) => {
        const published = new Map(
          tools
            .slice(seed % (tools.length + 1))
            .flatMap(({ members }) => members.map((key) => [key, { at: 0 }])),
        );
        const all = { ...room, most: 16 };
        expect(divide(byPrecedence(tools, published), sizes, all)).toEqual(
          divide(ordered(tools), sizes, all),
        );
      }),
    );
  });

  test("operators' tools come first, and each namespace's share of the first ConfigMap is fair", () => {
    const tools = [...many('big', 200), ...many('small', 5).map((tool) => ({ ...tool, created: '2027' }))];
    const person = toolOf('big', 999, 9_999, true);
    const first = divided([...tools, person], room).shards[0]?.map(({ key }) => key) ?? [];
    expect(first).toContain('big/s999');
    expect(first.filter((key) => key.startsWith('small/'))).toHaveLength(5);
    expect(first).toContain('big/s0');
  });

  test("operators' tools all come first, even those of one namespace", () => {
    const people = many('big', 40).map((tool) => ({ ...tool, pinned: true }));
    const first = divided([...people, ...many('a', 50), ...many('b', 50)], room).shards[0] ?? [];
    expect(first.filter(({ pinned }) => pinned)).toHaveLength(40);
  });

  test("operators' tools stay, even if there are too many for the ConfigMaps", () => {
    const tools = many('a', 500).map((tool) => ({ ...tool, pinned: true }));
    const { shards, beyond } = divided([...tools, toolOf('b', 1)], room);
    expect(shards).toHaveLength(room.most);
    expect(shards.flat()).toHaveLength(500);
    expect([...beyond].map(({ key }) => key)).toEqual(['b/s1']);
  });

  test('no more are left out than do not fit, of the namespaces with the most', () => {
    const { shards, beyond } = divided([...many('big', 500), ...many('small', 20)], room);
    expect(shards).toHaveLength(room.most);
    expect(shards.flat().length * SIZE).toBeGreaterThan(((room.first + 3 * room.each) * 7) / 8);
    expect([...beyond].filter(({ namespace }) => namespace === 'small')).toEqual([]);
    // The oldest stay.
    expect(shards.flat().map(({ key }) => key)).toContain('big/s200');
  });

  test.each<[string, number, number, readonly number[]]>([
    ['tools that fill ConfigMaps exactly fill them', SIZE * 8, 81, [...Array(10).fill(8), 1]],
    ['large tools are together as far as they fit', SIZE * 2.5, 7, [2, 2, 2, 1]],
    ['tools larger than a ConfigMap are alone, in others than the first', SIZE - 1, 3, [0, 1, 1, 1]],
  ])('%s', (_, bytes, count, expected) => {
    const { shards, beyond } = divided(many('a', count), { first: bytes, each: bytes, most: 16 });
    expect(shards.map(({ length }) => length)).toEqual(expected);
    expect(beyond.size).toBe(0);
  });

  test('if all fit into the first, there is no second', () => {
    expect(divided(many('a', 50), room)).toMatchObject({ shards: [{ length: 50 }], beyond: new Set() });
    expect(divided([], room)).toMatchObject({ shards: [[]] });
  });
});

describe('the division is stable', () => {
  const room: ShardRoom = { first: 440 * 1024, each: 899 * 1024, most: 4 };
  const namespaces = Array.from({ length: 30 }, (_, index) => `team-${index}`);
  // Ages of the namespaces are interleaved, as in a cluster that grows.
  const tools = namespaces.flatMap((namespace, index) =>
    Array.from({ length: 120 }, (_, number) => toolOf(namespace, number, number * 30 + index)),
  );
  const before = divided(tools, room);

  test('into four here', () => {
    expect(before.shards).toHaveLength(4);
  });

  test('and all but the last are full, except for an eighth', () => {
    const bytes = before.shards.map(({ length }) => length * SIZE);
    expect(bytes[0]).toBeGreaterThan((room.first * 7) / 8);
    for (const each of bytes.slice(1, -1)) expect(each).toBeGreaterThan((room.each * 7) / 8);
  });

  test('one tool more or less moves few others, usually none', () => {
    let moves = 0;
    let shards = 0;
    let runs = 0;
    const check = (after: Division): void => {
      const then = places(before);
      const moved = [...places(after)].filter(([key, place]) => (then.get(key) ?? place) !== place).length;
      expect(moved).toBeLessThan(tools.length / 4);
      moves += moved;
      shards += changedShards(before, after).length;
      runs += 1;
    };
    for (const [index, namespace] of namespaces.slice(0, 6).entries()) {
      for (const age of [index, 1_000, 3_000, 9_000])
        check(divided([...tools, toolOf(namespace, 900, age)], room));
      check(divided([...tools, toolOf(`new-${namespace}`, 1, 9_000 + index)], room));
      for (const number of [0, 30, 60, 119])
        check(
          divided(
            tools.filter(({ key }) => key !== `${namespace}/s${number}`),
            room,
          ),
        );
    }
    expect(moves / runs).toBeLessThan(1);
    expect(shards / runs).toBeLessThan(1.3);
  });
});
