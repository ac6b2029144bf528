/** What groups of metrics have in common. */
import type { Gauge } from 'prom-client';

/** Turns a type into a label: types that a detector knows as they are, and `other` for a tenant's own words. */
export type TypeLabel = (type: string) => string;

/** Upper bounds of passes and publications, in seconds. */
export const PASSES = [0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Milliseconds of a second. */
export const SECOND = 1000;

/** What things are counted by. The home cluster is no label, so where there is one cluster there is none. */
export interface Counted {
  readonly type: string;
  readonly cluster?: string;
}

/** Sets a gauge to the number of things of each type and cluster; those that nothing has are gone. */
export function setCounts(gauge: Gauge<'type' | 'cluster'>, things: readonly Counted[]): void {
  gauge.reset();
  for (const { type, cluster } of things) gauge.inc(cluster === undefined ? { type } : { type, cluster });
}
