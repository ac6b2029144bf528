import type { Problem } from '../../model/discovery.ts';
import { LIMIT_NAMES } from '../../model/documents.ts';
import type { EventHandlers } from '../event-handlers.ts';
import type { MetricSet } from '../metric-set.ts';
import type { TargetHandlers } from './labels.ts';

const isOfOverrides = ({ where }: Problem): boolean => where.startsWith('overrides.yaml');

/** Metrics of overrides. */
export function overrideMetrics(set: MetricSet): EventHandlers {
  const overrides = set.counter(
    'override_errors_total',
    'Number of times that overrides.yaml became invalid.',
  );
  const valid = set.gauge(
    'overrides_valid',
    '1 if overrides.yaml was valid when the leader last read it, otherwise 0. Replicas that do not lead do not read it.',
  );
  valid.set(1);
  const conflicts = set.counter(
    'override_conflicts_total',
    'Entries of overrides.yaml that are newly ignored: they change a tool that does not exist, or the agent would reject them.',
  );
  let known = new Set<string>();
  return {
    generated: ({ ok }) => valid.set(ok ? 1 : 0),
    reconciled({ problems }) {
      const left = problems.filter(isOfOverrides).map(({ where, what }) => `${where} ${what}`);
      conflicts.inc(left.filter((line) => !known.has(line)).length);
      known = new Set(left);
    },
    'overrides-invalid': () => overrides.inc(),
  };
}

/** Metrics of why the published tools differ from the discovered backends. */
export function decisionMetrics(set: MetricSet): TargetHandlers {
  const held = set.counter(
    'removals_held_total',
    'Number of times that a removal of tools was held: most tools at once, or, with --once, after one failed probe.',
    ['target'],
  );
  const rollbacks = set.counter(
    'rollbacks_total',
    'Publications that were rolled back because they were unusable.',
    ['target'],
  );
  const waiting = set.gauge(
    'approvals_waiting',
    'MCP servers and annotated Services that wait for approval. Replicas that do not lead do not count them.',
  );
  const toolChanges = set.counter(
    'mcp_tool_changes_total',
    'Number of times that the tools of a published MCP server changed.',
  );
  const limited = set.gauge(
    'tools_limited',
    "Tools that a limit keeps out of the documents, or whose owner's description it drops, by limit.",
    ['limit', 'target'],
  );
  return (of) => {
    for (const counter of [held, rollbacks]) counter.inc(of, 0);
    for (const limit of LIMIT_NAMES) limited.set({ limit, ...of }, 0);
    return {
      reconciled({ cuts }) {
        if (cuts === undefined) return;
        for (const limit of LIMIT_NAMES)
          limited.set({ limit, ...of }, cuts.filter((cut) => cut.limit === limit).length);
      },
      'removal-held': () => held.inc(of),
      'approvals-waiting': (event) => waiting.set(event.waiting.length),
      'tools-changed'({ change }) {
        if (change.since !== 'nothing') toolChanges.inc();
      },
      'rolled-back': () => rollbacks.inc(of),
    };
  };
}
