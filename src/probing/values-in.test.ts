import { expect, test } from 'vitest';
import { valuesIn } from './values-in.ts';

test.each([
  ['7', 1],
  ['[]', 2],
  ['[1,2,3]', 4],
  ['{"a":1,"b":{"c":[]}}', 5],
  ['"a,[{\\",{"', 1],
  ['{"a":"x,y\\\\","b":2}', 3],
  ['"unfinished,[', 1],
])('%s has %i', (text, count) => {
  expect(valuesIn(text)).toBe(count);
});
