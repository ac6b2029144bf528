import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Document, parse } from 'yaml';
import { holmesText } from './text.ts';

test.each(['no', 'Yes', 'on', '1:30', '2024-01-01', '012', '0x1F', '1e3', '~', '=', '<<'])(
  'a string that YAML 1.1 would read as another type is quoted: %s',
  (word) => {
    expect(holmesText({ a: word })).toMatch(/^a: (["']).*\1\n$/);
  },
);

test.each([
  [1e-7, '1.0e-7'],
  [-1e21, '-1.0e+21'],
  [2.5e-9, '2.5e-9'],
  [1e20, '100000000000000000000'],
])('a number with an exponent has a dot, without which it is a text in PyYAML: %s', (number, text) => {
  expect(holmesText({ a: number })).toBe(`a: ${text}\n`);
});

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
      fc.pre(key !== '__proto__' && key !== 'toolsets');
      const entry = { [key]: [value, { inner: value }] };
      const document = { ...entry, toolsets: entry };
      const text = holmesText(document);
      for (const version of ['1.1', '1.2'] as const) expect(parse(text, { version })).toEqual(document);
    }),
  );
});

test('entries of toolsets and servers read back, in the order and layout of the whole, also again', () => {
  const word = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'=~:-#&*!|>%@`"\' \n\t{}[],?ab') }),
    fc.string({ unit: fc.constantFrom(...'a \n') }),
    fc.constantFrom('no', '1:30', 'two\nlines\n', '  \n indented\n\nand more\n\n', 'trailing \n', '\n', ''),
  );
  const entry = fc.oneof(
    fc.record({
      config: fc.record({ url: word, instances: fc.array(fc.record({ name: word }), { maxLength: 3 }) }),
    }),
    word,
    fc.constant({}),
    fc.constant([]),
    fc.constant(null),
    fc.boolean(),
  );
  const section = fc.dictionary(word, entry, { maxKeys: 4 });
  fc.assert(
    fc.property(section, section, word, (toolsets, mcp_servers, more) => {
      fc.pre(![toolsets, mcp_servers].some((all) => Object.hasOwn(all, '__proto__')));
      const document = { toolsets, mcp_servers, more: { more }, null: { a: more } };
      const text = holmesText(document);
      expect(holmesText(document)).toBe(text);
      for (const version of ['1.1', '1.2'] as const)
        expect(JSON.stringify(parse(text, { version }))).toBe(JSON.stringify(document));
    }),
    { numRuns: 500 },
  );
});

test('the layout is that of the serializer for the whole', () => {
  const word = fc.constantFrom('a', 'b c', 'no', 'x: y', 'two\nlines\n', 'one\n\n  two');
  const entry = fc.record({
    config: fc.dictionary(word, fc.oneof(word, fc.array(fc.record({ name: word })))),
  });
  fc.assert(
    fc.property(fc.dictionary(word, entry), fc.dictionary(word, entry), (toolsets, mcp_servers) => {
      const document = { toolsets, mcp_servers };
      const whole = new Document(document, { compat: 'yaml-1.1', aliasDuplicateObjects: false });
      expect(holmesText(document)).toBe(whole.toString({ lineWidth: 0 }));
    }),
  );
});
