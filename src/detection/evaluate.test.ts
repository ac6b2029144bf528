import { describe, expect, test } from 'vitest';
import { candidate, detected, options, rules } from '../../test/fixtures/unit/detection.ts';
import { type ServiceFields, service } from '../../test/fixtures/unit/service.ts';
import { detect } from './detect.ts';
import { evaluate } from './evaluate.ts';
import { factsOf } from './identity.ts';

const k8s = (name: string, component?: string): Record<string, string> => ({
  'app.kubernetes.io/name': name,
  ...(component === undefined ? {} : { 'app.kubernetes.io/component': component }),
});

describe('a Service is a backend because of', () => {
  test.each<[string, string, ServiceFields, string, number]>([
    [
      'label app (the first release)',
      'p',
      { labels: { app: 'prometheus' }, ports: [9090] },
      'prometheus',
      9090,
    ],
    ['label app of Grafana', 'g', { labels: { app: 'grafana' }, ports: [3000] }, 'grafana', 3000],
    [
      'label app of Elasticsearch',
      'e',
      { labels: { app: 'elasticsearch' }, ports: [9200] },
      'elasticsearch',
      9200,
    ],
    [
      "Jaeger's annotation",
      'traces',
      { annotations: { 'jaeger.io/enabled': 'true' }, ports: ['query:16686'] },
      'jaeger',
      16686,
    ],
    [
      "the owner's annotation",
      'shop-api',
      { annotations: { 'kubernaut.io/toolset': 'true' }, ports: ['http:8080'] },
      'custom',
      8080,
    ],
    ['recommended labels', 'x', { labels: k8s('grafana'), ports: ['service:80'] }, 'grafana', 80],
    [
      'recommended labels with a component that is no evidence',
      'prometheus-server',
      { labels: k8s('prometheus', 'server'), ports: ['http:80'] },
      'prometheus',
      80,
    ],
    [
      'a component of a larger product',
      'monitoring',
      { labels: k8s('kube-prometheus-stack', 'prometheus'), ports: ['http-web:9090'] },
      'prometheus',
      9090,
    ],
    [
      "an operator's label",
      'o',
      { labels: { 'operated-prometheus': 'true' }, ports: ['web:9090'] },
      'prometheus',
      9090,
    ],
    [
      "Elastic's operator",
      'quickstart-http',
      { labels: { 'common.k8s.elastic.co/type': 'elasticsearch' }, ports: ['https:9200'] },
      'elasticsearch',
      9200,
    ],
    [
      "an operator's label with the only port, whatever its number",
      'o',
      { labels: { 'operated-prometheus': 'true' }, ports: ['main:1234'] },
      'prometheus',
      1234,
    ],
    [
      'a label with only the product name, with the only port',
      'x',
      { labels: { app: 'prometheus' }, ports: ['main:1234'] },
      'prometheus',
      1234,
    ],
    [
      'a label with the product name after the name of the installation',
      'x',
      { labels: { app: 'shop-prometheus', release: 'shop' }, ports: ['main:1234'] },
      'prometheus',
      1234,
    ],
    [
      'an installation with the name of a component that does not answer queries',
      'agent-server',
      { labels: { app: 'prometheus', release: 'agent' }, ports: ['http:80'] },
      'prometheus',
      80,
    ],
    [
      'the same where the Service has no more to its name',
      'agent',
      { labels: { app: 'prometheus', release: 'agent' }, ports: ['http:80'] },
      'prometheus',
      80,
    ],
    [
      'such a word before the product, which it serves and is not',
      'agent-prometheus',
      { labels: { app: 'prometheus' }, ports: ['web:9090'] },
      'prometheus',
      9090,
    ],
    ['the selector', 'db', { selector: { app: 'loki' }, ports: ['http:3100'] }, 'loki', 3100],
    ['the name with its own port', 'my-tempo', { ports: [3200] }, 'tempo', 3200],
    ['a longer product name wins', 'prometheus-alertmanager', { ports: ['http:9093'] }, 'alertmanager', 9093],
    [
      'an installation called like another product',
      'loki-grafana',
      { labels: { release: 'loki', app: 'grafana' }, ports: ['service:80'] },
      'grafana',
      80,
    ],
    [
      'an installation called like its product',
      'prometheus-server',
      { labels: { 'app.kubernetes.io/instance': 'prometheus', ...k8s('prometheus') }, ports: ['http:80'] },
      'prometheus',
      80,
    ],
    [
      'an operator label outweighs the word of a label',
      'o',
      { labels: { 'operated-alertmanager': 'true', app: 'prometheus' }, ports: ['web:9093'] },
      'alertmanager',
      9093,
    ],
    [
      'a tool server for a product is a tool server',
      'grafana-mcp',
      { labels: { app: 'mcp-grafana' }, ports: ['mcp:8000'] },
      'mcp',
      8000,
    ],
    [
      'a product whose name holds that of another',
      'opensearch-dashboards-elasticsearch-compat-opensearch',
      { labels: { app: 'opensearch' }, ports: ['http:9200'] },
      'opensearch',
      9200,
    ],
    [
      'the user interface is a separate backend',
      'kibana',
      { labels: { app: 'kibana' }, ports: ['http:5601'] },
      'kibana',
      5601,
    ],
    ['upper case and underscores', 'x', { labels: { app: 'My_Grafana' }, ports: [3000] }, 'grafana', 3000],
  ])('%s', (_, name, fields, type, port) => {
    const found = candidate(service(name, fields));
    expect({ type: found.type, port: found.endpoint.port }).toEqual({ type, port });
    expect(found.evidence.length).toBeGreaterThan(0);
  });
});

