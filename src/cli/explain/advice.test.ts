import { expect, test } from 'vitest';
import { discovered } from '../../../test/fixtures/unit/detection.ts';
import { service } from '../../../test/fixtures/unit/service.ts';
import type { DetectorVerdict } from '../../detection/explain.ts';
import type { Finding } from '../../model/condition.ts';
import type { DiscoveredService } from '../../model/discovery.ts';
import type { Service } from '../../model/service.ts';
import { adviceOf } from './advice.ts';
import type { ExplainResult } from './result.ts';

const loki = discovered(service('loki', { ports: ['http:3100'] }));

/** What `explain` knows of a Service that is a backend, or of one that is not. */
const result = (
  found: DiscoveredService | undefined,
  own: Service,
  more: Partial<ExplainResult> = {},
): ExplainResult => ({
  source: undefined,
  explanation: {
    ...{ service: own, detectors: [], problems: [], ignored: [] },
    ...(found === undefined ? {} : { candidate: found }),
  },
  ...{
    probed: new Map(),
    verdict: found?.verdict,
    service: found,
    approval: undefined,
    asksBeforeEach: undefined,
  },
  ...{ questions: undefined, problems: [], limit: undefined, cuts: [], id: undefined, conditions: [] },
  ...{
    isPublicationKnown: true,
    published: undefined,
    stillPublished: [],
    ownTool: undefined,
    generated: undefined,
  },
  ...more,
});
const linesOf = (each: ExplainResult): string[] => adviceOf(each).flatMap(({ lines }) => lines);
const other = service('shop', { ports: ['http:8080'] });
/** A Service that no detector matches. */
const unmatched = (own: Service, detectors: readonly DetectorVerdict[], keptOut?: string): ExplainResult => {
  const plain = result(undefined, own);
  return {
    ...plain,
    explanation: { ...plain.explanation, detectors, ...(keptOut === undefined ? {} : { keptOut }) },
  };
};
const near = (more: Partial<DetectorVerdict> = {}): DetectorVerdict => ({
  ...{ type: 'loki', matched: false, near: true, reasons: ['why'] },
  ...more,
});

test('a Service that no detector matches gets a label or an annotation', () => {
  expect(linesOf(unmatched(other, [near({ near: false })]))).toEqual([
    'kubectl label service -n monitoring shop app.kubernetes.io/name=prometheus',
    'kubectl annotate service -n monitoring shop kubernaut.io/toolset=true',
    'dynamic-toolset approve monitoring/shop',
  ]);
  expect(linesOf(unmatched(other, [near()]))).toEqual([
    'dynamic-toolset discover -n monitoring',
    'kubectl annotate service -n monitoring shop kubernaut.io/toolset=true kubernaut.io/toolset-type=loki',
  ]);
  expect(linesOf(unmatched(other, [near({ type: 'mcp' })])).at(-1)).toBe(
    'dynamic-toolset approve monitoring/shop',
  );
  // Of several, any may be meant.
  expect(linesOf(unmatched(other, [near(), near({ type: 'tempo' })])).at(-1)).toMatch(/toolset-type=TYPE$/);
  expect(linesOf(unmatched(other, [near({ fix: 'give its URL' })]))).toEqual([
    'tools:',
    '  monitoring/shop:',
    '    type: loki',
    '    endpoint: "http://shop.monitoring.svc.cluster.local:8080"',
  ]);
  expect(linesOf(unmatched(other, [near({ excluded: 'it is switched off' })]))).toEqual([]);
});

test('the advice follows the evidence that the verdict names, or the most certain one', () => {
  const tempo = near({ type: 'tempo', fix: 'give its URL' });
  expect(linesOf(unmatched(other, [near(), tempo]))[2]).toBe('    type: tempo');
  // A component of a product is not that product.
  const exporter = near({ type: 'prometheus', isOther: true });
  const lines = linesOf(unmatched(other, [near(), exporter]));
  expect(lines[0]).toBe('dynamic-toolset discover -n monitoring');
  expect(lines.join('\n')).not.toContain('toolset-type');
});

