import type { EventHandlers } from '../event-handlers.ts';
import type { MetricSet } from '../metric-set.ts';
import { PASSES, SECOND } from './common.ts';

/** Most changes that are remembered while nothing can be published. */
const MOST_CHANGES = 100;

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
  /** Changes that are not published yet, each with the discovery that found it, the oldest first. */
  let changes: { readonly at: number; readonly cycle: number }[] = [];
  /** What a discovery found, a publication of an earlier one does not hold. */
  const takeUpTo = (last: number): number[] => {
    const done = changes.filter(({ cycle }) => cycle <= last);
    changes = changes.filter(({ cycle }) => cycle > last);
    return done.map(({ at }) => at);
  };
  return {
    pass({ changedAt, cycle }) {
      if (changedAt !== undefined && changes.length < MOST_CHANGES) changes.push({ at: changedAt, cycle });
    },
    published({ cycle }) {
      updates.inc({ result: 'success' });
      const done = takeUpTo(cycle);
      if (done.length > 0) latency.observe((now() - Math.min(...done)) / SECOND);
    },
    'publish-failed': () => updates.inc({ result: 'failure' }),
    reconciled({ ok, milliseconds, cycle }) {
      duration.observe(milliseconds / SECOND);
      // What is left has no consequence for what is published.
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
