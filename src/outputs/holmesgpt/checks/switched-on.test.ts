import { describe, expect, test } from 'vitest';
import type { Toolset } from '../../../model/documents.ts';
import { NO_OVERRIDES, type Overrides } from '../../../model/overrides.ts';
import { switchedOn } from './switched-on.ts';

/** A toolset with this file. JSON is YAML, too. */
const file = (content: unknown): Toolset => ({
  documents: { 'custom_toolset.yaml': JSON.stringify(content) },
  tools: [],
});
const overriding = (part: unknown, tools: Overrides['tools'] = {}): Overrides => ({
  ...NO_OVERRIDES,
  tools,
  parts: { holmesgpt: part },
});
const config = { url: 'http://orders.shop.svc.cluster.local:8000/mcp' };
const short = { url: 'http://orders.shop:8000' };
const orders = file({ mcp_servers: { 'shop/orders': { config } } });
const loki = file({ toolsets: { 'grafana/loki': { enabled: true } } });

describe('an entry is named', () => {
  test.each<[string, Toolset, unknown]>([
    ['overrides switch it off', loki, { toolsets: { 'grafana/loki': { enabled: false } } }],
    ['they do so in other words', loki, { toolsets: { 'grafana/loki': { enabled: 'no' } } }],
    ['they remove it', loki, { toolsets: { 'grafana/loki': null } }],
    ['they switch off its namesake in the other section', loki, { mcp_servers: { 'grafana/loki': null } }],
  ])('if %s', (_, next, part) => {
    expect(switchedOn(next, overriding(part))).toEqual(['grafana/loki']);
  });

  test.each<[string, unknown]>([
    ['under its name', { mcp_servers: { 'shop/orders': { enabled: false } } }],
    ['under another one', { mcp_servers: { mine: { config: short, enabled: false } } }],
  ])('if overrides switch off the MCP server %s', (_, part) => {
    expect(switchedOn(orders, overriding(part))).toEqual(['shop/orders']);
  });

  test('if they switch off the Service of the MCP server by its key', () => {
    const mine = file({ mcp_servers: { mine: { config } } });
    const server = { mcp_servers: { 'shop/orders': { enabled: false } } };
    expect(switchedOn(mine, overriding(server))).toEqual(['mine']);
    expect(switchedOn(mine, overriding({}, { 'shop/orders': { enabled: false } }))).toEqual(['mine']);
    expect(switchedOn(mine, overriding({}, { 'orders.shop': { enabled: false } }))).toEqual(['mine']);
  });

  test('if HolmesGPT turns it on without an entry', () => {
    const part = { toolsets: { internet: { enabled: false }, 'helm/core': { enabled: false } } };
    expect(switchedOn(file({ toolsets: {} }), overriding(part))).toEqual(['internet']);
    expect(switchedOn(file({ toolsets: {} }), overriding({ toolsets: { internet: null } }))).toEqual([]);
  });
});

test.each<[string, Toolset, Overrides]>([
  [
    'it was off',
    file({ toolsets: { bash: { enabled: false } } }),
    overriding({ toolsets: { bash: { enabled: false } } }),
  ],
  ['overrides have it on', loki, overriding({ toolsets: { 'grafana/loki': { enabled: true } } })],
  ['another one is off', loki, overriding({ toolsets: { 'grafana/tempo': { enabled: false } } })],
  [
    'overrides list it beside another name of the server that is off',
    orders,
    overriding({ mcp_servers: { mine: { config, enabled: false }, 'shop/orders': { description: 'x' } } }),
  ],
  [
    'it is a tool of a person, who has switched off the Service only',
    file({ mcp_servers: { mine: { config } } }),
    overriding({}, { 'shop/orders': { enabled: false }, mine: { type: 'mcp', endpoint: short.url } }),
  ],
  ['the file is unreadable', { documents: { 'custom_toolset.yaml': '[' }, tools: [] }, overriding({})],
])('it is not if %s', (_, next, overrides) => {
  expect(switchedOn(next, overrides)).toEqual([]);
});
