import { backoff, requestedDelay } from '../model/backoff.ts';
import { ApiStatusError, isDenied } from './status.ts';

/** Delays and timeouts of an informer, in milliseconds. */
export interface InformerTiming {
  /** Delay after the first failure; doubles with each further one. */
  readonly firstDelay: number;
  /** Delay after the first denied request, because permissions rarely change soon. */
  readonly firstDelayIfDenied: number;
  /** Upper limit of the backoff. */
  readonly maxDelay: number;
  /** Upper limit of a delay that the server requests. */
  readonly maxRetryAfter: number;
  /** A watch that lasts this long counts as healthy, however it ends. */
  readonly healthyAfter: number;
  /** Timeout between two bytes. The API server sends a bookmark every minute. */
  readonly idleTimeout: number;
}

export const DEFAULT_TIMING: InformerTiming = {
  firstDelay: 1_000,
  firstDelayIfDenied: 5_000,
  maxDelay: 60_000,
  maxRetryAfter: 300_000,
  healthyAfter: 10_000,
  idleTimeout: 150_000,
};

/** The delay before the next retry in milliseconds, after a number of consecutive failures. Respects `Retry-After`. */
export function retryDelay(error: unknown, failures: number, timing: InformerTiming): number {
  const firstDelay = isDenied(error)
    ? Math.max(timing.firstDelayIfDenied, timing.firstDelay)
    : timing.firstDelay;
  const own = backoff(failures, { firstDelay, maxDelay: timing.maxDelay }, Math.random);
  const asked = error instanceof ApiStatusError ? (error.retryAfter ?? 0) : 0;
  return Math.max(own, requestedDelay(asked, timing.maxRetryAfter, Math.random));
}
