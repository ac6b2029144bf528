import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { approximateServices, reconstructServices } from '../../src/controller/held.ts';
import { toolKinds } from '../../src/controller/pass.ts';
import { credentialsByBackend } from '../../src/model/credentials.ts';
import type { DiscoveredService } from '../../src/model/discovery.ts';
import { tenantsByBackend } from '../../src/model/tenants.ts';
import { type GenerateOptions, generate } from '../../src/outputs/generate.ts';
import { overridesSchema } from '../../src/outputs/overrides-schema.ts';
import { OUTPUTS } from '../../src/outputs/registry.ts';
import { discovered, rules } from '../fixtures/unit/detection.ts';
import { service } from '../fixtures/unit/service.ts';
import { toolset } from '../fixtures/unit/toolset.ts';

const needing = (found: DiscoveredService): DiscoveredService => ({
  ...found,
  verdict: { ...found.verdict, tenantRequired: true },
});
const plainLoki = (name: string, namespace: string): DiscoveredService =>
  discovered(service(name, { namespace, labels: { app: 'loki' }, ports: ['http:3100'] }));
const loki = (name = 'loki', namespace = 'monitoring'): DiscoveredService =>
  needing(plainLoki(name, namespace));
const tempo = needing(discovered(service('tempo', { labels: { app: 'tempo' }, ports: ['http:3200'] })));
const gatewayIn = (namespace: string, name: string): DiscoveredService =>
  discovered(
    service(name, {
      namespace,
      labels: {
        'app.kubernetes.io/name': 'lokistack',
        'app.kubernetes.io/component': 'lokistack-gateway',
      },
      annotations: { 'service.beta.openshift.io/serving-cert-secret-name': 'cert' },
      ports: ['public:8080'],
    }),
  );
const lokiStack = gatewayIn('openshift-logging', 'dev-gateway-http');
const jaeger = discovered(service('jaeger', { labels: { app: 'jaeger' }, ports: ['query:16686'] }));

interface Given {
  readonly tenants?: unknown;
  readonly overrides?: unknown;
  readonly credentials?: unknown;
  readonly version?: '0.20' | '0.32';
}

const optionsOf = ({
  tenants = {},
  overrides = {},
  credentials = {},
  version = '0.32',
}: Given): GenerateOptions => ({
  credentials: credentialsByBackend.parse(credentials),
  tenants: tenantsByBackend.parse(tenants),
  holmesgptVersion: version,
  overrides: overridesSchema.parse(overrides),
  kinds: toolKinds(rules),
});

function made(found: readonly DiscoveredService[], given: Given = {}) {
  const { documents, notes, omissions } = generate(found, optionsOf(given));
  const { toolsets } = parse(documents['custom_toolset.yaml'] ?? '');
  const { tools } = JSON.parse(documents['toolset.json'] ?? '');
  return {
    loki: toolsets['grafana/loki']?.config,
    tempo: toolsets['grafana/tempo']?.config,
    metadata: tools[0]?.metadata,
    endpoint: tools[0]?.endpoint,
    notes: notes.map(({ where, what, fix }) => `${where}: ${what}; ${fix}`),
    omissions,
    documents,
  };
}

const URL = 'http://loki.monitoring.svc.cluster.local:3100';
const asked = (...ids: string[]): object =>
  ids.length === 1
    ? { api_url: URL, additional_headers: { 'X-Scope-OrgID': ids[0] } }
    : {
        instances: ids.map((id) => ({
          name: `loki.monitoring:${id}`,
          api_url: URL,
          additional_headers: { 'X-Scope-OrgID': id },
        })),
      };

test('a backend that requires a tenant is left out of the agent’s file until one is configured, with the setting', () => {
  const { loki: config, omissions, notes, metadata } = made([loki()]);
  expect(config).toBeUndefined();
  expect(omissions).toMatchObject([{ key: 'monitoring/loki', cause: 'tenant' }]);
  expect(notes).toEqual([
    'Service monitoring/loki: is left out of custom_toolset.yaml: it requires a tenant in each request, and none is configured (loki); it is in toolset.json; write the id of its tenant, under monitoring/loki in the setting tenants',
  ]);
  expect(metadata).toMatchObject({ tenantHeader: 'X-Scope-OrgID' });
  expect(metadata).not.toHaveProperty('tenants');
});

