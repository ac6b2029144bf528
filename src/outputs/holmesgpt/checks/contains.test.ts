import { describe, expect, test } from 'vitest';
import { discovered } from '../../../../test/fixtures/unit/detection.ts';
import { offered, service } from '../../../../test/fixtures/unit/service.ts';
import type { Credentials } from '../../../model/credentials.ts';
import type { DiscoveredService } from '../../../model/discovery.ts';
import { NO_OVERRIDES } from '../../../model/overrides.ts';
import { generate } from '../../generate.ts';
import { OUTPUTS } from '../../registry.ts';
import { FILE } from '../merge/agent-file.ts';
import { containsIn } from './contains.ts';

const named = (name: string, ...ports: string[]): DiscoveredService =>
  discovered(service(name, { labels: { 'app.kubernetes.io/name': name }, ports }));
const ALL = [
  named('prometheus', 'web:9090'),
  named('loki', 'http:3100'),
  named('elasticsearch', 'http:9200'),
  named('kafka', 'tcp-client:9092'),
  named('rabbitmq', 'http-management:15672', 'amqp:5672'),
  named('jaeger', 'http-query:16686'),
  named('alertmanager', 'web:9093'),
  named('argocd', 'http:80'),
  named('grafana', 'http:3000'),
  discovered(offered('mine', { type: 'mcp', endpoint: 'http://mine:80/sse' })),
  discovered(offered('api', { type: 'orders', endpoint: 'http://api:80/v1' })),
];
const toolsetWith = (credentials: Credentials, found = ALL) =>
  generate(found, {
    credentials,
    holmesgptVersion: '0.32',
    kinds: new Map(),
    overrides: NO_OVERRIDES,
    namespaces: ['monitoring'],
  });
const TOKEN = { bearerToken: 'TOKEN' };

test.each<[string, Credentials]>([
  ['without credentials', {}],
  ['with credentials', { 'monitoring/grafana': TOKEN, 'monitoring/argocd': TOKEN }],
])('the file contains exactly the tools that are not left out of it, %s', (_, credentials) => {
  const generated = toolsetWith(credentials);
  const contains = containsIn(generated);
  const leftOut = new Set(generated.omissions.map(({ tool }) => tool));
  expect(generated.tools).toHaveLength(ALL.length);
  const mappings = new Map(ALL.map((each) => [each.service.name, each.mappings]));
  const said = generated.tools.map((tool) => [
    tool.name,
    contains(tool, mappings.get(tool.metadata.service ?? '')),
  ]);
  expect(said).toEqual(generated.tools.map(({ name }) => [name, !leftOut.has(name)]));
});

describe('a tool is not in the file', () => {
  const [prometheus = never()] = toolsetWith({}, ALL.slice(0, 1)).tools;
  const text = (entries: string) => ({ documents: { [FILE]: entries }, tools: [] });
  const at = (url: string, more = '') =>
    text(`toolsets: { prometheus/metrics: { ${more}config: { prometheus_url: "${url}" } } }`);

  test.each([
    ['is at its address', at(prometheus.endpoint), true],
    ['is at its address with a slash', at(`${prometheus.endpoint}/`), true],
    [
      'is in a list',
      text(`toolsets: { x: { config: { instances: [{ url: "${prometheus.endpoint}" }] } } }`),
      true,
    ],
    ['is an MCP server there', text(`mcp_servers: { x: { url: "${prometheus.endpoint}" } }`), true],
    ['is switched off', at(prometheus.endpoint, 'enabled: false, '), false],
    ['is at another port', at(`${prometheus.endpoint}0`), false],
    ['is at another path', at(`${prometheus.endpoint}/other`), false],
    ['only mentions its address', text(`toolsets: { x: { description: "${prometheus.endpoint}" } }`), false],
    ['is no YAML', text('{'), false],
    ['is missing', { documents: {}, tools: [] }, false],
  ])('if what there is %s: %#', (_, toolset, isThere) => {
    expect(containsIn(toolset)(prometheus)).toBe(isThere);
  });
});

function never(): never {
  throw new Error('nothing was generated');
}

test('the documents that do not contain a tool are named, as far as they exist', () => {
  const generated = toolsetWith({}, ALL.slice(-3));
  const grafana = generated.tools.find(({ type }) => type === 'grafana') ?? never();
  expect(OUTPUTS.leftOutOf(generated)(grafana)).toEqual([FILE]);
  const { [FILE]: _, ...others } = generated.documents;
  expect(OUTPUTS.leftOutOf({ documents: others, tools: [] })(grafana)).toEqual([]);
});
