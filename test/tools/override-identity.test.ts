import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { toolKinds } from '../../src/controller/pass.ts';
import { assignNames, NO_NAMING } from '../../src/detection/names.ts';
import type { DiscoveredService, Verdict } from '../../src/model/discovery.ts';
import { reservedNames } from '../../src/model/overrides.ts';
import { generate } from '../../src/outputs/generate.ts';
import { overridesSchema } from '../../src/outputs/overrides-schema.ts';
import { detected, discovered, rules } from '../fixtures/unit/detection.ts';
import { offered, service } from '../fixtures/unit/service.ts';

const kinds = toolKinds(rules);
const MCP = { labels: { 'app.kubernetes.io/component': 'mcp-server' }, ports: ['mcp:8000'] };
const EVIL = { namespace: 'evil' };

/** The documents for what was found and what a person wrote, as a pass and a reconciliation make them. */
function documents(overrides: unknown, ...found: readonly DiscoveredService[]) {
  const read = overridesSchema.parse(overrides);
  const { candidates } = assignNames(found, { ...NO_NAMING, reserved: reservedNames(read) });
  const generated = generate(candidates, {
    credentials: {},
    holmesgptVersion: '0.32',
    overrides: read,
    kinds,
  });
  const { tools } = JSON.parse(generated.documents['toolset.json'] ?? '') as {
    tools: ({ name: string; description: string; endpoint: string } & Record<string, unknown>)[];
  };
  return {
    notes: generated.notes,
    tools: Object.fromEntries(tools.map((tool) => [tool.name, tool])),
    holmes: parse(generated.documents['custom_toolset.yaml'] ?? '') as {
      toolsets: Record<string, { config?: Record<string, unknown> }>;
      mcp_servers?: Record<string, { config: Record<string, unknown> }>;
    },
  };
}

const answering = (found: DiscoveredService, verdict: Partial<Verdict>): DiscoveredService => ({
  ...found,
  verdict: { ...found.verdict, ...verdict },
});

describe('a key of tools', () => {
  const orders = discovered(offered('orders-mcp', { name: 'orders', description: 'Buy now' }));

  test.each(['monitoring/orders-mcp', 'orders-mcp.monitoring'])(
    '%s addresses the Service whatever it calls itself',
    (key) => {
      expect(documents({ tools: { [key]: { enabled: false } } }, orders).tools).toEqual({});
      const { tools, notes } = documents({ tools: { [key]: { description: 'PINNED' } } }, orders);
      expect(tools.orders?.description).toBe('PINNED');
      expect(notes).toEqual([]);
    },
  );

  test('addresses a backend by any of its Services', () => {
    const [loki] = detected(
      service('loki-gateway', { labels: { 'app.kubernetes.io/name': 'loki' }, ports: ['http:80'] }),
      service('loki-query-frontend', { labels: { 'app.kubernetes.io/name': 'loki' }, ports: ['http:3100'] }),
    ).candidates;
    if (loki === undefined) throw new Error('no Loki');
    expect(loki.alternates).toEqual(['loki-query-frontend']);
    const found = { ...loki, verdict: orders.verdict };
    for (const key of [
      'monitoring/loki-gateway',
      'monitoring/loki-query-frontend',
      'loki-query-frontend.monitoring',
    ])
      expect(documents({ tools: { [key]: { enabled: false } } }, found).tools).toEqual({});
  });

  test('that is a display name matches nothing, and a warning suggests the right key', () => {
    const { tools, notes } = documents({ tools: { orders: { enabled: false } } }, orders);
    expect(tools).toHaveProperty('orders');
    expect(notes).toEqual([
      {
        where: 'overrides.yaml, tool orders',
        what: 'is skipped: orders is the display name of monitoring/orders-mcp',
        fix: 'write monitoring/orders-mcp',
      },
    ]);
  });

  test('that matches nothing is reported once, with the nearest identity; an unhealthy backend is a match', () => {
    const { notes } = documents({ tools: { 'monitoring/order-mcp': { enabled: false } } }, orders);
    expect(notes).toEqual([
      {
        where: 'overrides.yaml, tool monitoring/order-mcp',
        what: 'matches no backend that is known now',
        fix: 'did you mean monitoring/orders-mcp? Otherwise it counts as soon as that Service is found',
      },
    ]);
    const sick = answering(orders, { health: 'unhealthy' });
    expect(documents({ tools: { 'monitoring/orders-mcp': { description: 'x' } } }, sick).notes).toEqual([]);
  });

  test('of the chosen Service takes precedence over others for the same backend, field by field; enabled: false always wins', () => {
    const { tools, notes } = documents(
      {
        tools: {
          'orders-mcp.monitoring': { description: 'dotted', metadata: { a: '1' } },
          'monitoring/orders-mcp': { description: 'slashed', metadata: { b: '2' } },
        },
      },
      orders,
    );
    expect(tools.orders).toMatchObject({ description: 'slashed', metadata: { a: '1', b: '2' } });
    expect(notes).toMatchObject([{ what: expect.stringContaining('what monitoring/orders-mcp says wins') }]);
    const refused = {
      'orders-mcp.monitoring': { approved: true },
      'monitoring/orders-mcp': { approved: false },
    };
    expect(documents({ tools: refused }, orders)).toMatchObject({
      tools: {},
      notes: expect.arrayContaining([
        expect.objectContaining({ what: 'address one Service, so approved: false wins' }),
      ]),
    });
    const off = {
      'orders-mcp.monitoring': { enabled: false },
      'monitoring/orders-mcp': { description: 'x' },
    };
    expect(documents({ tools: off }, orders).tools).toEqual({});
  });

  test('with a slash is NAMESPACE/SERVICE, or an error', () => {
    for (const key of ['a/b/c', '/a', 'a/', 'A/b', 'a b/c'])
      expect(() => overridesSchema.parse({ tools: { [key]: {} } })).toThrow(/NAMESPACE\/SERVICE/);
  });
});

