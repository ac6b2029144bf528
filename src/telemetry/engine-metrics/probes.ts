import type { Verdict } from '../../model/discovery.ts';
import type { EventHandlers } from '../event-handlers.ts';
import type { MetricSet } from '../metric-set.ts';
import { clusterLabelOf, SECOND, type TypeLabel } from './labels.ts';

/** Histogram buckets of probes, in seconds. */
const PROBE_BUCKETS = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The reason label of a failed probe. `undefined` if the probe succeeded. */
function failureOf(verdict: Verdict): string | undefined {
  if (verdict.proof === 'contradicted') return 'contradicted';
  if (verdict.health === 'healthy') return undefined;
  return verdict.fault ?? (verdict.health === 'unknown' ? 'unreachable' : 'status');
}

/** Metrics of probes and outages. */
export function probeMetrics(set: MetricSet, typeOf: TypeLabel): EventHandlers {
  const failures = set.counter(
    'health_check_failures_total',
    'Probes that did not find a healthy backend of the expected type. "unreachable": the route does not lead there, so health is unknown; "contradicted": the response is that of another product; "resolution": its name does not resolve; "connection": the connection failed; "tls": TLS failed; "protocol": the response is invalid; "timeout": no response in time; "not_ready": no Pod is ready; "refused": the address is not allowed; "status": the status of the response is unexpected.',
    ['type', 'reason', 'cluster'],
  );
  const duration = set.histogram(
    'health_check_duration_seconds',
    'Duration of a probe, without queueing.',
    PROBE_BUCKETS,
    ['type', 'cluster'],
  );
  const inflight = set.gauge('probe_inflight', 'Probes in progress.');
  const outages = set.gauge(
    'probe_outage',
    '1 if no backend is reachable, otherwise 0. The cause is then probably the DNS or the network of this process.',
    ['cause'],
  );
  for (const cause of ['dns', 'network']) outages.set({ cause }, 0);
  return {
    outage({ outage }) {
      for (const cause of ['dns', 'network']) outages.set({ cause }, cause === outage ? 1 : 0);
    },
    'probe-began': () => inflight.inc(),
    'probe-ended'({ type, cluster, milliseconds }) {
      inflight.dec();
      duration.observe({ type: typeOf(type), ...clusterLabelOf(cluster) }, milliseconds / SECOND);
    },
    probed({ type, cluster, verdict }) {
      const reason = verdict === undefined ? undefined : failureOf(verdict);
      if (reason !== undefined) failures.inc({ type: typeOf(type), reason, ...clusterLabelOf(cluster) });
    },
  };
}
