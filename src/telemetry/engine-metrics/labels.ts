/** Labels that several groups of metrics share, and their common units. */
import type { EventHandlers } from '../event-handlers.ts';

/** Converts a type to a label value: `other` unless a detector has the type. */
export type TypeLabel = (type: string) => string;

/** The label of a target. The home target has none, so with one target there is no such label. */
export interface TargetLabel {
  readonly target?: string;
}

/** Creates the handlers of one target. */
export type TargetHandlers = (of: TargetLabel) => EventHandlers;

/** Histogram buckets of passes and publications, in seconds. */
export const PASS_BUCKETS = [0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Milliseconds in a second. */
export const SECOND = 1000;

/** The labels that things are counted by. The home cluster and the home target have no label of theirs. */
export interface Counted extends TargetLabel {
  readonly type: string;
  readonly cluster?: string;
}

/** The label of a cluster. The home cluster has none. */
export const clusterLabelOf = (cluster: string | undefined): { readonly cluster?: string } =>
  cluster === undefined ? {} : { cluster };

interface CountGauge {
  reset(): void;
  inc(labels: Counted, by: number): void;
}

/** Sets a gauge to the number of things by labels, and removes all other label values. */
export function setCounts(gauge: CountGauge, things: readonly Counted[]): void {
  gauge.reset();
  const keyOf = ({ type, cluster, target }: Counted): string => `${type}\n${cluster}\n${target}`;
  for (const [first, ...others] of Map.groupBy(things, keyOf).values()) {
    if (first === undefined) continue;
    const { type, cluster, target } = first;
    gauge.inc(
      { type, ...clusterLabelOf(cluster), ...(target === undefined ? {} : { target }) },
      1 + others.length,
    );
  }
}
