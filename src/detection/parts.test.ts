import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtIn, options, rules } from '../../test/fixtures/unit/detection.ts';
import { keyFor, offered, type ServiceFields, service } from '../../test/fixtures/unit/service.ts';
import type { Detector } from '../model/detector.ts';
import { endpointUrl } from '../model/discovery.ts';
import { isPart, objectName } from '../model/part.ts';
import { type Service, serviceKey } from '../model/service.ts';
import { detect } from './detect.ts';
import { LiveDetection } from './live.ts';
import { makeRules } from './make-rules.ts';
import type { CompiledDetector } from './rules.ts';

const found = (services: readonly Service[]) => detect(services, rules, options).candidates;

/** The backends as `NAME TYPE`, in order. */
const named = (...services: readonly Service[]): string[] =>
  found(services).map(({ service: { name }, type }) => `${name} ${type}`);

const GRAFANA = { labels: { app: 'lgtm' }, selector: { app: 'lgtm' } };
const lgtm = (ports: ServiceFields['ports'], fields: ServiceFields = {}): Service =>
  service('lgtm', { ...GRAFANA, ports: ['grafana:3000', ...(ports ?? [])], ...fields });

describe('a port with the name and the number of another product is a backend of its own', () => {
  test.each<[string, Service, string[]]>([
    [
      'those of grafana/otel-lgtm',
      lgtm([
        'otel-grpc:4317',
        'otel-http:4318',
        'prometheus:9090',
        'loki:3100',
        'tempo:3200',
        'pyroscope:4040',
      ]),
      ['lgtm grafana', 'lgtm:3100 loki', 'lgtm:3200 tempo', 'lgtm:4040 pyroscope', 'lgtm:9090 prometheus'],
    ],
    [
      'of two hints, the first one is what the Service is',
      service('stack', { ports: ['prometheus:9090', 'alertmanager:9093'] }),
      ['stack alertmanager', 'stack:9090 prometheus'],
    ],
    [
      'Jaeger with a Prometheus',
      service('jaeger', { labels: { app: 'jaeger' }, ports: ['http-query:16686', 'prometheus:9090'] }),
      ['jaeger jaeger', 'jaeger:9090 prometheus'],
    ],
    [
      'with words of a role that answers queries',
      lgtm(['loki-gateway:80']),
      ['lgtm grafana', 'lgtm:80 loki'],
    ],
    [
      'by the number of its target',
      lgtm([{ name: 'loki', port: 81, targetPort: 3100 }]),
      ['lgtm grafana', 'lgtm:81 loki'],
    ],
    ['one for each product', lgtm(['loki:3100', 'loki-read:80']), ['lgtm grafana', 'lgtm:3100 loki']],
    ['not with the number alone', lgtm(['logs:3100']), ['lgtm grafana']],
    ['not with the name alone', lgtm(['loki:9999']), ['lgtm grafana']],
    [
      'nor one that only its other names are',
      service('p', { labels: { app: 'prometheus' }, ports: ['web:9090', 'grafana:9999'] }),
      ['p prometheus'],
    ],
    [
      'nor one that hints at the product by its name',
      service('p', { labels: { app: 'prometheus' }, ports: ['web:9090', 'service:3000'] }),
      ['p prometheus'],
    ],
    ['one for each number', lgtm(['loki:3100', 'tempo:3100']), ['lgtm grafana', 'lgtm:3100 loki']],
    [
      'not with the number of the port that is the product',
      service('g', {
        labels: { app: 'grafana' },
        ports: [
          { name: 'http', port: 80, targetPort: 3000 },
          { name: 'prometheus', port: 80, targetPort: 9090 },
        ],
      }),
      ['g grafana'],
    ],
    [
      'one for each product, also without a selector',
      service('g', { labels: { app: 'grafana' }, ports: ['http:80', 'loki:3100', 'loki-read:8080'] }),
      ['g grafana', 'g:3100 loki'],
    ],
    ['not without a name', lgtm([3100]), ['lgtm grafana']],
    ['not with a further word', lgtm(['loki-exporter:3100', 'loki-eu:80']), ['lgtm grafana']],
    ['not for a role that answers no queries', lgtm(['loki-write:3100']), ['lgtm grafana']],
    [
      'not for the product itself',
      service('loki', { labels: { app: 'loki' }, ports: ['http-metrics:3100', 'loki:80'] }),
      ['loki loki'],
    ],
    [
      'not if it leads to the port of the product',
      lgtm([{ name: 'loki', port: 3100, targetPort: 3000 }]),
      ['lgtm grafana'],
    ],
    ['not over UDP', lgtm([{ name: 'loki', port: 3100, protocol: 'UDP' }]), ['lgtm grafana']],
    [
      'not for MCP servers, which need an approval',
      lgtm(['mcp:8000', 'tools:8080', 'mcp-server:3001']),
      ['lgtm grafana'],
    ],
    [
      'not if its labels rule the product out',
      service('signoz', {
        labels: { 'app.kubernetes.io/name': 'signoz' },
        ports: ['http:8080', 'alertmanager:9093'],
      }),
      ['signoz signoz'],
    ],
    ['not for a Service that is no backend', service('shop', { ports: ['http:80', 'loki:80'] }), []],
    [
      'not for a Service that its owner declares',
      offered('lgtm', { type: 'grafana' }, { ...GRAFANA, ports: ['grafana:3000', 'loki:3100'] }),
      ['lgtm grafana'],
    ],
    [
      'nor one with an endpoint of its owner',
      offered('lgtm', { endpoint: 'http://lgtm:3000' }, { ...GRAFANA, ports: ['grafana:3000', 'loki:3100'] }),
      ['lgtm grafana'],
    ],
    [
      'not for one that is switched off',
      lgtm(['loki:3100'], { annotations: { 'kubernaut.io/toolset': 'false' } }),
      [],
    ],
    ['not for one that is being deleted', lgtm(['loki:3100'], { terminating: true }), []],
  ])('%s', (_, one, expected) => {
    expect(named(one)).toEqual(expected);
  });

  test('at most eight, in the order of its ports', () => {
    const all = [
      'loki:3100',
      'tempo:3200',
      'pyroscope:4040',
      'prometheus:9090',
      'alertmanager:9093',
      'jaeger:16686',
    ];
    const more = ['zipkin:9411', 'mimir:8080', 'thanos:10902', 'kibana:5601'];
    expect(named(lgtm([...all, ...more]))).toHaveLength(9);
    expect(named(lgtm([...all, ...more])).join()).not.toMatch(/thanos|kibana/);
  });

  test('it counts only with a proof, and has the address of the Service and a name of its own', () => {
    const [, loki] = found([lgtm(['loki:3100'])]);
    expect(loki).toMatchObject({
      certainty: 'hint',
      tool: 'lgtm_3100.monitoring',
      servicePort: 3100,
      evidence: [
        { signal: 'hint', detail: 'port name loki' },
        { signal: 'port', detail: 'port 3100 loki' },
      ],
    });
    expect(loki && endpointUrl(loki.endpoint)).toBe('http://lgtm.monitoring.svc.cluster.local:3100');
  });

  test('its roles are evidence, too', () => {
    expect(found([lgtm(['loki-gateway:80'])])[1]?.evidence.map(({ signal }) => signal)).toEqual([
      'hint',
      'port',
      'role',
    ]);
  });

  test('an ExternalName has none', () => {
    const external = lgtm(['loki:3100'], { type: 'ExternalName', externalName: 'example.com' });
    const { candidates } = detect([external], rules, { ...options, allowExternalNames: true });
    expect(candidates.map(({ type }) => type)).toEqual(['grafana']);
  });

  test('the signals of a detector count that name a port, and annotations for its kind do not', () => {
    const own: Detector = {
      ...(rules.byType.get('loki') as CompiledDetector).detector,
      ...{ type: 'logs', names: [], fromAnnotations: { path: ['x/path'], endpoint: 'x/url' } },
      signals: [
        { certainty: 'label', port: { name: 'elk' } },
        { certainty: 'label', labels: { app: 'lgtm' }, port: { number: 443 } },
      ],
    };
    const { rules: more } = makeRules(builtIn, {
      added: [{ name: 'logs.yaml', detector: own }],
      ...{ options: {}, disabled: [] },
    });
    const annotations = { 'x/path': '/secret', 'x/url': 'http://lgtm:9', y: '' };
    const [, part] = detect([lgtm(['elk:3100'], { annotations })], more, options).candidates;
    expect(part).toMatchObject({ type: 'logs', endpoint: { port: 3100, path: '' } });
    expect(part?.service.annotations).toEqual({ y: '' });
    expect(detect([lgtm(['any:443'])], more, options).candidates).toHaveLength(1);
  });

  test('an MCP server is none, whatever its numbers', () => {
    const mcp = (rules.byType.get('mcp') as CompiledDetector).detector;
    const detector: Detector = { ...mcp, ports: { ...mcp.ports, numbers: [8000] } };
    const { rules: more } = makeRules(builtIn, {
      added: [{ name: 'mcp.yaml', detector }],
      ...{ options: {}, disabled: [] },
    });
    const candidates = detect([lgtm(['mcp-server:8000'])], more, options).candidates;
    expect(candidates.map(({ service: { name } }) => name)).toEqual(['lgtm']);
  });

  test('what is found of the Service without it does not change', () => {
    const [alone] = found([lgtm([])]);
    const [first] = found([lgtm(['loki:3100', 'tempo:3200'])]);
    expect(first).toEqual({ ...alone, service: first?.service });
  });

  test('a detector that is off, or not for the namespace, has no parts', () => {
    const off = rules.detectors.filter(({ detector }) => detector.type !== 'loki');
    const elsewhere = rules.detectors.map((each) =>
      each.detector.type === 'loki'
        ? { ...each, options: { ...each.options, excludeNamespaces: ['monitor*'] } }
        : each,
    );
    for (const detectors of [off, elsewhere])
      expect(detect([lgtm(['loki:3100'])], { ...rules, detectors }, options).candidates).toHaveLength(1);
  });
});

