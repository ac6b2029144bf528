import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService, McpTool } from '../model/discovery.ts';
import { keyOfService, type ServiceKey } from '../model/service.ts';
import { type MemoryLimits, ToolMemory } from './tool-memory.ts';

const MCP = discovered(service('mcp', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
const tool = (name: string): McpTool => ({ name, readOnly: true, digest: '1' });
const NOBODY: ReadonlySet<ServiceKey> = new Set();

/** An MCP server with Pods of its own, unless a test says otherwise. */
function server(
  name: string,
  {
    selector = { app: name },
    namespace = 'shop',
    ...more
  }: Partial<DiscoveredService> & {
    readonly selector?: Record<string, string>;
    readonly namespace?: string;
  } = {},
): DiscoveredService {
  return { ...MCP, service: { ...MCP.service, name, namespace, selector }, ...more };
}
const numbered = (count: number): DiscoveredService[] =>
  Array.from({ length: count }, (_, number) => server(`server-${number}`, { selector: {} }));

/** A memory of what servers were published with: one tool each, named after the server. */
function memory(limits?: MemoryLimits) {
  const kept = new ToolMemory(limits);
  const it = {
    kept,
    keep(...servers: readonly DiscoveredService[]): void {
      for (const each of servers) kept.keep(each, { tools: [tool(each.service.name)], shown: undefined });
    },
    /** All servers but these go away. */
    trim(...published: readonly DiscoveredService[]): void {
      kept.trim(new Set(published.map(({ service: each }) => keyOfService(each))));
    },
    /** The server that another one is compared with. */
    recall: (found: DiscoveredService): string | undefined => kept.recall(found, NOBODY)?.tools[0]?.name,
    known: (servers: readonly DiscoveredService[]): number =>
      servers.filter((each) => it.recall(each) !== undefined).length,
  };
  return it;
}
const LIMITS: MemoryLimits = { tools: 100, twins: 100, namespaces: 100 };

describe('a new server replaces', () => {
  test.each<[string, Partial<DiscoveredService>]>([
    ['leads to the same Pods', { samePods: ['new'] }],
    ['leads to some of the same Pods', { sharesPods: ['old', 'new'] }],
    ['is an alternate', { alternates: ['new'] }],
  ])('one that was known to %s', (_, twin) => {
    const { keep, recall } = memory();
    keep(server('old', twin));
    expect(recall(server('new'))).toBe('old');
  });

  test('one with its selector, even if one with an overlapping selector was published later', () => {
    const { keep, recall } = memory();
    keep(server('same', { selector: { app: 'orders' } }));
    keep(server('overlaps', { selector: { app: 'orders', tier: 'x' } }));
    expect(recall(server('new', { selector: { app: 'orders' } }))).toBe('same');
  });

  test('one that had its selector earlier', () => {
    const { keep, recall } = memory();
    keep(server('old', { selector: { app: 'orders' } }));
    keep(server('old', { selector: { app: 'orders-v2' } }));
    expect(recall(server('new', { selector: { app: 'orders' } }))).toBe('old');
  });

  test('none, if neither has a selector', () => {
    const { keep, recall } = memory();
    keep(server('old', { selector: {} }));
    expect(recall(server('new', { selector: {} }))).toBeUndefined();
  });

  test('none, if the other one is still published', () => {
    const { keep, kept } = memory();
    keep(server('old', { samePods: ['new'] }));
    expect(kept.recall(server('new'), new Set([keyFor('shop/old')]))).toBeUndefined();
  });
});

describe('a tenant cannot make it remember more than', () => {
  test('32 other Services of the same Pods', () => {
    const { keep, recall } = memory();
    const twins = Array.from({ length: 33 }, (_, number) => `twin-${number}`);
    keep(server('old', { sharesPods: ['old', ...twins] }));
    expect(recall(server('twin-31'))).toBe('old');
    expect(recall(server('twin-32'))).toBeUndefined();
  });

  test('32 addresses of a server', () => {
    const { keep, recall } = memory();
    const addresses = Array.from({ length: 33 }, (_, number) => `10.0.0.${number}`);
    keep(server('old', { addresses }));
    expect(recall(server('new', { addresses: ['10.0.0.31'] }))).toBe('old');
    expect(recall(server('new', { addresses: ['10.0.0.32'] }))).toBeUndefined();
  });

  test('the tools of a namespace that fit: those that were published last, each with its server', () => {
    const { keep, kept, known, trim, recall } = memory({ ...LIMITS, tools: 40 });
    const servers = numbered(21);
    keep(...servers.slice(0, 20));
    trim();
    expect(known(servers)).toBe(20);
    expect(kept.forgot(server('any').service)).toBe(false);
    keep(...servers.slice(20));
    trim();
    expect(servers.map(recall)).toEqual([
      undefined,
      ...servers.slice(1).map(({ service: { name } }) => name),
    ]);
    expect(kept.forgot(server('any').service)).toBe(true);
    expect(kept.forgot(server('any', { namespace: 'other' }).service)).toBe(false);
  });

  test('the limit of other names', () => {
    const { keep, kept, trim, recall } = memory({ ...LIMITS, twins: 4 });
    const { service: any } = server('any');
    keep(server('old', { alternates: ['a', 'b', 'c'] }));
    trim();
    expect(kept.forgot(any)).toBe(false);
    expect(recall(server('a'))).toBe('old');
    keep(server('old', { alternates: ['a', 'b', 'd'] }));
    trim();
    expect(kept.forgot(any)).toBe(true);
    expect(['a', 'b', 'c', 'd'].map((name) => recall(server(name)))).toEqual([
      'old',
      'old',
      undefined,
      'old',
    ]);
  });

  test('by default: 4,096 tools, 1,024 other names, and 1,000 namespaces', () => {
    const tools = memory();
    const servers = numbered(2_049);
    tools.keep(...servers);
    tools.trim();
    expect([tools.known(servers.slice(0, 1)), tools.known(servers.slice(1))]).toEqual([0, 2_048]);

    const names = memory();
    const twins = Array.from({ length: 1_024 }, (_, number) => server(`twin-${number}`));
    for (const { service: twin } of twins) names.keep(server('old', { samePods: [twin.name], selector: {} }));
    names.trim();
    expect(names.known(twins)).toBe(1_024);
    names.keep(server('old', { samePods: ['one-more'], selector: {} }));
    names.trim();
    expect(names.known(twins)).toBe(1_023);

    const namespaces = memory();
    const others = Array.from({ length: 1_001 }, (_, number) =>
      server('one', { namespace: `team-${number}` }),
    );
    namespaces.keep(...others);
    namespaces.trim();
    expect([namespaces.known(others.slice(0, 1)), namespaces.known(others.slice(1))]).toEqual([0, 1_000]);
  });
});

describe('published servers are never forgotten', () => {
  test('however many tools a namespace publishes', () => {
    const { keep, kept, known, trim } = memory({ ...LIMITS, tools: 10 });
    const servers = numbered(50);
    keep(...servers);
    trim(...servers);
    expect(known(servers)).toBe(50);
    expect(kept.forgot(server('any').service)).toBe(false);
  });

  test('however many namespaces have published since', () => {
    const { keep, recall, trim } = memory({ ...LIMITS, namespaces: 2 });
    const away = server('away', { namespace: 'first' });
    const stays = server('stays', { namespace: 'first' });
    const others = ['a', 'b', 'c', 'd'].map((namespace) => server('one', { namespace }));
    keep(away, stays, ...others);
    trim(stays);
    expect([stays, away, ...others].map(recall)).toEqual([
      'stays',
      'away',
      undefined,
      undefined,
      'one',
      'one',
    ]);
  });
});

test('the most recently published server is forgotten last', () => {
  const { keep, recall, trim } = memory({ ...LIMITS, tools: 4, namespaces: 2 });
  const [a, b, c] = [server('a'), server('b'), server('c')];
  keep(a, b, a, c);
  trim();
  expect([a, b, c].map(recall)).toEqual(['a', undefined, 'c']);
  const namespaces = ['x', 'y', 'x', 'z'].map((namespace) => server('one', { namespace }));
  keep(...namespaces);
  trim();
  expect(namespaces.map(recall)).toEqual(['one', undefined, 'one', 'one']);
});

test('a forgotten server is also forgotten under its other names', () => {
  const { keep, recall, trim } = memory({ ...LIMITS, tools: 2 });
  keep(server('old', { samePods: ['twin'] }), server('other'));
  trim();
  expect(recall(server('twin'))).toBeUndefined();
});
