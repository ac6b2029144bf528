import { below, serving, text } from '../answers.ts';
import { type Case, type Finding, type Kind, labels, port } from '../case.ts';
import { ALERTMANAGER } from '../products/prometheus.ts';
import { THANOS_RULER, VMALERT, VMALERT_NOT_FOUND } from '../products/rules.ts';

const MIMIR = labels('mimir', 'mimir', { 'app.kubernetes.io/component': 'alertmanager' });
const NO_TENANT = text('no org id\n', 401);

/** The Alertmanager of Mimir's chart. @param isShared whether it requires a tenant */
const mimirAlertmanager = (isShared: boolean): Pick<Case, 'services' | 'pods'> => ({
  services: [
    {
      name: 'mimir-alertmanager',
      labels: MIMIR,
      selector: MIMIR,
      ports: [port('http-metrics', 8080, 'http-metrics'), port('grpc', 9095, 'grpc')],
    },
  ],
  pods: [
    {
      name: 'mimir-alertmanager-0',
      labels: MIMIR,
      ports: [
        {
          number: 8080,
          name: 'http-metrics',
          serves: serving({
            '/ready': text('ready\n'),
            ...below(
              '/alertmanager',
              isShared ? { '/-/healthy': NO_TENANT, '/api/v2/status': NO_TENANT } : ALERTMANAGER,
            ),
          }),
        },
      ],
    },
  ],
});

const SOURCE = 'https://grafana.com/docs/mimir/latest/references/http-api/#alertmanager';
const OF_MIMIR = 'alertmanager http:8080/alertmanager';

const vmalert = (
  name: string,
  source: string,
  service: string,
  found: { readonly labels: Readonly<Record<string, string>>; readonly port: number },
  finding: Partial<Finding> = {},
): Case => ({
  name,
  source,
  services: [
    { name: service, labels: found.labels, selector: { pod: service }, ports: [port('http', found.port)] },
  ],
  pods: [
    {
      name: `${service}-0`,
      labels: { pod: service },
      ports: [{ number: found.port, serves: serving(VMALERT, VMALERT_NOT_FOUND) }],
    },
  ],
  truth: {
    found: { [service]: { is: `vmalert http:${found.port}`, ...finding } },
    holmes: [`vmalert http://${service}:${found.port}/api/v1/rules`],
  },
});

const ruler = (
  name: string,
  source: string,
  service: string,
  all: Readonly<Record<string, string>>,
): Case => ({
  name,
  source,
  services: [{ name: service, labels: all, selector: { pod: service }, ports: [port('web', 10902)] }],
  pods: [
    {
      name: `${service}-0`,
      labels: { pod: service },
      ports: [{ number: 10902, serves: serving(THANOS_RULER) }],
    },
  ],
  truth: {
    found: { [service]: { is: 'thanos-ruler http:10902' } },
    holmes: [`thanos-ruler http://${service}:10902/api/v1/rules`],
  },
});

export const RULES: Kind = {
  title: '12, sources of rules and alerts',
  cases: [
    vmalert(
      'vmalert, its chart',
      'https://github.com/VictoriaMetrics/helm-charts/tree/master/charts/victoria-metrics-alert',
      'vmalert-victoria-metrics-alert-server',
      { labels: labels('victoria-metrics-alert', 'vmalert', { app: 'server' }), port: 8880 },
    ),
    vmalert(
      'vmalert of the operator',
      'https://github.com/VictoriaMetrics/operator/blob/master/internal/controller/operator/factory/vmalert/vmalert.go',
      'vmalert-main',
      { labels: labels('vmalert', 'main', { 'managed-by': 'vm-operator' }), port: 8080 },
    ),
    vmalert(
      'vmalert that is labelled as VictoriaMetrics',
      'https://docs.victoriametrics.com/victoriametrics/vmalert/ (a manifest of a reader)',
      'victoria-metrics',
      { labels: { app: 'victoria-metrics' }, port: 8880 },
      { proven: 'AnsweredAsOtherType' },
    ),
    ruler(
      'Thanos Ruler of kube-prometheus-stack',
      'https://github.com/prometheus-community/helm-charts/blob/main/charts/kube-prometheus-stack/templates/thanos-ruler/service.yaml',
      'kube-prometheus-stack-thanos-ruler',
      { app: 'kube-prometheus-stack-thanos-ruler', release: 'kps' },
    ),
    ruler(
      "Thanos Ruler of kube-thanos' jsonnet",
      'https://github.com/thanos-io/kube-thanos/blob/main/jsonnet/kube-thanos/kube-thanos-rule.libsonnet',
      'thanos-rule',
      labels('thanos-rule', 'thanos-rule', { 'app.kubernetes.io/component': 'rule-evaluation-engine' }),
    ),
    ruler(
      "Thanos Ruler of Bitnami's chart",
      'https://github.com/bitnami/charts/blob/main/bitnami/thanos/templates/ruler/service.yaml',
      'obs-thanos-ruler',
      labels('thanos', 'obs', { 'app.kubernetes.io/component': 'ruler' }),
    ),
    {
      name: "Mimir's Alertmanager with a tenant in the settings",
      source: SOURCE,
      ...mimirAlertmanager(true),
      settings: { tenants: { 'NS/mimir-alertmanager': 'team-a' } },
      truth: {
        found: { 'mimir-alertmanager': { is: OF_MIMIR, tenant: 'TenantConfigured' } },
        holmes: ['alertmanager http://mimir-alertmanager:8080/alertmanager/api/v2/status tenant=team-a'],
      },
    },
    {
      name: "Mimir's Alertmanager without one",
      source: SOURCE,
      ...mimirAlertmanager(true),
      truth: {
        found: { 'mimir-alertmanager': { is: OF_MIMIR, published: 'NeedsTenant', tenant: 'NoTenant' } },
        holmes: [],
        warns: [/tenants/],
      },
    },
    {
      name: "Mimir's Alertmanager without multitenancy",
      source: SOURCE,
      ...mimirAlertmanager(false),
      truth: {
        found: { 'mimir-alertmanager': { is: OF_MIMIR } },
        holmes: ['alertmanager http://mimir-alertmanager:8080/alertmanager/api/v2/status'],
      },
    },
  ],
};
