/** Code that several groups of metrics share. */
import type { Gauge } from 'prom-client';

/** Converts a type to a label value: `other` unless a detector has the type. */
export type TypeLabel = (type: string) => string;

/** Histogram buckets of passes and publications, in seconds. */
export const PASS_BUCKETS = [0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Milliseconds in a second. */
export const SECOND = 1000;

/** The labels that things are counted by. The home cluster has no label, so with one cluster there is none. */
export interface Counted {
  readonly type: string;
  readonly cluster?: string;
}

/** Sets a gauge to the number of things by type and cluster, and removes all other label values. */
export function setCounts(gauge: Gauge<'type' | 'cluster'>, things: readonly Counted[]): void {
  gauge.reset();
  for (const { type, cluster } of things) gauge.inc(cluster === undefined ? { type } : { type, cluster });
}
