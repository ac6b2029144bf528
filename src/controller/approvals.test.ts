import { expect, test } from 'vitest';
import { discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService, McpTool } from '../model/discovery.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { toolsShown } from '../planning/tools-shown.ts';
import type { EngineEvent } from './events.ts';
import { toolKinds } from './pass.ts';
import { Reconciler, type ReconcilerOptions } from './reconciler.ts';
import { ToolWatch } from './tool-changes.ts';

const tool = (name: string, digest = '1'): McpTool => ({ name, readOnly: true, digest });

/** An MCP server with these tools. */
function server(namespace: string, ...tools: McpTool[]): DiscoveredService {
  const labels = { app: 'mcp-server' };
  const found = discovered(service('orders', { namespace, labels, ports: ['mcp:8000'] }));
  return { ...found, verdict: { ...found.verdict, tools } };
}

const options = (emit: (event: EngineEvent) => void, place = new MemoryPublisher()): ReconcilerOptions => ({
  publisher: place,
  version: '1',
  now: () => new Date('2026-01-01T00:00:00Z'),
  outputs: OUTPUTS,
  generation: {
    credentials: {},
    holmesgptVersion: '0.32',
    kinds: toolKinds(rules),
    mcpPolicy: 'approve',
    namespaces: ['ops'],
  },
  owner: async () => undefined,
  emit,
  force: false,
  removalHold: 300_000,
  once: false,
  tools: new ToolWatch(),
});

test('changes of waiting Services are reported, and changed tools of waiting ones are not', async () => {
  const events: EngineEvent[] = [];
  const place = new MemoryPublisher();
  const reconciler = new Reconciler(options((event) => events.push(event), place));
  const run = async (...found: DiscoveredService[]) => {
    events.length = 0;
    await reconciler.run({ found, contradicted: [] }, 1, new AbortController().signal);
    return events.filter(({ kind }) => kind === 'approvals-waiting' || kind === 'tools-changed');
  };
  const ops = server('ops', tool('a'));
  expect(await run(ops)).toEqual([]);
  expect(await run(ops, server('shop', tool('x')))).toMatchObject([
    { kind: 'approvals-waiting', waiting: ['shop/orders'], fresh: ['shop/orders'] },
  ]);
  expect(place.live?.data['custom_toolset.yaml']).not.toContain('shop/orders');
  // Texts of a server that is not published reach nobody.
  expect(await run(ops, server('shop', tool('x', '2')))).toEqual([]);
  expect(await run(server('ops', tool('a', '2')), server('shop', tool('x')))).toMatchObject([
    { kind: 'tools-changed', change: { service: 'ops/orders', added: [], removed: [], changed: ['a'] } },
  ]);
  expect(await run(server('ops', tool('a', '2')))).toMatchObject([{ waiting: [], fresh: [] }]);
});

test('tools that change while a server is away, or during a change of options, are reported', async () => {
  const events: EngineEvent[] = [];
  const tools = new ToolWatch();
  const place = new MemoryPublisher();
  const next = () => new Reconciler({ ...options((event) => events.push(event), place), tools });
  const run = (reconciler: Reconciler, ...found: DiscoveredService[]) =>
    reconciler.run({ found, contradicted: [] }, 1, new AbortController().signal);
  const first = next();
  await run(first, server('ops', tool('a')));
  await run(first);
  await run(next(), server('ops', tool('a'), tool('delete_everything')));
  expect(events.filter(({ kind }) => kind === 'tools-changed')).toMatchObject([
    { change: { service: 'ops/orders', since: 'before', added: ['delete_everything'] } },
  ]);
});

test('tools other than those that approve showed are reported with the first publication', async () => {
  const events: EngineEvent[] = [];
  const place = new MemoryPublisher();
  const reconciler = new Reconciler(options((event) => events.push(event), place));
  const run = (...found: DiscoveredService[]) =>
    reconciler.run({ found, contradicted: [] }, 1, new AbortController().signal);
  const shown = server('shop', tool('get_x'));
  const probed = server('shop', tool('get_x'), tool('rm_all'));
  await run(probed);
  const word = `approved: mcp, approvedTools: ${toolsShown(shown.verdict)}`;
  place.edit('overrides.yaml', `tools: {shop/orders: {${word}}}`);
  await run(probed);
  expect(events.filter(({ kind }) => kind === 'tools-changed')).toEqual([]);
  // Only the next probe tells whether the server still offers what was shown.
  await run({ ...probed, verdict: { ...probed.verdict, tools: [...(probed.verdict.tools ?? [])] } });
  expect(place.live?.data['custom_toolset.yaml']).toContain('orders');
  expect(events.filter(({ kind }) => kind === 'tools-changed')).toMatchObject([
    { change: { service: 'shop/orders', since: 'approval', added: ['get_x', 'rm_all'] } },
  ]);
});