describe('a Service is not a backend', () => {
  test.each<[string, string, ServiceFields]>([
    ['nothing known', 'shop', { labels: { app: 'shop' }, ports: ['http:80'] }],
    [
      'an exporter',
      'prometheus-node-exporter',
      { labels: k8s('prometheus-node-exporter'), ports: ['metrics:9100'] },
    ],
    ['an exporter of a product', 'es', { labels: { app: 'elasticsearch-exporter' }, ports: ['http:9200'] }],
    ['an operator', 'prometheus-operator', { labels: k8s('prometheus-operator'), ports: ['https:443'] }],
    ['an admission webhook', 'prometheus-webhook', { labels: { app: 'prometheus' }, ports: ['https:443'] }],
    ['an agent', 'jaeger-agent', { labels: k8s('jaeger', 'agent'), ports: ['http:16686'] }],
    [
      'a write path',
      'loki-distributor',
      { labels: k8s('loki', 'distributor'), ports: ['http-metrics:3100'] },
    ],
    ['a write path by its name only', 'loki-write', { labels: k8s('loki'), ports: ['http-metrics:3100'] }],
    ['gossip', 'loki-memberlist', { labels: k8s('loki'), ports: ['tcp:7946'] }],
    ['a cache', 'loki-chunks-cache', { labels: k8s('loki', 'memcached-chunks-cache'), ports: ['http:80'] }],
    ['an adapter', 'prometheus-adapter', { labels: k8s('prometheus-adapter'), ports: ['https:443'] }],
    ["a component's own metrics", 'grafana-metrics', { labels: { app: 'grafana' }, ports: ['http:3000'] }],
    [
      'something else that is named after it',
      'prometheus-shop',
      { labels: { app: 'prometheus-shop' }, ports: ['http:80'] },
    ],
    ['a name alone, with an unknown port', 'grafana', { ports: ['api:8123'] }],
    [
      'a label with other words, with an unknown port',
      'x',
      { labels: { app: 'our-own-prometheus' }, ports: ['main:1234'] },
    ],
    ['two unknown ports', 'p', { labels: { app: 'prometheus' }, ports: ['a:1234', 'b:1235'] }],
    ['UDP only', 'p', { labels: { app: 'prometheus' }, ports: [{ port: 9090, protocol: 'UDP' }] }],
    [
      'an annotation with the value false',
      'j',
      { annotations: { 'jaeger.io/enabled': 'false' }, ports: ['query:16686'] },
    ],
    ['an empty label', 'x', { labels: { app: '', 'app.kubernetes.io/name': '' }, ports: [9090] }],
  ])('%s', (_, name, fields) => {
    expect(detected(service(name, fields)).candidates.map(({ type }) => type)).toEqual([]);
  });

  test('"scrape me" means that it has metrics, not that it is a Prometheus', () => {
    const annotations = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' };
    const { candidates } = detect([service('shop', { annotations, ports: ['http:9090'] })], rules, options);
    for (const { certainty } of candidates) expect(certainty).toBe('hint');
  });

  test.each<[string, string, ServiceFields, readonly string[]]>([
    ['loki', 'gateway', { labels: { name: 'gateway' }, ports: ['gateway-http:80'] }, ['loki']],
    ['mimir', 'query-frontend', { ports: ['http-metrics:8080'] }, ['mimir']],
    ['grafana-loki', 'nginx', { ports: [80] }, ['loki']],
    ['loki', 'distributor', { ports: ['http-metrics:3101'] }, []],
    ['loki', 'shop-gateway', { ports: [80] }, []],
    ['loki', 'web', { ports: [80] }, []],
    ['loki-shop', 'gateway', { ports: [80] }, []],
    ['shop-loki', 'gateway', { ports: [80] }, []],
    ['loki', 'gateway', { labels: { app: 'prometheus' }, ports: [80] }, ['prometheus']],
    ['mcp', 'gateway', { ports: [80] }, []],
  ])('the namespace %s is a hint for the Service %s %j: %j', (namespace, name, fields, types) => {
    const { candidates } = detect([service(name, { ...fields, namespace })], rules, options);
    expect(candidates.map(({ type }) => type)).toEqual(types);
    if (types[0] === namespace)
      expect(candidates[0]).toMatchObject({
        certainty: 'hint',
        evidence: expect.arrayContaining([{ signal: 'hint', detail: `namespace ${namespace}` }]),
      });
  });
});

