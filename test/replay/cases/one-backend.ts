import { json, serving } from '../answers.ts';
import { type Kind, labels, port } from '../case.ts';
import { mcpServer } from '../products/mcp.ts';
import { VMSELECT } from '../products/others.ts';
import { PROMETHEUS, THANOS_QUERY } from '../products/prometheus.ts';

const OF_STACK = { 'app.kubernetes.io/name': 'prometheus', 'operator.prometheus.io/name': 'stack' };
const ELASTIC = serving({
  '/': json(
    { name: 'node', cluster_name: 'logs', version: { number: '8.18.0' }, tagline: 'You Know, for Search' },
    200,
    { 'x-elastic-product': 'Elasticsearch' },
  ),
});

export const ONE_BACKEND: Kind = {
  title: '4, one backend, one tool',
  cases: [
    {
      name: 'a Service for each replica of Prometheus, by the name of the Pod',
      source:
        'https://github.com/prometheus-community/helm-charts/blob/main/charts/kube-prometheus-stack/templates/prometheus/serviceperreplica.yaml',
      services: [
        {
          name: 'stack-prometheus',
          labels: { app: 'kube-prometheus-stack-prometheus', release: 'stack' },
          selector: OF_STACK,
          ports: [port('http-web', 9090, 9090)],
        },
        ...['0', '1'].map((index) => ({
          name: `stack-prometheus-${index}`,
          labels: { app: 'kube-prometheus-stack-prometheus', release: 'stack' },
          selector: { ...OF_STACK, 'statefulset.kubernetes.io/pod-name': `prometheus-stack-${index}` },
          ports: [port('http-web', 9090, 9090)],
        })),
        {
          name: 'prometheus-operated',
          labels: { 'operated-prometheus': 'true' },
          selector: OF_STACK,
          headless: true,
          ports: [port('http-web', 9090, 'http-web')],
        },
      ],
      pods: ['0', '1'].map((index) => ({
        name: `prometheus-stack-${index}`,
        labels: { ...OF_STACK, 'statefulset.kubernetes.io/pod-name': `prometheus-stack-${index}` },
        ports: [{ number: 9090, name: 'http-web', serves: serving(PROMETHEUS) }],
      })),
      truth: {
        found: {
          'stack-prometheus': {
            is: 'prometheus http:9090',
            also: ['prometheus-operated', 'stack-prometheus-0', 'stack-prometheus-1'],
          },
        },
        holmes: ['prometheus/metrics http://stack-prometheus:9090'],
      },
    },
    {
      name: 'a Service for each replica of Elasticsearch, by the index of the Pod',
      source: 'https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-index-label',
      services: [
        {
          name: 'elasticsearch',
          labels: { app: 'elasticsearch' },
          selector: { app: 'elasticsearch' },
          ports: [port('http', 9200, 9200), port('transport', 9300, 9300)],
        },
        ...['0', '1', '2'].map((index) => ({
          name: `elasticsearch-${index}`,
          labels: { app: 'elasticsearch' },
          selector: { app: 'elasticsearch', 'apps.kubernetes.io/pod-index': index },
          ports: [port('http', 9200, 9200)],
        })),
      ],
      pods: ['0', '1', '2'].map((index) => ({
        name: `elasticsearch-${index}`,
        labels: { app: 'elasticsearch', 'apps.kubernetes.io/pod-index': index },
        ports: [{ number: 9200, serves: ELASTIC }],
      })),
      truth: {
        found: {
          elasticsearch: {
            is: 'elasticsearch http:9200',
            also: ['elasticsearch-0', 'elasticsearch-1', 'elasticsearch-2'],
          },
        },
        holmes: [
          'elasticsearch/cluster http://elasticsearch:9200',
          'elasticsearch/data http://elasticsearch:9200',
        ],
      },
    },
    {
      name: 'an alias with the same selector, and a name of its own',
      source: 'https://github.com/lensapp/lens/issues/7941 (a second Service for a fixed name)',
      services: [
        {
          name: 'prometheus-server',
          labels: labels('prometheus', 'prometheus', { 'app.kubernetes.io/component': 'server' }),
          selector: labels('prometheus', 'prometheus'),
          ports: [port('http', 80, 9090)],
        },
        {
          name: 'metrics-for-lens',
          labels: { app: 'prometheus' },
          selector: labels('prometheus', 'prometheus'),
          ports: [port('web', 9090, 9090)],
        },
      ],
      pods: [
        {
          name: 'prometheus-server-0',
          labels: labels('prometheus', 'prometheus'),
          ports: [{ number: 9090, serves: serving(PROMETHEUS) }],
        },
      ],
      truth: {
        found: { 'prometheus-server': { is: 'prometheus http:80', also: ['metrics-for-lens'] } },
        holmes: ['prometheus/metrics http://prometheus-server:80'],
      },
    },
    {
      name: 'vmselect and its Service for other vmselects',
      source: 'https://docs.victoriametrics.com/operator/resources/vmcluster/ (clusternative port)',
      services: [
        {
          name: 'vmselect-main',
          labels: labels('vmselect', 'main', { 'managed-by': 'vm-operator' }),
          selector: labels('vmselect', 'main'),
          headless: true,
          ports: [port('http', 8481, 8481)],
        },
        {
          name: 'vmselectinternal-main',
          labels: labels('vmselect', 'main', { 'managed-by': 'vm-operator' }),
          selector: labels('vmselect', 'main'),
          headless: true,
          ports: [port('http', 8481, 8481)],
        },
      ],
      pods: [
        {
          name: 'vmselect-main-0',
          labels: labels('vmselect', 'main'),
          ports: [{ number: 8481, name: 'http', serves: serving(VMSELECT) }],
        },
      ],
      truth: {
        found: {
          'vmselect-main': {
            is: 'victoriametrics http:8481/select/0/prometheus',
            also: ['vmselectinternal-main'],
          },
        },
        holmes: ['prometheus/metrics http://vmselect-main:8481/select/0/prometheus'],
      },
    },
    {
      name: 'the proxy of ToolHive, and the server behind it',
      source: 'https://docs.stacklok.com/toolhive/guides-k8s/run-mcp-k8s',
      services: [
        {
          name: 'mcp-github-proxy',
          labels: labels('mcpserver', 'github', {
            app: 'mcpserver',
            toolhive: 'true',
            'toolhive-name': 'github',
          }),
          selector: labels('mcpserver', 'github', { toolhive: 'true' }),
          ports: [port('http', 8080, 8080)],
        },
        ...['mcp-github', 'mcp-github-headless'].map((name) => ({
          name,
          labels: {
            app: 'github',
            toolhive: 'true',
            'toolhive-basename': 'github',
            'toolhive-name': 'github',
            'toolhive-port': '8080',
            'toolhive-tool-type': 'mcp',
            'toolhive-transport': 'streamable-http',
          },
          selector: { app: 'github' },
          ports: [port('http', 9000, 9000)],
          headless: name.endsWith('headless'),
        })),
      ],
      pods: [
        {
          name: 'github-proxy-0',
          labels: labels('mcpserver', 'github', { toolhive: 'true' }),
          ports: [{ number: 8080, serves: mcpServer({ streams: true }) }],
        },
        { name: 'github-0', labels: { app: 'github' }, ports: [{ number: 9000, serves: mcpServer() }] },
      ],
      truth: {
        found: { 'mcp-github-proxy': { is: 'mcp http:8080/mcp' } },
        holmes: ['mcp/streamable-http http://mcp-github-proxy:8080/mcp'],
      },
    },
    {
      name: 'a Service labelled as Prometheus that leads to Thanos, beside that of Thanos',
      source: 'https://thanos.io/tip/components/query.md/ (the same API as Prometheus)',
      services: [
        {
          name: 'thanos-query',
          labels: labels('thanos-query', 'thanos'),
          selector: labels('thanos-query', 'thanos'),
          ports: [port('http', 9090, 10902)],
        },
        {
          name: 'prometheus',
          labels: { app: 'prometheus' },
          selector: labels('thanos-query', 'thanos'),
          ports: [port('web', 9090, 10902)],
        },
      ],
      pods: [
        {
          name: 'thanos-query-0',
          labels: labels('thanos-query', 'thanos'),
          ports: [{ number: 10902, name: 'http', serves: serving(THANOS_QUERY) }],
        },
      ],
      truth: {
        found: { 'thanos-query': { is: 'thanos http:9090', also: ['prometheus'] } },
        holmes: ['prometheus/metrics http://thanos-query:9090'],
      },
    },
    {
      name: 'two installations with a Service for both of them are two tools',
      source:
        'https://kubernetes.io/docs/concepts/workloads/management/#canary-deployments (a label for the track)',
      services: [
        ...['blue', 'green'].map((track) => ({
          name: `prometheus-${track}`,
          labels: labels('prometheus', track),
          selector: labels('prometheus', track),
          ports: [port('web', 9090, 9090)],
        })),
      ],
      pods: ['blue', 'green'].map((track) => ({
        name: `prometheus-${track}-0`,
        labels: labels('prometheus', track),
        ports: [{ number: 9090, serves: serving(PROMETHEUS) }],
      })),
      truth: {
        found: {
          'prometheus-blue': { is: 'prometheus http:9090' },
          'prometheus-green': { is: 'prometheus http:9090' },
        },
        holmes: [
          'prometheus/metrics http://prometheus-blue:9090',
          'prometheus/metrics http://prometheus-green:9090',
        ],
      },
    },
  ],
};
