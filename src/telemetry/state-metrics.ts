import type { Condition } from '../model/condition.ts';
import type { MetricSet } from './metric-set.ts';

export interface StateMetricsOptions {
  /** The version of the program. */
  readonly version: string;
  /** Whether this process may write now. */
  readonly leads: () => boolean;
  /** What `/ready` checks, and whether each check is passed now. */
  readonly ready: () => Readonly<Record<string, boolean>>;
  /** The pause between two looks at all Services, in milliseconds. */
  readonly interval: () => number;
  /** The backends that are known now. */
  readonly backends: () => readonly { readonly conditions: readonly Condition[] }[];
}

/** Makes the metrics of what is so when it is asked for, and is no event. */
export function stateMetrics(
  set: MetricSet,
  { version, leads, ready, interval, backends }: StateMetricsOptions,
): void {
  set.gauge('build_info', 'The running version; always 1.', ['version']).set({ version }, 1);
  set.gauge('leader', '1 if this process is the leader, otherwise 0.', [], (gauge) =>
    gauge.set(leads() ? 1 : 0),
  );
  set.gauge('ready', '1 if a check of /ready passes, otherwise 0.', ['check'], (gauge) => {
    for (const [check, passed] of Object.entries(ready())) gauge.set({ check }, passed ? 1 : 0);
  });
  set.gauge('discovery_interval_seconds', 'Configured interval between full resyncs.', [], (gauge) =>
    gauge.set(interval() / 1000),
  );
  set.gauge(
    'backend_conditions',
    'Backends by condition, with its status and reason. What no backend has is absent. All replicas report all backends.',
    ['condition', 'status', 'reason'],
    (gauge) => {
      gauge.reset();
      for (const { conditions } of backends())
        for (const { type, status, reason } of conditions) gauge.inc({ condition: type, status, reason });
    },
  );
}
