import { json, serving, text } from '../answers.ts';
import { type Kind, labels, port } from '../case.ts';
import { GRAFANA, loki, tempo } from '../products/grafana.ts';
import { ALERTMANAGER, PROMETHEUS } from '../products/prometheus.ts';
import { KUBE_RBAC_PROXY, OAUTH2_PROXY, OAUTH2_REDIRECT, OPENSHIFT_OAUTH } from '../products/walls.ts';

const LOGIN = {
  proven: 'CredentialsRequired',
  healthy: 'CredentialsRequired',
  published: 'NeedsCredentials',
} as const;

export const SIDECAR_PORTS: Kind = {
  title: '2, ports behind sidecars',
  cases: [
    {
      name: 'Prometheus of an operator whose port leads to oauth2-proxy',
      source:
        'https://github.com/prometheus-community/helm-charts/blob/main/charts/kube-prometheus-stack/values.yaml (prometheus.service.targetPort)',
      services: [
        {
          name: 'kps-prometheus',
          labels: { app: 'kube-prometheus-stack-prometheus', release: 'kps' },
          selector: { 'app.kubernetes.io/name': 'prometheus', 'operator.prometheus.io/name': 'kps' },
          ports: [port('http-web', 9090, 'oauth-proxy')],
        },
      ],
      pods: [
        {
          name: 'prometheus-kps-0',
          labels: { 'app.kubernetes.io/name': 'prometheus', 'operator.prometheus.io/name': 'kps' },
          ports: [
            { number: 4180, name: 'oauth-proxy', serves: OAUTH2_PROXY },
            { number: 9090, name: 'http-web', serves: serving(PROMETHEUS) },
          ],
        },
      ],
      truth: { found: { 'kps-prometheus': { is: 'prometheus http:9090', ...LOGIN } }, holmes: [] },
    },
    {
      name: 'Prometheus of Rancher behind the nginx in its Pod',
      source:
        'https://github.com/rancher/charts/tree/dev-v2.10/charts/rancher-monitoring (prometheus.service.targetPort 8081)',
      services: [
        {
          name: 'rancher-monitoring-prometheus',
          labels: { app: 'rancher-monitoring-prometheus', release: 'rancher-monitoring' },
          selector: { 'app.kubernetes.io/name': 'prometheus', prometheus: 'rancher-monitoring-prometheus' },
          ports: [port('nginx-http', 9090, 8081)],
        },
      ],
      pods: [
        {
          name: 'prometheus-rancher-monitoring-prometheus-0',
          labels: { 'app.kubernetes.io/name': 'prometheus', prometheus: 'rancher-monitoring-prometheus' },
          ports: [
            { number: 8081, name: 'nginx-http', serves: serving(PROMETHEUS) },
            { number: 9090, name: 'http-web', serves: serving(PROMETHEUS) },
          ],
        },
      ],
      truth: {
        found: { 'rancher-monitoring-prometheus': { is: 'prometheus http:9090' } },
        holmes: ['prometheus/metrics http://rancher-monitoring-prometheus:9090'],
      },
    },
    {
      name: 'Alertmanager of an operator with kube-rbac-proxy before it',
      source:
        'https://github.com/prometheus-operator/kube-prometheus/blob/main/docs/kube-rbac-proxy.md; kube-rbac-proxy answers 401 without a token',
      services: [
        {
          name: 'alertmanager-main',
          labels: {
            'app.kubernetes.io/name': 'alertmanager',
            'app.kubernetes.io/component': 'alert-router',
            'app.kubernetes.io/part-of': 'kube-prometheus',
          },
          selector: { 'app.kubernetes.io/name': 'alertmanager' },
          ports: [port('kube-rbac-proxy', 8443, 'kube-rbac-proxy')],
        },
      ],
      pods: [
        {
          name: 'alertmanager-main-0',
          labels: { 'app.kubernetes.io/name': 'alertmanager' },
          ports: [
            { number: 8443, name: 'kube-rbac-proxy', serves: KUBE_RBAC_PROXY, tls: 'self-signed' },
            { number: 9093, name: 'web', serves: serving(ALERTMANAGER) },
          ],
        },
      ],
      truth: {
        found: { 'alertmanager-main': { is: 'alertmanager https:8443', ...LOGIN, trusted: 'SelfSigned' } },
        holmes: [],
      },
    },
    {
      name: 'Jaeger of its operator on OpenShift, whose only port is that of oauth-proxy',
      source:
        'https://github.com/jaegertracing/jaeger-operator/blob/main/pkg/service/query.go (https-query on OpenShift)',
      services: [
        {
          name: 'simplest-query',
          labels: {
            app: 'jaeger',
            'app.kubernetes.io/component': 'service-query',
            'app.kubernetes.io/instance': 'simplest',
            'app.kubernetes.io/managed-by': 'jaeger-operator',
            'app.kubernetes.io/name': 'simplest-query',
            'app.kubernetes.io/part-of': 'jaeger',
          },
          annotations: {
            'service.alpha.openshift.io/serving-cert-secret-name': 'simplest-ui-oauth-proxy-tls',
          },
          selector: { app: 'jaeger', 'app.kubernetes.io/component': 'all-in-one' },
          ports: [port('https-query', 443, 8443), port('grpc-query', 16685, 16685)],
        },
      ],
      pods: [
        {
          name: 'simplest-0',
          labels: { app: 'jaeger', 'app.kubernetes.io/component': 'all-in-one' },
          ports: [{ number: 8443, name: 'public', serves: OPENSHIFT_OAUTH, tls: 'private' }],
        },
      ],
      truth: {
        found: {
          'simplest-query': { is: 'jaeger https:443', ...LOGIN, trusted: 'UnknownAuthority' },
        },
        holmes: [],
      },
    },
    {
      name: 'Grafana with an exact label and the only port "oauth"',
      source: 'https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview (skip_provider_button)',
      services: [
        {
          name: 'dashboards',
          labels: labels('grafana', 'dashboards'),
          selector: { app: 'dashboards' },
          ports: [port('oauth', 4180, 'oauth')],
        },
      ],
      pods: [
        {
          name: 'dashboards-0',
          labels: { app: 'dashboards' },
          ports: [
            { number: 4180, name: 'oauth', serves: OAUTH2_REDIRECT },
            { number: 3000, name: 'grafana', serves: serving(GRAFANA) },
          ],
        },
      ],
      truth: { found: { dashboards: { is: 'grafana http:4180', ...LOGIN } }, holmes: [] },
    },
    {
      name: 'Elasticsearch: the transport is no API, and the other Service is',
      source:
        'https://www.elastic.co/docs/deploy-manage/deploy/cloud-on-k8s/accessing-services (transport service)',
      services: [
        {
          name: 'logs-es-transport',
          labels: {
            'common.k8s.elastic.co/type': 'elasticsearch',
            'elasticsearch.k8s.elastic.co/cluster-name': 'logs',
          },
          selector: { 'elasticsearch.k8s.elastic.co/cluster-name': 'logs' },
          headless: true,
          ports: [port('tls-transport', 9300, 9300)],
        },
        {
          name: 'search-transport',
          labels: { app: 'elasticsearch' },
          selector: { 'elasticsearch.k8s.elastic.co/cluster-name': 'logs' },
          ports: [port('transport', 9300, 9300)],
        },
        {
          name: 'logs-es-http',
          labels: {
            'common.k8s.elastic.co/type': 'elasticsearch',
            'elasticsearch.k8s.elastic.co/cluster-name': 'logs',
          },
          selector: { 'elasticsearch.k8s.elastic.co/cluster-name': 'logs' },
          ports: [port('http', 9200, 9200)],
        },
      ],
      pods: [
        {
          name: 'logs-es-default-0',
          labels: { 'elasticsearch.k8s.elastic.co/cluster-name': 'logs' },
          ports: [
            {
              number: 9200,
              serves: serving({
                '/': json(
                  {
                    name: 'logs-es-default-0',
                    cluster_name: 'logs',
                    version: { number: '9.1.0', build_flavor: 'default' },
                    tagline: 'You Know, for Search',
                  },
                  200,
                  { 'x-elastic-product': 'Elasticsearch' },
                ),
              }),
            },
            { number: 9300, serves: serving({}, text('This is not an HTTP port', 400)) },
          ],
        },
      ],
      truth: {
        found: { 'logs-es-http': { is: 'elasticsearch http:9200' } },
        holmes: [
          'elasticsearch/cluster http://logs-es-http:9200',
          'elasticsearch/data http://logs-es-http:9200',
        ],
      },
    },
    {
      name: 'Services with gRPC, OTLP and gossip only are no backends',
      source:
        'https://github.com/grafana/helm-charts/tree/main/charts/tempo-distributed/templates; https://github.com/grafana/loki/tree/main/production/helm/loki/templates',
      services: [
        {
          name: 'tempo-otlp',
          labels: labels('tempo', 'tempo'),
          selector: labels('tempo', 'tempo'),
          ports: [port('grpc-otlp', 4317, 4317)],
        },
        {
          name: 'loki-rings',
          labels: labels('loki', 'loki'),
          selector: labels('loki', 'loki'),
          headless: true,
          ports: [port('tcp', 7946, 'http-memberlist')],
        },
        {
          name: 'loki-back',
          labels: labels('loki', 'loki'),
          selector: labels('loki', 'loki'),
          headless: true,
          ports: [port('grpclb', 9096, 'grpc'), port('grpc', 9095, 'grpc')],
        },
        {
          name: 'thanos-sd',
          labels: labels('thanos-query', 'thanos'),
          selector: labels('tempo', 'tempo'),
          ports: [port('grpc', 10901, 10901, 'grpc')],
        },
      ],
      pods: [
        {
          name: 'tempo-0',
          labels: labels('tempo', 'tempo'),
          ports: [
            { number: 4317, serves: serving(tempo(false)) },
            { number: 10901, serves: serving(tempo(false)) },
          ],
        },
        {
          name: 'loki-0',
          labels: labels('loki', 'loki'),
          ports: [
            { number: 7946, name: 'http-memberlist', serves: serving(loki(false)) },
            { number: 9095, name: 'grpc', serves: serving(loki(false)) },
          ],
        },
      ],
      truth: { found: {}, holmes: [] },
    },
  ],
};
