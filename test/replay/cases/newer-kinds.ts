import { below, type Handler, serving, to } from '../answers.ts';
import { type Case, type CaseService, type Finding, type Kind, labels, port } from '../case.ts';
import {
  CLICKHOUSE,
  COROOT,
  NETDATA,
  OPENCOST,
  OPENOBSERVE,
  PARCA,
  PERSES,
  parcaBelow,
  QUICKWIT,
  SKYWALKING,
  UPTRACE,
  VICTORIA_TRACES,
} from '../products/newer.ts';
import { victoriaBelow } from '../products/others.ts';
import { basicLogin } from '../products/walls.ts';

interface Installation {
  readonly name: string;
  readonly source: string;
  readonly service: CaseService;
  /** Where the Pod listens. */
  readonly at: number;
  readonly serves: Handler;
  readonly finding: Finding;
  readonly holmes?: readonly string[];
}

/** One Service with one Pod. */
const installed = ({ name, source, service, at, serves, finding, holmes = [] }: Installation): Case => ({
  name,
  source,
  services: [{ selector: { pod: service.name }, ...service }],
  pods: [
    {
      name: `${service.name}-0`,
      labels: service.selector ?? { pod: service.name },
      ports: [{ number: at, name: 'main', serves }],
    },
  ],
  truth: { found: { [service.name]: finding }, holmes },
});

const NO_USE = { published: 'NotSupportedByAgent' } as const;

