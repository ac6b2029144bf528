import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { toolKinds } from '../../src/controller/pass.ts';
import { type Credentials, credentialsByBackend } from '../../src/model/credentials.ts';
import type { DiscoveredService, Verdict } from '../../src/model/discovery.ts';
import type { Overrides } from '../../src/model/overrides.ts';
import type { Service } from '../../src/model/service.ts';
import { generate } from '../../src/outputs/generate.ts';
import { overridesSchema } from '../../src/outputs/overrides-schema.ts';
import { detected, discovered, rules } from '../fixtures/unit/detection.ts';
import { service } from '../fixtures/unit/service.ts';

const loki = (name: string, fields: Parameters<typeof service>[1] = {}): Service =>
  service(name, { labels: { app: 'loki', release: 'a' }, ports: ['http-metrics:3100'], ...fields });
const WELL: Verdict = { health: 'healthy', authRequired: true, proof: 'proven', reason: '', steps: [] };
const found = (...services: Service[]): DiscoveredService[] =>
  detected(...services).candidates.map((candidate) => ({ ...candidate, verdict: WELL }));

function made(services: readonly DiscoveredService[], credentials: unknown, overrides: unknown = {}) {
  const written: Overrides = overridesSchema.parse(overrides);
  const given: Credentials = credentialsByBackend.parse(credentials);
  const { documents, notes } = generate(services, {
    credentials: given,
    holmesgptVersion: '0.32',
    overrides: written,
    kinds: toolKinds(rules),
  });
  return {
    holmes: parse(documents['custom_toolset.yaml'] ?? '').toolsets['grafana/loki']?.config,
    told: notes
      .filter(({ where }) => !where.startsWith('Service '))
      .map(({ where, what, fix }) => `${where}: ${what}; ${fix}`),
  };
}

const TOKEN = { bearerToken: 'LOKI_TOKEN' };

describe('credentials that apply to nothing are reported once, with a suggestion', () => {
  const backends = found(loki('loki', { selector: { app: 'loki' } }));

  test.each<[string, object, string[]]>([
    ['the Service', { 'monitoring/loki': TOKEN }, []],
    ['its type', { loki: { ...TOKEN, namespaces: ['monitoring'] } }, []],
    [
      'a mistyped Service',
      { 'monitoring/lokii': TOKEN },
      [
        'credentials monitoring/lokii: apply to nothing: no backend that is known now has this Service; did you mean monitoring/loki? Otherwise they count as soon as that Service is found',
      ],
    ],
    [
      'another namespace, whose owner may be somebody else',
      { 'production/loki': TOKEN },
      [
        'credentials production/loki: apply to nothing: no backend that is known now has this Service; they count as soon as that Service is found',
      ],
    ],
    [
      'a Service without a similar one',
      { 'production/abacus': TOKEN },
      [
        'credentials production/abacus: apply to nothing: no backend that is known now has this Service; they count as soon as that Service is found',
      ],
    ],
    [
      'a mistyped type',
      { lokki: { ...TOKEN, namespaces: ['monitoring'] } },
      ['credentials lokki: apply to nothing: there is no detector of this type; did you mean loki?'],
    ],
    [
      'a mistyped namespace of a type',
      { loki: { ...TOKEN, namespaces: ['monitorng'] } },
      [
        'credentials loki: apply to nothing: no loki is known in monitorng now; did you mean the namespace monitoring? Otherwise they count as soon as one is found',
      ],
    ],
    [
      'a type without backends',
      { tempo: { ...TOKEN, namespaces: ['*'] } },
      [
        'credentials tempo: apply to nothing: no tempo is known anywhere now; they count as soon as one is found',
      ],
    ],
  ])('credentials for %s', (_, credentials, told) => {
    expect(made(backends, credentials).told).toEqual(told);
  });

  test('a mistyped namespace next to a correct one', () => {
    const two = [...backends, ...found(loki('loki', { namespace: 'logging' }))];
    const { told } = made(two, { loki: { ...TOKEN, namespaces: ['monitoring', 'loging', 'later'] } });
    expect(told).toEqual([
      'credentials loki: name the namespace loging, where no loki is known; did you mean logging?',
    ]);
  });

  test('credentials of an unhealthy backend are not reported', () => {
    const sick = discovered(loki('loki'), 'unhealthy');
    expect(made([sick], { 'monitoring/loki': TOKEN }).told).toEqual([]);
  });
});

