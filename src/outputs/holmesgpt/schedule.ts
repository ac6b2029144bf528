import { type Backoff, backoff } from '../../model/backoff.ts';

/** Changes of the file that the agent has not read yet; times in milliseconds. */
export interface Unread {
  /** When the first of them was made. */
  readonly since: number;
  /** When the last of them was made. */
  readonly latest: number;
}

export interface Pace {
  /** How long after a change the agent's file may still be the old one. */
  readonly lag: number;
  /** Shortest time between two reloads. */
  readonly interval: number;
}

/**
 * When the agent is to read its file again: the first time as soon as the change can be seen, then once an interval at
 * most. Later changes do not put it off.
 * @param last when it was told last
 */
export function dueAt(unread: Unread, last: number | undefined, { lag, interval }: Pace): number {
  const seen = unread.since + lag;
  return last === undefined ? seen : Math.max(seen, last + interval);
}

/** What is still unread after the agent read its file: changes that it may not have seen yet. */
export function unreadAfter(unread: Unread, { lag }: Pace, now: number): Unread | undefined {
  return unread.latest + lag > now ? { since: unread.latest, latest: unread.latest } : undefined;
}

const RETRY: Backoff = { firstDelay: 5_000, maxDelay: 300_000 };

/** Pause before the next try after so many failures, 1 at least, in milliseconds. */
export const retryPause = (failures: number, random: () => number): number =>
  backoff(failures, RETRY, random);