describe('the tenants of a backend', () => {
  test.each<[string, unknown, string[]]>([
    ['by Service', { 'monitoring/loki': 'a' }, ['a']],
    ['by namespace', { 'monitoring/*': 'a' }, ['a']],
    ['by type', { loki: 'a' }, ['a']],
    [
      'the Service before its namespace and type',
      { loki: 'a', 'monitoring/*': 'b', 'monitoring/loki': 'c' },
      ['c'],
    ],
    ['the namespace before the type', { loki: 'a', 'monitoring/*': 'b' }, ['b']],
    ['several', { loki: ['b', 'a'] }, ['b', 'a']],
    ['several in one request', { loki: 'a|b' }, ['a|b']],
    ['a number', { loki: 1 }, ['1']],
  ])('%s', (_, tenants, ids) => {
    const { loki: config, notes, omissions, metadata } = made([loki()], { tenants });
    expect(config).toEqual(asked(...ids));
    expect(metadata).toMatchObject({ tenantHeader: 'X-Scope-OrgID', tenants: ids.join(',') });
    expect(omissions).toEqual([]);
    expect(notes.filter((note) => !note.startsWith('tenants loki'))).toEqual([]);
  });

  test('by any Service of the backend', () => {
    const found = { ...loki(), alternates: ['loki-read'] };
    expect(made([found], { tenants: { 'monitoring/loki-read': 'a' } }).loki).toEqual(asked('a'));
  });

  test('apply to backends that do not require one, too', () => {
    const open = discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));
    expect(made([open]).loki).toEqual({ api_url: URL });
    expect(made([open], { tenants: { loki: 'a' } }).loki).toEqual(asked('a'));
  });

  test('a header of overrides or credentials takes precedence', () => {
    const header = (fields: object) => ({
      holmesgpt: { toolsets: { 'grafana/loki': { backends: { 'monitoring/loki': fields } } } },
    });
    const overrides = header({ additional_headers: { 'x-scope-orgid': 'mine' } });
    for (const tenants of [{}, { loki: ['a', 'b'] }])
      expect(made([loki()], { overrides, tenants }).loki).toEqual({
        api_url: URL,
        additional_headers: { 'x-scope-orgid': 'mine' },
      });
    const credentials = { 'monitoring/loki': { headers: { 'X-Scope-OrgID': 'VARIABLE' } } };
    expect(made([loki()], { credentials }).loki).toMatchObject({
      additional_headers: { 'X-Scope-OrgID': '{{ env.VARIABLE }}' },
    });
  });

  test('is added to other headers and credentials', () => {
    const credentials = { 'monitoring/loki': { bearerToken: 'TOKEN' } };
    expect(made([loki()], { credentials, tenants: { loki: 'a' } }).loki).toMatchObject({
      additional_headers: { Authorization: 'Bearer {{ env.TOKEN }}', 'X-Scope-OrgID': 'a' },
    });
  });

  test('a backend that people list themselves needs none', () => {
    const overrides = {
      holmesgpt: { toolsets: { 'grafana/loki': { enabled: true, config: { api_url: URL } } } },
    };
    const { loki: config, omissions, notes } = made([loki()], { overrides });
    expect(config).toEqual({ api_url: URL });
    expect(omissions).toEqual([]);
    expect(notes).toEqual([]);
  });

  test('an own tool gets that of its type', () => {
    const overrides = {
      tools: { old: { type: 'loki', endpoint: 'http://old:3100', description: 'Old logs' } },
    };
    expect(made([], { overrides, tenants: { loki: 'a' } }).loki).toEqual({
      api_url: 'http://old:3100',
      additional_headers: { 'X-Scope-OrgID': 'a' },
    });
  });

  test('two backends with several tenants each have distinct instances', () => {
    const { loki: config } = made([loki(), loki('loki', 'shop')], { tenants: { loki: ['a', 'b'] } });
    expect(config.instances.map(({ name }: { name: string }) => name)).toEqual([
      'loki.monitoring:a',
      'loki.monitoring:b',
      'loki.shop:a',
      'loki.shop:b',
    ]);
  });

  test('the instances of a part are called as its tool is', () => {
    const part = loki('lgtm:3100');
    expect(made([part], { tenants: { 'monitoring/lgtm:3100': ['a', 'b'] } }).loki.instances).toMatchObject([
      { name: 'lgtm_3100.monitoring:a' },
      { name: 'lgtm_3100.monitoring:b' },
    ]);
  });

  test('the names of instances do not depend on what Services ask to be called', () => {
    const named = { ...loki(), tool: 'logs' };
    const taker = { ...loki('loki', 'shop'), tool: 'loki.monitoring-a' };
    const { loki: config } = made([named, taker], {
      tenants: { 'monitoring/loki': ['a', 'b'], 'shop/*': 'c' },
    });
    expect(config.instances.map(({ name }: { name: string }) => name)).toEqual([
      'loki.monitoring:a',
      'loki.monitoring:b',
      'loki.monitoring-a',
    ]);
  });

  test('a namespace whose name is another one with a tenant id keeps the names of its backends', () => {
    const victim = { ...plainLoki('loki', 'u-mon-application'), tool: 'loki.u-mon-application' };
    const gateway = { ...gatewayIn('u-mon', 'loki'), tool: 'loki.u-mon' };
    for (const tenants of [{}, { loki: ['application', 'x'] }]) {
      const { loki: config } = made([gateway, victim], { tenants });
      const named = config.instances.map(
        ({ name, api_url }: Record<string, string>) => `${name} ${api_url?.split('.')[1]}`,
      );
      for (const each of named)
        expect(each).toMatch(
          /^loki\.u-mon:[a-z]+ u-mon$|^loki\.u-mon-application(:[a-z]+)? u-mon-application$/,
        );
      expect(new Set(named.map((each: string) => each.split(' ')[1])).size).toBe(2);
    }
  });

  test('HolmesGPT before 0.32 gets the first, and a warning', () => {
    const {
      loki: config,
      notes,
      omissions,
    } = made([loki()], { tenants: { loki: ['a', 'b'] }, version: '0.20' });
    expect(config).toEqual(asked('a'));
    expect(notes).toEqual([expect.stringContaining('only its tenant a is in custom_toolset.yaml')]);
    expect(omissions).toEqual([]);
  });

  test('Tempo takes the same header', () => {
    expect(made([tempo], { tenants: { tempo: 'a' } }).tempo).toMatchObject({
      additional_headers: { 'X-Scope-OrgID': 'a' },
    });
  });
});

