import { type Backoff, backoff, requestedDelay } from '../model/backoff.ts';

const RETRY: Backoff = { firstDelay: 1_000, maxDelay: 30_000 };
/** Maximum delay that an API server may request, in milliseconds. */
const LONGEST_RETRY_AFTER = 300_000;

/** Consecutive failures of one loop, and the time of the next attempt. */
export class Retry {
  failures = 0;
  #at: number | undefined;

  succeeded(): void {
    this.failures = 0;
    this.#at = undefined;
  }

  /** @returns milliseconds until the next attempt */
  failed(error: unknown): number {
    this.failures += 1;
    const asked = requestedDelay(retryAfterOf(error), LONGEST_RETRY_AFTER, Math.random);
    const retryIn = Math.max(backoff(this.failures, RETRY, Math.random), asked);
    this.#at = performance.now() + retryIn;
    return retryIn;
  }

  /** Milliseconds until the next attempt; undefined after a success. */
  get due(): number | undefined {
    return this.#at === undefined ? undefined : Math.max(0, this.#at - performance.now());
  }

  /** Whether the backoff after a failure is still running. */
  get isWaiting(): boolean {
    return (this.due ?? 0) > 0;
  }
}

/** The delay that the API server requested, in milliseconds; 0 if none. */
function retryAfterOf(error: unknown): number {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    const { retryAfter } = each as { readonly retryAfter?: unknown };
    if (typeof retryAfter === 'number') return retryAfter;
  }
  return 0;
}
