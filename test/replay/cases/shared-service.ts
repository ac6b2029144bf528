import { serving, text } from '../answers.ts';
import { type Kind, labels, port } from '../case.ts';
import { GRAFANA, loki, mimir, tempo } from '../products/grafana.ts';
import { VICTORIA_LOGS } from '../products/newer.ts';
import { VICTORIA_METRICS } from '../products/others.ts';
import { ALERTMANAGER, PROMETHEUS, PROMETHEUS_AGENT } from '../products/prometheus.ts';

export const SHARED_SERVICE: Kind = {
  title: '8, several products behind one Service, and names in the namespace only',
  cases: [
    {
      name: 'grafana/otel-lgtm: a port for each product',
      source: 'https://github.com/grafana/docker-otel-lgtm/blob/main/k8s/lgtm.yaml',
      services: [
        {
          name: 'lgtm',
          labels: { app: 'lgtm' },
          selector: { app: 'lgtm' },
          ports: [
            port('grafana', 3000, 3000),
            port('otel-grpc', 4317, 4317),
            port('otel-http', 4318, 4318),
            port('prometheus', 9090, 9090),
            port('loki', 3100, 3100),
            port('tempo', 3200, 3200),
            port('pyroscope', 4040, 4040),
          ],
        },
      ],
      pods: [
        {
          name: 'lgtm-0',
          labels: { app: 'lgtm' },
          ports: [
            { number: 3000, serves: serving(GRAFANA) },
            { number: 4318, serves: serving({}) },
            { number: 9090, serves: serving(PROMETHEUS) },
            { number: 3100, serves: serving(loki(false)) },
            { number: 3200, serves: serving(tempo(false)) },
            // It does not run in this image, so nothing is said of it.
            { number: 4040 },
          ],
        },
      ],
      truth: {
        found: {
          lgtm: { is: 'grafana http:3000', published: 'NeedsCredentials' },
          'lgtm:3100': { is: 'loki http:3100' },
          'lgtm:3200': { is: 'tempo http:3200' },
          'lgtm:9090': { is: 'prometheus http:9090' },
        },
        holmes: [
          'grafana/loki http://lgtm:3100',
          'grafana/tempo http://lgtm:3200',
          'prometheus/metrics http://lgtm:9090',
        ],
      },
    },
    {
      name: 'Prometheus and Alertmanager in one Pod, behind one Service',
      source: 'https://prometheus.io/docs/alerting/latest/overview/ (both on one host, by hand)',
      services: [
        {
          name: 'monitoring',
          labels: { app: 'monitoring' },
          selector: { app: 'monitoring' },
          ports: [port('prometheus', 9090, 9090), port('alertmanager', 9093, 9093)],
        },
      ],
      pods: [
        {
          name: 'monitoring-0',
          labels: { app: 'monitoring' },
          ports: [
            { number: 9090, serves: serving(PROMETHEUS) },
            { number: 9093, serves: serving(ALERTMANAGER) },
          ],
        },
      ],
      truth: {
        found: {
          monitoring: { is: 'alertmanager http:9093' },
          'monitoring:9090': { is: 'prometheus http:9090' },
        },
        holmes: [
          'alertmanager http://monitoring:9093/api/v2/status',
          'prometheus/metrics http://monitoring:9090',
        ],
      },
    },
    {
      name: 'a Service for one product beside one for all: the product is one backend',
      source: 'https://github.com/grafana/docker-otel-lgtm (with a Service of its own for Loki)',
      services: [
        {
          name: 'all-in-one',
          labels: { app: 'lgtm' },
          selector: { app: 'lgtm' },
          ports: [port('grafana', 3000, 3000), port('loki', 3100, 3100), port('tempo', 3200, 3200)],
        },
        {
          name: 'logs-loki',
          labels: { app: 'loki' },
          selector: { app: 'lgtm' },
          ports: [port('http', 3100, 3100)],
        },
      ],
      pods: [
        {
          name: 'lgtm-0',
          labels: { app: 'lgtm' },
          ports: [
            { number: 3000, serves: serving(GRAFANA) },
            { number: 3100, serves: serving(loki(false)) },
            { number: 3200, serves: serving(tempo(false)) },
          ],
        },
      ],
      truth: {
        found: {
          'all-in-one': { is: 'grafana http:3000', published: 'NeedsCredentials' },
          'all-in-one:3200': { is: 'tempo http:3200' },
          'logs-loki': { is: 'loki http:3100', also: ['all-in-one:3100'] },
        },
        holmes: ['grafana/loki http://logs-loki:3100', 'grafana/tempo http://all-in-one:3200'],
      },
    },
    {
      name: 'ports that are named after products and lead to something else are nothing, without a word',
      source: 'any application, whose port for its metrics is often called prometheus',
      services: [
        {
          name: 'dashboards',
          labels: labels('grafana', 'dashboards'),
          selector: { app: 'dashboards' },
          ports: [
            port('http', 3000, 3000),
            port('prometheus', 9090, 9090),
            port('loki', 3100, 3100),
            port('tempo', 9999, 3999),
            port('alertmanager', 9093, 3000),
          ],
        },
      ],
      pods: [
        {
          name: 'dashboards-0',
          labels: { app: 'dashboards' },
          ports: [
            { number: 3000, serves: serving(GRAFANA) },
            { number: 9090, serves: serving({ '/metrics': text('up 1') }) },
            { number: 3100, serves: serving(GRAFANA) },
            { number: 3999, serves: serving(tempo(false)) },
          ],
        },
      ],
      truth: {
        found: {
          dashboards: { is: 'grafana http:3000', published: 'NeedsCredentials', also: ['dashboards:3100'] },
        },
        holmes: [],
      },
    },
    {
      name: 'a Service named after the release, whose port 9090 turns out to be VictoriaMetrics',
      source:
        'https://docs.victoriametrics.com/victoriametrics/#prometheus-querying-api-usage (-httpListenAddr=:9090)',
      services: [
        {
          name: 'storage',
          labels: { app: 'storage' },
          selector: { app: 'storage' },
          ports: [port('http', 9090, 9090)],
        },
      ],
      pods: [
        {
          name: 'storage-0',
          labels: { app: 'storage' },
          ports: [{ number: 9090, serves: serving(VICTORIA_METRICS) }],
        },
      ],
      truth: {
        found: { storage: { is: 'victoriametrics http:9090', proven: 'AnsweredAsOtherType' } },
        holmes: ['prometheus/metrics http://storage:9090'],
      },
    },
    {
      name: "Loki of Tanka's library: only the namespace names the product",
      source:
        'https://github.com/grafana/loki/tree/main/production/ksonnet/loki (gateway, query-frontend, distributor)',
      namespace: 'loki',
      services: [
        {
          name: 'gateway',
          labels: { name: 'gateway' },
          selector: { name: 'gateway' },
          ports: [port('gateway-http', 80, 80)],
        },
        ...['query-frontend', 'distributor'].map((name) => ({
          name,
          labels: { name },
          selector: { name },
          ports: [port(`${name}-http-metrics`, 3100, 3100), port(`${name}-grpc`, 9095, 9095)],
        })),
      ],
      pods: [
        {
          name: 'gateway-0',
          labels: { name: 'gateway' },
          ports: [{ number: 80, serves: serving({ ...loki(false), '/ready': text('not here', 404) }) }],
        },
        ...['query-frontend', 'distributor'].map((name) => ({
          name: `${name}-0`,
          labels: { name },
          ports: [{ number: 3100, name: 'http-metrics', serves: serving(loki(false)) }],
        })),
      ],
      truth: {
        found: { gateway: { is: 'loki http:80', also: ['query-frontend'] } },
        holmes: ['grafana/loki http://gateway:80'],
      },
    },
    {
      name: 'the nginx before Loki in a namespace of its own',
      source:
        'https://github.com/grafana/helm-charts/tree/main/charts/loki-distributed (the same nginx, by hand)',
      namespace: 'grafana-loki',
      services: [
        {
          name: 'nginx',
          labels: { app: 'nginx' },
          selector: { app: 'nginx' },
          ports: [port('http', 80, 8080)],
        },
      ],
      pods: [
        {
          name: 'nginx-0',
          labels: { app: 'nginx' },
          ports: [
            { number: 8080, serves: serving({ ...loki(false), '/': text('OK'), '/ready': text('', 404) }) },
          ],
        },
      ],
      truth: { found: { nginx: { is: 'loki http:80' } }, holmes: ['grafana/loki http://nginx:80'] },
    },
    {
      name: "Mimir's query frontend of Tanka's library, in the namespace of Mimir",
      source:
        'https://github.com/grafana/mimir/tree/main/operations/mimir (query-frontend, http-metrics 8080)',
      namespace: 'mimir',
      services: [
        {
          name: 'query-frontend',
          labels: { name: 'query-frontend' },
          selector: { name: 'query-frontend' },
          ports: [port('query-frontend-http-metrics', 8080, 8080), port('query-frontend-grpc', 9095, 9095)],
        },
      ],
      pods: [
        {
          name: 'query-frontend-0',
          labels: { name: 'query-frontend' },
          ports: [{ number: 8080, name: 'http-metrics', serves: serving(mimir(false)) }],
        },
      ],
      truth: {
        found: { 'query-frontend': { is: 'mimir http:8080/prometheus' } },
        holmes: ['prometheus/metrics http://query-frontend:8080/prometheus'],
      },
    },
    {
      name: 'something else in a namespace with the name of a product is nothing',
      source: 'any application in such a namespace',
      namespace: 'tempo',
      services: [
        {
          name: 'nginx',
          labels: { app: 'nginx' },
          selector: { app: 'nginx' },
          ports: [port('http', 80, 80)],
        },
        {
          name: 'gateway',
          labels: { app: 'shop' },
          selector: { app: 'nginx' },
          ports: [port('http', 80, 80)],
        },
      ],
      pods: [
        {
          name: 'nginx-0',
          labels: { app: 'nginx' },
          ports: [{ number: 80, serves: serving({ '/': text('Welcome to nginx!') }) }],
        },
      ],
      truth: { found: {}, holmes: [] },
    },
    {
      name: 'one Pod with Prometheus and Alertmanager, and a Service for each port',
      source: 'https://github.com/prometheus-operator/prometheus-operator (a Pod with several containers)',
      services: [
        {
          name: 'alerts',
          labels: labels('alertmanager', 'all-in-one'),
          selector: { app: 'all-in-one' },
          ports: [port('web', 9093, 9093)],
        },
        {
          name: 'metrics',
          labels: labels('prometheus', 'all-in-one'),
          selector: { app: 'all-in-one' },
          ports: [port('web', 9090, 9090)],
        },
        {
          name: 'logs',
          labels: labels('victoria-logs-single', 'all-in-one'),
          selector: { app: 'all-in-one' },
          ports: [port('http', 9428, 9428)],
        },
        {
          name: 'traces',
          labels: labels('tempo', 'all-in-one'),
          selector: { app: 'all-in-one' },
          ports: [port('http', 3200, 3200)],
        },
      ],
      pods: [
        {
          name: 'all-0',
          labels: { app: 'all-in-one' },
          ports: [
            { number: 9093, serves: serving(ALERTMANAGER) },
            { number: 9090, serves: serving(PROMETHEUS) },
            { number: 9428, serves: serving(VICTORIA_LOGS) },
            { number: 3200, serves: serving(tempo(false)) },
          ],
        },
      ],
      truth: {
        found: {
          alerts: { is: 'alertmanager http:9093' },
          metrics: { is: 'prometheus http:9090' },
          logs: { is: 'victorialogs http:9428' },
          traces: { is: 'tempo http:3200' },
        },
        holmes: [
          'alertmanager http://alerts:9093/api/v2/status',
          'grafana/tempo http://traces:3200',
          'prometheus/metrics http://metrics:9090',
          'victorialogs http://logs:9428',
        ],
      },
    },
    {
      name: 'Prometheus in agent mode, which answers no queries, with the labels of Prometheus',
      source: 'https://prometheus.io/docs/prometheus/latest/prometheus_agent/',
      services: [
        {
          name: 'remote-prometheus',
          labels: { app: 'kube-prometheus-stack-prometheus', release: 'remote' },
          selector: { app: 'metrics' },
          ports: [port('http-web', 9090, 9090)],
        },
      ],
      pods: [
        {
          name: 'agent-0',
          labels: { app: 'metrics' },
          ports: [{ number: 9090, serves: serving(PROMETHEUS_AGENT) }],
        },
      ],
      truth: { found: {}, holmes: [], warns: [/remote-prometheus: .*left out/] },
    },
  ],
};