describe('an HTTP toolset, which sends one header', () => {
  const mimir = discovered(
    service('mimir-alertmanager', {
      labels: { 'app.kubernetes.io/name': 'mimir', 'app.kubernetes.io/component': 'alertmanager' },
      ports: ['http-metrics:8080'],
    }),
  );
  const plain = discovered(service('alertmanager', { labels: { app: 'alertmanager' }, ports: [':9093'] }));
  const answering = { ...plain, verdict: { ...plain.verdict, tenantRequired: false } };
  const authOf = (found: DiscoveredService, given: Given = {}): unknown => {
    const { documents, omissions } = made([found], given);
    const config = parse(documents['custom_toolset.yaml'] ?? '').toolsets.alertmanager?.config;
    return config === undefined ? omissions.map(({ cause }) => cause) : config.endpoints[0].auth;
  };
  const header = (value: string) => ({ type: 'header', name: 'X-Scope-OrgID', value });
  const own = (auth: object) => ({
    holmesgpt: { toolsets: { alertmanager: { backends: { 'monitoring/mimir-alertmanager': { auth } } } } },
  });

  test.each<[string, DiscoveredService, Given, unknown]>([
    ['gets the first tenant', needing(mimir), { tenants: { alertmanager: ['b', 'a'] } }, header('b')],
    ['gets the tenant of its namespace', needing(mimir), { tenants: { 'monitoring/*': 'a' } }, header('a')],
    ['is left out without one', needing(mimir), {}, ['tenant']],
    [
      'gets a tenant if nobody knows whether it requires one',
      mimir,
      { tenants: { alertmanager: 'a' } },
      header('a'),
    ],
    ['gets none if it answers without', answering, { tenants: { 'monitoring/*': 'a' } }, undefined],
    [
      'keeps what overrides say',
      needing(mimir),
      { tenants: { alertmanager: 'a' }, overrides: own({ type: 'bearer', token: '{{ env.TOKEN }}' }) },
      { type: 'bearer', token: '{{ env.TOKEN }}' },
    ],
    [
      'has no room for a tenant beside credentials',
      needing(mimir),
      {
        tenants: { alertmanager: 'a' },
        credentials: { 'monitoring/mimir-alertmanager': { bearerToken: 'TOKEN' } },
      },
      ['credentials'],
    ],
    [
      'takes the tenant from a header of credentials',
      needing(mimir),
      { credentials: { 'monitoring/mimir-alertmanager': { headers: { 'x-scope-orgid': 'TENANT' } } } },
      { type: 'header', name: 'x-scope-orgid', value: '{{ env.TENANT }}' },
    ],
  ])('%s', (_, found, given, expected) => {
    expect(authOf(found, given)).toEqual(expected);
  });
});

