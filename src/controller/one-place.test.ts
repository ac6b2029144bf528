import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { observed, read, toolset } from '../../test/fixtures/unit/toolset.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Documents } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { contentHash } from '../planning/content-hash.ts';
import { CONTENT_HASH, rollbackAnnotations } from '../planning/plan.ts';
import { type Assessment, assess, situationOf } from './assess.ts';
import { toolKinds } from './pass.ts';

const loki = (namespace: string, created: string, name = 'loki'): DiscoveredService =>
  discovered(service(name, { namespace, created, labels: { app: 'loki' }, ports: ['http:3100'] }));
const ours = loki('obs', '2025-01-01T00:00:00Z');
const evil = loki('evil', '2020-01-01T00:00:00Z', 'old');

const generation = {
  credentials: {},
  holmesgptVersion: '0.20',
  kinds: toolKinds(rules),
  namespaces: ['*'],
} as const;

interface Given {
  readonly published?: Documents;
  readonly overrides?: string;
  readonly generation?: object;
  readonly live?: Partial<Published>;
  readonly revisions?: Parameters<typeof situationOf>[1];
}

function after(found: readonly DiscoveredService[], given: Given = {}): Assessment {
  const { published, overrides = '', live = {}, revisions = [] } = given;
  const there = {
    data: { 'overrides.yaml': overrides, ...published },
    labels: {},
    annotations: {},
    ...live,
  };
  const findings = {
    found,
    contradicted: [],
    generation: { ...generation, ...given.generation },
    outputs: OUTPUTS,
    removal: undefined,
    now: 0,
  };
  return assess(findings, situationOf(observed(there), revisions.map(read), {}), {
    own: published === undefined ? undefined : toolset(published),
  });
}

const documents = ({ decision }: Assessment): Documents => decision.intent.documents;
const place = (assessment: Assessment): string =>
  parse(documents(assessment)['custom_toolset.yaml'] ?? '').toolsets['grafana/loki'].config.api_url;

test('the backend with the only place keeps it while it works, whatever is added', () => {
  let published = documents(after([ours]));
  for (const found of [
    [evil, ours],
    [ours, evil],
    [evil, { ...ours, tool: 'renamed' }],
  ]) {
    const next = after(found, { published });
    expect(place(next)).toContain('//loki.obs.svc');
    published = documents(next);
  }
  // By another port or another Service of the backend it is the same one.
  const moved = { ...ours, endpoint: { ...ours.endpoint, port: 3101 } };
  const gateway = {
    ...ours,
    service: { ...ours.service, name: 'loki-gateway' },
    alternates: ['loki'],
    endpoint: { ...ours.endpoint, host: 'loki-gateway.obs.svc.cluster.local' },
  };
  for (const found of [moved, gateway])
    expect(place(after([evil, found], { published }))).toContain('.obs.svc');
  const { verdict } = discovered(ours.service, 'unhealthy');
  expect(place(after([evil, { ...ours, verdict }], { published }))).toContain('//old.evil.svc');
});

test('if nothing is published, the older one gets it, and the order of NAMESPACES comes first', () => {
  expect(place(after([evil, ours]))).toContain('//old.evil.svc');
  expect(place(after([evil, ours], { generation: { namespaces: ['obs', 'evil'] } }))).toContain('.obs.svc');
});

const backends = (key: string): string =>
  `holmesgpt: { toolsets: { grafana/loki: { backends: { ${key}: { additional_headers: { A: T } } } } } }`;
const credentials = (...namespaces: readonly string[]) => ({
  credentials: { loki: { headers: { A: 'T' }, namespaces } },
});

test.each<[string, Given]>([
  ['NAMESPACE/* under backends', { overrides: backends('"obs/*"') }],
  ['namespaces of credentials', { generation: credentials('obs') }],
  ['a Service under backends', { overrides: backends('obs/loki') }],
  [
    'a Service under backends, before a namespace',
    { overrides: backends('obs/loki'), generation: credentials('evil') },
  ],
])('%s names a backend: it gets the place of another one', (_, given) => {
  const published = documents(after([evil]));
  expect(place(after([evil, ours], given))).toContain('//loki.obs.svc');
  expect(place(after([evil, ours], { ...given, published }))).toContain('//loki.obs.svc');
});

test.each<[string, Given]>([
  ['"*" under backends', { overrides: backends('"*"') }],
  ['"*" in credentials', { generation: credentials('*') }],
  [
    'what is for another toolset',
    {
      overrides:
        'holmesgpt: { toolsets: { prometheus/metrics: { backends: { "obs/*": { verify_ssl: true } } } } }',
    },
  ],
])('%s names none', (_, given) => {
  expect(place(after([evil, ours], given))).toContain('//old.evil.svc');
});

test('a rollback does not change generated documents, and so does not end itself', () => {
  const older = documents(after([evil]));
  const newer = documents(after([ours]));
  const made = documents(after([evil, ours], { published: newer }));
  const revision = (number: number, of: Documents) =>
    ({ number, documents: of, name: `r${number}`, created: '', overrides: undefined }) as never;
  const back = after([evil, ours], {
    live: {
      data: { ...older },
      annotations: {
        [CONTENT_HASH]: contentHash(older),
        ...rollbackAnnotations({ from: contentHash(made), to: 1 }),
      },
    },
    revisions: [revision(1, older), revision(2, made)],
  });
  expect(back.decision.rollback).toBe('holds');
  expect(place(back)).toContain('//old.evil.svc');
});

test('of two MCP servers whose tools would have the same names in HolmesGPT, the published one keeps them', () => {
  const server = (name: string, created: string): DiscoveredService =>
    discovered(
      service(name, { namespace: 'shop', created, labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }),
    );
  const first = server('orders-mcp', '2025-01-01T00:00:00Z');
  const second = server('orders--mcp', '2020-01-01T00:00:00Z');
  const published = documents(after([first]));
  const next = after([first, second], { published });
  expect(Object.keys(parse(documents(next)['custom_toolset.yaml'] ?? '').mcp_servers)).toEqual([
    'shop/orders-mcp',
  ]);
});
