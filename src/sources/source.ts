import type { Problem } from '../model/discovery.ts';
import type { FailureReason } from '../model/failure-reason.ts';
import type { Service, ServiceKey } from '../model/service.ts';

/** What a source tells. */
export type Change =
  /** All there is now. `unread`: namespaces that were not read this time, `*` for all: what was told of them stands. */
  | {
      readonly kind: 'sync';
      readonly services: readonly Service[];
      readonly unread: readonly string[];
      readonly problems: readonly Problem[];
    }
  | { readonly kind: 'upsert'; readonly service: Service }
  | { readonly kind: 'delete'; readonly key: ServiceKey }
  /** Nothing could be read; what was known before stands. `retryIn` in milliseconds. */
  | {
      readonly kind: 'failure';
      readonly error: unknown;
      readonly reason: FailureReason;
      readonly retryIn: number;
    };

/** What happens while a source follows what there is; only for those who count it. */
export type SourceEvent =
  /** A watch told that a Service is there or changed, or that it is gone. */
  | { readonly kind: 'watch-event'; readonly change: 'upsert' | 'delete' }
  /** A watch ended and begins anew. `ended`: by the server as it does from time to time; `lost`: its connection broke. */
  | { readonly kind: 'watch-ended'; readonly reason: 'ended' | 'lost' | FailureReason }
  /** So many namespaces may not be listed. */
  | { readonly kind: 'namespaces-denied'; readonly count: number };

/**
 * Where Services come from. `run` tells the full set first, then changes, and ends only when the signal is aborted
 * or, for a source that is not followed, after the full set. It does not throw for a passing fault: it tells a
 * `failure` and tries again.
 */
export interface Source {
  run(changed: (change: Change) => void, signal: AbortSignal): Promise<void>;
}

/** The full set of a source, read once. @throws the error of its first failure */
export async function readOnce(
  source: Source,
  signal: AbortSignal,
): Promise<Extract<Change, { kind: 'sync' }>> {
  const stop = new AbortController();
  let result: Change | undefined;
  await source.run(
    (change) => {
      result ??= change;
      stop.abort();
    },
    AbortSignal.any([signal, stop.signal]),
  );
  signal.throwIfAborted();
  if (result?.kind === 'failure') throw result.error;
  if (result?.kind !== 'sync') throw new Error('the source ended without telling what there is');
  return result;
}