test('a label that the Service has already is replaced', () => {
  const labelled = { ...other, labels: { 'app.kubernetes.io/name': 'shop' } };
  expect(linesOf(unmatched(labelled, []))[0]).toBe(
    'kubectl label service -n monitoring shop app.kubernetes.io/name=prometheus --overwrite',
  );
});

test('a Service that is kept out gets what lets it in', () => {
  const off = { ...other, annotations: { 'kubernaut.io/toolset': 'false' } };
  expect(linesOf(unmatched(off, [], 'excluded'))).toEqual([
    'kubectl annotate service -n monitoring shop kubernaut.io/toolset-',
  ]);
  const name = { ...other, type: 'ExternalName', externalName: 'shop.example.com' };
  expect(linesOf(unmatched(name, [], 'of type ExternalName')).at(-1)).toBe(
    '    endpoint: "http://shop.example.com"',
  );
  expect(linesOf(unmatched(other, [], 'it is being deleted'))).toEqual([]);
});

test('a backend that its answers do not prove gets a name or another URL', () => {
  expect(linesOf(result({ ...loki, certainty: 'hint' }, loki.service, { service: undefined }))).toEqual([
    'kubectl label service -n monitoring loki app.kubernetes.io/name=loki',
    'kubectl annotate service -n monitoring loki kubernaut.io/toolset=true',
    'dynamic-toolset approve monitoring/loki',
  ]);
  expect(linesOf(result(loki, loki.service, { service: undefined })).at(-1)).toBe(
    '    endpoint: "http://loki.monitoring.svc.cluster.local:3100/PATH"',
  );
});

test('another Service of a backend is explained by that one, and a limit can be raised', () => {
  expect(linesOf(result(loki, other))).toEqual(['dynamic-toolset explain monitoring/loki']);
  const limit = {
    ...{ where: 'all namespaces', what: 'the limit is 1', fix: 'raise it' },
    setting: { key: 'maxBackends' as const, enough: 9 },
  };
  expect(linesOf(result(loki, loki.service, { limit }))).toEqual(['maxBackends: 9']);
});

const because = (
  type: Finding['type'],
  reason: string,
  more: Partial<ExplainResult> = {},
  found = loki,
  message = '',
): string[] =>
  linesOf(
    result(found, found.service, {
      conditions: [{ type, reason, status: 'False', message } as Finding],
      ...more,
    }),
  );

test.each<[Finding['type'], string, string]>([
  [
    'Healthy',
    'NoReadyEndpoints',
    'kubectl get endpointslices -n monitoring -l kubernetes.io/service-name=loki -o wide',
  ],
  ['Healthy', 'Timeout', 'kubectl get networkpolicies -n monitoring'],
  ['Healthy', 'ErrorAnswer', 'curl -i http://127.0.0.1:3100/'],
  ['Healthy', 'HealthPathNotFound', '    endpoint: "http://loki.monitoring.svc.cluster.local:3100/PATH"'],
  ['Published', 'NeedsTenant', '  monitoring/loki: ID_OF_THE_TENANT'],
  ['Published', 'NeedsCredentials', '    bearerToken: NAME_OF_A_VARIABLE'],
  ['Published', 'HeldByRollback', 'dynamic-toolset rollback --end'],
  ['Published', 'NotYetPublished', 'dynamic-toolset diff'],
])('%s %s: %s', (type, reason, last) => {
  expect(because(type, reason).at(-1)).toBe(last);
});

test.each<[string, readonly string[]]>([
  ['elasticsearch', ['    apiKey: NAME_OF_A_VARIABLE']],
  ['rabbitmq', ['    username: NAME_OF_A_VARIABLE', '    password: NAME_OF_A_VARIABLE']],
  ['prometheus', ['    bearerToken: NAME_OF_A_VARIABLE']],
  ['kibana', ['    bearerToken: NAME_OF_A_VARIABLE']],
])('the example of credentials is one that the agent uses for %s', (app, lines) => {
  const found = discovered(service(app, { labels: { app }, ports: ['http:80'] }));
  expect(because('Published', 'NeedsCredentials', {}, found).slice(2)).toEqual(lines);
});