describe('reasons', () => {
  const verdict = (type: string, name: string, fields: ServiceFields) => {
    const compiled = rules.byType.get(type);
    if (compiled === undefined) throw new Error(`no detector ${type}`);
    return evaluate(factsOf(service(name, fields), rules.vocabulary), compiled, rules);
  };

  test.each<[string, ServiceFields, RegExp, boolean]>([
    ['shop', { ports: [80] }, /no match/, false],
    ['prometheus-shop', { ports: [80] }, /"shop" after "prometheus"/, true],
    ['prometheus-operator', { ports: [9090] }, /operator/, true],
    ['prometheus', { ports: [1234] }, /ports/, true],
    ['prometheus', { ports: [] }, /no ports/, true],
  ])('%s %j: %s', (name, fields, why, near) => {
    const miss = verdict('prometheus', name, fields);
    if (miss.matched) throw new Error('it matched');
    expect(miss.why).toMatch(why);
    expect(miss.near).toBe(near);
    expect(miss.missingPort).toBe(fields.ports?.length === 0);
  });

  test('an exclusion by a detector is reported with the reason', () => {
    const miss = verdict('mcp', 'mcp-registry', { ports: ['http:80'] });
    if (miss.matched) throw new Error('it matched');
    expect(miss.why).toMatch(/mcp-registry.*manages/);
    expect(miss.near).toBe(true);
  });

  test('evidence names the matching labels, the most certain first, and the port', () => {
    const { certainty, evidence } = candidate(
      service('prometheus', {
        labels: { app: 'prometheus', 'operated-prometheus': 'true' },
        ports: ['web:9090'],
      }),
    );
    expect(certainty).toBe('operator');
    expect(evidence[0]).toEqual({ signal: 'operator', detail: 'label operated-prometheus=true' });
    expect(evidence).toContainEqual({ signal: 'label', detail: 'label app=prometheus' });
    expect(evidence.find(({ signal }) => signal === 'port')?.detail).toMatch(/9090.*web/);
  });

  test('the annotation of its owner overrides a word that would exclude it', () => {
    const found = candidate(
      service('reports-exporter', { annotations: { 'kubernaut.io/toolset': 'true' }, ports: ['http:80'] }),
    );
    expect(found.certainty).toBe('annotation');
  });
});
