import type { EngineEvent } from '../controller/events.ts';
import { decisionMetrics, overrideMetrics } from './engine-metrics/decisions.ts';
import { discoveryMetrics, sourceMetrics } from './engine-metrics/discovery.ts';
import { documentMetrics, driftMetrics } from './engine-metrics/documents.ts';
import { configurationMetrics, successMetrics } from './engine-metrics/operation.ts';
import { probeMetrics } from './engine-metrics/probes.ts';
import { historyMetrics, publicationMetrics } from './engine-metrics/publication.ts';
import { dispatcher } from './event-handlers.ts';
import type { MetricSet } from './metric-set.ts';

/** Metrics of the engine. Names of Services and texts of tenants are never labels. */
export interface EngineMetrics {
  count(event: EngineEvent): void;
}

export interface EngineMetricsOptions {
  /** Whether a type may be a label. Types that tenants made up become `other`. */
  readonly known: (type: string) => boolean;
  /** Names of the generated documents. */
  readonly documents: readonly string[];
  /** Monotonic clock, in milliseconds. */
  readonly now?: () => number;
}

/** Creates the metrics of the engine in a set. The documentation lists them in this order. */
export function engineMetrics(
  set: MetricSet,
  { known, documents, now = () => performance.now() }: EngineMetricsOptions,
): EngineMetrics {
  const typeOf = (type: string): string => (known(type) ? type : 'other');
  const count = dispatcher([
    discoveryMetrics(set, typeOf),
    sourceMetrics(set, typeOf),
    probeMetrics(set, typeOf),
    publicationMetrics(set, now),
    driftMetrics(set, documents),
    documentMetrics(set, typeOf, documents),
    overrideMetrics(set),
    decisionMetrics(set),
    historyMetrics(set),
    configurationMetrics(set),
    successMetrics(set),
  ]);
  return { count };
}
