import { type DiscoveryResult, discover, probeKinds } from '../../src/controller/pass.ts';
import type { DiscoveredService } from '../../src/model/discovery.ts';
import { HOME_CLUSTER } from '../../src/model/key.ts';
import type { Service } from '../../src/model/service.ts';
import { directFetch } from '../../src/probing/direct.ts';
import { directExchange } from '../../src/probing/kafka.ts';
import { createProber } from '../../src/probing/prober.ts';
import { DETECTION, rules } from './fixtures.ts';

/** Types that are asked over HTTP and can prove themselves. */
export const httpTypes = rules.detectors
  .filter(({ detector: { probe } }) => probe.protocol === 'http' && probe.proofs.length > 0)
  .map(({ detector }) => detector.type);

/** A Service that looks like one type of backend: by the name label, with the port that such a backend has. */
export function labelled(type: string, fields: Partial<Service> = {}): Service {
  const detector = rules.byType.get(type)?.detector;
  if (detector === undefined) throw new Error(`there is no detector ${type}`);
  const name = detector.ports.names.find((each) => !each.includes('https')) ?? 'http';
  return {
    cluster: HOME_CLUSTER,
    namespace: 'lab',
    name: `labelled-${type}`,
    labels: { 'app.kubernetes.io/name': detector.names[0] ?? type },
    annotations: {},
    selector: {},
    ports: [{ name, port: detector.ports.numbers[0] ?? 8080, protocol: 'TCP' }],
    type: 'ClusterIP',
    headless: false,
    ...fields,
  };
}

/**
 * One pass over Services all of whose ports lead to one local port.
 * @param timeout of each probe, in milliseconds: by default long enough for a busy machine
 */
export function discoverAt(
  port: number,
  services: readonly Service[],
  timeout = 30_000,
): Promise<DiscoveryResult> {
  const target = { host: '127.0.0.1', port };
  const connectTo = new Map(
    services.flatMap(({ name, namespace, ports }) =>
      ports.map((each) => [`${name}.${namespace}.svc.cluster.local:${each.port}`, target] as const),
    ),
  );
  const route = { fetch: directFetch(connectTo), exchange: directExchange(connectTo) };
  const prober = createProber(probeKinds(rules), route, { concurrency: 32, timeout });
  const stages = { rules, problems: [], prober, detection: DETECTION, maxBackends: 1_000 };
  return discover(services, stages, AbortSignal.timeout(60_000));
}

/** What a pass made of each Service, in one line: type and base path, health and proof. */
export function outcomes({ services }: DiscoveryResult): Record<string, string> {
  return Object.fromEntries(services.map((found) => [found.service.name, outcome(found)]));
}

/** What a pass made of a Service: `mimir /prometheus, healthy, proven`. */
export function outcome({ type, endpoint, verdict }: DiscoveredService): string {
  const auth = verdict.authRequired ? ', wants credentials' : '';
  const tenant = verdict.tenantRequired === true ? ', wants a tenant' : '';
  return `${type}${endpoint.path === '' ? '' : ` ${endpoint.path}`}, ${verdict.health}, ${verdict.proof}${auth}${tenant}`;
}
