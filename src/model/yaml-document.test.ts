import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { SHAPES } from '../../test/fixtures/unit/hostile-yaml.ts';
import { ALIASED, ALIASES, DEPTH, readDocument, SMALL } from './yaml-document.ts';
import { MAX_FAULTS, readPlacedYaml, readYaml } from './yaml-text.ts';

const faultsOf = (text: string): string[] => readDocument(text, SMALL).faults.map(({ message }) => message);

/** Elements of arrays that are looked at by methods while something is done: what is quadratic walks them again and again. */
function steps(work: () => unknown): number {
  const prototype = Array.prototype as unknown as Record<string, (...given: unknown[]) => unknown>;
  const names = [
    'some',
    'every',
    'find',
    'findIndex',
    'includes',
    'indexOf',
    'concat',
    'slice',
    'map',
    'filter',
  ];
  const kept = names.map((name) => [name, prototype[name]] as const);
  let count = 0;
  for (const [name, method] of kept)
    prototype[name] = function (this: unknown[], ...given: unknown[]) {
      count += this.length;
      return method?.apply(this, given);
    };
  try {
    work();
  } finally {
    for (const [name, method] of kept) if (method !== undefined) prototype[name] = method;
  }
  return count;
}

describe.each(Object.entries(SHAPES))('%s', (_, shape) => {
  test.each(['1.1', '1.2'] as const)('work grows linearly, in YAML %s', (version) => {
    const limits = { bytes: 1024 * 1024, tokens: 1_000_000 };
    const read = (size: number) => {
      const text = shape(size);
      return steps(() => readPlacedYaml(text, z.record(z.string(), z.boolean()), { limits, version }));
    };
    expect(read(4_000)).toBeLessThan(2.5 * read(2_000) + 2_000);
  });

  test('only a few faults are described, each briefly', () => {
    const read = readYaml(shape(SMALL.bytes / 8), z.record(z.string(), z.boolean()), { limits: SMALL });
    if (!('faults' in read)) return;
    expect(read.faults.length).toBeLessThanOrEqual(MAX_FAULTS);
    expect(JSON.stringify(read.faults).length).toBeLessThan(MAX_FAULTS * 1_000);
  });
});

describe('limits', () => {
  test('on bytes, not characters', () => {
    expect(faultsOf(`# ${'\u{1f600}'.repeat(SMALL.bytes / 8)}`)).toEqual([]);
    expect(faultsOf(`# ${'\u{1f600}'.repeat(SMALL.bytes / 4)}`)).toEqual([
      'longer than 256 KiB, the limit; shorten it',
    ]);
  });

  test('on content', () => {
    expect(faultsOf(`[${'a,'.repeat(20_000)}]`)).toEqual([]);
    expect(faultsOf(`[${'a,'.repeat(100_000)}]`)).toEqual([
      'more than 100000 tokens (words, signs, line breaks), the limit; shorten it',
    ]);
  });

  test.each([
    ['flow lists', (depth: number) => '['.repeat(depth) + ']'.repeat(depth)],
    ['flow mappings', (depth: number) => '{a: '.repeat(depth) + '}'.repeat(depth)],
    ['block lists', (depth: number) => `${'- '.repeat(depth)}a`],
    [
      'block mappings',
      (depth: number) => `${Array.from({ length: depth }, (_, level) => ' '.repeat(level)).join('a:\n')}a: 1`,
    ],
  ])('on depth: %s', (_, nested) => {
    expect(faultsOf(nested(DEPTH - 1))).toEqual([]);
    for (const depth of [DEPTH + 3, 1_000, 20_000])
      expect(faultsOf(nested(depth)).at(0)).toMatch(/nested more than 100 deep|longer than/);
  });

  test('on aliases, and on their expansion', () => {
    const times = (count: number, size: number) =>
      faultsOf(`a: &a [${'x,'.repeat(size)}]\nb: [${'*a,'.repeat(count)}]`);
    expect(times(ALIASES, 10)).toEqual([]);
    expect(times(ALIASES + 1, 10)).toEqual([
      'more than 100 aliases, the limit; write the values of some instead',
    ]);
    expect(times(10, ALIASED / 10 - 1)).toEqual([]);
    expect(times(10, ALIASED / 10)).toEqual([
      'its aliases stand for more than 5000 values, the limit; use fewer of them',
    ]);
  });
});

describe('faults that the library does not report, or without a place', () => {
  test.each([
    ['a key twice', 'a: 1\nb: 2\na: 3\n', [10, 'duplicate key; remove one']],
    ['a key twice, by an alias', '&k a: 1\n*k : 3\n', [8, 'duplicate key; remove one']],
    ['an alias of nothing', 'a: *b\n', [3, expect.stringContaining('an alias (*) without an anchor')]],
    ['a list as a key', '? [a]\n: 1\n', [2, 'a key is a string, and this is a list or a mapping']],
    ['__proto__', 'a:\n  __proto__: 1\n', [5, '__proto__ is not allowed as a key']],
    [
      'two documents',
      'a: 1\n---\nb: 1\n',
      [5, 'a second document begins here, and one is read; take out the line ---'],
    ],
  ] as const)('%s', (_, text, [offset, message]) => {
    expect(readDocument(text, SMALL).faults).toMatchObject([{ offset, message }]);
  });

  test('similar keys that are not equal are two keys', () => {
    expect(faultsOf('1: a\n"1": b\nnull: c\n"": d\n')).toEqual([]);
  });
});

test('each of many faults has its own place', () => {
  const read = readYaml(
    'a: 1\nb: {c: [x, true, y]}\n',
    z.record(z.string(), z.object({ c: z.array(z.boolean()) })),
  );
  expect('faults' in read && read.faults.map(({ line, column }) => [line, column])).toEqual([
    [1, 4],
    [2, 9],
    [2, 18],
  ]);
});