describe('grouping', () => {
  const own = service('logs', { labels: { app: 'loki' }, selector: { app: 'lgtm' }, ports: ['http:3100'] });

  test('a Service for the same product and Pods is the entry point of one backend, and the part an alternate', () => {
    const [, loki, ...more] = found([lgtm(['loki:3100']), own]);
    expect(more).toEqual([]);
    expect(loki).toMatchObject({ service: { name: 'logs' }, alternates: ['lgtm:3100'] });
    expect(loki?.fallbacks.map(({ service: { name } }) => name)).toEqual(['lgtm:3100']);
  });

  test('also if its name is longer, it is only a hint, and its role is worse', () => {
    const hint = service('everything-we-log', { selector: { app: 'lgtm' }, ports: ['http:80', 'x:3100'] });
    expect(named(lgtm(['loki-gateway:80']), hint)).toEqual(['everything-we-log loki', 'lgtm grafana']);
  });

  test('other Pods, names and installations are other backends', () => {
    const labels = { app: 'loki', 'app.kubernetes.io/instance': 'one' };
    const other = service('lgtm-3100-gateway', { labels, selector: { app: 'loki' }, ports: ['http:3100'] });
    const headless = lgtm(['loki:3100'], {
      labels: { ...GRAFANA.labels, ...labels, app: 'lgtm' },
      headless: true,
    });
    for (const one of [lgtm(['loki:3100']), headless])
      expect(named(one, other)).toEqual(['lgtm grafana', 'lgtm-3100-gateway loki', 'lgtm:3100 loki']);
  });

  test('parts of two Services with the same Pods are one backend', () => {
    const second = service('a', { ...GRAFANA, ports: ['grafana:3000', 'loki:3100'] });
    expect(named(lgtm(['loki:3100']), second)).toEqual(['a grafana', 'a:3100 loki']);
  });
});

