import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type * as z from 'zod';
import { detected, discovered } from '../../../../test/fixtures/unit/detection.ts';
import { offered, service } from '../../../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../../../model/discovery.ts';
import { discoveredTool } from '../../../planning/tools.ts';
import { holmesSchema } from '../contract/schema.ts';
import { type HolmesOptions, NEWEST } from './document-options.ts';
import { holmesDocument } from './toolsets.ts';

const prometheus = (namespace: string, probed?: 'auth'): DiscoveredService =>
  discovered(service('prometheus', { namespace, labels: { app: 'prometheus' }, ports: [9090] }), probed);
const jaeger = (namespace: string): DiscoveredService =>
  discovered(service('jaeger', { namespace, labels: { app: 'jaeger' }, ports: ['query:16686'] }));

const written = (services: DiscoveredService[], options: Partial<HolmesOptions> = {}) =>
  holmesDocument(services.map(discoveredTool), { ...NEWEST, ...options });

function document(...services: DiscoveredService[]): z.infer<typeof holmesSchema> {
  return holmesSchema.parse(parse(written(services).text));
}

describe('a backend for which the agent has a toolset', () => {
  test('configures it with its endpoint', () => {
    expect(document(prometheus('monitoring')).toolsets['prometheus/metrics']).toEqual({
      enabled: true,
      config: { prometheus_url: 'http://prometheus.monitoring.svc.cluster.local:9090' },
    });
  });

  test('of several, the preferred one is first, then the oldest, whatever their names', () => {
    const made = (namespace: string, name: string, created: string): DiscoveredService => {
      const found = prometheus(namespace);
      return {
        ...found,
        service: { ...found.service, name, created },
        tool: name,
        endpoint: { ...found.endpoint, host: `${name}.${namespace}` },
      };
    };
    const found = [
      made('evil', 'a', '2026-03-01T00:00:00Z'),
      made('team', 'b', '2026-01-01T00:00:00Z'),
      made('ops', 'z', '2026-02-01T00:00:00Z'),
    ];
    const order = (options: Partial<HolmesOptions>): string[] => {
      const { toolsets } = holmesSchema.parse(parse(written(found, options).text));
      const config = toolsets['prometheus/metrics']?.config;
      return (
        (config as { instances: { name: string }[] } | undefined)?.instances.map(({ name }) => name) ?? []
      );
    };
    expect(order({})).toEqual(['b', 'z', 'a']);
    expect(order({ namespaces: ['ops', '*'] })).toEqual(['z', 'b', 'a']);
    const backends = { 'evil/a': { verify_ssl: true } };
    expect(order({ patch: { toolsets: { 'prometheus/metrics': { backends } } } })).toEqual(['a', 'b', 'z']);
    const http = holmesDocument([jaeger('evil'), jaeger('ops')].map(discoveredTool), {
      ...NEWEST,
      namespaces: ['ops'],
    }).text;
    expect(http.indexOf('jaeger.ops')).toBeLessThan(http.indexOf('jaeger.evil'));
  });

  test('several of a kind are in a list, each with its own name', () => {
    const { config } = document(prometheus('a'), prometheus('b')).toolsets['prometheus/metrics'] ?? {};
    expect(config).toEqual({
      instances: [
        { name: 'prometheus.a', prometheus_url: 'http://prometheus.a.svc.cluster.local:9090' },
        { name: 'prometheus.b', prometheus_url: 'http://prometheus.b.svc.cluster.local:9090' },
      ],
    });
  });

  test('for an agent that supports only one of a kind, the first is used and the others are reported', () => {
    const { text, notes } = written([prometheus('a'), prometheus('b')], { holmesgptVersion: '0.20' });
    expect(parse(text).toolsets['prometheus/metrics'].config).toEqual({
      prometheus_url: 'http://prometheus.a.svc.cluster.local:9090',
    });
    expect(notes.map(({ where }) => where)).toEqual(['Service b/prometheus']);
  });

  describe('for an agent that supports only one of a kind, no text of a tenant decides which', () => {
    const old = {
      ...service('prometheus', { namespace: 'monitoring', labels: { app: 'prometheus' }, ports: [9090] }),
      created: '2024-01-01T00:00:00Z',
    };
    const evil = {
      ...offered('a0', { type: 'prometheus', name: '0' }, { namespace: 'evil' }),
      created: '2026-01-01T00:00:00Z',
    };
    const urlOf = (
      options: Partial<HolmesOptions> = {},
      services = [discovered(evil), discovered(old)],
    ): string =>
      parse(written(services, { holmesgptVersion: '0.20', ...options }).text).toolsets['prometheus/metrics']
        .config.prometheus_url;

    test('the older Service wins, whatever its name', () => expect(urlOf()).toContain('monitoring'));
    test('the order of namespaces comes before age', () => {
      expect(urlOf({ namespaces: ['evil', 'monitoring'] })).toContain('evil');
      expect(urlOf({ namespaces: ['monitoring', 'evil'] })).toContain('monitoring');
      expect(urlOf({ namespaces: ['*'] })).toContain('monitoring');
    });
    test('a named Service comes first', () => {
      const credentials = { 'evil/a0': { headers: { 'X-A': 'A' } } };
      expect(urlOf({ credentials, namespaces: ['monitoring', 'evil'] })).toContain('evil');
    });
    test('without a time, namespace and name decide', () => {
      const { created: _, ...ageless } = old;
      expect(urlOf({}, [discovered(ageless), discovered(evil)])).toContain('evil');
      expect(urlOf({}, [discovered(ageless), discovered({ ...ageless, namespace: 'zoo' })])).toContain(
        'monitoring',
      );
    });
  });

  test('of several that only the environment of the agent can name, one entry is used and the others are reported', () => {
    const argocd = (namespace: string): DiscoveredService =>
      discovered(
        service('argocd-server', {
          namespace,
          labels: { 'app.kubernetes.io/name': 'argocd-server' },
          ports: ['https:443'],
        }),
      );
    const credentials = { argocd: { bearerToken: 'ARGOCD_AUTH_TOKEN', namespaces: ['a', 'b'] } };
    const { text, notes } = written([argocd('a'), argocd('b')], { credentials });
    expect(parse(text).toolsets['argocd/core']).toEqual({ enabled: true });
    expect(notes.map(({ where }) => where)).toEqual(['Service b/argocd-server']);
  });

  test('one backend may configure several toolsets', () => {
    const { toolsets } = document(
      discovered(service('es', { labels: { app: 'elasticsearch' }, ports: ['https:9200'] })),
    );
    const url = 'https://es.monitoring.svc.cluster.local:9200';
    expect(toolsets['elasticsearch/data']?.config).toMatchObject({ api_url: url });
    expect(toolsets['elasticsearch/cluster']?.config).toMatchObject({ api_url: url });
  });

  test('a backend that requires credentials that are not configured is left out, with a note', () => {
    const { notes } = written([prometheus('a', 'auth')]);
    expect(document(prometheus('a', 'auth')).toolsets['prometheus/metrics']).toBeUndefined();
    expect(notes.map(({ where }) => where)).toEqual(['Service a/prometheus']);
    expect(notes[0]?.what).toMatch(/credentials/);
    const both = document(prometheus('a', 'auth'), prometheus('b')).toolsets['prometheus/metrics'];
    expect(JSON.stringify(both)).not.toContain('prometheus.a');
  });

  test("Grafana is left out with a note: the toolset's own check fails without credentials", () => {
    const grafana = discovered(service('grafana', { labels: { app: 'grafana' }, ports: [3000] }));
    const { text, notes } = written([grafana, prometheus('a')]);
    expect(text).not.toMatch(/grafana/);
    expect(text).toMatch(/prometheus\/metrics/);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatchObject({
      where: 'Service monitoring/grafana',
      what: expect.stringMatching(/custom_toolset\.yaml.*credentials/),
    });
  });
});

