import { oneLine } from '../model/text.ts';

/** The decision about a request is impossible now: neither rejection nor access. */
export interface Unavailable {
  readonly kind: 'unavailable';
  /** For the log; may have internal details. */
  readonly why: string;
  /** When to retry, in whole seconds. */
  readonly retryAfter: number;
}

/** How long this result is cached, in milliseconds. */
export const UNAVAILABLE_TTL_MS = 1_000;

/** Maximum retry delay in seconds. */
const LONGEST_WAIT = 60;

/** The result while too many requests are queued. */
export const BUSY: Unavailable = {
  kind: 'unavailable',
  why: 'too many reviews are being made; there may be a flood of requests with different tokens',
  retryAfter: 1,
};

/**
 * Converts a failed request to the API server.
 * @param error may have a delay in `retryAfter`, in milliseconds
 * @param doing completes the sentence "cannot ..."
 * @param sanitize sanitizes the error's text
 */
export function unavailable(
  error: unknown,
  doing: string,
  sanitize = (text: string): string => oneLine(text, 300),
): Unavailable {
  const { message, retryAfter } = error as { readonly message?: unknown; readonly retryAfter?: unknown };
  const wait = Number.isFinite(retryAfter) ? Math.ceil(Number(retryAfter) / 1000) : 1;
  return {
    kind: 'unavailable',
    why: `cannot ${doing}: ${sanitize(String(message))}`,
    retryAfter: Math.min(LONGEST_WAIT, Math.max(1, wait)),
  };
}