test('the advice for another port has the scheme that the port says', () => {
  const secured = {
    ...{ labels: { app: 'prometheus' }, ports: ['metrics:9191', 'other:9192'] },
    annotations: { 'service.beta.openshift.io/serving-cert-secret-name': 'tls' },
  };
  const of = service('prometheus', secured);
  expect(linesOf(unmatched(of, [near({ type: 'prometheus', fix: 'name the port' })])).at(-1)).toBe(
    '    endpoint: "https://prometheus.monitoring.svc.cluster.local:9191"',
  );
});

test('the path of an MCP server is written anew, and that of others is a base path', () => {
  const server = discovered(
    service('docs-mcp', { labels: { 'app.kubernetes.io/name': 'docs-mcp' }, ports: ['mcp:8000'] }),
  );
  expect(server.endpoint.path).toBe('/mcp');
  expect(because('Healthy', 'HealthPathNotFound', {}, server).at(-1)).toBe(
    '    endpoint: "http://docs-mcp.monitoring.svc.cluster.local:8000/PATH"',
  );
});

test('credentials that are not supported get no other advice than their message', () => {
  const message =
    'in toolset.json only: its credentials cannot be used: it takes headers, and not apiKey; in the setting credentials, …';
  expect(because('Published', 'NeedsCredentials', {}, loki, message)).toEqual([]);
});

test('only what waits for approval is to be approved', () => {
  const asked = (state: 'waiting' | 'refused') =>
    because('Published', 'NotApproved', { approval: { state, reason: '' } });
  expect(asked('waiting')).toEqual(['dynamic-toolset approve monitoring/loki']);
  expect(asked('refused')).toEqual([]);
  expect(because('Published', 'InToolset')).toEqual([]);
});

test.each<[string, number, string, string, readonly string[]]>([
  ['its own port', 3100, 'GET /ready answered 503', 'GET /ready', ['3100', '3100/ready']],
  ['a privileged port', 80, 'GET /-/healthy answered 500', 'GET /-/healthy', ['8080:80', '8080/-/healthy']],
  ['another one', 443, 'GET /x: no', 'GET /x', ['8443:443', '8443/x']],
  ['a request that is no GET', 3100, 'initialize answered 500', 'initialize', ['3100', '3100/base']],
])('the request that failed is repeated: %s', (_, port, reason, asked, [forwarded, at]) => {
  const found = { ...loki, endpoint: { ...loki.endpoint, port, path: '/base' } };
  const steps = [
    { asked: 'GET /other', answered: '404' },
    { asked, answered: 'no' },
  ];
  const verdict = { ...loki.verdict, reason, steps };
  expect(because('Healthy', 'ErrorAnswer', { verdict }, found)).toEqual([
    `kubectl port-forward -n monitoring service/loki ${forwarded}`,
    `curl -i http://127.0.0.1:${at}`,
  ]);
});

test('the port of a headless Service is forwarded, not that of its Pods', () => {
  const headless = service('loki', { ports: [{ name: 'http', port: 80, targetPort: 3100 }] });
  expect(because('Healthy', 'ErrorAnswer', {}, { ...loki, service: headless })[0]).toMatch(/ 8080:80$/);
});

test('a name that does not exist: the domain of the cluster, and a route from outside', () => {
  const named = (reason: string, source?: readonly string[]) =>
    because('Healthy', 'NameNotResolved', { source, verdict: { ...loki.verdict, reason } });
  const proxy = 'dynamic-toolset explain monitoring/loki --probe apiserver-proxy';
  const absent = 'GET /: its name does not resolve (ENOTFOUND)';
  expect(named(absent)).toEqual([proxy, 'CLUSTER_DOMAIN=DOMAIN dynamic-toolset explain monitoring/loki']);
  expect(named('GET /: its name does not resolve (ESERVFAIL)')).toEqual([
    proxy,
    'kubectl get pods -n kube-system -l k8s-app=kube-dns',
  ]);
  expect(named(absent, ['-f', 'a b.yaml'])).toEqual([
    "CLUSTER_DOMAIN=DOMAIN dynamic-toolset explain monitoring/loki -f 'a b.yaml'",
  ]);
});

