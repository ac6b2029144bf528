import { compareText } from './compare.ts';
import type { Service, ServiceKey } from './service.ts';

/** When a backend came into use. Where a limit takes some, the earlier ones stay, even if they failed meanwhile. */
export interface Seniority {
  /** Milliseconds of `performance.now`, so what came into use before this process has a negative number; 0: unknown. */
  readonly at: number;
  /** When its Service had been created by then, RFC 3339. It may be created again. */
  readonly created?: string | undefined;
}

/** That of a backend that another process published: it is unknown when it came into use. */
export const BEFORE: Seniority = { at: 0 };

/** A seniority; if it is unknown, that of its Service. */
export function knownSeniority(since: Seniority, { created }: Pick<Service, 'created'>): Seniority {
  if (since.at !== 0 || created === undefined) return since;
  const at = Date.parse(created) - performance.timeOrigin;
  return Number.isNaN(at) ? since : { at, created };
}

/** By the Services of the backends in use. */
export type InUseSince = ReadonlyMap<ServiceKey, Seniority>;

/** That of what is not in use. */
export const NONE: Seniority = { at: Number.MAX_SAFE_INTEGER };

/** The seniority of a backend with these Services. */
export const seniorityOf = (services: readonly ServiceKey[], inUseSince: InUseSince): Seniority =>
  services.reduce((first, key) => {
    const each = inUseSince.get(key);
    return each !== undefined && bySeniority(each, first) < 0 ? each : first;
  }, NONE);

/** Sorts those that came into use earlier first, and of several at once, those whose Services had been created earlier. */
export const bySeniority = (a: Seniority, b: Seniority): number =>
  a.at - b.at || (a.created === undefined || b.created === undefined ? 0 : compareText(a.created, b.created));
