import { shardOf } from '../../model/documents.ts';
import type { PublishedTool } from '../../model/published-tools.ts';
import type { MetricSet } from '../metric-set.ts';
import { setCounts, type TargetHandlers, type TargetLabel, type TypeLabel } from './labels.ts';

/** Names of the generated documents of a target; `undefined` is the home target. */
export type DocumentsOf = (targetId: string | undefined) => readonly string[];

/** Metrics of drift: external changes of generated documents. */
export function driftMetrics(set: MetricSet, documentsOf: DocumentsOf): TargetHandlers {
  const drift = set.counter(
    'configmap_drift_detected_total',
    'External changes of generated documents, by document, or "deleted" for the whole ConfigMap. They were reverted.',
    ['kind', 'target'],
  );
  return (of) => {
    for (const kind of [...documentsOf(of.target), 'deleted']) drift.inc({ kind, ...of }, 0);
    return {
      drift({ keys }) {
        // The parts of a divided document count together.
        for (const kind of new Set(keys.map((key) => shardOf(key).document))) drift.inc({ kind, ...of });
      },
      recreated: () => drift.inc({ kind: 'deleted', ...of }),
    };
  };
}

/** Metrics of documents: how often they are generated, and the tools in the published ones. */
export function documentMetrics(set: MetricSet, typeOf: TypeLabel, documentsOf: DocumentsOf): TargetHandlers {
  const generations = set.counter(
    'generations_total',
    'Generated documents; "failure" if overrides.yaml is invalid, so the last documents stay.',
    ['document', 'result', 'target'],
  );
  /** Published tools by target. */
  const tools = new Map<TargetLabel, readonly PublishedTool[]>();
  let isCounted = false;
  set.gauge('tools_count', 'Published tools.', ['type', 'cluster', 'target'], (gauge) => {
    if (isCounted) return;
    isCounted = true;
    const all = [...tools].flatMap(([of, each]) => each.map((tool) => ({ ...tool, ...of })));
    setCounts(
      gauge,
      all.map((tool) => ({ ...tool, type: typeOf(tool.type) })),
    );
  });
  return (of) => {
    const count = (result: 'success' | 'failure', more: number): void => {
      for (const document of documentsOf(of.target)) generations.inc({ document, result, ...of }, more);
    };
    count('success', 0);
    count('failure', 0);
    return {
      generated: ({ ok }) => count(ok ? 'success' : 'failure', 1),
      reconciled(event) {
        if (!event.ok || event.tools === tools.get(of)) return;
        tools.set(of, event.tools ?? []);
        isCounted = false;
      },
    };
  };
}
