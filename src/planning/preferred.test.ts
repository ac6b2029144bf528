import { expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { type Naming, preferred } from './preferred.ts';
import { discoveredTool, type Tool } from './tools.ts';

const LOKI = discoveredTool(discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] })));
const OLD = '2026-01-01T00:00:00Z';
const NEW = '2026-02-01T00:00:00Z';
const tool = (key: string, fields: Partial<Tool> = {}): Tool => ({ ...LOKI, key, created: OLD, ...fields });

const NAMESPACES = ['first', 'second'];
const NAMED: Readonly<Record<string, Naming>> = { 'x/service': 'service', 'x/namespace': 'namespace' };

/** Tools in order of preference, with the reason: each line differs from the next in one respect. */
const ORDER: readonly [why: string, Tool][] = [
  ['overrides add it', tool('mine', { cluster: '', created: NEW })],
  ['overrides add it too; by name', tool('z-mine-too', { created: NEW })],
  ['the configuration names its Service', tool('x/service', { created: NEW })],
  ['overrides change it; by name', tool('x/service-2', { created: NEW, pinned: true })],
  ['the configuration names its namespace', tool('x/namespace', { created: NEW })],
  ['it has the place, in a namespace that is not configured', tool('other/holder', { created: NEW })],
  ['its namespace is configured first', tool('first/loki', { created: NEW })],
  ['its namespace is configured second, and it is older', tool('second/old', { created: OLD })],
  ['its namespace is configured second', tool('second/a-new', { created: NEW })],
  ['the same, and its age is unknown', tool('second/a-ageless', { created: undefined })],
  ['its namespace is not configured, and it is older', tool('z/old', { created: OLD })],
  ['another cluster has no configured namespaces; by name', tool('first/z', { cluster: 'e', created: NEW })],
  ['its namespace is not configured; by name', tool('firstborn/a', { created: NEW })],
];

const sorted = (tools: readonly Tool[]): string[] =>
  preferred(
    tools.map((each) => ({ tool: each })),
    {
      namespaces: NAMESPACES,
      naming: ({ key }) => NAMED[key],
      holds: ({ key }) => key === 'other/holder',
    },
  ).map((entry) => entry.tool.key);

const pairs = ORDER.slice(1).map(([why, after], at) => {
  const [reason, before] = ORDER[at] as (typeof ORDER)[0];
  return [`${reason}: before one of which ${why}`, before, after] as const;
});

test.each(pairs)('%s', (_, before, after) => {
  expect(sorted([before, after])).toEqual([before.key, after.key]);
  expect(sorted([after, before])).toEqual([before.key, after.key]);
});

test('the order does not depend on the input order', () => {
  const tools = ORDER.map(([, each]) => each);
  const keys = tools.map(({ key }) => key);
  expect(sorted(tools)).toEqual(keys);
  expect(sorted(tools.toReversed())).toEqual(keys);
});

test('the oldest comes first, without other preferences or current holders', () => {
  const all = [tool('b/new', { created: NEW }), tool('c/old'), tool('a/new', { created: NEW })];
  const entries = all.map((each) => ({ tool: each }));
  const order = preferred(entries, { namespaces: ['*'], naming: () => undefined });
  expect(order.map((entry) => entry.tool.key)).toEqual(['c/old', 'a/new', 'b/new']);
  expect(order[0]).toBe(entries[1]);
});
