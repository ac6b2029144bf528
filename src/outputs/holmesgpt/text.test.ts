import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { holmesText } from './text.ts';

test.each(['no', 'Yes', 'on', '1:30', '2024-01-01', '012', '0x1F', '1e3', '~', '=', '<<'])(
  'a string that YAML 1.1 would read as another type is quoted: %s',
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
])('a character that PyYAML rejects or reads as a line break is escaped: %j', (word, text) => {
  expect(holmesText({ a: word })).toBe(text);
});

test.each([' \n', '\n\n', '\n ', ' \na', '  \n x\n'])(
  'a text that starts with white space reads back: %j',
  (word) => {
    expect(parse(holmesText({ a: [word] }))).toEqual({ a: [word] });
  },
);

test('every text reads back in both versions of YAML, as a key too', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'=~:-#&*!|>%@`"\' \n\t{}[],?') }),
    fc.string({ unit: fc.constantFrom(...'0123456789.:_-+eExXobTZ '), maxLength: 12 }),
  );
  fc.assert(
    fc.property(word, word, (key, value) => {
      fc.pre(key !== '__proto__');
      const document = { [key]: [value, { inner: value }] };
      const text = holmesText(document);
      for (const version of ['1.1', '1.2'] as const) expect(parse(text, { version })).toEqual(document);
    }),
  );
});
