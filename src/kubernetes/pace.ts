import { askedPause, backoff } from '../model/backoff.ts';
import { ApiStatusError, isDenied } from './status.ts';

/** How fast a collection is followed. All times are in milliseconds. */
export interface Pace {
  /** Pause after the first failure; doubled with each further one. */
  readonly first: number;
  /** Pause after the first refusal for lack of rights: nothing will change that soon. */
  readonly firstDenied: number;
  /** Longest pause that we choose. */
  readonly longest: number;
  /** Longest pause that the server may ask for. */
  readonly longestAsked: number;
  /** A watch that lasted so long has worked, whatever ended it. */
  readonly settled: number;
  /** Longest time without a byte. The API server sends a bookmark each minute. */
  readonly idle: number;
}

export const PACE: Pace = {
  first: 1_000,
  firstDenied: 5_000,
  longest: 60_000,
  longestAsked: 300_000,
  settled: 10_000,
  idle: 150_000,
};

/** The pause before the next try after so many failures in a row, in milliseconds; never shorter than the server asks. */
export function pauseAfter(error: unknown, failures: number, pace: Pace): number {
  const first = isDenied(error) ? Math.max(pace.firstDenied, pace.first) : pace.first;
  const own = backoff(failures, { first, longest: pace.longest }, Math.random);
  const asked = error instanceof ApiStatusError ? (error.retryAfter ?? 0) : 0;
  return Math.max(own, askedPause(asked, pace.longestAsked, Math.random));
}