describe('a tool in overrides.yaml, and a tenant who requests its name', () => {
  const own = {
    type: 'prometheus',
    endpoint: 'http://prometheus.example.com:9090',
    description: 'Old metrics',
  };
  const alone = documents({ tools: { 'old-prometheus': own } });

  test('is not changed by a backend that requires credentials', () => {
    const evil = answering(discovered(offered('p', { name: 'old-prometheus' }, EVIL)), {
      authRequired: true,
    });
    const { tools, holmes, notes } = documents({ tools: { 'old-prometheus': own } }, evil);
    expect(tools['old-prometheus']).toEqual(alone.tools['old-prometheus']);
    expect(holmes.toolsets['prometheus/metrics']).toEqual(alone.holmes.toolsets['prometheus/metrics']);
    expect(tools).toHaveProperty(['p.evil']);
    expect(notes.every(({ where }) => where === 'Service evil/p')).toBe(true);
  });

  const weather = { type: 'mcp', endpoint: 'http://weather.example.com/sse', description: 'Weather' };
  test.each<[string, Partial<Verdict>]>([
    ['speaks only protocol versions that the agent does not', { facts: { eras: 'modern' } }],
    ['is an ordinary one', {}],
    ['requires credentials', { authRequired: true }],
    ['is unhealthy', { health: 'unhealthy' }],
  ])('is not changed by an MCP server that %s', (_, verdict) => {
    const evil = answering(
      discovered(offered('m', { name: 'weather', type: 'mcp' }, { ...MCP, ...EVIL })),
      verdict,
    );
    const { tools, holmes } = documents({ tools: { weather } }, evil);
    const expected = documents({ tools: { weather } });
    expect(holmes.mcp_servers?.weather).toEqual(expected.holmes.mcp_servers?.weather);
    expect(holmes.mcp_servers?.weather?.config.mode).toBe('sse');
    expect(tools.weather).toEqual(expected.tools.weather);
  });

  test('keeps its name even if no names were assigned before', () => {
    const evil = discovered(offered('p', { name: 'old-prometheus' }, EVIL));
    const overrides = overridesSchema.parse({ tools: { 'old-prometheus': own } });
    const { documents: made } = generate([evil], {
      credentials: {},
      holmesgptVersion: '0.32',
      overrides,
      kinds,
    });
    expect(made['toolset.json']).toContain('"name": "p.evil"');
  });
});

