import type { EventHandlers } from '../event-handlers.ts';
import type { MetricSet } from '../metric-set.ts';
import { SECOND, type TargetHandlers } from './labels.ts';

/** Metrics of configuration changes. */
export function configurationMetrics(set: MetricSet): EventHandlers {
  const reloads = set.counter('config_reloads_total', 'Configuration changes, by result.', ['result']);
  const reloaded = set.gauge(
    'config_last_reload_successful',
    '1 if the current configuration is in force, 0 if it is invalid.',
  );
  for (const result of ['success', 'failure']) reloads.inc({ result }, 0);
  reloaded.set(1);
  return {
    reconfigured() {
      reloads.inc({ result: 'success' });
      reloaded.set(1);
    },
    'configuration-refused'() {
      reloads.inc({ result: 'failure' });
      reloaded.set(0);
    },
    'configuration-mended': () => reloaded.set(1),
  };
}

/** The metric of the agent. */
export function agentMetrics(set: MetricSet): TargetHandlers {
  const upToDate = set.gauge(
    'agent_up_to_date',
    '1 after the agent has what is published, 0 while updating it fails or is refused. Absent if no agent is configured. Replicas that do not lead do not update it.',
    ['target'],
  );
  return (of) => ({
    'agent-state'({ state }) {
      if (state === undefined) upToDate.remove(of);
      else upToDate.set(of, state.problem === undefined ? 1 : 0);
    },
  });
}

/** Metrics of when each stage last succeeded. */
export function successMetrics(set: MetricSet): TargetHandlers {
  const success = set.gauge(
    'last_success_timestamp_seconds',
    'Unix time when a stage last succeeded. Replicas that do not lead do not reconcile.',
    ['stage', 'target'],
  );
  return (of) => ({
    // Probes continue while Services cannot be read, but such a pass does not count as a discovery.
    pass({ full }) {
      if (full) success.set({ stage: 'discovery' }, Date.now() / SECOND);
    },
    reconciled({ ok }) {
      if (ok) success.set({ stage: 'reconciliation', ...of }, Date.now() / SECOND);
    },
  });
}
