import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { discovered } from '../../../../test/fixtures/unit/detection.ts';
import { service } from '../../../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../../../model/discovery.ts';
import { generate } from '../../generate.ts';
import { overridesSchema } from '../../overrides-schema.ts';
import { joinDocuments } from '../merge/join.ts';

type Document = {
  readonly toolsets: Record<string, { type?: string }>;
  readonly mcp_servers?: Record<string, unknown>;
};

const loki = discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));
function server(
  namespace: string,
  name: string,
  tools: readonly string[] = [],
  created = '2026-01-01T00:00:00Z',
) {
  const found: DiscoveredService = discovered(
    service(name, { namespace, labels: { app: 'mcp-server' }, ports: ['mcp:8000'], created }),
  );
  const listed = tools.map((tool) => ({ name: tool, readOnly: true, digest: '1' }));
  return { ...found, verdict: { ...found.verdict, tools: listed } };
}
function published(services: readonly DiscoveredService[], holmesgpt: unknown = {}) {
  const { documents, notes } = generate(services, {
    credentials: {},
    holmesgptVersion: '0.32',
    kinds: new Map(),
    overrides: overridesSchema.parse({ holmesgpt }),
  });
  const { toolsets, mcp_servers: servers = {} } = parse(documents['custom_toolset.yaml'] ?? '') as Document;
  return {
    toolsets,
    servers: Object.keys(servers),
    said: notes.map(({ where, what }) => `${where} ${what}`),
  };
}

describe('a server with the name of a toolset', () => {
  test.each([
    ['grafana', 'loki'],
    ['kubernetes', 'core'],
    ['prometheus', 'metrics'],
  ])('of HolmesGPT is left out, and the toolset stays: %s/%s', (namespace, name) => {
    const { toolsets, servers, said } = published([loki, server(namespace, name)]);
    expect(Object.keys(toolsets)).toEqual(['grafana/loki', 'kubernetes/core', 'kubernetes/logs']);
    expect(servers).toEqual([]);
    expect(said).toEqual([expect.stringContaining(`a toolset is called ${namespace}/${name}`)]);
  });

  test("of an operator is left out, in overrides and in HolmesGPT's file", () => {
    const own = {
      'shop/orders': { type: 'http', description: 'd', config: { endpoints: [{ hosts: ['http://mine'] }] } },
    };
    const { toolsets, servers } = published([server('shop', 'orders')], { toolsets: own });
    expect([toolsets['shop/orders']?.type, servers]).toEqual(['http', []]);
    const generated = {
      toolsets: {},
      mcp_servers: { 'shop/orders': { description: 'd', config: { url: 'http://x' } } },
    };
    const { document, notes } = joinDocuments(
      generated,
      { toolsets: own },
      { holmesgptVersion: '0.32', standsAlone: true },
    );
    expect(document).toEqual({ toolsets: own });
    expect(notes.map(({ section, name }) => [section, name])).toEqual([['mcp_servers', 'shop/orders']]);
  });

  test('if a hand-written server has the name of a generated toolset, the server wins', () => {
    const mine = { jaeger: { description: 'd', config: { url: 'http://mine', mode: 'sse' } } };
    const jaeger = discovered(service('jaeger', { labels: { app: 'jaeger' }, ports: ['http-query:16686'] }));
    expect(Object.keys(published([jaeger]).toolsets)).toContain('jaeger');
    const { toolsets, servers, said } = published([jaeger], { mcp_servers: mine });
    expect([Object.keys(toolsets), servers]).toEqual([['kubernetes/core', 'kubernetes/logs'], ['jaeger']]);
    expect(said).toContainEqual(expect.stringContaining('yours is in mcp_servers'));
  });
});

describe('tools that HolmesGPT would confuse with those of another server', () => {
  test('a name with the prefix of another server', () => {
    const victim = server('shop', 'orders', ['create']);
    const { servers, said } = published([victim, server('zevil', 'x', ['create', 'shop_orders__create'])]);
    expect(servers).toEqual(['shop/orders']);
    expect(said).toContainEqual(
      expect.stringMatching(/zevil\/x is left out.*one of the server shop\/orders/),
    );
    expect(published([victim, server('zevil', 'x', ['create', 'get__all'])]).servers).toHaveLength(2);
  });

  test('two servers with one prefix: the older one stays', () => {
    const victim = server('shop-orders', 'x', ['create']);
    const evil = server('shop', 'orders-x', ['create'], '2026-06-01T00:00:00Z');
    expect(published([evil, victim]).servers).toEqual(['shop-orders/x']);
  });

  test('the prefix of a hand-written server', () => {
    const mine = { mine: { description: 'd', config: { url: 'http://mine', mode: 'sse' } } };
    const { servers } = published([server('a', 'b', ['mine__delete'])], { mcp_servers: mine });
    expect(servers).toEqual(['mine']);
  });
});

describe('tools of one name in several servers', () => {
  const note = 'Service zeta/x has tools with the names of tools of';

  test('are reported for each server except the first, with the names in HolmesGPT', () => {
    const { servers, said } = published([
      server('shop', 'orders', ['create', 'get']),
      server('zeta', 'x', ['create', 'list', 'get'], '2026-06-01T00:00:00Z'),
      server('apps', 'other', ['find']),
    ]);
    expect(servers).toHaveLength(3);
    expect(said.filter((line) => line.includes('SERVER__TOOL'))).toEqual([
      `${note} shop/orders, so HolmesGPT offers those of each server as SERVER__TOOL: create, get`,
    ]);
  });

  test('are listed briefly, however many and long they are', () => {
    const names = Array.from({ length: 40 }, (_, index) => `tool-${index} and ${'x'.repeat(200)}`);
    const others = ['a', 'b', 'c', 'd', 'e'].map((name, index) =>
      server(name, 'x', names.slice(index * 8, index * 8 + 8)),
    );
    const { said } = published([...others, server('zeta', 'x', names, '2026-06-01T00:00:00Z')]);
    const [line = '', ...more] = said.filter((each) => each.includes('SERVER__TOOL'));
    expect(more).toEqual([]);
    expect(line).toContain(`${note} a/x, b/x, c/x and 2 more, so`);
    expect(line).toContain('and 37 more');
    expect(line.length).toBeLessThan(500);
  });

  test('are not reported for a server that is left out', () => {
    const evil = server('zevil', 'x', ['create', 'shop_orders__create'], '2026-06-01T00:00:00Z');
    const { said } = published([server('shop', 'orders', ['create']), evil]);
    expect(said.filter((line) => line.includes('SERVER__TOOL'))).toEqual([]);
  });
});
