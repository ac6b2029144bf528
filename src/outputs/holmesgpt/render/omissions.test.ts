import { describe, expect, test } from 'vitest';
import { discovered } from '../../../../test/fixtures/unit/detection.ts';
import { offered, service } from '../../../../test/fixtures/unit/service.ts';
import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { discoveredTool, type Tool } from '../../../planning/tools.ts';
import { holmesFaults } from '../contract/contract.ts';
import type { HolmesPatch } from '../overrides.ts';
import { NEWEST } from './document-options.ts';
import { holmesDocument } from './toolsets.ts';

test('tools that are nowhere in the document are reported with their cause, and others are not', () => {
  const { omissions: left, notes } = holmesDocument(
    [
      discovered(service('grafana', { labels: { 'app.kubernetes.io/name': 'grafana' }, ports: [3000] })),
      discovered(service('loki', { labels: { 'app.kubernetes.io/name': 'loki' }, ports: [3100] }), 'auth'),
      discovered(service('tempo', { labels: { 'app.kubernetes.io/name': 'tempo' }, ports: [3200] })),
    ].map(discoveredTool),
  );
  expect(left.map(({ key, cause }) => [key, cause])).toEqual([
    ['monitoring/grafana', 'credentials'],
    ['monitoring/loki', 'credentials'],
  ]);
  const fix =
    "if you trust its owner with credentials, add an entry monitoring/grafana to the setting credentials that names the agent's environment variables";
  expect(left[0]?.fix).toBe(fix);
  expect(notes[0]?.fix).toBe(`it is in toolset.json; ${fix}`);
});

test.each([
  ['its URL', 'http://grafana.monitoring.svc.cluster.local:3000', 0],
  ['another spelling of its URL', 'http://grafana.monitoring:3000/', 0],
  ['another URL', 'http://grafana.shop.svc.cluster.local:3000', 1],
])(
  'a backend whose credentials a user wrote next to %s is not reported as without credentials',
  (_, url, count) => {
    const grafana = discovered(
      service('grafana', { labels: { 'app.kubernetes.io/name': 'grafana' }, ports: [3000] }),
    );
    const config = { api_url: url, api_key: '{{ env.KEY }}' };
    for (const each of [config, { instances: [config] }]) {
      const patch = { toolsets: { 'grafana/dashboards': { enabled: true, config: each } } };
      const { omissions, notes } = holmesDocument([discoveredTool(grafana)], { ...NEWEST, patch });
      expect([omissions.length, notes.length]).toEqual([count, count]);
    }
  },
);

describe('a tool that overrides take out of the document is reported', () => {
  const one = (app: string, port: number): Tool =>
    discoveredTool(discovered(service(app, { labels: { 'app.kubernetes.io/name': app }, ports: [port] })));
  const tools = [
    ...['loki', 'tempo', 'prometheus'].map((app, index) => one(app, [3100, 3200, 9090][index] ?? 0)),
    discoveredTool(discovered(offered('orders', { type: 'mcp' }, { namespace: 'shop', ports: [8000] }))),
  ];
  const overridden = (patch: HolmesPatch) =>
    holmesDocument(tools, { ...NEWEST, patch }).omissions.map(({ key, cause }) => [key, cause]);
  const config = { additional_headers: { 'X-Org': 'a' } };
  const other = { config: { url: 'http://mine/mcp' }, approval_required_tools: [] };

  test.each<[string, HolmesPatch, readonly string[]]>([
    ['switched off', { toolsets: { 'grafana/loki': { enabled: false } } }, ['monitoring/loki']],
    ['removed', { toolsets: { 'grafana/tempo': null } }, ['monitoring/tempo']],
    ['a server removed', { mcp_servers: { 'shop/orders': null } }, ['shop/orders']],
    ['another address', { mcp_servers: { 'shop/orders': other } }, []],
    ['an option', { toolsets: { 'grafana/loki': { config: { timeout_seconds: 60 } } } }, []],
    ['nothing', {}, []],
  ])('%s', (_, patch, keys) => {
    expect(overridden(patch)).toEqual(keys.map((key) => [key, 'overridden']));
  });

  test('another backend in its place', () => {
    const theirs = {
      toolsets: { 'prometheus/metrics': { config: { ...config, prometheus_url: 'http://mine' } } },
    };
    const options = { ...NEWEST, holmesgptVersion: '0.20', patch: theirs } as const;
    expect(holmesDocument(tools, options).omissions.map(({ key, cause }) => [key, cause])).toEqual([
      ['monitoring/prometheus', 'overridden'],
    ]);
  });
});

test('no credentials apply to a backend of another cluster, so none are suggested', () => {
  const grafana = discovered(
    service('grafana', { labels: { 'app.kubernetes.io/name': 'grafana' }, ports: [3000], cluster: 'east' }),
  );
  const { omissions, notes } = holmesDocument([discoveredTool(grafana)]);
  expect([omissions[0]?.fix, notes[0]?.fix]).toEqual([undefined, 'it is in toolset.json']);
});

describe('a backend that HolmesGPT would reject', () => {
  const api = (name: string, port = 80): Tool => {
    const tool = discoveredTool(discovered(offered(name, { type: 'thing' }, { namespace: 'shop' })));
    return { ...tool, endpoint: { ...tool.endpoint, port } };
  };

  test('costs only itself', () => {
    const { document, text, notes, omissions } = holmesDocument([api('a'), api('b', 0), api('c')]);
    const custom = (document.toolsets as Mapping).custom;
    const endpoints = isMapping(custom) && isMapping(custom.config) ? custom.config.endpoints : [];
    expect(endpoints).toMatchObject([
      { hosts: ['http://a.shop.svc.cluster.local:80'] },
      { hosts: ['http://c.shop.svc.cluster.local:80'] },
    ]);
    expect(text).not.toContain('b.shop');
    expect(holmesFaults(document)).toEqual([]);
    const why = 'HolmesGPT would reject it: hosts.0 has no possible port';
    expect(omissions).toEqual([{ key: 'shop/b', tool: 'b.shop', cause: 'unsupported', why }]);
    expect(notes).toEqual([
      {
        where: 'Service shop/b',
        what: `is left out of custom_toolset.yaml: ${why} (thing)`,
        fix: 'it is in toolset.json',
      },
    ]);
  });

  test('leaves no empty toolset', () => {
    const { document, omissions } = holmesDocument([api('a', 0), api('b', 0)]);
    expect(document.toolsets).not.toHaveProperty('custom');
    expect(omissions.map(({ key }) => key)).toEqual(['shop/a', 'shop/b']);
  });

  test('all backends of an entry that is left out as a whole are reported', () => {
    const { omissions } = holmesDocument(
      [api('a'), api('b')].map((tool) => ({ ...tool, detector: 'grafana/loki' })),
    );
    expect(omissions.map(({ key, why }) => [key, why])).toEqual([
      ['shop/a', 'HolmesGPT would reject the entry grafana/loki'],
      ['shop/b', 'HolmesGPT would reject the entry grafana/loki'],
    ]);
  });
});

test('options for a backend that no document can contain cost only themselves', () => {
  const loki = discovered(service('loki', { labels: { 'app.kubernetes.io/name': 'loki' }, ports: [3100] }));
  const backends = { 'monitoring/loki': { labels: [null] } };
  const options = { ...NEWEST, patch: { toolsets: { 'grafana/loki': { backends } } } };
  const { document } = holmesDocument([discoveredTool(loki)], options);
  expect(document.toolsets).toHaveProperty('grafana/loki');
});
