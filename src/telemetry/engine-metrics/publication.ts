import type { EventHandlers } from '../event-handlers.ts';
import type { MetricSet } from '../metric-set.ts';
import { PASS_BUCKETS, SECOND } from './common.ts';

/** Maximum changes to track while publishing fails. */
const MAX_CHANGES = 100;

/**
 * Metrics of publications: their number, their duration and the latency from a change to its publication.
 * @param now monotonic clock, in milliseconds
 */
export function publicationMetrics(set: MetricSet, now: () => number): EventHandlers {
  const updates = set.counter(
    'configmap_updates_total',
    'Publications that changed the ConfigMap ("success"), and attempts that failed ("failure").',
    ['result'],
  );
  const duration = set.histogram(
    'configmap_reconcile_duration_seconds',
    'Duration of a reconciliation, including the publication if there was one.',
    PASS_BUCKETS,
  );
  const latency = set.histogram(
    'change_to_publish_seconds',
    'Time from the change of a Service to the updated ConfigMap; for several changes, from the first one.',
    PASS_BUCKETS,
  );
  for (const result of ['success', 'failure']) updates.inc({ result }, 0);
  /** Unpublished changes with the cycle that found them, oldest first. */
  let pendingChanges: { readonly at: number; readonly cycle: number }[] = [];
  /** Removes the changes up to a cycle. Later changes are not part of its publication. */
  const takeUpTo = (last: number): number[] => {
    const done = pendingChanges.filter(({ cycle }) => cycle <= last);
    pendingChanges = pendingChanges.filter(({ cycle }) => cycle > last);
    return done.map(({ at }) => at);
  };
  return {
    pass({ changedAt, cycle }) {
      if (changedAt !== undefined && pendingChanges.length < MAX_CHANGES)
        pendingChanges.push({ at: changedAt, cycle });
    },
    published({ cycle }) {
      updates.inc({ result: 'success' });
      const done = takeUpTo(cycle);
      if (done.length > 0) latency.observe((now() - Math.min(...done)) / SECOND);
    },
    'publish-failed': () => updates.inc({ result: 'failure' }),
    reconciled({ ok, milliseconds, cycle }) {
      duration.observe(milliseconds / SECOND);
      // The remaining changes do not affect the published documents.
      if (ok) takeUpTo(cycle);
    },
  };
}

/** Metrics of the history. */
export function historyMetrics(set: MetricSet): EventHandlers {
  const revision = set.gauge('revision', 'Number of the newest revision; 0 if there is none.');
  const history = set.gauge(
    'history_last_write_successful',
    '1 if the published documents are in the history, 0 if writing them failed. Followers do not write the history.',
  );
  history.set(1);
  return {
    reconciled(event) {
      history.set(event.recorded ? 1 : 0);
      if (event.ok) revision.set(event.revision ?? 0);
    },
  };
}
