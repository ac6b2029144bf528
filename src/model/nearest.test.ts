import { expect, test } from 'vitest';
import { didYouMean, nearest } from './nearest.ts';

const FORMATS = ['table', 'wide', 'json', 'yaml'];

test.each([
  ['jsn', 'json'],
  ['JSON', 'json'],
  ['tabel', 'table'],
  ['yml', 'yaml'],
])('%s suggests %s', (word, meant) => {
  expect(nearest(word, FORMATS)).toBe(meant);
});

test.each(['', 'x', 'xml-document', 'j'.repeat(1_000_000)])('nothing is similar to %.20s', (word) => {
  expect(nearest(word, FORMATS)).toBeUndefined();
});

test('a message ends with the suggestion, if there is one', () => {
  expect(didYouMean('jsn', FORMATS)).toBe('; did you mean json?');
  expect(didYouMean('protobuf', FORMATS)).toBe('');
  expect(didYouMean('jsn', [])).toBe('');
});
