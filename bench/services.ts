import type { ServiceSpec } from '../test/cluster/services.ts';

/** One Service of the benchmarks' cluster. */
export interface BenchService {
  readonly namespace: string;
  readonly spec: ServiceSpec;
  /** The name of the recording that its backend replays; absent if it is not a backend. */
  readonly backend?: string;
}

/** Services per namespace: 10,000 Services make 40 teams. */
const PER_NAMESPACE = 250;

interface Kind {
  readonly name: string;
  readonly port: number;
  readonly portName: string;
  /** The name of the component to query in its chart, if there are several. */
  readonly component?: string;
}

/** Backends as their charts install them. The recording of each proves its type. */
const BACKENDS: readonly Kind[] = [
  { name: 'prometheus', port: 9090, portName: 'http-web' },
  { name: 'alertmanager', port: 9093, portName: 'http-web' },
  { name: 'grafana', port: 3000, portName: 'service' },
  { name: 'loki', port: 3100, portName: 'http-metrics', component: 'gateway' },
  { name: 'tempo', port: 3200, portName: 'http', component: 'query-frontend' },
  { name: 'jaeger', port: 16686, portName: 'http-query', component: 'query' },
  { name: 'elasticsearch', port: 9200, portName: 'http' },
  { name: 'victoriametrics', port: 8428, portName: 'http' },
];

/** Services beside backends that are not backends themselves: ingestion, exporters, operators. */
const DECOYS: readonly Kind[] = [
  { name: 'prometheus-node-exporter', port: 9100, portName: 'http-metrics', component: 'metrics' },
  { name: 'kube-state-metrics', port: 8080, portName: 'http', component: 'metrics' },
  { name: 'redis-exporter', port: 9121, portName: 'http-metrics', component: 'exporter' },
  { name: 'loki-write', port: 3100, portName: 'http-metrics', component: 'write' },
  { name: 'prometheus-operator', port: 8080, portName: 'http', component: 'operator' },
];

const APPLICATIONS = ['cart', 'checkout', 'orders', 'payments', 'search', 'stock', 'users', 'web'];
const PORTS = [80, 443, 3306, 5432, 6379, 8080, 8443, 50051];

const NO_KIND: Kind = { name: 'none', port: 80, portName: 'http' };
const pick = <T>(list: readonly T[], number: number, otherwise: T): T =>
  list[number % list.length] ?? otherwise;

/** A Service as a chart creates it. */
function charted(kind: Kind, instance: string): ServiceSpec {
  const labels = {
    'app.kubernetes.io/name': kind.name,
    'app.kubernetes.io/instance': instance,
    'app.kubernetes.io/managed-by': 'Helm',
    'helm.sh/chart': `${kind.name}-12.3.4`,
    ...(kind.component === undefined ? {} : { 'app.kubernetes.io/component': kind.component }),
  };
  return {
    name: `${instance}-${kind.name}`,
    labels,
    annotations: { 'meta.helm.sh/release-name': instance },
    selector: { 'app.kubernetes.io/name': kind.name, 'app.kubernetes.io/instance': instance },
    ports: [{ port: kind.port, name: kind.portName }],
  };
}

function application(index: number): ServiceSpec {
  const app = pick(APPLICATIONS, index, 'web');
  const port = pick(PORTS, Math.floor(index / 3), 80);
  const name = `${app}-${index}`;
  return {
    name,
    labels: { app, team: `team-${index % 17}`, 'app.kubernetes.io/version': `1.${index % 40}.0` },
    selector: { app, shard: String(index) },
    ports: [{ port, name: port === 443 || port === 8443 ? 'https' : 'http' }],
    headless: index % 12 === 5,
  };
}

/**
 * The Service with a number, which is always the same. Of ten Services, one is a backend, one is a decoy, and the rest are
 * applications. So the first 100 of 10,000 are the 100 of a smaller cluster.
 * @param backends maximum number of backends; those beyond are applications
 */
export function benchService(index: number, backends = Number.POSITIVE_INFINITY): BenchService {
  const namespace = `team-${String(Math.floor(index / PER_NAMESPACE)).padStart(3, '0')}`;
  const tenth = Math.floor(index / 10);
  if (index % 10 === 0 && tenth < backends) return backendService(namespace, tenth);
  if (index % 10 === 4) return { namespace, spec: charted(pick(DECOYS, tenth, NO_KIND), `d${tenth}`) };
  return { namespace, spec: application(index) };
}

/** A Service of a backend; the kinds take turns. @param release prefix of the name of its installation */
export function backendService(namespace: string, number: number, release = 'r'): BenchService {
  const kind = pick(BACKENDS, number, NO_KIND);
  return { namespace, spec: charted(kind, `${release}${number}`), backend: kind.name };
}

/** DNS name and first port of a Service, as HOST:PORT. */
export function hostOf({ namespace, spec }: BenchService): string {
  const [port = 0] = spec.ports ?? [];
  return `${spec.name}.${namespace}.svc.cluster.local:${typeof port === 'number' ? port : port.port}`;
}

/** The first Services of the cluster. @param backends maximum number of backends; default: one in ten */
export const benchServices = (count: number, backends?: number): BenchService[] =>
  Array.from({ length: count }, (_, index) => benchService(index, backends));

/** Names of the recordings that the backends answer with. */
export const recordingNames: readonly string[] = BACKENDS.map(({ name }) => name);
