import { expect, test } from 'vitest';
import { holmesSchema } from './schema.ts';

const issuesOf = (config: unknown): string[] =>
  (holmesSchema.safeParse({ toolsets: { t: { enabled: true, config } } }).error?.issues ?? []).map(
    ({ path, message }) => `${path.slice(3).join('/')}: ${message}`,
  );

test('a configuration has texts, numbers, lists and mappings', () => {
  expect(
    issuesOf({ a: 'x', b: 1.5, c: false, list: [{ d: [] }, 'y', null, { e: null }], map: { f: {} } }),
  ).toEqual([]);
});

test.each([
  [{ a: null }, 'a: is neither'],
  [{ a: { b: null } }, 'a/b: is neither'],
  [{ a: [Number.NaN] }, 'a/0: is neither'],
  [{ a: Number.POSITIVE_INFINITY }, 'a: is neither'],
  [{ a: { b: undefined } }, 'a/b: is neither'],
  [{ a: [{ 'b.c': 1 }] }, 'a/0/b.c: contains a dot'],
  [{ a: { b: { ['__proto__']: 1 } } }, 'a/b/__proto__: is not allowed'],
  [{ 'a.b': 1 }, 'a.b: '],
])('what HolmesGPT cannot have is a fault, at its place: %j', (config, issue) => {
  const issues = issuesOf(config);
  expect(issues).toHaveLength(1);
  expect(issues[0]).toContain(issue);
});
