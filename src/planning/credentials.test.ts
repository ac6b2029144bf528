import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { type Credential, credentialsByBackend } from '../model/credentials.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { hideSecrets } from '../model/redact-text.ts';
import { withoutAgentToken } from '../outputs/holmesgpt/render/agent-token.ts';
import { NEWEST } from '../outputs/holmesgpt/render/document-options.ts';
import { holmesDocument } from '../outputs/holmesgpt/render/toolsets.ts';
import { appliesTo, credentialOf, namedInCredentials } from './credentials.ts';
import type { Naming } from './preferred.ts';
import { discoveredTool, type Tool } from './tools.ts';

const loki = (namespace = 'monitoring', probed: 'healthy' | 'auth' = 'auth'): DiscoveredService =>
  discovered(service('loki', { namespace, labels: { app: 'loki' }, ports: ['http:3100'] }), probed);
const jaeger = discovered(service('jaeger', { labels: { app: 'jaeger' }, ports: ['query:16686'] }), 'auth');
const mcp = discovered(service('tools', { labels: { app: 'mcp-server' }, ports: ['mcp:80'] }), 'auth');

/** Credentials of a type, for all namespaces unless they name some. */
const parsed = (credentials: Record<string, Credential>) =>
  credentialsByBackend.parse(
    Object.fromEntries(
      Object.entries(credentials).map(([key, given]) => [
        key,
        key.includes('/') ? given : { namespaces: ['*'], ...given },
      ]),
    ),
  );

/** What is written with credentials that a person configured. */
function written(services: DiscoveredService[], credentials: Record<string, Credential>) {
  const { text, notes } = holmesDocument(services.map(discoveredTool), {
    ...NEWEST,
    credentials: parsed(credentials),
  });
  return { ...(parse(text) as { toolsets: object; mcp_servers?: object }), notes };
}

describe('the credentials of a backend', () => {
  const of = (credentials: Record<string, Credential>, backend = loki()): string | undefined =>
    credentialOf(parsed(credentials), discoveredTool(backend))?.apiKey;

  test.each<[string, Record<string, Credential>, string | undefined]>([
    ['those of its type for all namespaces', { loki: { apiKey: 'TYPE', namespaces: ['*'] } }, 'TYPE'],
    ['its own', { 'monitoring/loki': { apiKey: 'OWN' } }, 'OWN'],
    [
      'its own before those of its type',
      { loki: { apiKey: 'TYPE' }, 'monitoring/loki': { apiKey: 'OWN' } },
      'OWN',
    ],
    ['none of another type', { tempo: { apiKey: 'X' } }, undefined],
    ['none of a namesake elsewhere', { 'default/loki': { apiKey: 'X' } }, undefined],
    ['those for its namespace', { loki: { apiKey: 'X', namespaces: ['a', 'monitoring'] } }, 'X'],
    ['none for other namespaces', { loki: { apiKey: 'X', namespaces: ['monitoring-2'] } }, undefined],
    ['none unless there are some', {}, undefined],
  ])('%s', (_, credentials, apiKey) => {
    expect(of(credentials)).toBe(apiKey);
  });

  test('a type with a name that every object inherits gets none', () => {
    expect(of({}, { ...loki(), detector: 'constructor' })).toBeUndefined();
  });
});