export const NEWER_KINDS: Kind = {
  title: '12, new kinds',
  cases: [
    installed({
      name: 'VictoriaTraces, its chart',
      source: 'https://github.com/VictoriaMetrics/helm-charts/tree/master/charts/victoria-traces-single',
      service: {
        name: 'vt-victoria-traces-single-server',
        labels: labels('victoria-traces-single', 'vt', { app: 'server' }),
        headless: true,
        ports: [port('http', 10428, 'main')],
      },
      at: 10428,
      serves: serving(VICTORIA_TRACES),
      finding: { is: 'victoriatraces http:10428/select/jaeger' },
      holmes: ['victoriatraces http://vt-victoria-traces-single-server:10428/select/jaeger/api/services'],
    }),
    installed({
      name: 'VictoriaTraces, by hand, with http.pathPrefix',
      source:
        'https://docs.victoriametrics.com/victoriatraces/#list-of-command-line-flags (-http.pathPrefix)',
      service: {
        name: 'victoria-traces',
        labels: { app: 'victoria-traces' },
        ports: [port('http', 10428, 10428)],
      },
      at: 10428,
      serves: victoriaBelow('/traces', VICTORIA_TRACES),
      finding: { is: 'victoriatraces http:10428/traces/select/jaeger' },
      holmes: ['victoriatraces http://victoria-traces:10428/traces/select/jaeger/api/services'],
    }),
    installed({
      name: 'OpenObserve, its chart for one node',
      source: 'https://github.com/openobserve/openobserve-helm-chart/tree/main/charts/openobserve-standalone',
      service: {
        name: 'o2-openobserve-standalone',
        labels: labels('openobserve-standalone', 'o2'),
        ports: [port('http', 5080, 5080), port('grpc', 5081, 5081)],
      },
      at: 5080,
      serves: serving(OPENOBSERVE),
      finding: { is: 'openobserve http:5080' },
      holmes: ['openobserve http://o2-openobserve-standalone:5080/config'],
    }),
    installed({
      name: 'OpenObserve with ZO_BASE_URI',
      source: 'https://openobserve.ai/docs/environment-variables/ (ZO_BASE_URI)',
      service: { name: 'openobserve', labels: { app: 'openobserve' }, ports: [port('http', 5080, 5080)] },
      at: 5080,
      serves: serving({
        ...below('/observe', { ...OPENOBSERVE, '/': to('/observe/web/') }),
        '/': to('/observe/web/'),
      }),
      finding: { is: 'openobserve http:5080/observe' },
      holmes: ['openobserve http://openobserve:5080/observe/config'],
    }),
    installed({
      name: 'Coroot, the older chart',
      source: 'https://github.com/coroot/helm-charts/tree/main/charts/coroot-ce',
      service: { name: 'coroot', labels: labels('coroot', 'coroot'), ports: [port('http', 8080, 8080)] },
      at: 8080,
      serves: COROOT,
      finding: { is: 'coroot http:8080', ...NO_USE },
    }),
    installed({
      name: 'ClickHouse of the operator of Altinity',
      source: 'https://github.com/Altinity/clickhouse-operator/blob/master/docs/custom_resource_explained.md',
      service: {
        name: 'clickhouse-events',
        labels: {
          'clickhouse.altinity.com/app': 'chop',
          'clickhouse.altinity.com/Service': 'chi',
          'clickhouse.altinity.com/chi': 'events',
        },
        ports: [port('http', 8123, 8123), port('tcp', 9000, 9000)],
      },
      at: 8123,
      serves: CLICKHOUSE,
      finding: { is: 'clickhouse http:8123', ...NO_USE },
    }),
    installed({
      name: "ClickHouse of Bitnami's chart",
      source: 'https://github.com/bitnami/charts/tree/main/bitnami/clickhouse',
      service: {
        name: 'ch-clickhouse',
        labels: labels('clickhouse', 'ch', { 'app.kubernetes.io/component': 'clickhouse' }),
        ports: [
          port('http', 8123, 'main'),
          port('tcp', 9000, 9000),
          port('tcp-mysql', 9004, 9004),
          port('http-intersrv', 9009, 9009),
        ],
      },
      at: 8123,
      serves: CLICKHOUSE,
      finding: { is: 'clickhouse http:8123', ...NO_USE },
    }),
    installed({
      name: 'OpenCost, its chart with the user interface',
      source:
        'https://github.com/opencost/opencost-helm-chart/blob/main/charts/opencost/templates/service.yaml',
      service: {
        name: 'opencost',
        labels: labels('opencost', 'opencost'),
        ports: [port('http', 9003, 9003), port('http-ui', 9090, 9090)],
      },
      at: 9003,
      serves: serving(OPENCOST),
      finding: { is: 'opencost http:9003' },
      holmes: ['opencost http://opencost:9003/allocation'],
    }),
    installed({
      name: 'Perses, its chart',
      source: 'https://github.com/perses/helm-charts/tree/main/charts/perses',
      service: { name: 'perses', labels: labels('perses', 'perses'), ports: [port('http', 8080, 'main')] },
      at: 8080,
      serves: serving(PERSES),
      finding: { is: 'perses http:8080' },
      holmes: ['perses http://perses:8080/api/v1/health'],
    }),
    installed({
      name: 'Perses with api_prefix, of its operator',
      source: 'https://perses.dev/perses/docs/configuration/configuration/ (api_prefix)',
      service: {
        name: 'boards',
        labels: {
          'app.kubernetes.io/managed-by': 'perses-operator',
          'app.kubernetes.io/part-of': 'perses-operator',
          'app.kubernetes.io/instance': 'boards',
        },
        headless: true,
        ports: [port('http', 8080, 8080)],
      },
      at: 8080,
      serves: serving(below('/perses', PERSES)),
      finding: { is: 'perses http:8080/perses' },
      holmes: ['perses http://boards:8080/perses/api/v1/health'],
    }),
    installed({
      name: 'Quickwit, the searcher of its chart',
      source: 'https://github.com/quickwit-oss/helm-charts/tree/main/charts/quickwit/templates',
      service: {
        name: 'quickwit-searcher',
        labels: labels('quickwit', 'quickwit', { 'app.kubernetes.io/component': 'searcher' }),
        ports: [port('rest', 7280, 'main'), port('grpc', 7281, 7281)],
      },
      at: 7280,
      serves: serving(QUICKWIT),
      finding: { is: 'quickwit http:7280' },
      holmes: ['quickwit http://quickwit-searcher:7280/api/v1/version'],
    }),
    installed({
      name: 'Parca, its manifest',
      source: 'https://github.com/parca-dev/parca/releases (kubernetes-manifest.yaml)',
      service: {
        name: 'parca',
        labels: labels('parca', 'parca', { 'app.kubernetes.io/component': 'observability' }),
        ports: [port('http', 7070, 7070)],
      },
      at: 7070,
      serves: serving(PARCA),
      finding: { is: 'parca http:7070' },
      holmes: ['parca http://parca:7070/api/profiles/types'],
    }),
    installed({
      name: 'Parca with path-prefix',
      source: 'https://github.com/parca-dev/parca/blob/main/pkg/parca/parca.go (--path-prefix)',
      service: { name: 'parca', labels: { app: 'parca' }, ports: [port('http', 7070, 7070)] },
      at: 7070,
      serves: serving(parcaBelow('/profiles')),
      finding: { is: 'parca http:7070/profiles' },
      holmes: ['parca http://parca:7070/profiles/api/profiles/types'],
    }),
    installed({
      name: 'Netdata, its chart',
      source: 'https://github.com/netdata/helmchart/blob/master/charts/netdata/templates/service.yaml',
      service: {
        name: 'netdata',
        labels: { app: 'netdata', chart: 'netdata-3.7.152', release: 'netdata' },
        ports: [port('http', 19999, 'main')],
      },
      at: 19999,
      serves: serving(NETDATA),
      finding: { is: 'netdata http:19999' },
      holmes: ['netdata http://netdata:19999/api/v1/info'],
    }),
    installed({
      name: 'SkyWalking, the OAP server of its chart',
      source: 'https://github.com/apache/skywalking-helm/blob/master/chart/skywalking/templates/oap-svc.yaml',
      service: {
        name: 'sky-skywalking-helm-oap',
        labels: { app: 'sky', component: 'oap', release: 'sky', chart: 'skywalking-helm-4.7.0' },
        ports: [port('rest', 12800), port('grpc', 11800)],
      },
      at: 12800,
      serves: SKYWALKING,
      finding: { is: 'skywalking http:12800', ...NO_USE },
    }),
    installed({
      name: 'Uptrace, its chart',
      source: 'https://github.com/uptrace/helm-charts/tree/main/charts/uptrace',
      service: {
        name: 'uptrace',
        labels: labels('uptrace', 'uptrace'),
        ports: [port('http', 80, 14318), port('grpc', 4317, 14317)],
      },
      at: 14318,
      serves: serving(UPTRACE),
      finding: { is: 'uptrace http:80' },
      holmes: ['uptrace http://uptrace:80/api/v1/tracing/*/spans'],
    }),
    installed({
      name: 'OpenObserve behind basic authentication',
      source: 'https://kubernetes.github.io/ingress-nginx/examples/auth/basic/ (as a proxy in the Pod)',
      service: {
        name: 'openobserve',
        labels: labels('openobserve', 'openobserve'),
        ports: [port('http', 5080, 5080)],
      },
      at: 5080,
      serves: serving({}, basicLogin('observe')),
      finding: {
        is: 'openobserve http:5080',
        proven: 'CredentialsRequired',
        healthy: 'CredentialsRequired',
        published: 'NeedsCredentials',
      },
    }),
  ],
};
