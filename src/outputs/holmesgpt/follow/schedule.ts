import { type Backoff, backoff } from '../../../model/backoff.ts';

/** Changes of the file that the agent has not read yet; times in milliseconds. */
export interface PendingReload {
  /** The time of the first one. */
  readonly since: number;
  /** The time of the last one. */
  readonly latest: number;
}

export interface Pace {
  /** How long after a change the agent may still see the old file. */
  readonly lag: number;
  /** Minimum time between two reloads. */
  readonly interval: number;
}

/**
 * The time of the next reload: as soon as the agent can see the first change, but at most once per interval. Later changes
 * do not delay it.
 * @param last the time of the last reload
 */
export function dueAt(unread: PendingReload, last: number | undefined, { lag, interval }: Pace): number {
  const seen = unread.since + lag;
  return last === undefined ? seen : Math.max(seen, last + interval);
}

/** The changes that the agent may not have seen at a reload. */
export function pendingAfter(unread: PendingReload, { lag }: Pace, now: number): PendingReload | undefined {
  return unread.latest + lag > now ? { since: unread.latest, latest: unread.latest } : undefined;
}

const RETRY: Backoff = { firstDelay: 5_000, maxDelay: 300_000 };

/** The delay before the next attempt, in milliseconds. */
export const retryDelay = (failures: number, random: () => number): number =>
  backoff(failures, RETRY, random);
