import { compareText } from './compare.ts';
import type { ServiceKey } from './service.ts';

/** When a backend came into use. Where a limit takes some, the earlier ones stay, even if they failed meanwhile. */
export interface Seniority {
  /** Milliseconds of `performance.now`; 0: before this process. */
  readonly at: number;
  /** When its Service had been created by then, RFC 3339. It may be created again. Absent: before this process. */
  readonly created?: string | undefined;
}

/** By the Services of the backends in use. */
export type InUseSince = ReadonlyMap<ServiceKey, Seniority>;

/** What is not in use has none of it. */
const NONE: Seniority = { at: Number.MAX_SAFE_INTEGER };

/** The seniority of a backend with these Services. */
export const seniorityOf = (services: readonly ServiceKey[], inUseSince: InUseSince): Seniority =>
  services.reduce((first, key) => {
    const each = inUseSince.get(key);
    return each !== undefined && bySeniority(each, first) < 0 ? each : first;
  }, NONE);

/** Sorts those that came into use earlier first, and of several at once, those whose Services had been created earlier. */
export const bySeniority = (a: Seniority, b: Seniority): number =>
  a.at - b.at || (a.created === undefined || b.created === undefined ? 0 : compareText(a.created, b.created));
