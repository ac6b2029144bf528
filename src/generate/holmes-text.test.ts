import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { holmesText } from './holmes-text.ts';

test.each(['no', 'Yes', 'on', '1:30', '2024-01-01', '012', '0x1F', '1e3', '~', '=', '<<'])(
  'a text that YAML 1.1 takes for something else stands in quotes: %s',
  (word) => {
    expect(holmesText({ a: word })).toMatch(/^a: (["']).*\1\n$/);
  },
);

test.each([
  ['\u0085', 'a: "\\u0085"\n'],
  ['\u2028x', 'a: "\\u2028x"\n'],
  ['\u007f', 'a: "\\u007f"\n'],
  ['\ufeff', 'a: "\\ufeff"\n'],
  ['a\tb', 'a: "a\\tb"\n'],
])('a character that PyYAML refuses or takes for a line break is escaped: %j', (word, text) => {
  expect(holmesText({ a: word })).toBe(text);
});

test('every text reads back, as a key too', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'=~:-#&*!|>%@`"\' \n\t{}[],?') }),
  );
  fc.assert(
    fc.property(word, word, (key, value) => {
      fc.pre(key !== '__proto__');
      const document = { [key]: [value, { inner: value }] };
      expect(parse(holmesText(document))).toEqual(document);
    }),
  );
});
