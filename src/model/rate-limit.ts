import { LRUCache } from 'lru-cache';

export interface RateLimit {
  /** Sustained requests per second. */
  readonly rate: number;
  /** Maximum burst. */
  readonly burst: number;
}

export interface RateLimiterOptions extends RateLimit {
  /** Maximum number of clients in memory. A forgotten client starts with a full bucket. */
  readonly clients: number;
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number;
}

/** Whether one more request is allowed. */
export interface RateLimitResult {
  readonly allowed: boolean;
  /** Number of further requests that are allowed now. */
  readonly remaining: number;
  /** When the next request is allowed, in whole seconds; 0 if this one is. */
  readonly retryAfterSeconds: number;
}

/** The tokens of a bucket at a time. */
interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** A token bucket per client. Each request takes a token, and tokens refill at a steady rate. */
export class RateLimiter {
  readonly #options: RateLimiterOptions;
  readonly #buckets: LRUCache<string, Bucket>;

  constructor(options: RateLimiterOptions) {
    this.#options = options;
    this.#buckets = new LRUCache({ max: options.clients });
  }

  /** Takes a token for a request. Rejected requests do not consume tokens. */
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
