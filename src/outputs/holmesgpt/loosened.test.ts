import { expect, test } from 'vitest';
import type { Documents } from '../../model/documents.ts';
import { NO_OVERRIDES, type Overrides } from '../../model/overrides.ts';
import { allNamesBut } from './approval.ts';
import { loosened } from './loosened.ts';

/** A document with one MCP server. JSON is YAML, too. */
const server = (patterns?: readonly string[], more: object = {}, name = 'shop/orders'): Documents => ({
  'custom_toolset.yaml': JSON.stringify({
    mcp_servers: {
      [name]: { ...(patterns === undefined ? {} : { approval_required_tools: patterns }), ...more },
    },
  }),
});
const free = (...names: readonly string[]): Documents => server(allNamesBut(names));

test.each<[string, Documents, Documents]>([
  ['all tools need approval now, and some did not', server(['*']), free('get')],
  ['another tool was read-only', free('get'), free('list')],
  ['one more tool was read-only', free('get'), free('get', 'list')],
  ['nothing needed approval', free('get'), server()],
  ['a person added a pattern', server(['delete_*', 'drop_*']), server(['delete_*'])],
  ['a person wrote patterns where all need approval now', server(['*']), server(['delete_*'])],
])('it is named if %s', (_, standing, next) => {
  expect(loosened([standing], next)).toEqual(['shop/orders']);
});

test.each<[string, Documents, Documents]>([
  ['nothing changes', free('get'), free('get')],
  ['fewer tools were read-only', free('get', 'list'), free('get')],
  ['all tools needed approval', free('get'), server(['*'])],
  ['all tools need approval then, whatever a person wrote', server(['delete_*']), server(['*'])],
  ['a person removed a pattern', server(['delete_*']), server(['delete_*', 'drop_*'])],
  ['nothing needs approval now', server(), free('get')],
  ['it was off', server(['*']), server([], { enabled: false })],
  ['it is another server', server(['*']), server([], {}, 'shop/other')],
  ['there was no file', server(['*']), {}],
  ['a file is unreadable', { 'custom_toolset.yaml': '[' }, free('get')],
])('it is not if %s', (_, standing, next) => {
  expect(loosened([standing], next)).toEqual([]);
});

test('the newest document that has the server counts', () => {
  expect(loosened([{}, server(['*']), free('get')], free('get'))).toEqual(['shop/orders']);
  expect(loosened([free('get'), server(['*'])], free('get'))).toEqual([]);
});

test('what users ask for counts, although it may not be published yet', () => {
  const asking = (patterns: unknown): Overrides => ({
    ...NO_OVERRIDES,
    parts: { holmesgpt: { mcp_servers: { 'shop/orders': { approval_required_tools: patterns } } } },
  });
  expect(loosened([], free('get'), asking(['*']))).toEqual(['shop/orders']);
  expect(loosened([free('get')], free('get'), asking(['*']))).toEqual(['shop/orders']);
  expect(loosened([], server(['*']), asking(['*']))).toEqual([]);
  expect(loosened([], free('get'), asking(null))).toEqual([]);
  expect(loosened([], server(['*'], {}, 'shop/other'), asking(['*']))).toEqual([]);
});

test('patterns of a toolset count too', () => {
  const toolset = (patterns: readonly string[]): Documents => ({
    'custom_toolset.yaml': JSON.stringify({ toolsets: { bash: { approval_required_tools: patterns } } }),
  });
  expect(loosened([toolset(['*'])], toolset([]))).toEqual(['bash']);
});
