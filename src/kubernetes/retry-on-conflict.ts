import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoff } from '../model/backoff.ts';
import { isStatus } from './status.ts';

export interface ConflictRetryOptions {
  /** Whether an error is a conflict; default: status 409. */
  readonly isConflict?: (error: unknown) => boolean;
  /** Maximum number of attempts; default 6. */
  readonly attempts?: number;
  /** Delay after the first conflict, in milliseconds; default 10. */
  readonly first?: number;
}

/** A large jitter keeps writers from colliding again. */
const BACKOFF: Omit<Backoff, 'firstDelay'> = { maxDelay: 1_000, jitter: 0.5 };

/**
 * Runs a write, and retries it after a conflict. Each attempt must read the current state and decide again.
 * @param attempt receives the number of conflicts so far
 * @throws any other error of an attempt; the conflict of the last attempt
 * @see https://pkg.go.dev/k8s.io/client-go/util/retry#RetryOnConflict
 */
export async function retryOnConflict<T>(
  attempt: (conflicts: number) => Promise<T>,
  signal: AbortSignal,
  { isConflict = (error) => isStatus(error, 409), attempts = 6, first = 10 }: ConflictRetryOptions = {},
): Promise<T> {
  for (let conflicts = 0; ; )
    try {
      return await attempt(conflicts);
    } catch (error) {
      conflicts += 1;
      if (!isConflict(error) || conflicts === attempts) throw error;
      await sleep(backoff(conflicts, { ...BACKOFF, firstDelay: first }, Math.random), undefined, { signal });
    }
}