describe('configuration for one Service of a backend', () => {
  const pods = { app: 'loki' };
  const CREDENTIALS = { 'monitoring/loki': TOKEN };
  const OVERRIDES = {
    holmesgpt: { toolsets: { 'grafana/loki': { backends: { 'monitoring/loki': { api_key: 'k' } } } } },
  };
  /** The backend with `loki-gateway` as the way in, as it is where `loki` does not answer. */
  const behind = (selector: Service['selector'], own: Service['selector'] = pods): DiscoveredService[] =>
    found(loki('loki', { selector: own }), loki('loki-gateway', { selector }));

  test.each<[string, Service['selector'], Service['selector']]>([
    ['the same Pods', pods, pods],
    ['some of its Pods', { ...pods, role: 'read' }, pods],
    ['other Pods', { app: 'gateway' }, pods],
    ['its Pods and others', { tier: 'logs' }, { ...pods, tier: 'logs' }],
    ['unknown Pods', {}, pods],
  ])('does not apply to another Service that leads to %s, which is reported', (_, selector, own) => {
    const backends = behind(selector, own);
    expect(backends.map(({ service: { name } }) => name)).toEqual(['loki-gateway']);
    expect(made(backends, CREDENTIALS)).toEqual({
      holmes: undefined,
      told: [
        'credentials monitoring/loki: apply to nothing now: the entry point of its backend is monitoring/loki-gateway, another Service; write monitoring/loki-gateway, if you trust that Service with them',
      ],
    });
    const open = backends.map((each) => ({ ...each, verdict: { ...WELL, authRequired: false } }));
    const { holmes, told } = made(open, {}, OVERRIDES);
    expect(JSON.stringify(holmes)).not.toContain('api_key');
    expect(told).toEqual([
      'overrides.yaml, holmesgpt.toolsets grafana/loki: backends monitoring/loki has no effect now: the entry point of its backend is monitoring/loki-gateway, another Service; write monitoring/loki-gateway, if you trust that Service with it',
    ]);
  });

  test('a mistyped key under backends is reported with a suggestion', () => {
    const overrides = {
      holmesgpt: { toolsets: { 'grafana/loki': { backends: { 'monitoring/lokii': { api_key: 'k' } } } } },
    };
    const open = behind(pods).map((each) => ({ ...each, verdict: { ...WELL, authRequired: false } }));
    expect(made(open, {}, overrides).told).toEqual([
      'overrides.yaml, holmesgpt.toolsets grafana/loki: backends monitoring/lokii is not among the backends of this toolset, so it has no effect; did you mean monitoring/loki?',
    ]);
  });

  const lokiNamed = (name: string, verdict: Partial<Verdict> = {}): DiscoveredService => {
    const [one] = found(loki(name, { selector: { app: name } }));
    if (one === undefined) throw new Error('no backend');
    return { ...one, verdict: { ...WELL, authRequired: false, ...verdict } };
  };

  test.each<[string, string, readonly string[], string]>([
    [
      'needs credentials',
      'monitoring/prom-atuh',
      ['prom-auth', 'prom-tls'],
      '; did you mean monitoring/prom-auth?',
    ],
    ['is not known', 'monitoring/prom-atuh', ['prom-tls'], '; undefined'],
  ])('no token is suggested for another backend, if the one that is meant %s', (_, key, names, fix) => {
    const backends = names.map((name) => lokiNamed(name, { authRequired: name === 'prom-auth' }));
    const overrides = {
      holmesgpt: { toolsets: { 'grafana/loki': { backends: { [key]: { api_key: 'k' } } } } },
    };
    expect(made(backends, {}, overrides).told.filter((line) => line.startsWith('overrides'))).toEqual([
      `overrides.yaml, holmesgpt.toolsets grafana/loki: backends ${key} is not among the backends of this toolset, so it has no effect${fix}`,
    ]);
  });

  test.each([
    ['needs credentials', { authRequired: true }, { verify_ssl: true }],
    ['is unhealthy', { health: 'unhealthy' as const }, { api_key: 'k' }],
  ])('a key of a backend that %s is no typo', (_, verdict, fields) => {
    const backends = [lokiNamed('loki'), lokiNamed('loki2', verdict)];
    const overrides = {
      holmesgpt: { toolsets: { 'grafana/loki': { backends: { 'monitoring/loki2': fields } } } },
    };
    expect(made(backends, {}, overrides).told.filter((line) => line.startsWith('overrides'))).toEqual([
      'overrides.yaml, holmesgpt.toolsets grafana/loki: backends monitoring/loki2 has no effect while that backend is left out; undefined',
    ]);
  });
});
