import { expect, test } from 'vitest';
import type { PublishedTool } from '../model/published-tools.ts';
import { rememberedTools, toolsNote } from './remembered-tools.ts';

const tool = (namespace: string, service: string, more: Partial<PublishedTool> = {}): PublishedTool => ({
  name: `${service} of "${namespace}"`,
  ...{ type: 'loki', endpoint: `http://${service}:3100`, description: '', namespace },
  metadata: { service },
  ...more,
});

test('tools of Services are remembered, with their clusters, but not tools that an operator added', () => {
  const tools = [tool('a', 'loki'), tool('a', 'x'), tool('a', 'loki', { cluster: 'eu/west' })];
  const { namespace: _, ...nowhere } = tool('a', 'own');
  const own = [{ ...tool('a', 'own'), metadata: {} }, nowhere];
  expect(rememberedTools(toolsNote([...tools, ...own]).text)).toEqual(tools);
  expect(toolsNote(own).text).toBe('');
});

test.each([
  'x',
  'null',
  '[]',
  '{"a":null}',
  '{"a":{"loki":["name"]}}',
  '{"a":{"loki":[1,2,3]}}',
  '{"a":{"loki":["name","loki",3]}}',
  '{"a":{"loki":"abc"}}',
])('%s counts as none', (text) => {
  expect(rememberedTools(text)).toEqual([]);
});

test('many tools of one namespace leave room for those of others, and omissions are reported', () => {
  const many = Array.from({ length: 2_000 }, (_, index) => tool('greedy', `service-${index}`));
  const { text, omitted } = toolsNote([...many, tool('shop', 'loki')]);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(96 * 1024);
  expect([...omitted.keys()]).toEqual(['greedy']);
  const kept = rememberedTools(text);
  expect(kept.filter(({ namespace }) => namespace === 'shop')).toHaveLength(1);
  expect(kept.length - 1 + (omitted.get('greedy') ?? 0)).toBe(2_000);
});
