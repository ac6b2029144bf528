import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoff } from '../model/backoff.ts';
import { isStatus } from './status.ts';

export interface ConflictRetry {
  /** Whether an error says that somebody else wrote in between; status 409 without. */
  readonly isConflict?: (error: unknown) => boolean;
  /** Most attempts; 6 without. */
  readonly attempts?: number;
  /** Pause after the first conflict, in milliseconds; 10 without. */
  readonly first?: number;
}

/** Those who met once must not meet again, so half of each pause is left to chance. */
const PACE: Omit<Backoff, 'first'> = { longest: 1_000, jitter: 0.5 };

/**
 * Runs an attempt to write, and runs it again when somebody else wrote in between. Each attempt must read the current
 * state and decide again.
 * @param attempt is given the number of conflicts so far
 * @throws what the attempt throws; the conflict after the last attempt
 * @see https://pkg.go.dev/k8s.io/client-go/util/retry#RetryOnConflict
 */
export async function retryOnConflict<T>(
  attempt: (conflicts: number) => Promise<T>,
  signal: AbortSignal,
  { isConflict = (error) => isStatus(error, 409), attempts = 6, first = 10 }: ConflictRetry = {},
): Promise<T> {
  for (let conflicts = 0; ; )
    try {
      return await attempt(conflicts);
    } catch (error) {
      conflicts += 1;
      if (!isConflict(error) || conflicts === attempts) throw error;
      await sleep(backoff(conflicts, { ...PACE, first }, Math.random), undefined, { signal });
    }
}
