import { expect, test } from 'vitest';
import { fnmatch } from './fnmatch.ts';

test.each([
  ['delete_order', ['delete_order'], ['delete_orders', 'Delete_order', '']],
  ['delete_*', ['delete_', 'delete_order'], ['undelete_order']],
  ['*', ['', 'a'], []],
  ['', [''], ['a']],
  ['*_order*', ['_order', 'get_orders'], ['get_orde']],
  ['a?c', ['abc', 'a💥c'], ['ac', 'abbc']],
  ['[gs]et', ['get', 'set'], ['bet', 'et']],
  ['[a-c-]x', ['bx', '-x'], ['dx']],
  ['[!a-c]x', ['dx', '-x'], ['bx', 'x']],
  ['[]]', [']'], ['[]]']],
  ['[!]]', ['a'], [']']],
  ['[a', ['[a'], ['a']],
  ['a.b', ['a.b'], ['aXb']],
  [`${'*a'.repeat(40)}b`, [], ['a'.repeat(2_000)]],
])('%s matches as in Python', (pattern, some, others) => {
  const matches = fnmatch(pattern);
  expect(some.filter((text) => !matches(text))).toEqual([]);
  expect(others.filter(matches)).toEqual([]);
});
