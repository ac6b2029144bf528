import { expect, test } from 'vitest';
import * as z from 'zod';
import { readYaml } from '../../src/model/yaml-text.ts';
import { readMapping } from '../../src/outputs/holmesgpt/yaml.ts';

test.for([
  ['&a [*a]', 5],
  ['&a [*a]: *a', 5],
  ['a: &a {b: [{c: *a}]}', 16],
  ['a: &a [&b [*a], *b]', 12],
] as const)('a value without an end is a fault: %s', ([text, column]) => {
  const message = 'an alias (*) that is in its own anchor (&)';
  expect(readYaml(text, z.unknown())).toEqual({ faults: [{ line: 1, column, message }], more: 0 });
  expect(readMapping(text)).toEqual({ fault: `line 1, column ${column}: ${message}` });
});

test('an alias of a complete value is not endless', () => {
  const value = { a: [1], b: [1], c: 2, d: 2 };
  const text = 'a: &x [1]\nb: *x\nc: &x 2\nd: *x';
  expect(readYaml(text, z.unknown())).toEqual({ value });
  expect(readMapping(text)).toMatchObject({ value });
});
