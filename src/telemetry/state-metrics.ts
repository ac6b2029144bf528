import type { Condition } from '../model/condition.ts';
import { clusterField } from '../model/key.ts';
import type { ServiceName } from '../model/service.ts';
import type { MetricSet } from './metric-set.ts';

export interface StateMetricsOptions {
  /** The version of the program. */
  readonly version: string;
  /** Whether this process is the leader. */
  readonly leads: () => boolean;
  /** The checks of `/ready`, with their current results. */
  readonly ready: () => Readonly<Record<string, boolean>>;
  /** The resync interval, in milliseconds. */
  readonly interval: () => number;
  /** The known backends. */
  readonly backends: () => readonly {
    readonly conditions: readonly Condition[];
    readonly entryPoint: { readonly service: Pick<ServiceName, 'cluster'> };
  }[];
  /** Number of candidates that are left out because their answers contradict their type. They are not backends. */
  readonly disproven: () => number;
}

/** Creates the metrics of current state, which are read at each scrape. */
export function stateMetrics(
  set: MetricSet,
  { version, leads, ready, interval, backends, disproven }: StateMetricsOptions,
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
    'Backends by condition, with its status and reason. Candidates that are left out because their answers contradict their type count as Proven=False. Combinations that no backend has are absent. All replicas report all backends.',
    ['condition', 'status', 'reason', 'cluster'],
    (gauge) => {
      gauge.reset();
      for (const { conditions, entryPoint } of backends())
        for (const { type, status, reason } of conditions)
          gauge.inc({ condition: type, status, reason, ...clusterField(entryPoint.service) });
      const count = disproven();
      if (count === 0) return;
      gauge.inc({ condition: 'Proven', status: 'False', reason: 'AnsweredAsSomethingElse' }, count);
      gauge.inc({ condition: 'Published', status: 'False', reason: 'NotProven' }, count);
    },
  );
}
