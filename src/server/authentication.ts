import { hash, randomBytes } from 'node:crypto';
import type { Caller, TokenVerdict } from '../model/caller.ts';
import { oneLine } from '../model/text.ts';
import {
  type Cached,
  type CacheLimits,
  LIMITS,
  StaleWhileRevalidateCache,
} from './stale-while-revalidate-cache.ts';
import { BUSY, UNAVAILABLE_TTL_MS, type Unavailable, unavailable } from './unavailable.ts';

/** The result of authenticating a request. */
export type Authentication = Known | Denied | Unavailable;

export interface Known {
  readonly kind: 'caller';
  readonly caller: Caller;
}

export interface Denied {
  readonly kind: 'denied';
  /** For the log; never includes the token. */
  readonly why: string;
  /** The token is missing, malformed or not accepted. */
  readonly reason: 'missing' | 'malformed' | 'invalid';
}

export interface AuthenticatorOptions {
  /** Reviews a token; throws if that is impossible now. */
  readonly review: (token: string, signal: AbortSignal) => Promise<TokenVerdict>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Aborts running reviews. */
  readonly signal: AbortSignal;
  readonly limits?: CacheLimits;
}

/** How long a result is cached, in milliseconds: as long as the API server caches a token. */
const TTL_MS = 10_000;
/** Maximum length of the header. */
const LONGEST_HEADER = 16 * 1024;
/** @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
const BEARER = /^Bearer +([\w\-.~+/]+=*)$/i;

const denied = (reason: Denied['reason'], why: string): Denied => ({ kind: 'denied', why, reason });

const MISSING = denied('missing', 'there is no Authorization header');
const TOO_LONG = denied('malformed', `the Authorization header has over ${LONGEST_HEADER} characters`);
const NO_BEARER = denied('malformed', 'the Authorization header is not "Bearer" and a token');

/**
 * The expiry in a token, in milliseconds since the epoch; infinity if there is none. The token is not verified here, so the
 * expiry only shortens the lifetime of a cached result.
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4
 */
function expiry(token: string): number {
  const parts = token.split('.');
  if (parts.length !== 3) return Number.POSITIVE_INFINITY;
  try {
    const { exp } = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'));
    return typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** An external text as one short line without the token. */
const without = (token: string, text: string): string => oneLine(text.replaceAll(token, '[the token]'), 300);

/**
 * Authenticates requests by bearer token. Results are cached for ten seconds under a digest with a random key. A revoked
 * token is rejected after at most ten seconds, and a result never outlives the expiry of its token.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #cache: StaleWhileRevalidateCache<Authentication>;
  /**
   * Makes digests meaningless elsewhere. A prefix instead of an HMAC is enough, because no digest leaves the process, and
   * takes a tenth of the time.
   */
  readonly #key = randomBytes(32).toString('hex');

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#cache = new StaleWhileRevalidateCache(options.limits ?? LIMITS, options.now, options.signal);
  }

  /**
   * Authenticates a request. Never throws.
   * @param header its `Authorization`
   * @param client its address, for the fair shares of reviews
   */
  async authenticate(header: string | undefined, client: string): Promise<Authentication> {
    if (header === undefined || header === '') return MISSING;
    if (header.length > LONGEST_HEADER) return TOO_LONG;
    const token = BEARER.exec(header)?.[1];
    if (token === undefined) return NO_BEARER;
    const digest = hash('sha256', this.#key + token, 'base64');
    return (await this.#cache.answer(digest, client, (signal) => this.#review(token, signal))) ?? BUSY;
  }

  async #review(token: string, signal: AbortSignal): Promise<Cached<Authentication>> {
    const { review, now } = this.#options;
    try {
      signal.throwIfAborted();
      const verdict = await review(token, signal);
      if (!verdict.authenticated)
        return { answer: denied('invalid', without(token, verdict.why)), ttlMs: TTL_MS };
      const ttlMs = Math.min(TTL_MS, expiry(token) - now());
      return { answer: { kind: 'caller', caller: verdict.user }, ttlMs };
    } catch (error) {
      const answer = unavailable(error, 'have the token reviewed', (text) => without(token, text));
      return { answer, ttlMs: UNAVAILABLE_TTL_MS };
    }
  }
}

/**
 * The `WWW-Authenticate` header of a denied request's response.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3
 */
export function challenge({ reason }: Denied): string {
  const codes = { missing: '', malformed: ', error="invalid_request"', invalid: ', error="invalid_token"' };
  return `Bearer realm="dynamic-toolset"${codes[reason]}`;
}
