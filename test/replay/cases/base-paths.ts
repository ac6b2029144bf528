import { below, json, NGINX_NOT_FOUND, page, serving, text, to } from '../answers.ts';
import { type Kind, labels, port } from '../case.ts';
import { grafanaBelow, loki, mimir, tempo } from '../products/grafana.ts';
import { argocdBelow, jaegerBelow, kialiBelow, VICTORIA_METRICS, victoriaBelow } from '../products/others.ts';
import { ALERTMANAGER, alertmanagerBelow, prometheusBelow, THANOS_QUERY } from '../products/prometheus.ts';

const OPERATED = { 'app.kubernetes.io/managed-by': 'prometheus-operator' };

export const BASE_PATHS: Kind = {
  title: '1, below a path',
  cases: [
    {
      name: 'Prometheus of kube-prometheus-stack with routePrefix, and its headless twin',
      source:
        'https://github.com/prometheus-operator/prometheus-operator/blob/main/Documentation/api-reference/api.md (routePrefix)',
      services: [
        {
          name: 'stack-prometheus',
          labels: { app: 'kube-prometheus-stack-prometheus', release: 'stack', 'self-monitor': 'true' },
          selector: { 'app.kubernetes.io/name': 'prometheus', 'operator.prometheus.io/name': 'stack' },
          ports: [port('http-web', 9090, 9090), port('reloader-web', 8080, 'reloader-web')],
        },
        {
          name: 'prometheus-operated',
          labels: { 'operated-prometheus': 'true', ...OPERATED },
          selector: { 'app.kubernetes.io/name': 'prometheus', 'operator.prometheus.io/name': 'stack' },
          headless: true,
          ports: [port('http-web', 9090, 'http-web')],
        },
      ],
      pods: [
        {
          name: 'prometheus-stack-0',
          labels: { 'app.kubernetes.io/name': 'prometheus', 'operator.prometheus.io/name': 'stack' },
          ports: [
            { number: 9090, name: 'http-web', serves: serving(prometheusBelow('/metrics-of-all')) },
            { number: 8080, name: 'reloader-web', serves: serving({ '/healthz': text('OK') }) },
          ],
        },
      ],
      truth: {
        found: {
          'stack-prometheus': {
            is: 'prometheus http:9090/metrics-of-all',
            also: ['prometheus-operated'],
          },
        },
        holmes: ['prometheus/metrics http://stack-prometheus:9090/metrics-of-all'],
      },
    },
    {
      name: 'Alertmanager with a route prefix that is not the usual one',
      source:
        'https://github.com/prometheus/alertmanager/blob/main/cmd/alertmanager/main.go (web.route-prefix)',
      services: [
        {
          name: 'alertmanager-main',
          labels: labels('alertmanager', 'main'),
          selector: { alertmanager: 'main' },
          ports: [port('web', 9093, 'web')],
        },
      ],
      pods: [
        {
          name: 'alertmanager-main-0',
          labels: { alertmanager: 'main' },
          ports: [{ number: 9093, name: 'web', serves: serving(alertmanagerBelow('/ops/alerts')) }],
        },
      ],
      truth: {
        found: { 'alertmanager-main': { is: 'alertmanager http:9093/ops/alerts' } },
        holmes: ['alertmanager http://alertmanager-main:9093/ops/alerts/api/v2/status'],
      },
    },
    {
      name: 'Thanos query with web.route-prefix, whose health check stays at the root',
      source: 'https://thanos.io/tip/components/query.md/ (web.route-prefix)',
      services: [
        {
          name: 'thanos-query',
          labels: labels('thanos-query', 'thanos', { 'app.kubernetes.io/component': 'query-layer' }),
          selector: labels('thanos-query', 'thanos'),
          ports: [port('grpc', 10901, 'grpc'), port('http', 9090, 'http')],
        },
      ],
      pods: [
        {
          name: 'thanos-query-0',
          labels: labels('thanos-query', 'thanos'),
          ports: [
            {
              number: 10902,
              name: 'http',
              serves: serving({
                ...below('/thanos', THANOS_QUERY),
                '/': to('/thanos'),
                '/-/healthy': text('OK'),
                '/-/ready': text('OK'),
              }),
            },
          ],
        },
      ],
      truth: {
        found: { 'thanos-query': { is: 'thanos http:9090/thanos' } },
        holmes: ['prometheus/metrics http://thanos-query:9090/thanos'],
      },
    },
    {
      name: 'Jaeger of the samples of Istio, which says nothing at the root',
      source:
        'https://github.com/istio/istio/blob/master/samples/addons/jaeger.yaml (QUERY_BASE_PATH /jaeger)',
      services: [
        {
          name: 'tracing',
          labels: { app: 'jaeger' },
          selector: { app: 'jaeger' },
          ports: [port('http-query', 80, 16686), port('grpc-query', 16685, 16685)],
        },
      ],
      pods: [
        {
          name: 'jaeger-0',
          labels: { app: 'jaeger' },
          ports: [{ number: 16686, serves: serving(jaegerBelow('/jaeger')) }],
        },
      ],
      truth: {
        found: { tracing: { is: 'jaeger http:80/jaeger' } },
        holmes: ['jaeger http://tracing:80/jaeger/api/services'],
      },
    },
    {
      name: 'Grafana with serve_from_sub_path, which leads to the URL of browsers',
      source: 'https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#serve_from_sub_path',
      services: [
        {
          name: 'grafana',
          labels: labels('grafana', 'grafana'),
          selector: labels('grafana', 'grafana'),
          ports: [port('service', 80, 'grafana')],
        },
      ],
      pods: [
        {
          name: 'grafana-0',
          labels: labels('grafana', 'grafana'),
          ports: [
            { number: 3000, name: 'grafana', serves: grafanaBelow('https://ops.example.com/dashboards/') },
          ],
        },
      ],
      truth: {
        found: { grafana: { is: 'grafana http:80/dashboards', published: 'NeedsCredentials' } },
        holmes: [],
      },
    },
    {
      name: 'Grafana with serve_from_sub_path, whose root_url has the host of the container',
      source: 'https://grafana.com/tutorials/run-grafana-behind-a-proxy/',
      services: [
        {
          name: 'graphs',
          labels: labels('grafana', 'graphs'),
          selector: labels('grafana', 'graphs'),
          ports: [port('http', 3000, 3000)],
        },
      ],
      pods: [
        {
          name: 'graphs-0',
          labels: labels('grafana', 'graphs'),
          ports: [{ number: 3000, serves: grafanaBelow('http://localhost:3000/grafana/') }],
        },
      ],
      truth: {
        found: { graphs: { is: 'grafana http:3000/grafana', published: 'NeedsCredentials' } },
        holmes: [],
      },
    },
    {
      name: 'VictoriaMetrics with http.pathPrefix, which names it in an error',
      source: 'https://github.com/VictoriaMetrics/VictoriaMetrics/blob/master/lib/httpserver/httpserver.go',
      services: [
        {
          name: 'vm-victoria-metrics-single-server',
          labels: labels('victoria-metrics-single', 'vm', { app: 'server' }),
          selector: labels('victoria-metrics-single', 'vm', { app: 'server' }),
          headless: true,
          ports: [port('http', 8428, 'http')],
        },
      ],
      pods: [
        {
          name: 'vm-0',
          labels: labels('victoria-metrics-single', 'vm', { app: 'server' }),
          ports: [{ number: 8428, name: 'http', serves: victoriaBelow('/vm') }],
        },
      ],
      truth: {
        found: { 'vm-victoria-metrics-single-server': { is: 'victoriametrics http:8428/vm' } },
        holmes: ['prometheus/metrics http://vm-victoria-metrics-single-server:8428/vm'],
      },
    },
    {
      name: 'Argo CD with server.rootpath, whose health check stays at the root',
      source:
        'https://argo-cd.readthedocs.io/en/stable/operator-manual/ingress/#argo-cd-server-and-ui-root-path-v153',
      services: [
        {
          name: 'argocd-server',
          labels: labels('argocd-server', 'argocd', {
            'app.kubernetes.io/part-of': 'argocd',
            'app.kubernetes.io/component': 'server',
          }),
          selector: { 'app.kubernetes.io/name': 'argocd-server' },
          ports: [port('http', 80, 8080), port('https', 443, 8080)],
        },
      ],
      pods: [
        {
          name: 'argocd-server-0',
          labels: labels('argocd-server', 'argocd'),
          ports: [{ number: 8080, serves: serving(argocdBelow('/argocd')) }],
        },
      ],
      truth: {
        found: { 'argocd-server': { is: 'argocd http:443/argocd', published: 'NeedsCredentials' } },
        holmes: [],
      },
    },
    {
      name: 'Kiali with the web root of a mesh',
      source: 'https://kiali.io/docs/configuration/kialis.kiali.io/ (server.web_root)',
      services: [
        {
          name: 'kiali',
          labels: labels('kiali', 'kiali', { app: 'kiali' }),
          selector: labels('kiali', 'kiali'),
          ports: [port('http', 20001, 20001, 'http'), port('http-metrics', 9090, 9090)],
        },
      ],
      pods: [
        {
          name: 'kiali-0',
          labels: labels('kiali', 'kiali'),
          ports: [
            { number: 20001, serves: serving(kialiBelow('/mesh')) },
            { number: 9090, serves: serving({ '/metrics': text('# HELP kiali\n') }) },
          ],
        },
      ],
      truth: {
        found: { kiali: { is: 'kiali http:20001/mesh' } },
        holmes: ['kiali http://kiali:20001/mesh/api/status'],
      },
    },
    {
      name: 'Loki with server.http_path_prefix, and the path of the Service in the settings',
      source: 'https://grafana.com/docs/loki/latest/configure/#server (http_path_prefix)',
      services: [
        {
          name: 'loki',
          labels: labels('loki', 'loki'),
          selector: labels('loki', 'loki'),
          ports: [port('http-metrics', 3100, 'http-metrics'), port('grpc', 9095, 'grpc')],
        },
      ],
      pods: [
        {
          name: 'loki-0',
          labels: labels('loki', 'loki'),
          ports: [{ number: 3100, name: 'http-metrics', serves: serving(below('/logs/of', loki(false))) }],
        },
      ],
      settings: { detectors: { loki: { paths: { 'NS/loki': '/logs/of' } } } },
      truth: {
        found: { loki: { is: 'loki http:3100/logs/of' } },
        holmes: ['grafana/loki http://loki:3100/logs/of'],
      },
    },
    {
      name: 'the same Loki without the setting: it stays, unproven, with the setting to use',
      source: 'https://grafana.com/docs/loki/latest/configure/#server (http_path_prefix)',
      services: [
        {
          name: 'loki',
          labels: labels('loki', 'loki'),
          selector: labels('loki', 'loki'),
          ports: [port('http-metrics', 3100, 'http-metrics')],
        },
      ],
      pods: [
        {
          name: 'loki-0',
          labels: labels('loki', 'loki'),
          ports: [{ number: 3100, name: 'http-metrics', serves: serving(below('/logs/of', loki(false))) }],
        },
      ],
      truth: {
        found: {
          loki: {
            is: 'loki http:3100',
            proven: 'NoProof',
            healthy: 'HealthPathNotFound',
            says: ['detectors.loki.paths["NS/loki"]'],
          },
        },
        holmes: ['grafana/loki http://loki:3100'],
        warns: ['detectors.loki.paths["NS/loki"]'],
      },
    },
    {
      name: 'Alertmanager below a path that only its owner knows, as annotations say it',
      namespace: 'pagers',
      source: 'https://prometheus.io/docs/alerting/latest/https/ behind an nginx that knows one path',
      services: [
        {
          name: 'pager',
          labels: labels('alertmanager', 'pager'),
          annotations: {
            'kubernaut.io/toolset': 'true',
            'kubernaut.io/toolset-endpoint': 'http://pager.pagers.svc.cluster.local:9093/on-call/v1',
          },
          selector: { app: 'pager' },
          ports: [port('web', 9093, 9093)],
        },
      ],
      pods: [
        {
          name: 'pager-0',
          labels: { app: 'pager' },
          ports: [{ number: 9093, serves: serving(below('/on-call/v1', ALERTMANAGER), NGINX_NOT_FOUND) }],
        },
      ],
      truth: {
        found: { pager: { is: 'alertmanager http:9093/on-call/v1' } },
        holmes: ['alertmanager http://pager:9093/on-call/v1/api/v2/status'],
      },
    },
    {
      name: 'VictoriaMetrics behind a proxy that answers 404 elsewhere, with a path for all of its type',
      source: 'https://docs.victoriametrics.com/victoriametrics/vmauth/',
      services: [
        {
          name: 'store',
          labels: labels('victoria-metrics-single', 'store'),
          selector: { app: 'store' },
          ports: [port('http', 8428, 8428)],
        },
      ],
      pods: [
        {
          name: 'store-0',
          labels: { app: 'store' },
          ports: [
            { number: 8428, serves: serving(below('/internal/tsdb', VICTORIA_METRICS), NGINX_NOT_FOUND) },
          ],
        },
      ],
      settings: { detectors: { victoriametrics: { paths: { '*': '/internal/tsdb' } } } },
      byType: true,
      truth: {
        found: { store: { is: 'victoriametrics http:8428/internal/tsdb' } },
        holmes: ['prometheus/metrics http://store:8428/internal/tsdb'],
      },
    },
    {
      name: 'Tempo below its usual path, as a proxy in the Pod publishes it',
      source: 'https://grafana.com/docs/tempo/latest/configuration/#server (http_path_prefix)',
      services: [
        {
          name: 'tempo',
          labels: labels('tempo', 'tempo'),
          selector: labels('tempo', 'tempo'),
          ports: [port('http', 3200, 3200), port('grpc-tempo-otlp', 4317, 4317)],
        },
      ],
      pods: [
        {
          name: 'tempo-0',
          labels: labels('tempo', 'tempo'),
          ports: [{ number: 3200, serves: serving(below('/tempo', tempo(false)), NGINX_NOT_FOUND) }],
        },
      ],
      truth: {
        found: { tempo: { is: 'tempo http:3200/tempo' } },
        holmes: ['grafana/tempo http://tempo:3200/tempo'],
      },
    },
    {
      name: 'Mimir with http_path_prefix: its own usual path comes after it',
      source: 'https://grafana.com/docs/mimir/latest/configure/configuration-parameters/#server',
      services: [
        {
          name: 'mimir-gateway',
          labels: labels('mimir', 'mimir', { 'app.kubernetes.io/component': 'gateway' }),
          selector: labels('mimir', 'mimir'),
          ports: [port('http-metrics', 80, 8080)],
        },
      ],
      pods: [
        {
          name: 'mimir-0',
          labels: labels('mimir', 'mimir'),
          ports: [{ number: 8080, serves: serving(below('/mimir', mimir(false))) }],
        },
      ],
      truth: {
        found: { 'mimir-gateway': { is: 'mimir http:80/mimir/prometheus' } },
        holmes: ['prometheus/metrics http://mimir-gateway:80/mimir/prometheus'],
      },
    },
    {
      name: 'Jaeger whose start page alone is at the root, and says where the rest is',
      source: 'https://www.jaegertracing.io/docs/latest/deployment/frontend-ui/ (base path, `<base href>`)',
      services: [
        {
          name: 'traces-query',
          labels: labels('jaeger', 'traces', { 'app.kubernetes.io/component': 'query' }),
          selector: { app: 'traces-query' },
          ports: [port('query', 80, 16686)],
        },
      ],
      pods: [
        {
          name: 'traces-query-0',
          labels: { app: 'traces-query' },
          ports: [
            {
              number: 16686,
              serves: serving({
                ...jaegerBelow('/mesh/traces'),
                '/': page(
                  '<!doctype html><html><head><meta charset="utf-8"><base href="/mesh/traces/"></head></html>',
                ),
              }),
            },
          ],
        },
      ],
      truth: {
        found: { 'traces-query': { is: 'jaeger http:80/mesh/traces' } },
        holmes: ['jaeger http://traces-query:80/mesh/traces/api/services'],
      },
    },
    {
      name: 'Kibana with server.rewriteBasePath, which has nothing elsewhere and does not say where it is',
      source:
        'https://www.elastic.co/docs/reference/kibana/configuration-reference/general-settings (server.basePath)',
      services: [
        {
          name: 'kibana',
          labels: { app: 'kibana', release: 'kibana' },
          selector: { app: 'kibana' },
          ports: [port('http', 5601, 5601)],
        },
      ],
      pods: [
        {
          name: 'kibana-0',
          labels: { app: 'kibana' },
          ports: [
            {
              number: 5601,
              serves: serving(
                { '/ops/kibana/api/status': json({ status: { overall: { level: 'available' } } }) },
                json({ statusCode: 404, error: 'Not Found', message: 'Not Found' }, 404),
              ),
            },
          ],
        },
      ],
      truth: {
        found: {
          kibana: {
            is: 'kibana http:5601',
            proven: 'NoProof',
            healthy: 'HealthPathNotFound',
            says: ['detectors.kibana.paths["NS/kibana"]'],
          },
        },
        holmes: ['kibana http://kibana:5601/api/status'],
        warns: ['detectors.kibana.paths["NS/kibana"]'],
      },
    },
  ],
};
