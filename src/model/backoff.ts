/** How pauses between tries grow. Times are in milliseconds. */
export interface Backoff {
  /** Pause after the first failure; doubled with each further one. */
  readonly first: number;
  /** Cap of the pause. */
  readonly longest: number;
  /** Part of a pause that is left to chance, from 0 to 1; a quarter without. */
  readonly jitter?: number;
}

/** The most doublings that count: beyond, every cap is reached, and numbers stay finite. */
const DOUBLINGS = 50;

/**
 * The pause after so many failures in a row, without jitter.
 * @param failures from 1 on
 */
export const exponential = (failures: number, { first, longest }: Backoff): number =>
  Math.min(longest, first * 2 ** Math.min(failures - 1, DOUBLINGS));

/**
 * A pause that is shorter by chance, so that those who failed together do not return together.
 * @param part how much of the pause is left to chance, from 0 to 1
 * @param random from 0 up to 1
 */
export const jittered = (pause: number, part: number, random: () => number): number =>
  pause * (1 - part + random() * part);

/**
 * The pause before the next try: doubled with each failure up to the cap, then made shorter by chance.
 * @param failures in a row, from 1 on
 * @param random from 0 up to 1
 */
export const backoff = (failures: number, pace: Backoff, random: () => number): number =>
  jittered(exponential(failures, pace), pace.jitter ?? 0.25, random);

/**
 * The pause that a server asked for (`Retry-After`): never shorter, up to a tenth longer by chance, and capped.
 * @param asked in milliseconds
 * @param random from 0 up to 1
 */
export const askedPause = (asked: number, longest: number, random: () => number): number =>
  Math.min(asked, longest) * (1 + random() / 10);