test('for manifests, the advice changes these and the overrides, and not a cluster', () => {
  const source = ['-f', 'services.yaml'];
  const of = (each: ExplainResult) => linesOf({ ...each, source });
  expect(of(unmatched(other, [near({ isOther: true })]))).toEqual([
    'dynamic-toolset discover -n monitoring -f services.yaml',
    ...['# in its manifest:', 'metadata:', '  annotations:', '    kubernaut.io/toolset: "true"'],
    ...['# in overrides.yaml:', 'tools:', '  monitoring/shop:', '    approved: custom'],
  ]);
  expect(of(unmatched(other, [])).slice(0, 4)).toEqual([
    ...['# in its manifest:', 'metadata:', '  labels:', '    app.kubernetes.io/name: prometheus'],
  ]);
  const off = { ...other, annotations: { 'kubernaut.io/toolset': 'false' } };
  expect(of(unmatched(off, [], 'excluded'))).toEqual([
    '# in its manifest: remove the annotation kubernaut.io/toolset',
  ]);
  expect(of(result(loki, other))).toEqual(['dynamic-toolset explain monitoring/loki -f services.yaml']);
  const approval = { state: 'waiting' as const, reason: '' };
  const server = { ...loki, mcp: true };
  expect(because('Published', 'NotApproved', { approval, source }, server).at(-1)).toBe('    approved: mcp');
});

test('the path that an owner chose is one word of the command', () => {
  const path = "/$(id);`id`'; id '";
  const hostile = { ...loki, endpoint: { ...loki.endpoint, path } };
  expect(because('Healthy', 'ErrorAnswer', {}, hostile).at(-1)).toBe(
    `curl -i 'http://127.0.0.1:3100/$(id);\`id\`'\\''; id '\\'''`,
  );
});

test.each<[Finding['reason'], Partial<DiscoveredService['verdict']>, string[]]>([
  ['UnknownAuthority', {}, ['certificates:', '  monitoring/loki:', '    caFile: /PATH/ca.crt']],
  ['SelfSigned', {}, ['certificates:', '  monitoring/loki:', '    caFile: /PATH/ca.crt']],
  [
    'TrustedWithConfiguredCA',
    { trustedWith: "/etc/o'ca.pem" },
    ["base64 < '/etc/o'\\''ca.pem' | tr -d '\\n'"],
  ],
  ['CertificateTrusted', {}, []],
])('the certificate of a backend: %s', (reason, more, lines) => {
  const found = { ...loki, verdict: { ...loki.verdict, ...more } };
  const conditions: Finding[] = [{ type: 'Trusted', status: 'False', reason, message: '' }];
  expect(linesOf(result(found, loki.service, { conditions }))).toEqual(lines);
});

test('a failed handshake is looked into, unless the server said why', () => {
  const conditions: Finding[] = [{ type: 'Healthy', status: 'False', reason: 'TLSFailed', message: '' }];
  const advice = (fix?: string) =>
    linesOf(
      result({ ...loki, verdict: { ...loki.verdict, ...(fix && { fix }) } }, loki.service, { conditions }),
    );
  expect(advice()).toHaveLength(2);
  expect(advice('write it')).toEqual([]);
});

test('the commands for a part name its Service', () => {
  const part = { ...loki, service: { ...loki.service, name: 'loki:3100' } };
  const commands = ['NoReadyEndpoints', 'ErrorAnswer'].flatMap((reason) =>
    because('Healthy', reason, {}, part),
  );
  expect(commands.join()).toMatch(/service-name=loki -o wide,.* service\/loki 3100,/);
});
