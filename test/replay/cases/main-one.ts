import { serving } from '../answers.ts';
import { type Kind, labels, port } from '../case.ts';
import { COROOT } from '../products/newer.ts';
import { PROMETHEUS } from '../products/prometheus.ts';

const prometheusPod = (name: string, own: Readonly<Record<string, string>>) => ({
  name,
  labels: own,
  ports: [{ number: 9090, name: 'http', serves: serving(PROMETHEUS) }],
});

const CLUSTERS_OWN = labels('prometheus', 'zz-cluster', { 'app.kubernetes.io/component': 'server' });
/** The Prometheus of the whole cluster, which is the last by its name. */
const clustersOwn = {
  name: 'zz-cluster-prometheus-server',
  labels: CLUSTERS_OWN,
  selector: CLUSTERS_OWN,
  ports: [port('http', 80, 9090)],
};

export const MAIN_ONE: Kind = {
  title: '7, which is the main one',
  cases: [
    {
      name: 'the Prometheus of Kubecost comes after the one of the cluster',
      source:
        'https://github.com/kubecost/cost-analyzer-helm-chart/tree/develop/cost-analyzer/charts/prometheus',
      services: [
        {
          name: 'kubecost-prometheus-server',
          labels: { app: 'prometheus', component: 'server', release: 'kubecost', heritage: 'Helm' },
          selector: { app: 'prometheus', release: 'kubecost' },
          ports: [port('http', 80, 9090)],
        },
        clustersOwn,
      ],
      pods: [
        prometheusPod('kubecost-prometheus-server-0', { app: 'prometheus', release: 'kubecost' }),
        prometheusPod('zz-0', CLUSTERS_OWN),
      ],
      truth: {
        found: {
          'kubecost-prometheus-server': { is: 'prometheus http:80', says: ['bundled with Kubecost'] },
          'zz-cluster-prometheus-server': { is: 'prometheus http:80' },
        },
        holmes: [
          'prometheus/metrics http://zz-cluster-prometheus-server:80',
          'prometheus/metrics http://kubecost-prometheus-server:80',
        ],
      },
    },
    {
      name: 'the Prometheus of the operator of Coroot, beside Coroot',
      source: 'https://github.com/coroot/coroot-operator/blob/main/controller/prometheus.go',
      services: [
        {
          name: 'coroot-prometheus',
          labels: {
            'app.kubernetes.io/managed-by': 'coroot-operator',
            'app.kubernetes.io/part-of': 'coroot',
            'app.kubernetes.io/component': 'prometheus',
          },
          selector: { 'app.kubernetes.io/part-of': 'coroot', 'app.kubernetes.io/component': 'prometheus' },
          ports: [port('http', 9090, 'http')],
        },
        {
          name: 'coroot-coroot',
          labels: {
            'app.kubernetes.io/managed-by': 'coroot-operator',
            'app.kubernetes.io/part-of': 'coroot',
            'app.kubernetes.io/component': 'coroot',
          },
          selector: { 'app.kubernetes.io/part-of': 'coroot', 'app.kubernetes.io/component': 'coroot' },
          ports: [port('http', 8080, 'http'), port('grpc', 4317, 'grpc')],
        },
        clustersOwn,
      ],
      pods: [
        prometheusPod('coroot-prometheus-0', {
          'app.kubernetes.io/part-of': 'coroot',
          'app.kubernetes.io/component': 'prometheus',
        }),
        {
          name: 'coroot-coroot-0',
          labels: { 'app.kubernetes.io/part-of': 'coroot', 'app.kubernetes.io/component': 'coroot' },
          ports: [{ number: 8080, name: 'http', serves: COROOT }],
        },
        prometheusPod('zz-0', CLUSTERS_OWN),
      ],
      truth: {
        found: {
          'coroot-prometheus': { is: 'prometheus http:9090', says: ['bundled with Coroot'] },
          'coroot-coroot': { is: 'coroot http:8080', published: 'NotSupportedByAgent' },
          'zz-cluster-prometheus-server': { is: 'prometheus http:80' },
        },
        holmes: [
          'prometheus/metrics http://zz-cluster-prometheus-server:80',
          'prometheus/metrics http://coroot-prometheus:9090',
        ],
      },
    },
    {
      name: 'the Prometheus of Linkerd viz, known by its namespace',
      source:
        'https://github.com/linkerd/linkerd2/blob/main/viz/charts/linkerd-viz/templates/prometheus.yaml',
      namespace: 'linkerd-viz',
      services: [
        {
          name: 'prometheus',
          labels: { 'linkerd.io/extension': 'viz', component: 'prometheus', namespace: 'linkerd-viz' },
          selector: { 'linkerd.io/extension': 'viz', component: 'prometheus' },
          ports: [port('admin', 9090, 9090)],
        },
        {
          name: 'metrics-api',
          labels: { 'linkerd.io/extension': 'viz', component: 'metrics-api' },
          selector: { 'linkerd.io/extension': 'viz', component: 'metrics-api' },
          ports: [port('http', 8085, 8085)],
        },
      ],
      pods: [prometheusPod('prometheus-0', { 'linkerd.io/extension': 'viz', component: 'prometheus' })],
      truth: {
        found: { prometheus: { is: 'prometheus http:9090', says: ['bundled with Linkerd Viz'] } },
        holmes: ['prometheus/metrics http://prometheus:9090'],
      },
    },
    {
      name: 'the Prometheus of Robusta, known by its release',
      source:
        'https://docs.robusta.dev/master/configuration/alertmanager-integration/embedded-prometheus.html',
      services: [
        {
          name: 'aa-kube-prometheus-st-prometheus',
          labels: {
            app: 'kube-prometheus-stack-prometheus',
            release: 'robusta',
            'app.kubernetes.io/instance': 'robusta',
          },
          selector: { 'operator.prometheus.io/name': 'robusta' },
          ports: [port('http-web', 9090, 9090)],
        },
        clustersOwn,
      ],
      pods: [
        prometheusPod('robusta-0', { 'operator.prometheus.io/name': 'robusta' }),
        prometheusPod('zz-0', CLUSTERS_OWN),
      ],
      truth: {
        found: {
          'aa-kube-prometheus-st-prometheus': { is: 'prometheus http:9090', says: ['bundled with Robusta'] },
          'zz-cluster-prometheus-server': { is: 'prometheus http:80' },
        },
        holmes: [
          'prometheus/metrics http://zz-cluster-prometheus-server:80',
          'prometheus/metrics http://aa-kube-prometheus-st-prometheus:9090',
        ],
      },
    },
  ],
};
