import { expect, test } from 'vitest';
import { OUTPUTS } from './registry.ts';

const documents = (tool: string) => ({
  'toolset.json': JSON.stringify({ tools: [{ name: tool, type: 'loki', endpoint: 'http://l:1' }] }),
  'custom_toolset.yaml': '',
});
const namesIn = (tool: string): string[] => OUTPUTS.read(documents(tool)).tools.map(({ name }) => name);

test('equal documents are one toolset, also after others', () => {
  const [a, b] = [OUTPUTS.read(documents('a')), OUTPUTS.read(documents('b'))];
  expect(OUTPUTS.read(documents('a'))).toBe(a);
  expect(OUTPUTS.read(documents('b'))).toBe(b);
  expect(b).not.toBe(a);
});

test('other documents, and more or fewer of them, are other toolsets', () => {
  const a = OUTPUTS.read(documents('a'));
  for (const each of [{ 'toolset.json': documents('a')['toolset.json'] }, { ...documents('a'), more: '' }])
    expect(OUTPUTS.read(each)).not.toBe(a);
  expect([namesIn('a'), namesIn('b'), namesIn('a')]).toEqual([['a'], ['b'], ['a']]);
});
