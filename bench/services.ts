import type { ServiceSpec } from '../test/cluster/services.ts';

/** One Service of the benchmarks' cluster. */
export interface BenchService {
  readonly namespace: string;
  readonly spec: ServiceSpec;
  /** The name of the recording that its backend answers with; nothing for what is no backend. */
  readonly backend?: string;
}

/** Services in one namespace: 10,000 Services are 40 teams. */
const PER_NAMESPACE = 250;

interface Kind {
  readonly name: string;
  readonly port: number;
  readonly portName: string;
  /** How its own chart calls the part that is asked, where it has several. */
  readonly component?: string;
}

/** Backends as their charts install them; each proves itself by what its recording answers. */
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

/** What lies beside backends and is none: the way in for data, exporters, operators. */
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

/** A Service as charts write them. */
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
 * The Service with a number, always the same one: of each ten the first is a backend, another is a decoy, and the rest
 * are applications. So the first 100 of 10,000 are the 100 of a smaller cluster.
 */
export function benchService(index: number): BenchService {
  const namespace = `team-${String(Math.floor(index / PER_NAMESPACE)).padStart(3, '0')}`;
  const tenth = Math.floor(index / 10);
  if (index % 10 === 0) return backendService(namespace, tenth);
  if (index % 10 === 4) return { namespace, spec: charted(pick(DECOYS, tenth, NO_KIND), `d${tenth}`) };
  return { namespace, spec: application(index) };
}

/** A Service of a backend; the kinds take turns. @param release what the name of its installation begins with */
export function backendService(namespace: string, number: number, release = 'r'): BenchService {
  const kind = pick(BACKENDS, number, NO_KIND);
  return { namespace, spec: charted(kind, `${release}${number}`), backend: kind.name };
}

/** Host and port of a Service's first port, as the cluster's DNS knows it. */
export function hostOf({ namespace, spec }: BenchService): string {
  const [port = 0] = spec.ports ?? [];
  return `${spec.name}.${namespace}.svc.cluster.local:${typeof port === 'number' ? port : port.port}`;
}

/** The first Services of the cluster. */
export const benchServices = (count: number): BenchService[] =>
  Array.from({ length: count }, (_, index) => benchService(index));

/** Names of the recordings that the backends answer with. */
export const recordingNames: readonly string[] = BACKENDS.map(({ name }) => name);
