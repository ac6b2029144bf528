import { expect, test } from 'vitest';
import { CompressedTexts } from './compressed-texts.ts';

test.each([
  ['plain', { documents: { a: '{}\n', b: '' }, overrides: undefined }],
  ['unusual', { documents: { 'toolset.json': 'é "\u2028 \\ud800\n \ud800' }, overrides: '# mine\r\n' }],
])('%s texts are restored unchanged, and decompressed once', (_, texts) => {
  const compressed = new CompressedTexts(texts);
  const first = compressed.texts;
  expect(first).toEqual(texts);
  expect(compressed.texts).toBe(first);
});
