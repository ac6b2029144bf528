import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { contentHash } from './content-hash.ts';

test('the hash of documents is that of release 0.1, in any order', () => {
  const parts = ['toolset.json', '{"tools":[]}', 'custom_toolset.yaml', 'toolsets: {}'];
  const text = parts.map((part) => `${part.length}:${part}`).join('');
  const expected = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const documents = { 'toolset.json': '{"tools":[]}', 'custom_toolset.yaml': 'toolsets: {}' };
  expect(contentHash(documents)).toBe(expected);
  expect(contentHash(Object.fromEntries(Object.entries(documents).reverse()))).toBe(expected);
});