describe("recipients of a Service's credentials", () => {
  /** Another Service leads to all of its Pods. */
  const tool = discoveredTool({ ...loki(), alternates: ['loki-read'], samePods: ['loki-read'] });
  const east: Tool = { ...tool, cluster: 'east' };
  /** A tool that a person added, and called like a type. */
  const own = (namespace?: string): Tool => ({ ...tool, key: 'loki', namespace, members: [], added: true });
  const OWN = { apiKey: 'OWN' };
  const HERE = { apiKey: 'HERE', namespaces: ['a', 'monitoring'] };
  const ALL = { apiKey: 'ALL', namespaces: ['*'] };

  test.each<[string, Tool, Record<string, Credential>, string | undefined, Naming]>([
    ['a tool gets its own', tool, { 'monitoring/loki': OWN }, 'OWN', 'service'],
    ['not those of another Service', tool, { 'monitoring/loki-write': OWN }, undefined, undefined],
    [
      'not even of one that leads to the same Pods',
      tool,
      { 'monitoring/loki-read': OWN },
      undefined,
      undefined,
    ],
    ['it gets those of its type for its namespace', tool, { loki: HERE }, 'HERE', 'namespace'],
    ['and those for all namespaces, which name none', tool, { loki: ALL }, 'ALL', undefined],
    ['not those for others', tool, { loki: { ...HERE, namespaces: ['a'] } }, undefined, undefined],
    ['its own come first', tool, { loki: HERE, 'monitoring/loki': OWN }, 'OWN', 'service'],
    [
      'a tool of another cluster does not get those of a Service',
      east,
      { 'monitoring/loki': OWN },
      undefined,
      undefined,
    ],
    ['a tool of another cluster does not get those of its type', east, { loki: HERE }, undefined, undefined],
    [
      'a tool of another cluster does not get those for all namespaces',
      east,
      { loki: ALL },
      undefined,
      undefined,
    ],
    [
      'a tool in overrides.yaml has no Service that they could be for',
      own(),
      { loki: HERE },
      undefined,
      undefined,
    ],
    [
      'it gets those for the namespace that it is given',
      own('monitoring'),
      { loki: HERE },
      'HERE',
      'namespace',
    ],
    ['and those for all namespaces', own(), { loki: ALL }, 'ALL', undefined],
    ['without credentials, it gets none', tool, {}, undefined, undefined],
  ])('%s', (_, each, credentials, apiKey, naming) => {
    const all = parsed(credentials);
    expect(credentialOf(all, each)?.apiKey).toBe(apiKey);
    expect(namedInCredentials(all, each)).toBe(naming);
  });

  test('a key of a Service applies to its tool, and a type alone to none', () => {
    const applying = (each: Tool): string[] =>
      ['monitoring/loki', 'monitoring/loki-read', 'monitoring/other', 'loki'].filter((key) =>
        appliesTo(key, each),
      );
    expect(applying(tool)).toEqual(['monitoring/loki']);
    expect(applying(east)).toEqual([]);
    expect(applying(own())).toEqual([]);
  });

  test('a type with a name that every object inherits matches nothing', () => {
    expect(namedInCredentials(parsed({}), { ...tool, detector: 'constructor' })).toBeUndefined();
  });
});

test('invalid credentials of a type are reported with what to write', () => {
  const { error } = credentialsByBackend.safeParse({ loki: { apiKey: 'KEY' } });
  expect(error?.issues).toEqual([
    expect.objectContaining({
      path: ['loki'],
      message: expect.stringMatching(/namespaces: \[monitoring\].*monitoring\/SERVICE/),
    }),
  ]);
});

test.each(['glsa_', 'ghp_'])(
  'a secret in place of the name of a variable is refused, and not repeated: %s…',
  (prefix) => {
    const secret = `${prefix}${'aB3dE5'.repeat(6)}`;
    const { error } = credentialsByBackend.safeParse({ 'monitoring/grafana': { apiKey: secret } });
    expect(error?.issues).toMatchObject([
      {
        path: ['monitoring/grafana', 'apiKey'],
        message: expect.stringMatching(/^is a secret itself; write the name/),
      },
    ]);
    expect(error?.message).not.toContain(secret);
  },
);

test('the display namespace of a discovered tool brings it no credentials', () => {
  const evil = { ...discoveredTool(loki('evil')), namespace: 'monitoring' };
  expect(credentialOf(parsed({ loki: { apiKey: 'K', namespaces: ['monitoring'] } }), evil)).toBeUndefined();
});