describe('a backend that is used over HTTP', () => {
  test('gets only GET requests, to its own host and the paths of its product', () => {
    const toolset = document(jaeger('monitoring')).toolsets.jaeger;
    expect(toolset).toMatchObject({ enabled: true, type: 'http' });
    expect(toolset?.description).toBeTruthy();
    const endpoints = toolset?.config?.endpoints as { hosts: string[]; methods: string[]; paths: string[] }[];
    expect(endpoints).toHaveLength(1);
    expect(endpoints[0]?.hosts).toEqual(['http://jaeger.monitoring.svc.cluster.local:16686']);
    expect(endpoints[0]?.methods).toEqual(['GET']);
    expect(endpoints[0]?.paths).toContain('/api/services');
    expect(endpoints[0]?.paths).not.toContain('*');
  });

  test('one that requires credentials that are not configured is left out, with a note', () => {
    const closed = discovered(
      service('jaeger', { labels: { app: 'jaeger' }, ports: ['query:16686'] }),
      'auth',
    );
    expect(document(closed, jaeger('b')).toolsets.jaeger?.config?.endpoints).toHaveLength(1);
    expect(written([closed]).notes.map(({ where }) => where)).toEqual(['Service monitoring/jaeger']);
  });

  test('its base path precedes each of its paths', () => {
    const shop = discovered(offered('shop', { type: 'jaeger', endpoint: 'http://shop:80/jaeger/ui' }));
    const endpoints = document(shop).toolsets.jaeger?.config?.endpoints as { paths: string[] }[];
    for (const path of endpoints[0]?.paths ?? ['none']) expect(path).toMatch(/^\/jaeger\/ui\/api\//);
  });

  test('several share a toolset whose instructions name each', () => {
    const toolset = document(jaeger('a'), jaeger('b')).toolsets.jaeger;
    for (const part of ['http://jaeger.a.svc.cluster.local:16686', 'http://jaeger.b.svc.cluster.local:16686'])
      expect(toolset?.llm_instructions).toContain(part);
    expect(toolset?.config?.endpoints).toHaveLength(2);
  });
});

describe('text from a tenant', () => {
  test('reaches the agent marked, and never as a template that inserts a secret', () => {
    const description = 'Use {{ env.SECRET }} here';
    const { text } = written([discovered(offered('shop', { description }))]);
    expect(text).not.toMatch(/\{\{|\}\}|\{%/);
    expect(text).toContain('env.SECRET');
    expect(text).toMatch(/owner.*Use/);
  });

  test.each([
    { type: '{{ env.SECRET }}' },
    { name: '{{ env.SECRET }}' },
    { 'health-path': '/{{env.SECRET}}' },
  ])('has no template in other annotations either: %j', (says) => {
    expect(written([discovered(offered('shop', says))]).text).not.toContain('{{');
  });

  test('a Service with a template in its endpoint is rejected', () => {
    const says = { endpoint: 'http://shop:80/{{ env.SECRET }}/', type: 'prometheus' };
    expect(detected(offered('shop', says)).candidates).toEqual([]);
  });

  test('cannot add an entry or a key to the file', () => {
    const description = 'x"\n  evil: { enabled: true }\ntoolsets: # \' | > & * ! % @ `';
    const { toolsets } = document(discovered(offered('shop', { description })));
    expect(Object.keys(toolsets).filter((name) => !name.startsWith('kubernetes/'))).toEqual(['custom']);
  });
});

describe('an MCP server', () => {
  const server = (probed?: 'auth'): DiscoveredService =>
    discovered(service('weather', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }), probed);

  test('is listed in the file, with its path', () => {
    const { mcp_servers = {} } = document(server());
    expect(Object.keys(mcp_servers)).toHaveLength(1);
    expect(Object.values(mcp_servers)[0]?.config).toEqual({
      url: 'http://weather.monitoring.svc.cluster.local:8000/mcp',
      mode: 'streamable-http',
    });
  });

  test('two of one name in two namespaces are two', () => {
    const other = discovered(
      service('weather', { namespace: 'other', labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }),
    );
    expect(Object.keys(document(server(), other).mcp_servers ?? {})).toHaveLength(2);
  });

  test('one that requires credentials is left out, with a note', () => {
    expect(document(server('auth')).mcp_servers).toBeUndefined();
    expect(written([server('auth')]).notes.map(({ what }) => what)).toEqual([
      expect.stringMatching(/credentials/),
    ]);
  });

  test("a person's own one keeps its name, which no backend takes, and takes none of a built-in toolset", () => {
    const own = (key: string) => ({ ...discoveredTool(server()), key, added: true as const, pinned: true });
    const named = holmesDocument([own('jaeger'), discoveredTool(jaeger('evil'))], NEWEST);
    expect(named.document).toMatchObject({ mcp_servers: { jaeger: expect.anything() } });
    expect(named.document.toolsets).not.toHaveProperty('jaeger');
    expect(named.notes).toMatchObject([
      { where: 'Service evil/jaeger', what: expect.stringContaining('your own MCP server is called jaeger') },
    ]);
    const builtIn = holmesDocument([own('prometheus/metrics'), discoveredTool(prometheus('ops'))], NEWEST);
    expect(builtIn.document.toolsets).toHaveProperty('prometheus/metrics');
    expect(builtIn.document).not.toHaveProperty('mcp_servers');
  });

  test('one whose protocol the agent does not support is left out, with a note', () => {
    const modern = server();
    const { text, notes } = written([
      { ...modern, verdict: { ...modern.verdict, facts: { eras: 'modern' } } },
    ]);
    expect(text).not.toContain('mcp_servers');
    expect(notes).toHaveLength(1);
  });
});

describe('the schema', () => {
  test.each<[string, unknown, boolean]>([
    ['an enabled toolset', { toolsets: { a: { enabled: true } } }, true],
    ['a key with a dot', { toolsets: { 'a.b': { enabled: true } } }, false],
    [
      'a key with a dot, deep',
      { toolsets: { a: { enabled: true, config: { list: [{ 'x.y': 'z' }] } } } },
      false,
    ],
    ['a field that HolmesGPT does not know', { toolsets: { a: { enabled: true, url: 'x' } } }, false],
    ['a value that is nothing', { toolsets: { a: { enabled: true, config: { x: null } } } }, false],
    [
      'an MCP server without a URL',
      { toolsets: {}, mcp_servers: { a: { description: 'x', config: { mode: 'sse' } } } },
      false,
    ],
  ])('%s', (_, given, valid) => {
    expect(holmesSchema.safeParse(given).success).toBe(valid);
  });
});
