/** Exponential backoff. Times are in milliseconds. */
export interface Backoff {
  /** Delay after the first failure; doubles with each further one. */
  readonly firstDelay: number;
  /** Upper limit of the delay. */
  readonly maxDelay: number;
  /** Random part of a delay, from 0 to 1; default 0.25. */
  readonly jitter?: number;
}

/** Maximum number of doublings: it exceeds every limit, and keeps numbers finite. */
const DOUBLINGS = 50;

/**
 * The delay without jitter.
 * @param failures consecutive failures, at least 1
 */
export const exponential = (failures: number, { firstDelay, maxDelay }: Backoff): number =>
  Math.min(maxDelay, firstDelay * 2 ** Math.min(failures - 1, DOUBLINGS));

/**
 * Shortens a delay randomly, so that clients that failed together do not retry together.
 * @param part random part of the delay, from 0 to 1
 * @param random returns a number from 0 to 1
 */
export const jittered = (pause: number, part: number, random: () => number): number =>
  pause * (1 - part + random() * part);

/**
 * The delay before the next retry: doubled with each failure up to the limit, then shortened by the jitter.
 * @param failures consecutive failures, at least 1
 * @param random returns a number from 0 to 1
 */
export const backoff = (failures: number, pace: Backoff, random: () => number): number =>
  jittered(exponential(failures, pace), pace.jitter ?? 0.25, random);

/**
 * The delay that a server requested (`Retry-After`), capped and up to a tenth longer at random.
 * @param asked in milliseconds
 * @param random returns a number from 0 to 1
 */
export const requestedDelay = (asked: number, maxDelay: number, random: () => number): number =>
  Math.min(asked, maxDelay) * (1 + random() / 10);
