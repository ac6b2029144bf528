import { expect, test } from 'vitest';
import { countOf, isOrAre } from './count-of.ts';

test.each([
  [0, '0 tools are'],
  [1, '1 tool is'],
  [2, '2 tools are'],
])('%s', (count, text) => {
  expect(`${countOf(count, 'tool')} ${isOrAre(count)}`).toBe(text);
});

test('a plural may be irregular', () => {
  expect([1, 2].map((count) => countOf(count, 'entry', 'entries'))).toEqual(['1 entry', '2 entries']);
});
