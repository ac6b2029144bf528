import { expect, test } from 'vitest';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { mistypedTypes } from './mistyped-types.ts';

const KNOWN = ['prometheus', 'mimir', 'loki', 'custom'];

const meant = (types: readonly string[]): unknown[] => {
  const tools = Object.fromEntries(types.map((type, index) => [`tool-${index}`, { type }]));
  return mistypedTypes(overridesSchema.parse({ tools }), KNOWN).map(({ fix }) => fix);
};

test.each([
  ['promethus', 'prometheus'],
  ['prometehus', 'prometheus'],
  ['lokki', 'loki'],
])('%s is probably %s', (type, word) => {
  expect(meant([type])).toEqual([`did you mean ${word}?`]);
});

test.each(['prometheus', 'minio', 'wiki', 'customer', 'orders', 'http'])('%s is as it should be', (type) => {
  expect(meant([type])).toEqual([]);
});

test('each tool of a mistyped type is named', () => {
  const tools = { ledger: { type: 'lokki' }, 'shop/loki': { type: 'lokki' }, other: {} };
  expect(mistypedTypes(overridesSchema.parse({ tools }), KNOWN)).toEqual([
    { key: 'ledger', what: 'there is no detector lokki', fix: 'did you mean loki?' },
    { key: 'shop/loki', what: 'there is no detector lokki', fix: 'did you mean loki?' },
  ]);
});

test('a hundred types are compared, because that takes time', () => {
  const types = Array.from({ length: 100 }, (_, index) => `own-type-${index}`);
  expect(meant([...types.slice(1), 'promethus'])).toHaveLength(1);
  expect(meant([...types, 'promethus'])).toEqual([]);
});
