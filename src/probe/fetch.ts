import type { Candidate } from '../model/discovery.ts';
import { hideSecrets } from '../model/redact-text.ts';
import { oneLine } from '../model/text.ts';

/** What came back of a request. Header names are in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body's text, cut at `BODY_LIMIT` bytes. */
  readonly body: string;
}

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Path with its query, from the root. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Reading may stop as soon as the text so far is enough; for answers that are streams. */
  readonly enough?: (body: string) => boolean;
}

/**
 * Sends one request to a candidate, by some route.
 * @throws ProbeFailure if no answer came; the signal's reason if it was aborted
 */
export type Fetch = (candidate: Candidate, ask: Ask, signal: AbortSignal) => Promise<Answer>;

/** Most bytes that are read of a body. */
export const BODY_LIMIT = 64 * 1024;

/** Most characters of a body in which secrets are looked for, before the start of it is told. Each answer costs that time. */
const LOOKED_AT = 512;

/** A text up to the last character that ends a word. */
const WHOLE_WORDS = /^[\s\S]*[\s"'`,;{}()<>[\]]/;

/**
 * The start of a body for a person, on one line and without secrets. Where the body is cut, the word that is cut goes: half
 * a secret cannot be known by its form.
 * @param max most characters of it
 */
export function startOf(body: string, max: number): string {
  const start = body.slice(0, LOOKED_AT);
  const whole = start.length === body.length ? start : (WHOLE_WORDS.exec(start)?.[0] ?? '');
  return oneLine(hideSecrets(whole), max);
}

/** No answer came, and why, in words for a person. */
export class ProbeFailure extends Error {
  override readonly name = 'ProbeFailure';
  /** `unreachable`: this route cannot reach it, which says nothing about its health. */
  readonly kind: 'dead' | 'unreachable';

  constructor(message: string, kind: 'dead' | 'unreachable', options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
