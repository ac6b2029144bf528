import { NGINX_NOT_FOUND, serving, text, wall } from '../answers.ts';
import { type Kind, labels, port } from '../case.ts';
import { loki, mimir, tempo } from '../products/grafana.ts';
import { VMSELECT } from '../products/others.ts';
import { basicLogin } from '../products/walls.ts';

const LOKI = (component: string) => labels('loki', 'loki', { 'app.kubernetes.io/component': component });

/** The cluster's chart, with vmauth switched on. */
const VM = (component: string) =>
  labels('victoria-metrics-cluster', 'vmc', { 'app.kubernetes.io/component': component });

export const LIVING_MEMBER: Kind = {
  title: '5, the best living member',
  cases: [
    {
      name: 'vmauth wants a login, and vmselect does not',
      source:
        'https://github.com/VictoriaMetrics/helm-charts/tree/master/charts/victoria-metrics-cluster (vmauth.enabled)',
      services: [
        {
          name: 'vmc-victoria-metrics-cluster-vmauth',
          labels: VM('vmauth'),
          selector: VM('vmauth'),
          ports: [port('http', 8427, 'http')],
        },
        {
          name: 'vmc-victoria-metrics-cluster-vmselect',
          labels: VM('vmselect'),
          selector: VM('vmselect'),
          ports: [port('http', 8481, 'http')],
        },
      ],
      pods: [
        {
          name: 'vmauth-0',
          labels: VM('vmauth'),
          ports: [{ number: 8427, name: 'http', serves: wall(basicLogin('Restricted')) }],
        },
        {
          name: 'vmselect-0',
          labels: VM('vmselect'),
          ports: [{ number: 8481, name: 'http', serves: serving(VMSELECT) }],
        },
      ],
      truth: {
        found: {
          'vmc-victoria-metrics-cluster-vmselect': {
            is: 'victoriametrics http:8481/select/0/prometheus',
            also: ['vmc-victoria-metrics-cluster-vmauth'],
          },
        },
        holmes: ['prometheus/metrics http://vmc-victoria-metrics-cluster-vmselect:8481/select/0/prometheus'],
      },
    },
    {
      name: 'the gateway of Loki refuses connections, and its read path answers',
      source: 'https://github.com/grafana/loki/tree/main/production/helm/loki/templates (gateway, read)',
      services: [
        {
          name: 'loki-gateway',
          labels: LOKI('gateway'),
          selector: LOKI('gateway'),
          ports: [port('http-metrics', 80, 8080)],
        },
        {
          name: 'loki-read',
          labels: LOKI('read'),
          selector: LOKI('read'),
          ports: [port('http-metrics', 3100, 3100), port('grpc', 9095, 9095)],
        },
        {
          name: 'loki-write',
          labels: LOKI('write'),
          selector: LOKI('write'),
          ports: [port('http-metrics', 3100, 3100)],
        },
      ],
      pods: [
        { name: 'loki-gateway-0', labels: LOKI('gateway'), ports: [{ number: 8080 }] },
        {
          name: 'loki-read-0',
          labels: LOKI('read'),
          ports: [{ number: 3100, name: 'http-metrics', serves: serving(loki(false)) }],
        },
        {
          name: 'loki-write-0',
          labels: LOKI('write'),
          ports: [{ number: 3100, name: 'http-metrics', serves: serving(loki(false)) }],
        },
      ],
      truth: {
        found: { 'loki-read': { is: 'loki http:3100', also: ['loki-gateway'] } },
        holmes: ['grafana/loki http://loki-read:3100'],
      },
    },
    {
      name: 'the gateway of Mimir passes nothing on, and its query frontend answers',
      source: 'https://github.com/grafana/mimir/tree/main/operations/helm/charts/mimir-distributed/templates',
      services: [
        {
          name: 'mimir-gateway',
          labels: labels('mimir', 'mimir', { 'app.kubernetes.io/component': 'gateway' }),
          selector: labels('mimir', 'mimir', { 'app.kubernetes.io/component': 'gateway' }),
          ports: [port('http-metrics', 80, 8080)],
        },
        {
          name: 'mimir-query-frontend',
          labels: labels('mimir', 'mimir', { 'app.kubernetes.io/component': 'query-frontend' }),
          selector: labels('mimir', 'mimir', { 'app.kubernetes.io/component': 'query-frontend' }),
          ports: [port('http-metrics', 8080, 8080), port('grpc', 9095, 9095)],
        },
      ],
      pods: [
        {
          name: 'mimir-gateway-0',
          labels: labels('mimir', 'mimir', { 'app.kubernetes.io/component': 'gateway' }),
          ports: [{ number: 8080, serves: wall(NGINX_NOT_FOUND) }],
        },
        {
          name: 'mimir-query-frontend-0',
          labels: labels('mimir', 'mimir', { 'app.kubernetes.io/component': 'query-frontend' }),
          ports: [{ number: 8080, serves: serving(mimir(false)) }],
        },
      ],
      truth: {
        found: {
          'mimir-query-frontend': { is: 'mimir http:8080/prometheus', also: ['mimir-gateway'] },
        },
        holmes: ['prometheus/metrics http://mimir-query-frontend:8080/prometheus'],
      },
    },
    {
      name: 'no Pod of the gateway of Tempo is ready, and its query frontend answers',
      source: 'https://github.com/grafana/helm-charts/tree/main/charts/tempo-distributed/templates',
      services: [
        {
          name: 'tempo-gateway',
          labels: labels('tempo', 'tempo', { 'app.kubernetes.io/component': 'gateway' }),
          selector: labels('tempo', 'tempo', { 'app.kubernetes.io/component': 'gateway' }),
          ports: [port('http', 80, 8080)],
        },
        {
          name: 'tempo-query-frontend',
          labels: labels('tempo', 'tempo', { 'app.kubernetes.io/component': 'query-frontend' }),
          selector: labels('tempo', 'tempo', { 'app.kubernetes.io/component': 'query-frontend' }),
          ports: [port('http-metrics', 3200, 3200)],
        },
      ],
      pods: [
        {
          name: 'tempo-gateway-0',
          labels: labels('tempo', 'tempo', { 'app.kubernetes.io/component': 'gateway' }),
          ports: [{ number: 8080, serves: serving(tempo(false)) }],
          ready: false,
        },
        {
          name: 'tempo-query-frontend-0',
          labels: labels('tempo', 'tempo', { 'app.kubernetes.io/component': 'query-frontend' }),
          ports: [{ number: 3200, serves: serving(tempo(false)) }],
        },
      ],
      truth: {
        found: { 'tempo-query-frontend': { is: 'tempo http:3200', also: ['tempo-gateway'] } },
        holmes: ['grafana/tempo http://tempo-query-frontend:3200'],
      },
    },
    {
      name: 'the gateway of Loki is down with 502, and the querier answers',
      source: 'https://nginx.org/en/docs/http/ngx_http_upstream_module.html',
      services: [
        {
          name: 'loki-gateway',
          labels: LOKI('gateway'),
          selector: LOKI('gateway'),
          ports: [port('http-metrics', 80, 8080)],
        },
        {
          name: 'loki-query-frontend',
          labels: LOKI('query-frontend'),
          selector: LOKI('query-frontend'),
          ports: [port('http-metrics', 3100, 3100)],
        },
      ],
      pods: [
        {
          name: 'loki-gateway-0',
          labels: LOKI('gateway'),
          ports: [{ number: 8080, serves: wall(text('<html><h1>502 Bad Gateway</h1></html>', 502)) }],
        },
        {
          name: 'loki-query-frontend-0',
          labels: LOKI('query-frontend'),
          ports: [{ number: 3100, serves: serving(loki(false)) }],
        },
      ],
      truth: {
        found: { 'loki-query-frontend': { is: 'loki http:3100', also: ['loki-gateway'] } },
        holmes: ['grafana/loki http://loki-query-frontend:3100'],
      },
    },
    {
      name: 'vmauth wants a login that the settings give: it stays the entry point',
      source: 'https://docs.victoriametrics.com/victoriametrics/vmauth/',
      services: [
        {
          name: 'vmc-victoria-metrics-cluster-vmauth',
          labels: VM('vmauth'),
          selector: VM('vmauth'),
          ports: [port('http', 8427, 'http')],
        },
        {
          name: 'vmc-victoria-metrics-cluster-vmselect',
          labels: VM('vmselect'),
          selector: VM('vmselect'),
          ports: [port('http', 8481, 'http')],
        },
      ],
      pods: [
        {
          name: 'vmauth-0',
          labels: VM('vmauth'),
          ports: [{ number: 8427, name: 'http', serves: wall(basicLogin('Restricted')) }],
        },
        {
          name: 'vmselect-0',
          labels: VM('vmselect'),
          ports: [{ number: 8481, name: 'http', serves: serving(VMSELECT) }],
        },
      ],
      settings: {
        credentials: {
          'NS/vmc-victoria-metrics-cluster-vmauth': { headers: { Authorization: 'VMAUTH_LOGIN' } },
        },
      },
      truth: {
        found: {
          'vmc-victoria-metrics-cluster-vmauth': {
            is: 'victoriametrics http:8427/select/0/prometheus',
            proven: 'CredentialsRequired',
            healthy: 'CredentialsRequired',
            also: ['vmc-victoria-metrics-cluster-vmselect'],
          },
        },
        holmes: ['prometheus/metrics http://vmc-victoria-metrics-cluster-vmauth:8427/select/0/prometheus'],
      },
    },
  ],
};
