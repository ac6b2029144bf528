import { DOCUMENT_KEYS, type Documents } from '../../model/documents.ts';
import { publishedTools } from '../../model/published-tools.ts';
import type { EventHandlers } from '../event-handlers.ts';
import type { MetricSet } from '../metric-set.ts';
import { type Counted, setCounts, type TypeLabel } from './common.ts';

/** The tools in a published document. */
const toolsIn = (documents: Documents | undefined): readonly Counted[] =>
  publishedTools(documents?.['toolset.json']);

/** Metrics of drift: changes that others make to generated documents. */
export function driftMetrics(set: MetricSet): EventHandlers {
  const drift = set.counter(
    'configmap_drift_detected_total',
    'External changes of generated documents, by document, or "deleted" for the whole ConfigMap. They were reverted.',
    ['kind'],
  );
  for (const kind of [...DOCUMENT_KEYS, 'deleted']) drift.inc({ kind }, 0);
  return {
    drift({ keys }) {
      for (const kind of keys) drift.inc({ kind });
    },
    recreated: () => drift.inc({ kind: 'deleted' }),
  };
}

/** Metrics of the documents: how often they are made, and the tools in those that are published. */
export function documentMetrics(set: MetricSet, typeOf: TypeLabel): EventHandlers {
  const generations = set.counter(
    'generations_total',
    'Generated documents; "failure" if overrides.yaml is invalid, so the last documents stay.',
    ['document', 'result'],
  );
  let documents: Documents | undefined;
  let counted: Documents | undefined;
  set.gauge('tools_count', 'Published tools.', ['type', 'cluster'], (gauge) => {
    if (counted !== documents) {
      const tools = toolsIn(documents);
      setCounts(
        gauge,
        tools.map((tool) => ({ ...tool, type: typeOf(tool.type) })),
      );
    }
    counted = documents;
  });
  const count = (result: 'success' | 'failure', more: number): void => {
    for (const document of DOCUMENT_KEYS) generations.inc({ document, result }, more);
  };
  count('success', 0);
  count('failure', 0);
  return {
    generated: ({ ok }) => count(ok ? 'success' : 'failure', 1),
    reconciled(event) {
      if (event.ok) documents = event.documents;
    },
  };
}