test('they count in the limit of the namespace, and are left out first', () => {
  const all = [
    lgtm(['loki:3100', 'tempo:3200']),
    service('p', { labels: { app: 'prometheus' }, ports: [9090] }),
  ];
  const { candidates, problems } = detect(all, rules, { ...options, maxNamespaceServices: 3 });
  expect(candidates.map(({ service: { name } }) => name)).toEqual(['lgtm', 'lgtm:3100', 'p']);
  expect(problems.map(({ what }) => what).join()).toMatch(/1 of its 4 Services .*\(lgtm:3200\)/);
});

test('one in use stays in a namespace with too many Services', () => {
  const all = lgtm(['loki:3100', 'tempo:3200']);
  const live = new LiveDetection(rules, { ...options, maxNamespaceServices: 2 });
  live.put(all);
  const parts = () => live.detect().candidates.map(({ service: { name } }) => name);
  expect(parts()).toEqual(['lgtm', 'lgtm:3100']);
  const [tempo] = found([all]).filter(({ type }) => type === 'tempo');
  if (tempo === undefined) throw new Error('no tempo');
  live.prefer(new Map([[serviceKey(tempo.service), { at: 1 }]]));
  expect(parts()).toEqual(['lgtm', 'lgtm:3200']);
});

test('a change of the Service changes its parts, and its deletion removes them', () => {
  const live = new LiveDetection(rules, options);
  const parts = () => live.detect().candidates.map(({ service: { name } }) => name);
  live.put({ ...lgtm(['loki:3100']), version: '1' });
  expect(parts()).toEqual(['lgtm', 'lgtm:3100']);
  live.put({ ...lgtm(['loki:80', 'tempo:3200']), version: '2' });
  expect(parts()).toEqual(['lgtm', 'lgtm:3200', 'lgtm:80']);
  live.put({ ...lgtm([]), version: '3' });
  expect(parts()).toEqual(['lgtm']);
  live.put({ ...lgtm(['loki:3100']), version: '4' });
  live.drop(keyFor('monitoring/lgtm'));
  expect(live.detect().candidates).toEqual([]);
});

