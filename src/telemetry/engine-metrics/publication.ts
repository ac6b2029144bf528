import type { EventHandlers } from '../event-handlers.ts';
import type { MetricSet } from '../metric-set.ts';
import { PASSES, SECOND } from './common.ts';

/**
 * Metrics of publications: how many, how long they take, and how soon after a change.
 * @param now milliseconds on the clock of `performance.now`
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
    PASSES,
  );
  const latency = set.histogram(
    'change_to_publish_seconds',
    'Time from the change of a Service to the updated ConfigMap; for several changes, from the first one.',
    PASSES,
  );
  for (const result of ['success', 'failure']) updates.inc({ result }, 0);
  let changedAt: number | undefined;
  return {
    pass(event) {
      changedAt ??= event.changedAt;
    },
    published() {
      updates.inc({ result: 'success' });
      if (changedAt !== undefined) latency.observe((now() - changedAt) / SECOND);
      changedAt = undefined;
    },
    'publish-failed': () => updates.inc({ result: 'failure' }),
    reconciled({ ok, milliseconds }) {
      duration.observe(milliseconds / SECOND);
      // The change has no consequence for what is published.
      if (ok) changedAt = undefined;
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
