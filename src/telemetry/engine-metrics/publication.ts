import type { MetricSet } from '../metric-set.ts';
import { PASS_BUCKETS, SECOND, type TargetHandlers } from './labels.ts';

/** Maximum changes to track while publishing fails. */
const MAX_CHANGES = 100;

/** Unpublished changes with the cycle that found them, oldest first. */
class Changes {
  #pending: { readonly at: number; readonly cycle: number }[] = [];

  add(at: number, cycle: number): void {
    if (this.#pending.length < MAX_CHANGES) this.#pending.push({ at, cycle });
  }

  /**
   * Removes the changes up to a cycle. Later changes are not part of its publication.
   * @returns when the first of them happened
   */
  takeUpTo(last: number): number | undefined {
    const done = this.#pending.filter(({ cycle }) => cycle <= last);
    this.#pending = this.#pending.filter(({ cycle }) => cycle > last);
    return done.length === 0 ? undefined : Math.min(...done.map(({ at }) => at));
  }
}

/**
 * Metrics of publications: their number, their duration and the latency from a change to its publication.
 * @param now monotonic clock, in milliseconds
 */
export function publicationMetrics(set: MetricSet, now: () => number): TargetHandlers {
  const updates = set.counter(
    'configmap_updates_total',
    'Publications that changed the ConfigMap ("success"), and attempts that failed ("failure").',
    ['result', 'target'],
  );
  const duration = set.histogram(
    'configmap_reconcile_duration_seconds',
    'Duration of a reconciliation, including the publication if there was one.',
    PASS_BUCKETS,
    ['target'],
  );
  const latency = set.histogram(
    'change_to_publish_seconds',
    'Time from a change of a Service to the update of the ConfigMap; for several changes, from the first one.',
    PASS_BUCKETS,
    ['target'],
  );
  return (of) => {
    for (const result of ['success', 'failure']) updates.inc({ result, ...of }, 0);
    for (const histogram of [duration, latency]) histogram.zero(of);
    const changes = new Changes();
    return {
      pass({ changedAt, cycle }) {
        if (changedAt !== undefined) changes.add(changedAt, cycle);
      },
      published({ cycle }) {
        updates.inc({ result: 'success', ...of });
        const first = changes.takeUpTo(cycle);
        if (first !== undefined) latency.observe(of, (now() - first) / SECOND);
      },
      'publish-failed': () => updates.inc({ result: 'failure', ...of }),
      reconciled({ ok, milliseconds, cycle }) {
        duration.observe(of, milliseconds / SECOND);
        // The remaining changes do not affect the published documents.
        if (ok) changes.takeUpTo(cycle);
      },
    };
  };
}

/** Metrics of the history. */
export function historyMetrics(set: MetricSet): TargetHandlers {
  const revision = set.gauge('revision', 'Number of the newest revision; 0 if there is none.', ['target']);
  const history = set.gauge(
    'history_last_write_successful',
    '1 if the published documents are in the history, 0 if writing them failed. Replicas that do not lead do not write the history.',
    ['target'],
  );
  return (of) => {
    revision.set(of, 0);
    history.set(of, 1);
    return {
      reconciled(event) {
        history.set(of, event.recorded ? 1 : 0);
        if (event.ok) revision.set(of, event.revision ?? 0);
      },
    };
  };
}
