import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAst } from 'vitest/node';
import { findMutations, withSwitches } from './mutations.ts';

const root = join(import.meta.dirname, '../..');

/** The source after each of its mutations. */
const mutantsOf = (source: string): string[] =>
  findMutations(source).map(
    ({ start, end, replacement }) => source.slice(0, start) + replacement + source.slice(end),
  );

describe('the mutants of a source', () => {
  test.for<[what: string, source: string, mutants: string[]]>([
    ['a condition', 'if (a) b();', ['if (false) b();', 'if (true) b();']],
    [
      'the parts of a condition',
      'x = a && (b || c)',
      ['x = true && (b || c)', 'x = a && (true)', 'x = a && (false || c)', 'x = a && (b || false)', ''],
    ],
    ['a boundary', 'f(a < b)', ['f(a <= b)', 'f(a >= b)', '']],
    ['a default', 'f(a ?? b)', ['', 'f(a)', 'f(b)']],
    ['an assignment', 'a ??= b', ['', 'a = b']],
    ['numbers', 'f(1, 4_000)', ['', 'f(2, 4_000)', 'f(1, 40000)']],
    ['elements', 'f([a, ...b])', ['', 'f([, ...b])', 'f([a, ...])']],
    ['methods', 'f(a.filter(b).some(c))', ['', 'f(a.filter(b).every(c))', 'f(a.some(c))']],
    ['neither texts nor types', "const a: 1 | 2 = f('x', `y`);", []],
  ])('change %s', ([, source, mutants]) => {
    expect(mutantsOf(source).sort()).toEqual(mutants.sort());
  });
});

test('a switch runs its mutant, and without a switch, the program is unchanged', () => {
  const source = 'return [1].map((n) => (n > 0 && list?.filter((x) => x).length === 2 ? "many" : "few"));';
  const run = new Function(
    '__mutant',
    'list',
    withSwitches(`function f(list) { ${source} }`, 0).replace(/\nfunction __mutant.*/, '\nreturn f(list);'),
  );
  const results = findMutations(`function f(list) { ${source} }`).map((_, id) =>
    String(run((asked: number) => asked === id, [1, 0, 1])),
  );
  expect(run(() => false, [1, 0, 1])).toEqual(['many']);
  expect(new Set(results)).toEqual(new Set(['many', 'few', '']));
});

test('real sources are still valid with their switches', () => {
  for (const path of globSync('src/planning/*.ts', { cwd: root }))
    expect(
      () => parseAst(withSwitches(readFileSync(join(root, path), 'utf8'), 0), { lang: 'ts' }),
      path,
    ).not.toThrow();
});
