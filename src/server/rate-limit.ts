import { LRUCache } from 'lru-cache';

/** What becomes of one request. */
export interface Taken {
  readonly allowed: boolean;
  /** How many more are let through now. */
  readonly remaining: number;
  /** Whole seconds until the next one is. */
  readonly retryAfterSeconds: number;
}

interface Bucket {
  readonly tokens: number;
  /** When it held so many, in milliseconds. */
  readonly at: number;
}

/** Most clients whose requests are counted; of those that were seen longest ago nothing is known. */
const MOST_CLIENTS = 10_000;

/** Limits requests by client: so many a second for long, and so many at once. */
export class RateLimiter {
  readonly rate: number;
  readonly burst: number;
  readonly #now: () => number;
  readonly #buckets = new LRUCache<string, Bucket>({ max: MOST_CLIENTS });

  /**
   * @param rate requests a second
   * @param burst requests at once
   * @param now milliseconds of a clock that never goes back
   */
  constructor(rate: number, burst: number, now: () => number) {
    this.rate = rate;
    this.burst = burst;
    this.#now = now;
  }

  /** Counts a request. */
  take(client: string): Taken {
    const now = this.#now();
    const before = this.#buckets.get(client) ?? { tokens: this.burst, at: now };
    const tokens = Math.min(this.burst, before.tokens + ((now - before.at) / 1000) * this.rate);
    const allowed = tokens >= 1;
    const left = allowed ? tokens - 1 : tokens;
    this.#buckets.set(client, { tokens: left, at: now });
    return {
      allowed,
      remaining: Math.floor(left),
      retryAfterSeconds: Math.max(1, Math.ceil((1 - left) / this.rate)),
    };
  }
}
