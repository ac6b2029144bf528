import { expect, test, vi } from 'vitest';
import type { Toolset } from '../../../model/documents.ts';
import { unpaired } from './unpaired.ts';

const URL = 'http://grafana.shop.svc.cluster.local:80';
const SPELLINGS = [
  'http://grafana.shop',
  'http://GRAFANA.shop.svc:3000/x',
  'http://grafana.shop.svc.cluster.local.',
];
const KEY = '{{ env.GRAFANA_KEY }}';

/** A toolset with this file. JSON is YAML, too. */
const file = (content: object): Toolset => ({
  documents: { 'custom_toolset.yaml': JSON.stringify(content) },
  tools: [],
});
const toolset = (config: object, name = 'grafana/dashboards'): Toolset =>
  file({ toolsets: { [name]: { enabled: true, config } } });
const instances = (...list: object[]): Toolset => toolset({ instances: list });
const server = (config: object): Toolset => file({ mcp_servers: { deploys: { config } } });
const NOTHING = toolset({ instances: [{ name: 'a', api_url: URL }] });

const named = (next: Toolset, published = NOTHING, generated = NOTHING): readonly string[] =>
  unpaired(next, published, () => generated).map(({ where, what }) => `${where}: ${what}`);
const message = (name: string, place: string): string =>
  `${name}: the agent would send credentials to ${place}, and neither what is published nor the settings do`;

test.each<[string, Toolset, string, string]>([
  ['an instance', instances({ api_url: URL, api_key: KEY }), 'grafana/dashboards', 'shop/grafana'],
  ['a flat toolset', toolset({ api_url: URL, api_key: KEY }), 'grafana/dashboards', 'shop/grafana'],
  [
    'headers beside the list',
    toolset({ additional_headers: { 'X-A': KEY }, instances: [{ api_url: URL }] }),
    'grafana/dashboards',
    'shop/grafana',
  ],
  [
    'one of several',
    instances({ api_url: 'http://other.shop' }, { api_url: URL, username: 'me', password: KEY }),
    'grafana/dashboards',
    'shop/grafana',
  ],
  [
    'a broker of a cluster',
    toolset({ clusters: [{ broker: 'kafka.shop:9092', username: 'me', password: 'secret' }] }, 'kafka/admin'),
    'kafka/admin',
    'shop/kafka',
  ],
  [
    'an endpoint of an HTTP toolset',
    file({
      toolsets: {
        jaeger: {
          type: 'http',
          config: { endpoints: [{ hosts: ['jaeger.shop.svc:80'], auth: { type: 'bearer', token: KEY } }] },
        },
      },
    }),
    'jaeger',
    'shop/jaeger',
  ],
  [
    'an MCP server',
    server({ url: URL, headers: { Authorization: 'Bearer abc' } }),
    'deploys',
    'shop/grafana',
  ],
  ['an address', server({ url: 'http://10.0.0.7/mcp', headers: { 'X-A': KEY } }), 'deploys', '10.0.0.7'],
  [
    'a login in a URL',
    instances({ api_url: 'http://me:secret@grafana.shop:3000' }),
    'grafana/dashboards',
    'shop/grafana',
  ],
  [
    'a token of the environment in a path',
    instances({ api_url: `http://grafana.shop/${KEY}` }),
    'grafana/dashboards',
    'shop/grafana',
  ],
  [
    'a host of the environment',
    instances({ api_url: 'http://{{ env.SHOP }}:{{ env.PORT }}', api_key: KEY }),
    'grafana/dashboards',
    'http://{{ env.SHOP }}:{{ env.PORT }}',
  ],
  ['a token in a query', server({ url: 'http://grafana.shop/mcp?token=secret' }), 'deploys', 'shop/grafana'],
  [
    'the name of a Pod',
    server({ url: 'http://10-0-0-7.shop.pod.cluster.local/mcp', headers: { 'X-A': KEY } }),
    'deploys',
    '10-0-0-7.shop.pod.cluster.local',
  ],
  [
    'a client certificate',
    instances({ api_url: URL, client_cert: '/a.crt' }),
    'grafana/dashboards',
    'shop/grafana',
  ],
  [
    'a backend that HolmesGPT looks for',
    toolset({ additional_headers: { 'X-A': KEY } }, 'prometheus/metrics'),
    'prometheus/metrics',
    'a backend that it looks for itself',
  ],
])('it names credentials that nobody sends there now: %s', (_, next, name, place) => {
  expect(named(next)).toEqual([message(name, place)]);
  // The same credentials elsewhere, or other credentials in the same place, do not count.
  const elsewhere = JSON.parse(
    JSON.stringify(next)
      .replaceAll('shop', 'other')
      .replaceAll('SHOP', 'OTHER')
      .replaceAll('10.0.0.7', '10.0.0.8'),
  ) as Toolset;
  if (place !== 'a backend that it looks for itself')
    expect(named(next, elsewhere, elsewhere)).toHaveLength(1);
  const others = JSON.parse(
    JSON.stringify(next).replace(/GRAFANA_KEY|secret|abc|a\.crt/g, 'OTHER'),
  ) as Toolset;
  expect(named(next, others, others)).toHaveLength(1);
});

test.each<[string, object]>([
  [
    'an MCP server that HolmesGPT starts',
    {
      mcp_servers: {
        deploys: { config: { mode: 'stdio', command: 'npx', args: ['mcp-remote', 'http://a.shop'] } },
      },
    },
  ],
  [
    'a toolset of commands',
    { toolsets: { deploys: { tools: [{ name: 'get', command: 'curl http://a.shop' }] } } },
  ],
])('it names a program that is not run now: %s', (_, content) => {
  expect(named(file(content))).toEqual([
    'deploys: the agent would run a program, with its arguments, and neither what is published nor the settings do',
  ]);
  expect(named(file(content), file(content))).toEqual([]);
  const other = JSON.parse(JSON.stringify(content).replace('a.shop', 'b.shop'));
  expect(named(file(content), file(other), file(other))).toHaveLength(1);
});

test('what is published now, or what the settings give the same Service, is no problem', () => {
  const next = instances({ name: 'a', api_url: URL, api_key: KEY });
  for (const url of SPELLINGS) {
    const now = instances({ name: 'b', api_url: url, api_key: KEY });
    expect(named(next, now)).toEqual([]);
    expect(named(next, NOTHING, now)).toEqual([]);
  }
  const login = (url: string): Toolset => instances({ api_url: `http://me:secret@${url}` });
  expect(named(login('grafana.shop/new'), login('grafana.shop.svc:3000'))).toEqual([]);
});

test('without credentials, or to hosts outside the cluster, nothing is generated to compare', () => {
  const generated = vi.fn(() => NOTHING);
  const outside = 'https://grafana.example.com';
  for (const next of [
    NOTHING,
    instances({ api_url: outside, api_key: KEY }),
    server({ url: `${outside}/mcp`, headers: { 'X-A': KEY } }),
    file({}),
    { documents: { 'custom_toolset.yaml': '[' }, tools: [] },
  ])
    expect(unpaired(next, NOTHING, generated)).toEqual([]);
  expect(generated).not.toHaveBeenCalled();
});
