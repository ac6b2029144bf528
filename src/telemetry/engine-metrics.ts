import type { EngineEvent } from '../controller/events.ts';
import { decisionMetrics, overrideMetrics } from './engine-metrics/decisions.ts';
import { discoveryMetrics, sourceMetrics } from './engine-metrics/discovery.ts';
import { type DocumentsOf, documentMetrics, driftMetrics } from './engine-metrics/documents.ts';
import { agentMetrics, configurationMetrics, successMetrics } from './engine-metrics/operation.ts';
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
  readonly documents: DocumentsOf;
  /** Monotonic clock, in milliseconds. */
  readonly now?: () => number;
}

/** Creates the metrics of the engine in a set. The documentation lists them in this order. */
export function engineMetrics(
  set: MetricSet,
  { known, documents, now = () => performance.now() }: EngineMetricsOptions,
): EngineMetrics {
  const typeOf = (type: string): string => (known(type) ? type : 'other');
  const ofAll = [
    discoveryMetrics(set, typeOf),
    sourceMetrics(set, typeOf),
    probeMetrics(set, typeOf),
    overrideMetrics(set),
    configurationMetrics(set),
  ];
  const ofTargets = [
    publicationMetrics(set, now),
    driftMetrics(set, documents),
    documentMetrics(set, typeOf, documents),
    decisionMetrics(set),
    historyMetrics(set),
    successMetrics(set),
    agentMetrics(set),
  ];
  const home = dispatcher([...ofAll, ...ofTargets.map((handlers) => handlers({}))]);
  const others = new Map<string, (event: EngineEvent) => void>();
  const countersOf = (target: string): ((event: EngineEvent) => void) => {
    const known = others.get(target) ?? dispatcher(ofTargets.map((handlers) => handlers({ target })));
    others.set(target, known);
    return known;
  };
  return {
    count(event) {
      if (event.targetId !== undefined) {
        countersOf(event.targetId)(event);
        return;
      }
      home(event);
      // The time from a change to its publication is measured per target.
      if (event.kind === 'pass') for (const count of others.values()) count(event);
    },
  };
}