describe('output', () => {
  test.each<[string, DiscoveredService, Credential, object]>([
    ['a key for a toolset that takes one', loki(), { apiKey: 'KEY' }, { api_key: '{{ env.KEY }}' }],
    [
      'a login',
      loki(),
      { username: 'NAME', password: 'WORD' },
      { username: '{{ env.NAME }}', password: '{{ env.WORD }}' },
    ],
    [
      'a token, where it goes into a header',
      loki(),
      { bearerToken: 'TOKEN' },
      { additional_headers: { Authorization: 'Bearer {{ env.TOKEN }}' } },
    ],
    [
      'headers',
      loki(),
      { headers: { 'X-Scope-OrgID': 'TENANT' } },
      { additional_headers: { 'X-Scope-OrgID': '{{ env.TENANT }}' } },
    ],
  ])('for a built-in toolset: %s', (_, backend, given, fields) => {
    const { toolsets, notes } = written([backend], { loki: given });
    expect(toolsets).toMatchObject({
      'grafana/loki': {
        enabled: true,
        config: { api_url: 'http://loki.monitoring.svc.cluster.local:3100', ...fields },
      },
    });
    expect(notes).toEqual([]);
  });

  test.each<[string, Credential, object]>([
    ['a token', { bearerToken: 'TOKEN' }, { type: 'bearer', token: '{{ env.TOKEN }}' }],
    [
      'a login',
      { username: 'NAME', password: 'WORD' },
      { type: 'basic', username: '{{ env.NAME }}', password: '{{ env.WORD }}' },
    ],
    ['a header', { headers: { 'X-Key': 'KEY' } }, { type: 'header', name: 'X-Key', value: '{{ env.KEY }}' }],
  ])('for an HTTP toolset: %s', (_, given, auth) => {
    const { toolsets } = written([jaeger], { jaeger: given });
    expect(toolsets).toMatchObject({ jaeger: { config: { endpoints: [{ methods: ['GET'], auth }] } } });
  });

  test.each<[string, Credential, object]>([
    ['a token', { bearerToken: 'TOKEN' }, { Authorization: 'Bearer {{ env.TOKEN }}' }],
    ['headers', { headers: { 'X-A': 'A', 'X-B': 'B' } }, { 'X-A': '{{ env.A }}', 'X-B': '{{ env.B }}' }],
  ])('for an MCP server: %s', (_, given, headers) => {
    const { mcp_servers = {} } = written([mcp], { mcp: given });
    expect(Object.values(mcp_servers)).toMatchObject([{ config: { headers } }]);
  });

  test.each<[string, DiscoveredService, Record<string, Credential>, string]>([
    [
      'a key for an HTTP toolset',
      jaeger,
      { jaeger: { apiKey: 'KEY' } },
      'in the setting credentials, write bearerToken, username with password or headers in place of apiKey',
    ],
    [
      'several headers for an HTTP toolset',
      jaeger,
      { jaeger: { headers: { 'X-A': 'A', 'X-B': 'B' } } },
      'keep one of them in the setting credentials',
    ],
    [
      'a login for an MCP server',
      mcp,
      { mcp: { username: 'NAME', password: 'WORD' } },
      'in the setting credentials, write bearerToken or headers in place of username',
    ],
    [
      'a key for a toolset that takes headers only',
      discovered(service('p', { labels: { app: 'prometheus' }, ports: [9090] }), 'auth'),
      { prometheus: { apiKey: 'KEY' } },
      'in the setting credentials, write bearerToken or headers in place of apiKey',
    ],
  ])(
    'unsupported credentials leave the backend out, with what to write: %s',
    (_, backend, credentials, fix) => {
      const { notes, ...document } = written([backend], credentials);
      expect(notes).toHaveLength(1);
      expect(notes[0]?.what).toMatch(/credentials/);
      expect(notes[0]?.fix).toBe(`it is in toolset.json; ${fix}`);
      expect(hideSecrets(`${notes[0]?.what}; ${notes[0]?.fix}`)).toContain(fix);
      expect(JSON.stringify(document)).not.toMatch(/env\./);
    },
  );

  describe("the agent's own token", () => {
    const metrics = (namespace: string, probed: 'healthy' | 'auth' = 'healthy') =>
      discovered(service('prometheus', { namespace, labels: { app: 'prometheus' }, ports: [9090] }), probed);
    const configOf = ({ toolsets }: ReturnType<typeof written>) =>
      (toolsets as Record<string, { config: Record<string, unknown> }>)['prometheus/metrics']?.config;

    test('goes to the backends that people name, and to no other', () => {
      const all = written([metrics('openshift-monitoring', 'auth'), metrics('shop')], {
        'openshift-monitoring/prometheus': { agentToken: true },
      });
      expect(all.notes).toEqual([]);
      expect(configOf(all)?.instances).toEqual([
        {
          name: 'prometheus.openshift-monitoring',
          prometheus_url: 'http://prometheus.openshift-monitoring.svc.cluster.local:9090',
        },
        {
          name: 'prometheus.shop',
          prometheus_url: 'http://prometheus.shop.svc.cluster.local:9090',
          additional_headers: { Authorization: 'none' },
        },
      ]);
    });

    test('goes to none with HOLMESGPT_OPENSHIFT, and other credentials stay', () => {
      const credentials = parsed({ 'b/prometheus': { bearerToken: 'TOKEN' } });
      const tools = [metrics('a'), metrics('b'), loki()].map(discoveredTool);
      const { document } = holmesDocument(tools, { ...NEWEST, credentials, holmesgptOpenshift: true });
      expect(
        JSON.stringify(document)
          .match(/"Authorization":"[^"]*"/g)
          ?.sort(),
      ).toEqual(['"Authorization":"Bearer {{ env.TOKEN }}"', '"Authorization":"none"']);
    });

    test.each<[object | undefined, object]>([
      [undefined, { Authorization: 'none' }],
      [{ 'X-A': 'a' }, { 'X-A': 'a', Authorization: 'none' }],
      [{ Authorization: 'Basic x' }, { Authorization: 'Basic x' }],
      [{ authorization: 'Basic x' }, { Authorization: 'Basic x' }],
      [{ Authorization: '' }, { Authorization: 'none' }],
    ])('is kept back by a header that HolmesGPT recognizes: %j', (given, expected) => {
      const fields = given === undefined ? {} : { additional_headers: given };
      expect(withoutAgentToken(fields)).toEqual({ additional_headers: expected });
    });

    test('is not for toolsets to which HolmesGPT brings none', () => {
      const { notes } = written([loki()], { 'monitoring/loki': { agentToken: true } });
      expect(notes.map(({ what }) => what)).toEqual([
        'is left out of custom_toolset.yaml: its credentials cannot be used: HolmesGPT brings its own token to prometheus/metrics only (loki)',
      ]);
    });
  });

  test('one backend of several gets its own, and the others do not', () => {
    const { toolsets } = written([loki('a', 'healthy'), loki('b')], { 'b/loki': { apiKey: 'KEY' } });
    expect(toolsets).toMatchObject({
      'grafana/loki': {
        config: {
          instances: [
            { name: 'loki.b', api_key: '{{ env.KEY }}' },
            { name: 'loki.a', api_url: 'http://loki.a.svc.cluster.local:3100' },
          ],
        },
      },
    });
    expect(JSON.stringify(toolsets).match(/env\.KEY/g)).toHaveLength(1);
  });

  test('a backend that requires none still gets configured ones', () => {
    const { toolsets } = written([loki('a', 'healthy')], { loki: { apiKey: 'KEY' } });
    expect(JSON.stringify(toolsets)).toContain('{{ env.KEY }}');
  });
});

