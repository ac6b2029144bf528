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
}

/** Makes the metrics of what is so when it is asked for, and is no event. */
export function stateMetrics(set: MetricSet, { version, leads, ready, interval }: StateMetricsOptions): void {
  set.gauge('build_info', 'The version that runs; always 1.', ['version']).set({ version }, 1);
  set.gauge('leader', 'Whether this process may write: 1, or 0 while another one leads.', [], (gauge) =>
    gauge.set(leads() ? 1 : 0),
  );
  set.gauge('ready', 'Whether a check of /ready is passed now: 1, or 0 if not.', ['check'], (gauge) => {
    for (const [check, passed] of Object.entries(ready())) gauge.set({ check }, passed ? 1 : 0);
  });
  set.gauge(
    'discovery_interval_seconds',
    'Time between two looks at all Services, as it is configured.',
    [],
    (gauge) => gauge.set(interval() / 1000),
  );
}