describe('tenants in the base path', () => {
  const credentials = { 'openshift-logging/dev-gateway-http': { bearerToken: 'TOKEN' } };
  const at = (id: string): string =>
    `https://dev-gateway-http.openshift-logging.svc.cluster.local:8080/api/logs/v1/${id}`;
  const urls = ({ loki: { instances, api_url } }: ReturnType<typeof made>): string[] =>
    instances?.map((each: { api_url: string }) => each.api_url) ?? [api_url];

  test('a backend has an instance for each that it always has', () => {
    const all = made([lokiStack], { credentials });
    expect(urls(all)).toEqual([at('application'), at('infrastructure'), at('audit')]);
    expect(all.endpoint).toBe(at('application'));
    expect(all.metadata).toMatchObject({
      tenantPath: '/api/logs/v1/{tenant}',
      tenants: 'application,infrastructure,audit',
    });
  });

  test('or for those that people list', () => {
    const one = made([lokiStack], {
      credentials,
      tenants: { 'openshift-logging/dev-gateway-http': 'audit' },
    });
    expect(urls(one)).toEqual([at('audit')]);
    expect(one.endpoint).toBe(at('audit'));
  });

  test('not if its API proved to be below another path', () => {
    const moved = { ...lokiStack, endpoint: { ...lokiStack.endpoint, path: '/loki' } };
    const { metadata, ...rest } = made([moved], { credentials });
    expect(urls({ metadata, ...rest })).toEqual([expect.stringMatching(/:8080\/loki$/)]);
    expect(metadata).not.toHaveProperty('tenants');
  });
});

describe('a held tool keeps its tenants', () => {
  test.each<[string, DiscoveredService, Given]>([
    ['in a header', loki(), { tenants: { loki: ['a', 'b'] } }],
    [
      'in the path',
      lokiStack,
      { credentials: { 'openshift-logging/dev-gateway-http': { bearerToken: 'TOKEN' } } },
    ],
    ['none', loki(), {}],
  ])('%s', (_, found, given) => {
    const { documents } = made([found], given);
    expect(reconstructServices(toolset(documents), optionsOf(given), OUTPUTS)?.size).toBe(1);
    const { tools } = toolset(documents);
    const [tool] = tools;
    const again = approximateServices(tools, [tool?.name ?? ''], toolKinds(rules));
    expect(made([...again.values()], given).documents).toEqual(documents);
  });
});

describe('keys that apply to nothing are reported', () => {
  test.each<[string, string]>([
    ['monitoring/lokii', 'did you mean monitoring/loki?'],
    ['monitoring/jaeger', 'such backends have no tenants; remove it'],
    ['jaeger', 'such backends have no tenants; remove it'],
    ['lokki', 'did you mean loki?'],
    ['qqqqqqqq', 'write a type, NAMESPACE/SERVICE or NAMESPACE/*'],
    ['mimir', 'it counts as soon as one is found'],
    ['shop/*', 'no such backend is known now'],
  ])('%s', (key, message) => {
    const { notes } = made([loki(), jaeger], { tenants: { loki: 'a', [key]: 'b' } });
    const [note, ...more] = notes.filter((each) => each.startsWith('tenants '));
    expect(note).toContain(`tenants ${key}: applies to nothing: `);
    expect(note).toContain(message);
    expect(more).toEqual([]);
  });

  test('not those of a backend that is unhealthy', () => {
    const down: DiscoveredService = { ...loki(), verdict: { ...loki().verdict, health: 'unhealthy' } };
    expect(made([down], { tenants: { 'monitoring/loki': 'a' } }).notes).toEqual([]);
  });
});

describe('the setting', () => {
  test.each<[string, unknown, boolean]>([
    ['a tenant', { loki: 'team-a' }, true],
    ['a list', { 'monitoring/loki': ['a', 'b'] }, true],
    ['a namespace', { 'monitoring/*': 'a' }, true],
    ['no list', { loki: [] }, false],
    ['a tenant twice', { loki: ['a', 'a'] }, false],
    ['a template', { loki: '{{ env.X }}' }, false],
    ['a line break', { loki: 'a\nX-Y: z' }, false],
    ['a slash', { loki: 'a/b' }, false],
    ['too many', { loki: Array.from({ length: 21 }, (_, n) => `t${n}`) }, false],
    ['any namespace', { '*/loki': 'a' }, false],
  ])('%s', (_, tenants, valid) => {
    expect(tenantsByBackend.safeParse(tenants).success).toBe(valid);
  });
});
