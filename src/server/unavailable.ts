import { oneLine } from '../model/text.ts';

/** It cannot be told now whether a request may be answered: that is no refusal, and no permission. */
export interface Unavailable {
  readonly kind: 'unavailable';
  /** For the log; it may name what is inside. */
  readonly why: string;
  /** When to try again, in whole seconds. */
  readonly retryAfter: number;
}

/** How long that is taken for the answer, in milliseconds. */
export const UNAVAILABLE_TTL_MS = 1_000;

/** Longest time that somebody is asked to wait, in seconds. */
const LONGEST_WAIT = 60;

/** What to answer while too many others wait for an answer. */
export const BUSY: Unavailable = {
  kind: 'unavailable',
  why: 'too many reviews are being made; there may be a flood of requests with different tokens',
  retryAfter: 1,
};

/**
 * A failed request to the API server as an answer.
 * @param error may say in `retryAfter` how many milliseconds to wait
 * @param doing completes the sentence "cannot ..."
 * @param told makes the error's text fit to be told
 */
export function unavailable(
  error: unknown,
  doing: string,
  told = (text: string): string => oneLine(text, 300),
): Unavailable {
  const { message, retryAfter } = error as { readonly message?: unknown; readonly retryAfter?: unknown };
  const wait = Number.isFinite(retryAfter) ? Math.ceil(Number(retryAfter) / 1000) : 1;
  return {
    kind: 'unavailable',
    why: `cannot ${doing}: ${told(String(message))}`,
    retryAfter: Math.min(LONGEST_WAIT, Math.max(1, wait)),
  };
}
