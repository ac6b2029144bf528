import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidate, detected, options, rules } from '../../test/fixtures/unit/detection.ts';
import { offered, service } from '../../test/fixtures/unit/service.ts';
import { endpointUrl } from '../model/discovery.ts';
import type { Service } from '../model/service.ts';
import { detect } from './detect.ts';
import { compileRules, DEFAULT_OPTIONS } from './rules.ts';

const prometheus = { labels: { app: 'prometheus' }, ports: [9090] };

describe('skipped Services', () => {
  test.each(['false', 'disabled'])(
    'a Service with kubernaut.io/toolset=%s, whatever else it declares',
    (no) => {
      const { candidates, problems } = detected(
        service('p', {
          ...prometheus,
          annotations: { 'kubernaut.io/toolset': no, 'jaeger.io/enabled': 'true' },
        }),
      );
      expect(candidates).toEqual([]);
      expect(problems).toEqual([]);
    },
  );

  test('an ExternalName Service, which leads out of the cluster', () => {
    expect(detected(service('p', { ...prometheus, type: 'ExternalName' })).candidates).toEqual([]);
    expect(detected(service('p', { ...prometheus, type: 'LoadBalancer' })).candidates).toHaveLength(1);
  });

  test('unless the operator allows ExternalName Services', () => {
    const external = service('p', { ...prometheus, type: 'ExternalName' });
    expect(detect([external], rules, { ...options, allowExternalNames: true }).candidates).toHaveLength(1);
  });

  test('a Service without ports, with a problem', () => {
    const { candidates, problems } = detected(
      service('p', { ...prometheus, ports: [] }),
      service('shop', { labels: { app: 'shop' } }),
    );
    expect(candidates).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({
      where: 'Service monitoring/p',
      what: expect.stringMatching(/Prometheus.*no ports/),
      fix: expect.stringContaining('port'),
    });
  });

  test('one failing Service does not stop the others', () => {
    const { candidates } = detected(
      service('p', { ...prometheus, ports: [] }),
      offered('bad', { endpoint: 'ftp://example.com' }),
      service('q', prometheus),
    );
    expect(candidates.map(({ service }) => service.name)).toEqual(['q']);
  });
});

describe('the endpoint', () => {
  test.each([
    ['cluster.local', 'http://p.monitoring.svc.cluster.local:9090'],
    ['k8s.example.com', 'http://p.monitoring.svc.k8s.example.com:9090'],
  ])('is in the domain %s', (clusterDomain, url) => {
    const [found] = detect([service('p', prometheus)], rules, { ...options, clusterDomain }).candidates;
    expect(found && endpointUrl(found.endpoint)).toBe(url);
  });

  test.each([
    [
      'vmselect',
      { labels: { 'app.kubernetes.io/name': 'vmselect' }, ports: ['http:8481'] },
      '/select/0/prometheus',
    ],
    ['vmsingle', { labels: { 'app.kubernetes.io/name': 'vmsingle' }, ports: ['http:8428'] }, ''],
    ['mimir-query-frontend', { labels: { 'app.kubernetes.io/name': 'mimir' }, ports: [8080] }, '/prometheus'],
    ['prometheus', prometheus, ''],
  ])('has the base path of its product: %s', (name, fields, path) => {
    expect(candidate(service(name, fields)).endpoint.path).toBe(path);
  });

  test.each<[string, Record<string, string>, string]>([
    ['p', {}, '/alerts'],
    ['p', { endpoint: 'http://p:9090/own' }, '/alerts'],
    ['other', {}, '/all'],
    ['other', { endpoint: 'http://other:9090/own' }, '/own'],
  ])('has the base path that the configuration gives: %s %j', (name, annotations, path) => {
    const paths = { 'monitoring/p': '/alerts/', 'shop/p': '/shop', '*': '/all' };
    const detectors = [...rules.byType.values()].map(({ detector }) => detector);
    const configured = compileRules(detectors, rules.vocabulary, {
      prometheus: { ...DEFAULT_OPTIONS, paths },
    });
    const found = offered(name, annotations, prometheus);
    expect(detect([found], configured, options).candidates[0]?.endpoint.path).toBe(path);
  });

  test('is https if the port indicates so, with the reason', () => {
    const [found] = detected(
      service('es', { labels: { app: 'elasticsearch' }, ports: ['https:9200'] }),
    ).candidates;
    expect(found?.endpoint.scheme).toBe('https');
    expect(found?.evidence.find(({ signal }) => signal === 'scheme')?.detail).toContain('https');
  });
});

