import { expect, test } from 'vitest';
import { withoutTrailing } from './trailing.ts';

test.each([
  ['', ''],
  ['/', ''],
  ['///', ''],
  ['/a/', '/a'],
  ['/a//b///', '/a//b'],
  ['/a', '/a'],
])('%j becomes %j', (text, expected) => {
  expect(withoutTrailing(text, '/')).toBe(expected);
});