test('whatever ports a tenant has, they lead to the Service itself, count only with a proof, and change nothing else', () => {
  const names = [
    'loki',
    'tempo',
    'grafana',
    'prometheus',
    'mcp',
    'mcp-server',
    'loki-gateway',
    'kafka',
    'alertmanager',
    'x',
  ];
  const numbers = [80, 443, 3000, 3100, 3200, 8080, 9090, 9092, 9093, 10902];
  const port = fc.record({ name: fc.constantFrom(...names), port: fc.constantFrom(...numbers) });
  const others = [
    service('loki', { labels: { app: 'loki' }, selector: { app: 'loki' }, ports: ['http:3100'] }),
    service('lgtm', { ...GRAFANA, namespace: 'other', ports: ['grafana:3000', 'loki:3100'] }),
  ];
  const alone = found(others);
  fc.assert(
    fc.property(fc.uniqueArray(port, { maxLength: 12, selector: ({ port }) => port }), (ports) => {
      const hostile = service('hostile', { labels: { app: 'grafana' }, selector: { app: 'x' }, ports });
      const candidates = found([...others, hostile]);
      const own = candidates.filter(({ service: one }) => objectName(one) === 'hostile');
      expect(candidates.filter((each) => !own.includes(each))).toEqual(alone);
      const parts = own.filter(({ service: one }) => isPart(one));
      expect(parts.length).toBeLessThanOrEqual(8);
      for (const { service: one, endpoint, certainty, mcp, alternates } of parts) {
        expect([certainty, mcp, alternates]).toEqual(['hint', false, []]);
        expect(endpoint.host).toBe('hostile.monitoring.svc.cluster.local');
        expect(`hostile:${endpoint.port}`).toBe(one.name);
        expect(ports.map((each) => each.port)).toContain(endpoint.port);
      }
    }),
    { numRuns: 200 },
  );
});
