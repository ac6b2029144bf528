import { expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService, McpTool, Verdict } from '../model/discovery.ts';
import { ToolWatch } from './tool-changes.ts';

const found = discovered(service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
const offering = (tools?: readonly McpTool[], more: Partial<Verdict> = {}): DiscoveredService[] => [
  { ...found, verdict: { ...found.verdict, ...(tools === undefined ? {} : { tools }), ...more } },
];
const tool = (name: string, digest = '1'): McpTool => ({ name, readOnly: true, digest });
const yes = (): boolean => true;

test('what comes, goes and changes is named once', () => {
  const watch = new ToolWatch();
  expect(watch.take(offering([tool('a'), tool('b')]), yes)).toEqual([]);
  const next = offering([tool('b', '2'), tool('c')]);
  const change = { service: 'monitoring/orders', added: ['c'], removed: ['a'], changed: ['b'] };
  expect(watch.take(next, yes)).toEqual([change]);
  expect(watch.take(next, yes)).toEqual([]);
});

test('a list that cannot be read, or only in part, is no change, and the one before still counts', () => {
  const watch = new ToolWatch();
  watch.take(offering([tool('a')]), yes);
  expect(watch.take(offering(), yes)).toEqual([]);
  expect(watch.take(offering([tool('z')], { toolsTruncated: true }), yes)).toEqual([]);
  expect(watch.take(offering([tool('a', '2')]), yes)).toMatchObject([{ changed: ['a'] }]);
});

test('of a server that is not published nothing is told, and nothing is kept', () => {
  const watch = new ToolWatch();
  watch.take(offering([tool('a')]), () => false);
  expect(watch.take(offering([tool('b')]), yes)).toEqual([]);
});
