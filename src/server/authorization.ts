import { hash } from 'node:crypto';
import type { AccessAttributes, AccessVerdict, Caller } from '../model/caller.ts';
import { oneLine } from '../model/text.ts';
import { clientOfUser } from './client.ts';
import {
  type Cached,
  type CacheLimits,
  LIMITS,
  StaleWhileRevalidateCache,
} from './stale-while-revalidate-cache.ts';
import { BUSY, UNAVAILABLE_TTL_MS, type Unavailable, unavailable } from './unavailable.ts';

/** The result of authorizing a caller. */
export type Authorization =
  | { readonly kind: 'allowed' }
  /** `reason` is from the API server, for the log and the caller. */
  | { readonly kind: 'forbidden'; readonly reason: string }
  | Unavailable;

export interface AuthorizerOptions {
  /** Reviews the access of a caller; throws if that is impossible now. */
  readonly review: (
    caller: Caller,
    attributes: AccessAttributes,
    signal: AbortSignal,
  ) => Promise<AccessVerdict>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Aborts running reviews. */
  readonly signal: AbortSignal;
  readonly limits?: CacheLimits;
}

/** How long a result is cached, in milliseconds. */
const TTL_MS = 10_000;

const ALLOWED: Authorization = { kind: 'allowed' };

/** Authorizes callers. Results are cached for ten seconds. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #cache: StaleWhileRevalidateCache<Authorization>;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#cache = new StaleWhileRevalidateCache(options.limits ?? LIMITS, options.now, options.signal);
  }

  /** Authorizes a caller. Never throws. */
  async authorize(caller: Caller, attributes: AccessAttributes): Promise<Authorization> {
    // A caller may have thousands of groups, so the cache key is a digest.
    const digest = hash('sha256', JSON.stringify([caller, attributes]), 'base64');
    const client = clientOfUser(caller.username);
    const review = (signal: AbortSignal) => this.#review(caller, attributes, signal);
    return (await this.#cache.answer(digest, client, review)) ?? BUSY;
  }

  async #review(
    caller: Caller,
    attributes: AccessAttributes,
    signal: AbortSignal,
  ): Promise<Cached<Authorization>> {
    try {
      signal.throwIfAborted();
      const { allowed, reason } = await this.#options.review(caller, attributes, signal);
      return {
        answer: allowed ? ALLOWED : { kind: 'forbidden', reason: oneLine(reason, 300) },
        ttlMs: TTL_MS,
      };
    } catch (error) {
      return { answer: unavailable(error, 'have the access reviewed'), ttlMs: UNAVAILABLE_TTL_MS };
    }
  }
}
