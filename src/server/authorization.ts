import { hash } from 'node:crypto';
import type { AccessAttributes, AccessVerdict, Caller } from '../model/caller.ts';
import { oneLine } from '../model/text.ts';
import {
  type Cached,
  type CacheLimits,
  LIMITS,
  StaleWhileRevalidateCache,
} from './stale-while-revalidate-cache.ts';
import { BUSY, UNAVAILABLE_TTL_MS, type Unavailable, unavailable } from './unavailable.ts';

/** Whether a caller may do something. */
export type Authorization =
  | { readonly kind: 'allowed' }
  /** `reason` is the API server's own word for it, for the log and the caller. */
  | { readonly kind: 'forbidden'; readonly reason: string }
  | Unavailable;

export interface AuthorizerOptions {
  /** Says whether a caller may do something; throws where that cannot be told. */
  readonly review: (
    caller: Caller,
    attributes: AccessAttributes,
    signal: AbortSignal,
  ) => Promise<AccessVerdict>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Ends the reviews that are being made. */
  readonly signal: AbortSignal;
  readonly limits?: CacheLimits;
}

/** How long what was found out holds, in milliseconds. */
const TTL_MS = 10_000;

const ALLOWED: Authorization = { kind: 'allowed' };

/** Finds out what callers may do. What was found out is remembered for ten seconds. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #memory: StaleWhileRevalidateCache<Authorization>;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#memory = new StaleWhileRevalidateCache(options.limits ?? LIMITS, options.now, options.signal);
  }

  /** Whether a caller may do something. It never throws. */
  async authorize(caller: Caller, attributes: AccessAttributes): Promise<Authorization> {
    // Groups may be thousands, so the question itself is no key to keep.
    const digest = hash('sha256', JSON.stringify([caller, attributes]), 'base64');
    return (await this.#memory.answer(digest, (signal) => this.#review(caller, attributes, signal))) ?? BUSY;
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
