import { LRUCache } from 'lru-cache';

export interface RateLimit {
  /** Requests a second in the long run. */
  readonly rate: number;
  /** Requests at once after a pause. */
  readonly burst: number;
}

export interface RateLimiterOptions extends RateLimit {
  /** Most clients that are remembered; who was forgotten may begin anew. */
  readonly clients: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** Whether one more request is allowed. */
export interface RateLimitResult {
  readonly allowed: boolean;
  /** How many more are allowed now. */
  readonly remaining: number;
  /** When the next one is allowed, in whole seconds; 0 if this one is. */
  readonly retryAfterSeconds: number;
}

/** How much is in a bucket, and when it was. */
interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** A token bucket for each client: each request takes one out, and they come back at a steady rate. */
export class RateLimiter {
  readonly #options: RateLimiterOptions;
  readonly #buckets: LRUCache<string, Bucket>;

  constructor(options: RateLimiterOptions) {
    this.#options = options;
    this.#buckets = new LRUCache({ max: options.clients });
  }

  /** Counts a request of a client. One that is not allowed takes nothing, so who keeps trying is not kept out. */
  take(client: string): RateLimitResult {
    const { rate, burst, now } = this.#options;
    const at = now();
    const bucket = this.#buckets.get(client) ?? { tokens: burst, at };
    const tokens = Math.min(burst, bucket.tokens + ((at - bucket.at) * rate) / 1000);
    if (tokens < 1)
      return { allowed: false, remaining: 0, retryAfterSeconds: Math.ceil((1 - tokens) / rate) };
    this.#buckets.set(client, { tokens: tokens - 1, at });
    return { allowed: true, remaining: Math.floor(tokens - 1), retryAfterSeconds: 0 };
  }
}
