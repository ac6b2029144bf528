import { expect, test } from 'vitest';
import { candidate, discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { offered, type ServiceFields, service } from '../../test/fixtures/unit/service.ts';
import { observed, toolset } from '../../test/fixtures/unit/toolset.ts';
import { retyped } from '../detection/backend.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Documents } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { type Assessment, assess, situationOf } from './assess.ts';
import { toolKinds } from './pass.ts';

const URL_ONLY = 'tools: { obs/eloki: { endpoint: "https://logs.example.com", description: Mine } }';
const TYPED = 'tools: { obs/eloki: { endpoint: "https://logs.example.com", type: loki } }';

const at: ServiceFields = { namespace: 'obs', ports: ['http:3100'] };
const labelled = discovered(service('eloki', { ...at, labels: { app: 'loki' } }));
const other = discovered(service('tempo', { ...at, labels: { app: 'tempo' }, ports: ['http:3200'] }));
const server = discovered(service('eloki', { ...at, labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
const elastic: DiscoveredService = {
  ...retyped(candidate(labelled.service), rules, 'elasticsearch', { path: '', scheme: 'http', port: 3100 }),
  verdict: labelled.verdict,
};

const generation = {
  credentials: {},
  holmesgptVersion: '0.32',
  kinds: toolKinds(rules),
  mcpPolicy: 'approve',
  namespaces: ['*'],
} as const;

/** What follows from what was found while some documents are published. */
function after(
  found: readonly DiscoveredService[],
  overrides: string,
  published?: Documents,
  credentials = {},
): Assessment {
  const live: Published = {
    data: { 'overrides.yaml': overrides, ...published },
    labels: {},
    annotations: {},
  };
  const findings = {
    found,
    contradicted: [],
    generation: { ...generation, credentials },
    outputs: OUTPUTS,
    removal: undefined,
    now: 0,
  };
  return assess(findings, situationOf(observed(live), [], {}), {
    own: published === undefined ? undefined : toolset(published),
  });
}

const documents = ({ decision }: Assessment): Documents => decision.intent.documents;
const tools = (assessment: Assessment): string[] =>
  JSON.parse(documents(assessment)['toolset.json'] ?? '').tools.map(
    ({ name, type, endpoint }: Record<string, string>) => `${name} ${type} ${endpoint}`,
  );
const MINE = 'eloki.obs loki https://logs.example.com:443';

const changes: [string, readonly DiscoveredService[]][] = [
  ['answers like Elasticsearch', [elastic, other]],
  ['answers like nothing that is known, is opted out, an ExternalName or gone', [other]],
  ['becomes an MCP server, which waits', [server, other]],
  ['gets a type of its own by annotation, and waits', [discovered(offered('eloki', {}, at)), other]],
];

test.each(changes)('a tool with a URL from overrides stays the same when the Service %s', (_, found) => {
  const first = documents(after([labelled, other], URL_ONLY));
  const second = after(found, URL_ONLY, first);
  expect(tools(second)[0]).toBe(MINE);
  expect(documents(second)['toolset.json']).toContain('"Mine"');
  // And so it does from then on.
  expect(tools(after(found, URL_ONLY, documents(second)))[0]).toBe(MINE);
});

test.each(changes)('so does one that got the URL while it was published, when the Service %s', (_, found) => {
  const discoveredOnly = documents(after([labelled, other], ''));
  expect(tools(after(found, URL_ONLY, discoveredOnly))[0]).toBe(MINE);
});

test.each(changes)(
  'and one with a type does not depend on the published state, when the Service %s',
  (_, found) => {
    expect(tools(after(found, TYPED))[0]).toBe(MINE);
  },
);

test('a deleted Service is reported, with what to write', () => {
  const first = documents(after([labelled, other], URL_ONLY));
  expect(after([other], URL_ONLY, first).notes).toEqual([
    {
      where: 'overrides.yaml, tool obs/eloki',
      what: 'stays as it is published, as loki: its Service is no backend that is known now',
      fix: 'write type: loki, so that it does not depend on what is published',
    },
  ]);
  expect(after([other], TYPED).notes).toEqual([]);
});

test.each([
  ['no backend', [other], 'its Service is no backend that is known now'],
  ['a server that waits', [server, other], 'its Service may not be published as mcp'],
])('if the type is unknown, the operator is told what to do: %s', (_, found, why) => {
  const assessment = after(found, URL_ONLY);
  expect(tools(assessment)).toHaveLength(1);
  expect(assessment.notes).toContainEqual({
    where: 'overrides.yaml, tool obs/eloki',
    what: expect.stringContaining(`its type is not known, since ${why}`),
    fix: 'give it a type, for example type: loki',
  });
});

test('a type under another key of the Service overrides the published one', () => {
  const first = documents(after([labelled, other], URL_ONLY));
  const both =
    'tools: { obs/eloki: { endpoint: "https://logs.example.com" }, eloki.obs: { type: elasticsearch } }';
  for (const found of [[labelled, other], [other]])
    expect(tools(after(found, both, first))[0]).toContain('eloki.obs elasticsearch');
});

test.each(changes)('it keeps its credentials when the Service %s', (_, found) => {
  const text = 'tools: { eloki.obs: { endpoint: "https://logs.example.com" } }';
  const credentials = { 'obs/eloki': { headers: { 'X-Scope': 'SCOPE' } } };
  const first = documents(after([labelled, other], text, undefined, credentials));
  for (const each of [first, documents(after(found, text, first, credentials))])
    expect(each['custom_toolset.yaml']).toContain('X-Scope: "{{ env.SCOPE }}"');
});
