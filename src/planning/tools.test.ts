import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { overridesSchema } from '../model/overrides.ts';
import { generate } from '../outputs/generate.ts';

const kinds = new Map(
  [...rules.byType].map(([type, { detector }]) => [
    type,
    { description: detector.description, mappings: detector.outputs, mcp: detector.mcp },
  ]),
);
const prometheus = discovered(service('prometheus', { labels: { app: 'prometheus' }, ports: [9090] }));
const loki = discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));
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

describe('what a person changes of a tool', () => {
  test('nothing is changed where nothing is said', () => {
    expect(documents({})).toEqual(documents({ tools: { 'loki.monitoring': {} } }));
  });

  test('enabled: false leaves it out of both documents', () => {
    const { tools, holmes } = documents({ tools: { 'loki.monitoring': { enabled: false } } });
    expect(names(tools)).toEqual(['prometheus.monitoring']);
    expect(holmes.toolsets).not.toHaveProperty('grafana/loki');
  });

  test('a field wins over the generated one, in both documents; the others stay', () => {
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

  test('an unhealthy backend stays out, and that is no fault of the overrides', () => {
    const { tools, notes } = documents({ tools: { 'tempo.monitoring': { description: 'x' } } });
    expect(names(tools)).not.toContain('tempo.monitoring');
    expect(notes).toEqual([]);
  });
});

describe('tools that a person adds', () => {
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

  test('of a type of their own are an HTTP toolset', () => {
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

  test('what is missing of one is told, and it is left out', () => {
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

  test('null takes away', () => {
    const { holmes } = documents({ holmesgpt: { toolsets: { 'grafana/loki': null } } });
    expect(holmes.toolsets).not.toHaveProperty('grafana/loki');
  });

  test('that would leave nothing is not merged, and told: HolmesGPT refuses such a file', () => {
    const all = Object.fromEntries(Object.keys(documents({}).holmes.toolsets).map((name) => [name, null]));
    const { holmes, notes } = documents({ holmesgpt: { toolsets: all } });
    expect(Object.keys(holmes.toolsets).length).toBeGreaterThan(0);
    expect(notes).toEqual([expect.objectContaining({ where: 'overrides.yaml, holmesgpt' })]);
  });
});

describe('an MCP server of a person’s own is the same, whatever Services there are', () => {
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
  ])('tools %s, with what stands under mcp_servers %s', (key, name) => {
    const rules = { approval_required_tools: ['*'], config: { headers: { Authorization: 'Bearer x' } } };
    const alone = serversOf(key, { [name]: rules }, [loki]);
    expect(alone).toEqual(serversOf(key, { [name]: rules }, [loki, twin]));
    expect(alone).toMatchObject({ [name]: { ...rules, config: { url: weather.endpoint, ...rules.config } } });
    for (const off of [{ enabled: false }, null])
      expect(serversOf(key, { [name]: off }, [loki, twin])).toEqual(serversOf(key, { [name]: off }, [loki]));
  });
});