const NAMES = ['prometheus', 'prometheus-operated', 'loki', 'loki-gateway', 'loki-read', 'grafana', 'shop'];
const APPS = ['prometheus', 'loki', 'grafana', 'shop', 'elasticsearch-exporter'];

/** Services as they are in clusters: few names, so that many have to do with each other. */
const realistic = fc
  .record({
    name: fc.constantFrom(...NAMES),
    namespace: fc.constantFrom('monitoring', 'default'),
    app: fc.constantFrom(...APPS),
    selector: fc.constantFrom({}, { app: 'x' }, { app: 'x', part: 'y' }),
    headless: fc.boolean(),
    ports: fc.subarray(['web:9090', 'http-metrics:3100', 'http:80', 'service:3000', 'https:443']),
    says: fc.option(
      fc.constantFrom({ name: 'mine' }, { name: 'yours', type: 'loki' }, { endpoint: 'http://x' }),
    ),
  })
  .map(({ name, app, says, ...rest }) => {
    const fields = { labels: { app }, ...rest };
    return says === null ? service(name, fields) : offered(name, says, fields);
  });

/** Services as only an attacker or a fuzzer writes them. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('prometheus', '-', '.', '\0', '\u202e', '{{', '}}', ' ', '0', '\ud800'),
  }),
  fc.constantFrom(
    '',
    '__proto__',
    'constructor',
    'prometheus',
    'loki-gateway',
    'http://[',
    'http://a:99999/',
  ),
  fc.string({ minLength: 1_000, maxLength: 5_000 }),
);
const keys = fc.oneof(
  fc.constantFrom(
    'app',
    'app.kubernetes.io/name',
    'app.kubernetes.io/component',
    'app.kubernetes.io/instance',
    'release',
    'jaeger.io/enabled',
    'kubernaut.io/toolset',
    'kubernaut.io/toolset-type',
    'kubernaut.io/toolset-name',
    'kubernaut.io/toolset-endpoint',
    'kubernaut.io/toolset-health-path',
    'kubernaut.io/toolset-description',
    '__proto__',
    'constructor',
  ),
  text,
);
const texts = fc.dictionary(keys, text, { maxKeys: 8 });
const hostile: fc.Arbitrary<Service> = fc
  .record({
    name: fc.constantFrom('prometheus', 'a', 'constructor', 'loki-0-1-2'),
    labels: texts,
    annotations: texts,
    selector: texts,
    type: text,
    headless: fc.boolean(),
    ports: fc.array(
      fc.record(
        {
          name: text,
          port: fc.integer({ min: 1, max: 65_535 }),
          targetPort: fc.oneof(text, fc.integer({ min: 1, max: 65_535 })),
          appProtocol: text,
        },
        { requiredKeys: ['port'] },
      ),
      { maxLength: 4 },
    ),
  })
  .map(({ name, annotations, ...fields }) =>
    service(name, { ...fields, annotations: { 'kubernaut.io/toolset': 'true', ...annotations } }),
  );

describe('properties', () => {
  test('order and duplicates of Services never change the result', () => {
    const services = fc.array(realistic, { maxLength: 8 });
    fc.assert(
      fc.property(services, fc.infiniteStream(fc.nat()), (given, random) => {
        const shuffled = [...given, ...given.slice(0, 3)]
          .map((one) => ({ one, at: random.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => structuredClone(one));
        expect(detected(...shuffled)).toEqual(detected(...given));
      }),
      { numRuns: 300 },
    );
  });

  test('each Service is in at most one candidate, and each tool has a unique name', () => {
    fc.assert(
      fc.property(fc.array(realistic, { maxLength: 8 }), (given) => {
        const { candidates } = detected(...given);
        const names = candidates.flatMap(({ service: { namespace, name }, alternates }) =>
          [name, ...alternates].map((each) => `${namespace}/${each}`),
        );
        expect(new Set(names).size).toBe(names.length);
        expect(new Set(candidates.map(({ tool }) => tool)).size).toBe(candidates.length);
      }),
      { numRuns: 300 },
    );
  });

  test('hostile texts never throw, and never lead to another Service', () => {
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 4 }), (given) => {
        for (const { service, endpoint, description, tool } of detected(...given).candidates) {
          expect(endpoint.host).toBe(`${service.name}.${service.namespace}.svc.cluster.local`);
          expect(URL.canParse(endpointUrl(endpoint))).toBe(true);
          expect(description).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
          expect([...description].length).toBeLessThanOrEqual(200);
          expect(tool).toMatch(/^[\w.-]+$/);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('detection never changes a Service', () => {
    const given = offered('shop', { name: 'x', description: 'y\nz' });
    const before = structuredClone(given);
    detected(given, service('p', prometheus));
    expect(given).toEqual(before);
  });
});
