import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { type ServiceFields, service } from '../../test/fixtures/unit/service.ts';
import type { Tenants } from '../model/tenants.ts';
import { tenantKeysOf, tenantViews, withTenants } from './tenants.ts';
import { discoveredTool, type Tool } from './tools.ts';

const toolOf = (name: string, fields: ServiceFields): Tool =>
  discoveredTool(discovered(service(name, fields)));

/** Takes the tenant in a header. */
const LOKI = toolOf('loki', { labels: { app: 'loki' }, ports: ['http:3100'] });
const STRICT: Tool = { ...LOKI, verdict: { ...LOKI.verdict, tenantRequired: true } };
/** Has a base path for each of three tenants. */
const GATEWAY = toolOf('gateway', {
  namespace: 'logging',
  labels: { 'app.kubernetes.io/name': 'lokistack', 'app.kubernetes.io/component': 'lokistack-gateway' },
  annotations: { 'service.beta.openshift.io/serving-cert-secret-name': 'cert' },
  ports: ['public:8080'],
});
/** Has no tenants. */
const JAEGER = toolOf('jaeger', { labels: { app: 'jaeger' }, ports: ['query:16686'] });
const OWN: Tool = { ...LOKI, key: 'mine', namespace: undefined, members: [], added: true };

const HEADER = 'X-Scope-OrgID';
const PATH = '/api/logs/v1/{tenant}';

describe('the keys that address a backend', () => {
  const { members } = discoveredTool({
    ...discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] })),
    alternates: ['loki-read'],
  });

  test.each<[string, Tool, readonly string[]]>([
    ['its Service, its namespace and its type', LOKI, ['monitoring/loki', 'monitoring/*', 'loki']],
    [
      'each of its Services, once, before the namespace',
      { ...LOKI, members },
      ['monitoring/loki', 'monitoring/loki-read', 'monitoring/*', 'loki'],
    ],
    [
      'its Service although overrides.yaml sets its URL',
      { ...LOKI, members: [] },
      ['monitoring/loki', 'monitoring/*', 'loki'],
    ],
    ['only the type of a tool without a Service', OWN, ['loki']],
    [
      'only the type in another cluster, whose namespaces have other owners',
      toolOf('loki', { cluster: 'east', labels: { app: 'loki' }, ports: ['http:3100'] }),
      ['loki'],
    ],
  ])('%s', (_, tool, expected) => {
    expect(tenantKeysOf(tool)).toEqual(expected);
  });
});

describe('a backend with the tenant in a header', () => {
  const metadataOf = (tool: Tool, tenants: Tenants): object | undefined =>
    withTenants([tool], tenants)[0]?.metadata;
  const given = { ...LOKI.metadata, tenantHeader: HEADER };

  test.each<[string, Tool, Tenants, object]>([
    ['gets the tenant that is configured', LOKI, { loki: ['a'] }, { ...given, tenants: 'a' }],
    ['gets several in their order', LOKI, { loki: ['b', 'a'] }, { ...given, tenants: 'b,a' }],
    [
      'gets those of the most specific key',
      LOKI,
      { loki: ['a'], 'monitoring/*': ['b'], 'monitoring/loki': ['c'] },
      { ...given, tenants: 'c' },
    ],
    [
      'gets those of its namespace before those of its type',
      LOKI,
      { loki: ['a'], 'monitoring/*': ['b'] },
      { ...given, tenants: 'b' },
    ],
    ['names the header if it requires a tenant and none is configured', STRICT, {}, given],
    ['is as it was if it requires none and none is configured', LOKI, {}, LOKI.metadata],
    ['is as it was if only others have one', LOKI, { tempo: ['a'], 'shop/*': ['b'] }, LOKI.metadata],
  ])('%s', (_, tool, tenants, expected) => {
    expect(metadataOf(tool, tenants)).toEqual(expected);
  });

  test('has no tenants that every object inherits', () => {
    expect(withTenants([{ ...LOKI, detector: 'constructor' }], {})).toEqual([
      { ...LOKI, detector: 'constructor' },
    ]);
  });

  test('stays the same otherwise', () => {
    const [configured, strict] = withTenants([LOKI, STRICT], { 'monitoring/loki': ['a', 'b'] });
    expect(configured).toEqual({ ...LOKI, metadata: configured?.metadata, tenants: ['a', 'b'] });
    expect(strict).toMatchObject({ verdict: { tenantRequired: true }, tenants: ['a', 'b'] });
    const [unconfigured] = withTenants([STRICT], {});
    expect(unconfigured).toEqual({ ...STRICT, metadata: given });
    expect(unconfigured).not.toHaveProperty('tenants');
  });
});

describe('a backend with the tenant in its base path', () => {
  const at = (tool: Tool, path: string): Tool => ({ ...tool, endpoint: { ...tool.endpoint, path } });

  test.each<[string, Tenants, string, readonly string[]]>([
    [
      'has all that such a backend always has',
      {},
      '/api/logs/v1/application',
      ['application', 'infrastructure', 'audit'],
    ],
    ['has only those that are configured', { loki: ['audit'] }, '/api/logs/v1/audit', ['audit']],
    ['may have others', { 'logging/gateway': ['x|y'] }, '/api/logs/v1/x%7Cy', ['x|y']],
  ])('%s', (_, tenants, path, ids) => {
    expect(withTenants([GATEWAY], tenants)).toEqual([
      {
        ...at(GATEWAY, path),
        metadata: { ...GATEWAY.metadata, tenantPath: PATH, tenants: ids.join(',') },
        tenants: ids,
      },
    ]);
  });

  test('may have proved to be below the path of any of them', () => {
    const audit = at(GATEWAY, '/api/logs/v1/audit');
    expect(withTenants([audit], {})).toEqual(withTenants([GATEWAY], {}));
  });

  test('is left as it is if it proved to be below another path', () => {
    const moved = at(GATEWAY, '/loki');
    expect(withTenants([moved], { loki: ['audit'] })).toEqual([moved]);
  });
});

test('a backend without tenants is left as it is, whatever is configured', () => {
  expect(withTenants([JAEGER], { jaeger: ['a'], 'monitoring/*': ['b'] })).toEqual([JAEGER]);
});

describe('an agent sees a backend', () => {
  test.each<[string, Tool, Tenants]>([
    ['without tenants', JAEGER, { 'monitoring/*': ['a'] }],
    ['that requires one, and none is configured', STRICT, {}],
  ])('%s once', (_, tool, tenants) => {
    const [made = tool] = withTenants([tool], tenants);
    expect(tenantViews(made)).toEqual([{ tool: made, headers: {} }]);
  });

  test('once for each tenant, with its header', () => {
    const [loki = LOKI] = withTenants([LOKI], { loki: ['a', 'b'] });
    expect(tenantViews(loki)).toEqual([
      { tool: loki, id: 'a', headers: { [HEADER]: 'a' } },
      { tool: loki, id: 'b', headers: { [HEADER]: 'b' } },
    ]);
  });

  test('once for each tenant, with its base path', () => {
    const [gateway = GATEWAY] = withTenants([GATEWAY], { loki: ['audit', 'application'] });
    const view = (id: string) => ({
      tool: { ...gateway, endpoint: { ...gateway.endpoint, path: `/api/logs/v1/${id}` } },
      id,
      headers: {},
    });
    expect(tenantViews(gateway)).toEqual([view('audit'), view('application')]);
  });
});
