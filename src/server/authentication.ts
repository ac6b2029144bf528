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

/** Whether a request says who sends it. */
export type Authentication = Known | Denied | Unavailable;

export interface Known {
  readonly kind: 'caller';
  readonly caller: Caller;
}

export interface Denied {
  readonly kind: 'denied';
  /** For the log; it never holds the token. */
  readonly why: string;
  /** There is no token, or what is there is not formed like one, or it is nobody's. */
  readonly reason: 'missing' | 'malformed' | 'invalid';
}

export interface AuthenticatorOptions {
  /** Says whose a token is; throws where that cannot be told. */
  readonly review: (token: string, signal: AbortSignal) => Promise<TokenVerdict>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Ends the reviews that are being made. */
  readonly signal: AbortSignal;
  readonly limits?: CacheLimits;
}

/** How long what was found out holds, in milliseconds: as long as the API server itself remembers a token. */
const TTL_MS = 10_000;
/** Most characters of the header. */
const LONGEST_HEADER = 16 * 1024;
/** @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
const BEARER = /^Bearer +([\w\-.~+/]+=*)$/i;

const denied = (reason: Denied['reason'], why: string): Denied => ({ kind: 'denied', why, reason });

const MISSING = denied('missing', 'there is no Authorization header');
const TOO_LONG = denied('malformed', `the Authorization header has over ${LONGEST_HEADER} characters`);
const NO_BEARER = denied('malformed', 'the Authorization header is not "Bearer" and a token');

/**
 * When a token says that it expires, in milliseconds since the epoch; never where it does not. That is not proven, and
 * serves only to forget what was proven sooner.
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

/** A text of others as one short line without the token. */
const without = (token: string, text: string): string => oneLine(text.replaceAll(token, '[the token]'), 300);

/**
 * Finds out who sends a request by its bearer token. What was found out is remembered for ten seconds, under a digest
 * that means nothing outside this process. A token that was revoked is so refused after ten seconds at the latest, and
 * one never outlives the time that it names itself.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #memory: StaleWhileRevalidateCache<Authentication>;
  /**
   * Makes the digests mean nothing elsewhere. That it is put in front, and no HMAC, is enough where no digest leaves the
   * process, and takes a tenth of the time.
   */
  readonly #key = randomBytes(32).toString('hex');

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#memory = new StaleWhileRevalidateCache(options.limits ?? LIMITS, options.now, options.signal);
  }

  /**
   * Who sends a request. It never throws.
   * @param header its `Authorization`
   */
  async authenticate(header: string | undefined): Promise<Authentication> {
    if (header === undefined || header === '') return MISSING;
    if (header.length > LONGEST_HEADER) return TOO_LONG;
    const token = BEARER.exec(header)?.[1];
    if (token === undefined) return NO_BEARER;
    const digest = hash('sha256', this.#key + token, 'base64');
    return (await this.#memory.answer(digest, (signal) => this.#review(token, signal))) ?? BUSY;
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
 * The `WWW-Authenticate` header of an answer to a request that was denied.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3
 */
export function challenge({ reason }: Denied): string {
  const codes = { missing: '', malformed: ', error="invalid_request"', invalid: ', error="invalid_token"' };
  return `Bearer realm="dynamic-toolset"${codes[reason]}`;
}
