import type { PublishedTool } from '../../model/published-tools.ts';
import type { EventHandlers } from '../event-handlers.ts';
import type { MetricSet } from '../metric-set.ts';
import { setCounts, type TypeLabel } from './common.ts';

/** Metrics of drift: external changes of generated documents. */
export function driftMetrics(set: MetricSet, documents: readonly string[]): EventHandlers {
  const drift = set.counter(
    'configmap_drift_detected_total',
    'External changes of generated documents, by document, or "deleted" for the whole ConfigMap. They were reverted.',
    ['kind'],
  );
  for (const kind of [...documents, 'deleted']) drift.inc({ kind }, 0);
  return {
    drift({ keys }) {
      for (const kind of keys) drift.inc({ kind });
    },
    recreated: () => drift.inc({ kind: 'deleted' }),
  };
}

/** Metrics of documents: how often they are generated, and the tools in the published ones. */
export function documentMetrics(
  set: MetricSet,
  typeOf: TypeLabel,
  documents: readonly string[],
): EventHandlers {
  const generations = set.counter(
    'generations_total',
    'Generated documents; "failure" if overrides.yaml is invalid, so the last documents stay.',
    ['document', 'result'],
  );
  let tools: readonly PublishedTool[] = [];
  let counted: readonly PublishedTool[] | undefined;
  set.gauge('tools_count', 'Published tools.', ['type', 'cluster'], (gauge) => {
    if (counted !== tools)
      setCounts(
        gauge,
        tools.map((tool) => ({ ...tool, type: typeOf(tool.type) })),
      );
    counted = tools;
  });
  const count = (result: 'success' | 'failure', more: number): void => {
    for (const document of documents) generations.inc({ document, result }, more);
  };
  count('success', 0);
  count('failure', 0);
  return {
    generated: ({ ok }) => count(ok ? 'success' : 'failure', 1),
    reconciled(event) {
      if (event.ok) tools = event.tools ?? [];
    },
  };
}
