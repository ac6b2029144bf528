import { membersOf } from '../../model/backend.ts';
import type { DiscoveredService } from '../../model/discovery.ts';
import { FAILURE_REASONS } from '../../model/failure-reason.ts';
import { clusterField } from '../../model/key.ts';
import { type ServiceKey, serviceKey } from '../../model/service.ts';
import type { EventHandlers } from '../event-handlers.ts';
import { limitCardinality, type MetricSet } from '../metric-set.ts';
import { type Counted, clusterLabelOf, PASS_BUCKETS, SECOND, setCounts, type TypeLabel } from './labels.ts';

/** Maximum namespaces with a label value of their own. */
const MAX_NAMESPACES = 200;
/** Histogram buckets of detection, which does no I/O, in seconds. */
const DETECTION_BUCKETS = [0.0001, 0.0005, 0.001, 0.005, 0.02, 0.1, 0.5, 1];

/** The keys of all member Services. A backend stays the same if its entry point changes. */
const keysOf = (backend: DiscoveredService): ServiceKey[] =>
  membersOf(backend).map(({ name }) => serviceKey({ ...backend.service, name }));

/** Metrics of discovered backends. */
export function discoveryMetrics(set: MetricSet, typeOf: TypeLabel): EventHandlers {
  const namespaceOf = limitCardinality(MAX_NAMESPACES);
  const discovered = set.counter(
    'services_discovered_total',
    `Discovered backends. A backend that changes is not counted again; namespaces after the first ${MAX_NAMESPACES} are "other".`,
    ['type', 'namespace', 'cluster'],
  );
  const healthy = set.gauge('services_healthy', 'Healthy backends.', ['type', 'cluster']);
  const unhealthy = set.gauge('services_unhealthy', 'Unhealthy backends.', ['type', 'cluster']);
  const duration = set.histogram(
    'discovery_duration_seconds',
    'Duration of a full discovery, including probes.',
    PASS_BUCKETS,
  );
  const detecting = set.histogram(
    'detector_duration_seconds',
    'CPU time of the detectors in one discovery, without probes.',
    DETECTION_BUCKETS,
  );
  return {
    pass({ full, before, services, milliseconds, detecting: spent }) {
      // A backend of which nothing changed is the same object.
      const [known, now] = [new Set(before), new Set(services)];
      const old = new Set(before.filter((each) => !now.has(each)).flatMap(keysOf));
      for (const each of services)
        if (!known.has(each) && !keysOf(each).some((key) => old.has(key)))
          discovered.inc({
            type: typeOf(each.type),
            namespace: namespaceOf(each.service.namespace),
            ...clusterField(each.service),
          });
      const of = (health: DiscoveredService['verdict']['health']): Counted[] =>
        services
          .filter(({ verdict }) => verdict.health === health)
          .map(({ service, type }) => ({ type: typeOf(type), ...clusterField(service) }));
      setCounts(healthy, of('healthy'));
      setCounts(unhealthy, of('unhealthy'));
      if (full) duration.observe(milliseconds / SECOND);
      // Most snapshots result from a probe, without detection.
      if (spent > 0) detecting.observe(spent / SECOND);
    },
  };
}

/** Metrics of the source: errors, denied namespaces and watches. */
export function sourceMetrics(set: MetricSet, typeOf: TypeLabel): EventHandlers {
  const errors = set.counter(
    'discovery_errors_total',
    'Discovery errors: the source failed (type "all"), or a probe failed because of a bug.',
    ['type', 'reason', 'cluster'],
  );
  const denied = set.gauge('namespaces_denied', 'Namespaces where listing Services is denied.');
  const events = set.counter('watch_events_total', 'Changes of Services that watches reported.', ['kind']);
  const restarts = set.counter(
    'watch_restarts_total',
    'Restarts of Service watches: "ended" normally by the server, "lost" with the connection, or after an error.',
    ['reason'],
  );
  for (const kind of ['upsert', 'delete']) events.inc({ kind }, 0);
  for (const reason of FAILURE_REASONS) errors.inc({ type: 'all', reason }, 0);
  return {
    'source-failed': ({ reason, cluster }) => errors.inc({ type: 'all', reason, ...clusterLabelOf(cluster) }),
    probed({ type, cluster, verdict }) {
      if (verdict === undefined)
        errors.inc({ type: typeOf(type), reason: 'bug', ...clusterLabelOf(cluster) });
    },
    'namespaces-denied': ({ count }) => denied.set(count),
    'watch-event': ({ change: kind }) => events.inc({ kind }),
    'watch-ended': ({ reason }) => restarts.inc({ reason }),
  };
}
