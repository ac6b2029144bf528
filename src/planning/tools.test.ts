import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { ToolOverride } from '../model/overrides.ts';
import { generate } from '../outputs/generate.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import type { PublishedTypes } from './published-types.ts';
import { discoveredTool, type Tool, toolsOf } from './tools.ts';

const kinds = new Map(
  [...rules.byType].map(([type, { detector }]) => [
    type,
    { description: detector.description, mappings: detector.outputs, mcp: detector.mcp },
  ]),
);
const prometheus = discovered(service('prometheus', { labels: { app: 'prometheus' }, ports: [9090] }));
const loki = discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));
const mcp = discovered(service('weather', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
const dead = discovered(service('tempo', { labels: { app: 'tempo' }, ports: ['http:3200'] }), 'unhealthy');

interface ToolJson {
  readonly name: string;
  readonly type: string;
  readonly endpoint: string;
  readonly description: string;
  readonly namespace?: string;
  readonly metadata: Record<string, string>;
}

/** The documents that come of what was found and what a person wrote. */
function documents(overrides: unknown, found = [prometheus, loki, dead]) {
  const generated = generate(found, {
    credentials: {},
    holmesgptVersion: '0.32',
    overrides: overridesSchema.parse(overrides),
    kinds,
  });
  return {
    notes: generated.notes,
    tools: (JSON.parse(generated.documents['toolset.json'] ?? '') as { tools: ToolJson[] }).tools,
    holmes: parse(generated.documents['custom_toolset.yaml'] ?? '') as {
      toolsets: Record<string, { enabled: boolean; config?: Record<string, unknown> }>;
      mcp_servers?: Record<string, { config: unknown }>;
    },
  };
}

const names = (tools: readonly ToolJson[]): string[] => tools.map(({ name }) => name);

describe('changes of a tool', () => {
  test('without changes, nothing changes', () => {
    expect(documents({})).toEqual(documents({ tools: { 'loki.monitoring': {} } }));
  });

  test('"enabled: false" leaves it out of both documents', () => {
    const { tools, holmes } = documents({ tools: { 'loki.monitoring': { enabled: false } } });
    expect(names(tools)).toEqual(['prometheus.monitoring']);
    expect(holmes.toolsets).not.toHaveProperty('grafana/loki');
  });

  test('a field overrides the generated one, in both documents; the others stay', () => {
    const { tools, holmes } = documents({
      tools: {
        'loki.monitoring': {
          endpoint: 'https://loki.example.com/team',
          description: 'Logs',
          metadata: { team: 'a' },
        },
      },
    });
    expect(tools[0]).toMatchObject({
      name: 'loki.monitoring',
      type: 'loki',
      endpoint: 'https://loki.example.com:443/team',
      description: 'Logs',
      metadata: { team: 'a' },
    });
    expect(holmes.toolsets['grafana/loki']?.config).toEqual({ api_url: 'https://loki.example.com:443/team' });
  });

  test('another type makes it one of that kind', () => {
    const { tools, holmes } = documents({ tools: { 'prometheus.monitoring': { type: 'thanos' } } });
    expect(tools.map(({ type }) => type)).toContain('thanos');
    expect(holmes.toolsets).toHaveProperty(['prometheus/metrics']);
  });

  test('an unhealthy backend is left out, which is no fault of the overrides', () => {
    const { tools, notes } = documents({ tools: { 'tempo.monitoring': { description: 'x' } } });
    expect(names(tools)).not.toContain('tempo.monitoring');
    expect(notes).toEqual([]);
  });
});

describe('custom tools', () => {
  const own = {
    type: 'prometheus',
    endpoint: 'http://prometheus.example.com:9090',
    description: 'The old one',
  };

  test('of a known type are in both documents', () => {
    const { tools, holmes } = documents({ tools: { 'old-prometheus': own } });
    expect(names(tools)).toContain('old-prometheus');
    expect(holmes.toolsets['prometheus/metrics']?.config).toEqual({
      instances: [
        { name: 'old-prometheus', prometheus_url: 'http://prometheus.example.com:9090' },
        {
          name: 'prometheus.monitoring',
          prometheus_url: 'http://prometheus.monitoring.svc.cluster.local:9090',
        },
      ],
    });
  });

  test('of a new type are an HTTP toolset', () => {
    const { holmes } = documents({ tools: { cmdb: { ...own, type: 'cmdb' } } });
    expect(holmes.toolsets).toHaveProperty('custom');
  });

  test('may be MCP servers; a dot in the name reaches no key', () => {
    const { holmes } = documents({
      tools: { 'my.server': { ...own, type: 'mcp', endpoint: 'https://mcp.example.com/sse' } },
    });
    expect(holmes.mcp_servers?.['my-server']?.config).toEqual({
      url: 'https://mcp.example.com:443/sse',
      mode: 'sse',
    });
  });

  test('without a required field are left out and reported', () => {
    const { tools, notes } = documents({ tools: { half: { type: 'loki' } } });
    expect(names(tools)).not.toContain('half');
    expect(notes).toEqual([
      {
        where: 'overrides.yaml, tool half',
        what: 'matches no backend that is known now, and to be your own tool it lacks endpoint, description',
        fix: 'write NAMESPACE/SERVICE',
      },
    ]);
  });
});

describe('the part for HolmesGPT', () => {
  test('is merged into the document, field by field', () => {
    const { holmes } = documents({
      holmesgpt: {
        toolsets: {
          'prometheus/metrics': { config: { query_timeout_seconds_default: 60 } },
          'grafana/loki': { enabled: false },
          internet: { enabled: true },
        },
      },
    });
    expect(holmes.toolsets['prometheus/metrics']?.config).toEqual({
      prometheus_url: 'http://prometheus.monitoring.svc.cluster.local:9090',
      query_timeout_seconds_default: 60,
    });
    expect(holmes.toolsets['grafana/loki']?.enabled).toBe(false);
    expect(holmes.toolsets.internet).toEqual({ enabled: true });
  });

  test('null removes', () => {
    const { holmes } = documents({ holmesgpt: { toolsets: { 'grafana/loki': null } } });
    expect(holmes.toolsets).not.toHaveProperty('grafana/loki');
  });

  test('is not merged if nothing would be left, which is reported: HolmesGPT rejects such a file', () => {
    const all = Object.fromEntries(Object.keys(documents({}).holmes.toolsets).map((name) => [name, null]));
    const { holmes, notes } = documents({ holmesgpt: { toolsets: all } });
    expect(Object.keys(holmes.toolsets).length).toBeGreaterThan(0);
    expect(notes).toEqual([expect.objectContaining({ where: 'overrides.yaml, holmesgpt' })]);
  });
});

describe('a custom MCP server is independent of Services', () => {
  const weather = { type: 'mcp', endpoint: 'http://weather.example.com:8000/mcp', description: 'own' };
  const twin = discovered(
    service('weather', { namespace: 'evil', labels: { app: 'loki' }, ports: ['http:3100'] }),
  );
  const serversOf = (key: string, rules: Record<string, unknown>, found: (typeof twin)[]) =>
    documents({ tools: { [key]: weather }, holmesgpt: { mcp_servers: rules } }, found).holmes.mcp_servers;

  test.each([
    ['weather.evil', 'weather-evil'],
    ['weather.evil', 'evil/weather'],
    ['evil/weather', 'evil/weather'],
  ])('tools %s, with mcp_servers %s', (key, name) => {
    const rules = { approval_required_tools: ['*'], config: { headers: { Authorization: 'Bearer x' } } };
    const alone = serversOf(key, { [name]: rules }, [loki]);
    expect(alone).toEqual(serversOf(key, { [name]: rules }, [loki, twin]));
    expect(alone).toMatchObject({ [name]: { ...rules, config: { url: weather.endpoint, ...rules.config } } });
    for (const off of [{ enabled: false }, null])
      expect(serversOf(key, { [name]: off }, [loki, twin])).toEqual(serversOf(key, { [name]: off }, [loki]));
  });
});

describe('a discovered Service as a tool', () => {
  const found: DiscoveredService = {
    ...loki,
    alternates: ['loki-read', 'loki-write'],
    service: { ...loki.service, created: '2026-01-01T00:00:00Z' },
  };

  test('names its Service, and the others of its backend', () => {
    expect(discoveredTool(found)).toMatchObject({
      tool: 'loki.monitoring',
      cluster: '',
      namespace: 'monitoring',
      key: 'monitoring/loki',
      members: ['loki', 'loki-read', 'loki-write'].map((name) => keyFor(`monitoring/${name}`)),
      created: '2026-01-01T00:00:00Z',
      pinned: false,
    });
  });

  test('has its certainty and creation time, and hosts only for MCP servers', () => {
    expect(discoveredTool(found).metadata).toEqual({
      service: 'loki',
      certainty: 'label',
      created: '2026-01-01T00:00:00Z',
      alternates: 'loki-read,loki-write',
    });
    expect(discoveredTool(loki).metadata).toEqual({ service: 'loki', certainty: 'label' });
    expect(discoveredTool(mcp).metadata).toEqual({
      service: 'weather',
      certainty: 'label',
      hosts: 'weather.monitoring.svc.cluster.local',
    });
  });
});

describe('the resulting tools', () => {
  const URL = 'http://mine.example.com:1';
  const WHOLE = { type: 'loki', endpoint: URL, description: 'mine' };
  const named = (tool: Tool): string => tool.tool;
  /** A Service that is held back, unless a person's URL takes its place. */
  const held = discovered(
    service('weather', { namespace: 'shop', labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }),
  );
  const result = (
    tools: Record<string, ToolOverride>,
    found: readonly DiscoveredService[] = [loki],
    waiting: readonly DiscoveredService[] = [],
    published: PublishedTypes = new Map(),
  ) => toolsOf(found, overridesSchema.parse({ tools }), kinds, waiting, published);

  test('are in the order of their names', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) =>
      discovered(service(name, { labels: { app: 'loki' }, ports: ['http:3100'] })),
    );
    if (a === undefined || b === undefined || c === undefined) throw new Error('three Services');
    expect(result({ bb: WHOLE }, [c, a, b]).tools.map(named)).toEqual([
      'a.monitoring',
      'b.monitoring',
      'bb',
      'c.monitoring',
    ]);
  });

  describe('an override of fields', () => {
    const changed = (override: ToolOverride, found = loki): Tool | undefined =>
      result({ 'monitoring/loki': override }, [found]).tools[0];
    const plain = discoveredTool(loki);

    test('pins the tool, so that no limit removes it, and keeps all other fields', () => {
      expect(changed({ metadata: { team: 'a' } })).toEqual({
        ...plain,
        metadata: { ...plain.metadata, team: 'a' },
        pinned: true,
      });
      expect(changed({ namespace: 'apps' })).toEqual({ ...plain, namespace: 'apps', pinned: true });
      expect(changed({})).toEqual(plain);
    });

    test('of the description makes it trusted text', () => {
      const theirs = { ...loki, description: 'theirs', tenantDescription: true };
      expect(changed({ description: 'mine' }, theirs)).toMatchObject({
        description: 'mine',
        tenantDescription: false,
      });
      expect(changed({ namespace: 'apps' }, theirs)).toMatchObject({
        description: 'theirs',
        tenantDescription: true,
      });
    });

    test('of the type makes it one of that kind; an unknown type changes only its name', () => {
      const tempo = kinds.get('tempo');
      expect(changed({ type: 'tempo' })).toMatchObject({
        type: 'tempo',
        detector: 'tempo',
        kind: tempo?.description,
        mappings: tempo?.mappings,
      });
      expect(changed({ type: 'my-own' })).toEqual({ ...plain, type: 'my-own', pinned: true });
    });
  });

  describe("a URL from overrides makes it an operator's tool, without any text of a tenant", () => {
    const theirs: DiscoveredService = {
      ...loki,
      tool: 'best-logs',
      description: 'theirs',
      tenantDescription: true,
    };

    test('whether or not overrides give everything else', () => {
      const { tools } = result({ 'monitoring/loki': { endpoint: `${URL}/loki/` } }, [theirs]);
      expect(tools).toEqual([
        {
          tool: 'loki.monitoring',
          type: 'loki',
          detector: 'loki',
          kind: loki.kind,
          endpoint: { scheme: 'http', host: 'mine.example.com', port: 1, path: '/loki' },
          mode: 'streamable-http',
          mappings: loki.mappings,
          mcp: loki.mcp,
          verdict: expect.objectContaining({ health: 'unknown', proof: 'unproven', steps: [] }),
          description: kinds.get('loki')?.description,
          tenantDescription: false,
          cluster: '',
          namespace: undefined,
          metadata: {},
          key: 'monitoring/loki',
          members: [],
          created: undefined,
          pinned: true,
          added: true,
        },
      ]);
      const whole = { type: 'loki', endpoint: `${URL}/loki/`, description: kinds.get('loki')?.description };
      const own = result({ 'loki.monitoring': whole }, [theirs]).tools;
      expect(own).toEqual([{ ...tools[0], key: 'loki-monitoring' }]);
    });

    test('and it keeps its key while the Service is gone', () => {
      const published = new Map([[keyFor('monitoring/loki'), 'loki']]);
      const tools = (found: readonly DiscoveredService[]) =>
        result({ 'loki.monitoring': { endpoint: URL } }, found, [], published).tools;
      expect(tools([])).toEqual(tools([loki]));
      expect(tools([])).toMatchObject([{ tool: 'loki.monitoring', key: 'monitoring/loki' }]);
    });

    test('even while the backend is unhealthy', () => {
      const { tools, notes } = result({ 'monitoring/tempo': { endpoint: URL } }, [dead]);
      expect([tools.map(named), notes]).toEqual([['tempo.monitoring'], []]);
    });

    test.each<[string, string, Partial<Tool>['endpoint']]>([
      ['http', 'http://h', { scheme: 'http', host: 'h', port: 80, path: '' }],
      ['https', 'https://h/', { scheme: 'https', host: 'h', port: 443, path: '' }],
      ['tcp, which has no port of its own', 'tcp://h:80', { scheme: 'tcp', host: 'h', port: 80, path: '' }],
    ])('the port is that of the URL, or of its scheme: %s', (_, endpoint, expected) => {
      expect(result({ mine: { ...WHOLE, endpoint } }, []).tools[0]?.endpoint).toEqual(expected);
    });

    test.each([
      ['http://h/sse', 'sse'],
      ['http://h/sse/', 'sse'],
      ['http://h/mcp', 'streamable-http'],
    ])('the transport of MCP follows from the path: %s', (endpoint, mode) => {
      expect(result({ mine: { ...WHOLE, type: 'mcp', endpoint } }, []).tools[0]).toMatchObject({
        mode,
        mcp: true,
      });
    });

    test('the slash at the end of its URL counts for MCP only', () => {
      const pathOf = (type: string) =>
        result({ mine: { ...WHOLE, type, endpoint: 'http://h/mcp/' } }, []).tools[0]?.endpoint.path;
      expect([pathOf('mcp'), pathOf('loki')]).toEqual(['/mcp/', '/mcp']);
    });

    test('its kind is that of its type, otherwise the discovered one, otherwise a new one', () => {
      const custom = { ...loki, type: 'special', detector: 'special', kind: 'a special one' };
      const kindOf = (override: ToolOverride) =>
        result({ 'monitoring/loki': { endpoint: URL, ...override } }, [custom]).tools[0];
      expect(kindOf({ type: 'tempo' })).toMatchObject({
        detector: 'tempo',
        kind: kinds.get('tempo')?.description,
        description: kinds.get('tempo')?.description,
      });
      const special = {
        type: 'special',
        detector: 'custom',
        kind: 'a special one',
        mappings: loki.mappings,
      };
      expect(kindOf({})).toMatchObject({ ...special, description: 'a special one' });
      const published = new Map([[keyFor('monitoring/loki'), 'special']]);
      expect(result({ 'monitoring/loki': { endpoint: URL } }, [custom], [], published).tools).toMatchObject([
        special,
      ]);
      const ofNoKind = { detector: 'custom', kind: kinds.get('custom')?.description };
      expect(kindOf({ type: 'other' })).toMatchObject({ ...ofNoKind, description: ofNoKind.kind });
      expect(result({ mine: WHOLE }, []).tools).toMatchObject([
        { kind: kinds.get('loki')?.description, description: 'mine' },
      ]);
      const bare = toolsOf([], overridesSchema.parse({ tools: { mine: WHOLE } }), new Map()).tools[0];
      expect(bare).toMatchObject({ detector: 'custom', kind: 'mine' });
      expect(bare?.mappings).toEqual({});
    });
  });

  describe('"enabled: false"', () => {
    test('also leaves out a custom tool, and its name stays reserved', () => {
      const namesake = { ...loki, tool: 'mine' };
      const { tools } = result({ mine: { ...WHOLE, enabled: false } }, [namesake]);
      expect(tools.map(named)).toEqual(['loki.monitoring']);
    });

    const twin = discovered(service('loki-twin', { labels: { app: 'loki' }, ports: ['http:3100'] }));
    const beside = { ...twin, sharesPods: ['loki'] };

    test('covers other Services of the same Pods, with a note that explains how to get them', () => {
      const off = { 'monitoring/loki': { enabled: false } };
      const note = {
        where: 'Service monitoring/loki-twin',
        what: 'is left out: it leads to Pods of monitoring/loki, which overrides.yaml switches off',
        fix: 'if you want it, write enabled: true under tools, monitoring/loki-twin',
      };
      expect(result(off, [loki, beside])).toMatchObject({ tools: [], notes: [note] });
      expect(result(off, [beside], [loki])).toMatchObject({ tools: [], notes: [note] });
      expect(result(off, [], [loki, beside])).toMatchObject({ tools: [], notes: [note] });
    });

    test('but not another product in the same Pods', () => {
      const tempo = discovered(service('tempo', { labels: { app: 'tempo' }, ports: ['http:3200'] }));
      const inside = { ...tempo, sharesPods: ['loki'] };
      const off = { 'monitoring/loki': { enabled: false } };
      expect(result(off, [loki, inside]).tools.map(named)).toEqual(['tempo.monitoring']);
      expect(result(off, [inside], [loki]).tools.map(named)).toEqual(['tempo.monitoring']);
    });

    test('but not one with a URL from overrides, which is elsewhere', () => {
      const { tools, notes } = result(
        { 'monitoring/loki': { enabled: false }, 'monitoring/loki-twin': { endpoint: URL } },
        [loki, beside],
      );
      expect([tools.map(named), notes]).toEqual([['loki-twin.monitoring'], []]);
    });
  });

  describe('a Service that waits', () => {
    test('is not a tool, unless overrides change its URL', () => {
      expect(result({}, [], [held])).toEqual({ tools: [], notes: [], unhealthy: [] });
      expect(result({ 'shop/weather': { description: 'mine' } }, [], [held])).toEqual({
        tools: [],
        notes: [],
        unhealthy: [],
      });
    });

    test.each<[string, ToolOverride, PublishedTypes]>([
      ['a complete tool in overrides.yaml replaces it', { ...WHOLE, type: 'mcp' }, new Map()],
      [
        'a URL does too, with its published type',
        { endpoint: URL },
        new Map([[keyFor('shop/weather'), 'mcp']]),
      ],
      ['a URL does with a type', { endpoint: URL, type: 'mcp' }, new Map()],
    ])('%s', (_, override, published) => {
      const { tools, notes } = result({ 'shop/weather': override }, [], [held], published);
      expect(tools).toMatchObject([
        { tool: 'weather.shop', type: 'mcp', added: true, endpoint: { port: 1 } },
      ]);
      expect(notes).toEqual([]);
    });

    test('with only a URL, its type is its owner’s claim: it is not published, which is reported', () => {
      expect(result({ 'shop/weather': { endpoint: URL } }, [], [held])).toMatchObject({
        tools: [],
        notes: [
          {
            where: 'overrides.yaml, tool shop/weather',
            what: 'has a URL and is not published: its type is not known, since its Service may not be published as mcp',
            fix: 'give it a type, for example type: loki',
          },
        ],
      });
    });
  });

  describe('a name that an operator gave to a tool', () => {
    const displayed = { ...loki, tool: 'Mine' };

    test('is unavailable to others, in any case', () => {
      const [renamed, mine] = result({ mine: WHOLE }, [displayed]).tools;
      expect(renamed).toEqual({ ...discoveredTool(displayed), tool: 'loki.monitoring' });
      expect(mine?.tool).toBe('mine');
      expect(result({ MINE: WHOLE }, [{ ...loki, tool: 'mine' }]).tools.map(named)).toEqual([
        'MINE',
        'loki.monitoring',
      ]);
      expect(result({ other: WHOLE }, [displayed]).tools.map(named)).toEqual(['Mine', 'other']);
    });

    test('replaces a Service of another cluster with that name', () => {
      const east = { ...loki, service: { ...loki.service, cluster: 'east' }, tool: 'loki.monitoring.east' };
      expect(result({ 'Loki.monitoring.east': WHOLE }, [east]).tools.map(named)).toEqual([
        'Loki.monitoring.east',
      ]);
      expect(result({ mine: WHOLE }, [east]).tools.map(named)).toEqual(['loki.monitoring.east', 'mine']);
      // One of the home cluster can be switched off by its key.
      expect(result({ 'Loki.monitoring': WHOLE }, [loki]).tools.map(named)).toEqual([
        'Loki.monitoring',
        'loki.monitoring',
      ]);
    });
  });

  describe('keys of custom tools, which have no dots in HolmesGPT’s file', () => {
    const keysOf = (names: readonly string[], servers = {}) => {
      const tools = Object.fromEntries(names.map((name) => [name, { ...WHOLE, type: 'mcp' }]));
      const overrides = overridesSchema.parse({ tools, holmesgpt: { mcp_servers: servers } });
      const { tools: made, notes } = toolsOf([], overrides, kinds);
      const keys = new Map(made.map(({ tool, key }) => [tool, key]));
      return { keys: names.map((name) => keys.get(name)), notes };
    };

    test.each<[string, readonly string[], readonly string[]]>([
      ['are their names', ['a', 'b'], ['a', 'b']],
      ['have hyphens in place of dots', ['a.b.c'], ['a-b-c']],
      ['get a number where another tool has that name', ['a-b', 'a.b'], ['a-b', 'a-b-2']],
      ['whichever comes first', ['a.b', 'a-b'], ['a-b-2', 'a-b']],
      ['with more dots, too', ['a.b.c', 'a-b-c'], ['a-b-c-2', 'a-b-c']],
      ['and the next number after that', ['a-b', 'a.b', 'a-b-2'], ['a-b', 'a-b-3', 'a-b-2']],
      ['though neither is written so', ['a.b.c', 'a.b-c'], ['a-b-c', 'a-b-c-2']],
    ])('%s', (_, names, keys) => {
      expect(keysOf(names).keys).toEqual(keys);
    });

    test('a key that differs from its name by a number is reported', () => {
      expect(keysOf(['a-b', 'a.b']).notes).toEqual([
        {
          where: 'overrides.yaml, tool a.b',
          what: "is called a-b-2 in the agent's file, whose keys cannot contain a dot, because another tool there is called a-b",
          fix: 'give one of them another name',
        },
      ]);
      expect(keysOf(['a', 'a.b']).notes).toEqual([]);
    });

    test('match entries under mcp_servers', () => {
      expect(keysOf(['a.b'], { 'b/a': {} }).keys).toEqual(['b/a']);
      expect(keysOf(['a.b'], { 'b/a': {}, 'a-b': {} }).keys).toEqual(['a-b']);
    });
  });
});