describe('a certificate that HolmesGPT may not trust', () => {
  const search = discovered(
    service('search', { labels: { app: 'elasticsearch' }, ports: ['http:9200'] }),
    'healthy',
  );
  const untrusted = { ...search, verdict: { ...search.verdict, certificate: 'self-signed' as const } };
  const noted = (found: DiscoveredService, fields: Record<string, unknown> = {}): string[] => {
    const backends = { 'monitoring/search': fields };
    const patch = { toolsets: { 'elasticsearch/data': { backends }, 'elasticsearch/cluster': { backends } } };
    const { notes } = holmesDocument([discoveredTool(found)], { ...NEWEST, patch });
    return notes.map(({ where, what, fix }) => `${where}: ${what}; ${fix}`);
  };

  test('is noted once, with what to do', () => {
    expect(noted(untrusted)).toEqual([
      "Service monitoring/search: HolmesGPT may refuse it: its certificate is self-signed; give its authority to this program, with the setting certificates, and to the agent: HolmesGPT takes it, in base64, from the variable CERTIFICATE or its chart's value certificate",
    ]);
  });

  test('is not noted if it is trusted, unknown, or not verified', () => {
    expect(noted(search)).toEqual([]);
    expect(noted({ ...search, verdict: { ...search.verdict, certificate: 'trusted' } })).toEqual([]);
    expect(noted(untrusted, { verify_ssl: false })).toEqual([]);
  });
});

describe('credentials in the configuration', () => {
  test.each<[string, unknown, boolean]>([
    ['a key', { loki: { apiKey: 'KEY', namespaces: ['monitoring'] } }, true],
    ['a key for a type without namespaces', { loki: { apiKey: 'KEY' } }, false],
    ['a key for all namespaces, explicitly', { loki: { apiKey: 'KEY', namespaces: ['*'] } }, true],
    ['one backend', { 'monitoring/loki': { bearerToken: 'T' } }, true],
    ['a value instead of a name', { 'a/loki': { apiKey: 'sk-123-abc' } }, false],
    ['a template', { 'a/loki': { apiKey: '{{ env.KEY }}' } }, false],
    ['a username without a password', { 'a/loki': { username: 'NAME' } }, false],
    ['a key and a token', { 'a/loki': { apiKey: 'K', bearerToken: 'T' } }, false],
    ["the agent's own token", { 'a/loki': { agentToken: true } }, true],
    ["the agent's own token and another", { 'a/loki': { agentToken: true, bearerToken: 'T' } }, false],
    ['nothing', { 'a/loki': {} }, false],
    ['namespaces only', { loki: { namespaces: ['a'] } }, false],
    // `*` is all; a pattern would match nothing.
    ['a pattern of namespaces', { loki: { apiKey: 'KEY', namespaces: ['team-*'] } }, false],
    ['a namespace in upper case', { loki: { apiKey: 'KEY', namespaces: ['Monitoring'] } }, false],
    ['a header whose name breaks the line', { 'a/loki': { headers: { 'X\r\nY': 'K' } } }, false],
    ['an unknown field', { 'a/loki': { token: 'T' } }, false],
    ['an invalid backend', { 'a/b/c': { apiKey: 'K' } }, false],
  ])('%s', (_, credentials, valid) => {
    expect(credentialsByBackend.safeParse(credentials).success).toBe(valid);
  });
});
