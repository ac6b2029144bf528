import { expect, test } from 'vitest';
import { SCALARS } from '../../../test/contract/scalars.ts';
import { LARGE } from '../../model/yaml-document.ts';
import { holmesTextFaults } from './output.ts';
import { edited, readMapping } from './yaml.ts';

const readValue = (text: string): unknown => {
  const read = readMapping(text);
  return 'value' in read ? read.value : undefined;
};

// That PyYAML reads them in the same way is what `npm run test:contract` shows.
test.each(SCALARS)('a plain scalar is what PyYAML makes of it: %s', (source, value) => {
  expect(readValue(`a: ${source}`)).toEqual(value === undefined ? undefined : { a: value });
  expect(readValue(`a: [${source}]`)).toEqual(value === undefined ? undefined : { a: [value] });
  expect(readValue(`a: "${source}"`)).toEqual({ a: source });
});

test.each(SCALARS.filter(([source]) => source !== '<<'))(
  'a key is the text that is written: %s',
  (source) => {
    expect(readValue(`{${source}: 1}`)).toEqual({ [source]: 1 });
    expect(readValue(`? ${source}\n: 1`)).toEqual({ [source]: 1 });
    expect(edited(`${source}: 1 # one\nb: 2`, { [source]: 3, b: 2 })).toMatch(/: 3\nb: 2\n$/);
    expect(readValue(edited(`${source}: 1\nb: 2`, { b: 2 }))).toEqual({ b: 2 });
  },
);

test.each(SCALARS)('a text keeps its type when it is added: %s', (source) => {
  const text = edited('b: 1 # one\n', { b: 1, [source]: source });
  expect(readValue(text)).toEqual({ b: 1, [source]: source });
});

test.each([
  ['0x1F', 31],
  ['1_000', 1000],
  ['1.0e+3', 1000],
  ['1:30', 90],
  ['1.50', 1.5],
  ['+5', 5],
  ['y', 'y'],
  ['on', true],
  ['2024-01-01', '2024-01-01'],
])('what does not change is written as before: %s', (source, value) => {
  expect(edited(`a: ${source} # why\n`, { a: value, b: 'no' })).toBe(`a: ${source} # why\nb: "no"\n`);
});

test('what is removed takes nothing else with it', () => {
  expect(edited('a: 1 # one\non: 2\nb: {c: 3, n: 4} # b\n', { a: 1, b: { c: 3 } })).toBe(
    'a: 1 # one\nb: { c: 3 } # b\n',
  );
  expect(edited('# mine\n', { n: 'n' })).toBe('# mine\n\n"n": "n"\n');
});

test.each([
  [1e-7, '1.0e-7'],
  [-2e-9, '-2.0e-9'],
  [1.5e-9, '1.5e-9'],
])('a number with an exponent is written with a dot: %s', (value, text) => {
  expect(edited('b: 1\n', { b: 1, a: value })).toBe(`b: 1\na: ${text}\n`);
});

test.each([
  ['a: !!float 1', { a: 1 }],
  ['a: !!float 1e3', { a: 1000 }],
  ['a: !!int 0x1F', { a: 31 }],
  ['a: !!str 08', { a: '08' }],
  ['a: !!float x', undefined],
])('a tag decides: %s', (text, value) => {
  expect(readValue(text)).toEqual(value);
});

test.each([
  ['a: =', 'line 1, column 4: a value that is = or <<; put it into quotes'],
  ['a: [<<]', 'line 1, column 5: a value that is = or <<; put it into quotes'],
  ['<<: 5', 'line 1, column 1: << takes a mapping or a list of mappings, and this is something else'],
  ['a: {<<: [5]}', 'line 1, column 5: << takes a mapping or a list of mappings, and this is something else'],
  [
    'b: &b 1\n<<: *b',
    'line 2, column 1: << takes a mapping or a list of mappings, and this is something else',
  ],
])('what PyYAML refuses is a fault, for `validate`, too: %j', (text, fault) => {
  expect(readMapping(text)).toEqual({ fault });
  const [first] = holmesTextFaults(text, LARGE).faults;
  expect(`line ${first?.line}, column ${first?.column}: ${first?.message}`).toBe(fault);
});

test.each([
  ['b: &b {c: 1}\na: {<<: *b, d: 2}', { b: { c: 1 }, a: { c: 1, d: 2 } }],
  ['b: &b {c: 1}\na: {<<: [*b, {d: 2}]}', { b: { c: 1 }, a: { c: 1, d: 2 } }],
  ['b: &b [{c: 1}]\na: {<<: *b}', { b: [{ c: 1 }], a: { c: 1 } }],
  ['a: {"<<": 1}', { a: { '<<': 1 } }],
])('<< merges mappings: %j', (text, value) => {
  expect(readValue(text)).toEqual(value);
});

test('`validate` reads a login and a header as HolmesGPT does', () => {
  const config = 'prometheus_url: http://a, additional_headers: {n: y, x: 08, z: 1e3}';
  const text = `toolsets: {prometheus/metrics: {enabled: true, config: {${config}}}}`;
  expect(holmesTextFaults(text, LARGE).faults).toEqual([]);
});