describe('an endpoint in overrides.yaml for a Service', () => {
  test('replaces everything from its owner and its server', () => {
    const tenant = discovered(
      offered(
        'm',
        { name: 'shown', type: 'mcp', description: 'Ask me first' },
        { ...MCP, created: '2026-01-01T00:00:00Z' },
      ),
    );
    const endpoint = 'https://mcp.example.com/sse';
    const { tools, holmes } = documents(
      { tools: { 'monitoring/m': { endpoint } } },
      answering(tenant, { health: 'unhealthy', authRequired: true, facts: { eras: 'modern' } }),
    );
    expect(tools).toEqual({
      'm.monitoring': {
        name: 'm.monitoring',
        type: 'mcp',
        endpoint: 'https://mcp.example.com:443/sse',
        description: kinds.get('mcp')?.description,
        metadata: {},
      },
    });
    expect(holmes.mcp_servers?.['monitoring/m']?.config).toEqual({
      url: 'https://mcp.example.com:443/sse',
      mode: 'sse',
    });
  });
});

describe('an override of another tool', () => {
  const teamTool = offered(
    'teamtool',
    { name: 'orders', description: 'Orders' },
    { created: '2026-01-01T00:00:00Z' },
  );

  test.each([
    [{ description: 'PINNED' }, { orders: { description: 'PINNED' } }],
    [{ enabled: false }, {}],
    [
      { endpoint: 'http://orders.example.com' },
      { 'teamtool.monitoring': { endpoint: 'http://orders.example.com:80' } },
    ],
  ])('stays in force when another tenant requests its name: %j', (override, expected) => {
    const rival = discovered(offered('x', { name: 'orders' }, EVIL));
    const { tools } = documents({ tools: { 'monitoring/teamtool': override } }, discovered(teamTool), rival);
    const { 'x.evil': _, ...others } = tools;
    expect(tools).toHaveProperty(['x.evil']);
    expect(others).toMatchObject(expected);
    expect(Object.keys(others)).toEqual(Object.keys(expected));
  });

  test('that disables it stays in force, whatever name the owner requests later', () => {
    const overrides = { tools: { 'weather.teama': { enabled: false } } };
    for (const name of [undefined, 'weather', 'weather2', 'weather-teama']) {
      const tenant = offered('weather', name === undefined ? {} : { name }, { namespace: 'teama' });
      expect(documents(overrides, discovered(tenant)).tools).toEqual({});
    }
  });
});

test('two MCP tools in overrides.yaml whose names differ only in a dot are two entries', () => {
  const mcp = (host: string) => ({ type: 'mcp', endpoint: `http://${host}/mcp`, description: host });
  const { holmes, notes } = documents({
    tools: { 'a.b': mcp('one'), 'a-b': mcp('two'), 'a-b-2': mcp('three') },
  });
  const urls = Object.entries(holmes.mcp_servers ?? {}).map(([key, { config }]) => `${key} ${config.url}`);
  expect(urls.sort()).toEqual([
    'a-b http://two:80/mcp',
    'a-b-2 http://three:80/mcp',
    'a-b-3 http://one:80/mcp',
  ]);
  expect(notes).toMatchObject([
    { where: 'overrides.yaml, tool a.b', what: expect.stringContaining('a-b-3') },
  ]);
});

describe('overrides that no document can contain', () => {
  test.each([
    ['{"tools":{"__proto__":{"enabled":false}}}', 'tools.__proto__'],
    ['{"holmesgpt":{"toolsets":{"a":{"__proto__":{"x":1}}}}}', 'holmesgpt.toolsets.a.__proto__'],
    ['{"__proto__":{}}', '__proto__'],
  ])('%s is an error', (json, path) => {
    const read = overridesSchema.safeParse(JSON.parse(json));
    expect(read.error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
  });

  test.each(['\u001b[31m', '\0', '\ud83d', '\udc00x', '\u009b', '\u007f'])(
    'a text with %j is an error',
    (text) => {
      const read = overridesSchema.safeParse({ tools: { 'a/b': { description: `x${text}` } } });
      expect(read.error?.issues[0]?.path).toEqual(['tools', 'a/b', 'description']);
      expect(overridesSchema.safeParse({ holmesgpt: { toolsets: { a: { x: [text] } } } }).success).toBe(
        false,
      );
    },
  );

  test('emoji, tabs and line breaks are allowed', () => {
    expect(
      overridesSchema.safeParse({ tools: { 'a/b': { description: 'Line\n\tTwo 😀\r\n' } } }).success,
    ).toBe(true);
  });
});
