import { expect, test } from 'vitest';
import { didYouMean, nearest } from './nearest.ts';

const FORMATS = ['table', 'wide', 'json', 'yaml'];

test.each([
  ['jsn', 'json'],
  ['JSON', 'json'],
  ['tabel', 'table'],
  ['yml', 'yaml'],
])('%s is meant as %s', (word, meant) => {
  expect(nearest(word, FORMATS)).toBe(meant);
});

test.each(['', 'x', 'xml-document', 'j'.repeat(1_000_000)])('nothing is like %.20s', (word) => {
  expect(nearest(word, FORMATS)).toBeUndefined();
});

test('a message ends with what was meant, where that is known', () => {
  expect(didYouMean('jsn', FORMATS)).toBe('; did you mean json?');
  expect(didYouMean('protobuf', FORMATS)).toBe('');
  expect(didYouMean('jsn', [])).toBe('');
});
