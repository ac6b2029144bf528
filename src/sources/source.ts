import type { Problem } from '../model/discovery.ts';
import type { FailureReason } from '../model/failure-reason.ts';
import type { Service, ServiceKey } from '../model/service.ts';

/** A change that a source emits. */
export type Change =
  /** The full set. `stale` lists namespaces that were not read this time (`*` for all): their earlier Services stay valid. */
  | {
      readonly kind: 'sync';
      /** The cluster that it is the full set of; absent for the home cluster. Services of other clusters stay valid. */
      readonly cluster?: string;
      readonly services: readonly Service[];
      readonly stale: readonly string[];
      readonly problems: readonly Problem[];
      /** The namespaces of manifests that have Services and are not searched, sorted; absent without any. */
      readonly elsewhere?: readonly string[];
    }
  | { readonly kind: 'upsert'; readonly service: Service }
  | { readonly kind: 'delete'; readonly key: ServiceKey }
  /** Nothing could be read, and earlier data stays valid. `retryIn` is in milliseconds. */
  | {
      readonly kind: 'failure';
      /** The cluster that could not be read; absent for the home cluster. */
      readonly cluster?: string;
      readonly error: unknown;
      readonly reason: FailureReason;
      readonly retryIn: number;
    };

/** An event of a source, for metrics. */
export type SourceEvent =
  /** A watch event. */
  | { readonly kind: 'watch-event'; readonly change: 'upsert' | 'delete' }
  /** A watch ended and restarts. `ended`: regularly by the server; `lost`: its connection broke. */
  | { readonly kind: 'watch-ended'; readonly reason: 'ended' | 'lost' | FailureReason }
  /** The number of namespaces that may not be listed. */
  | { readonly kind: 'namespaces-denied'; readonly count: number };

/**
 * A source of Services. `run` emits the full set first, then changes, until the signal is aborted. A source without a watch ends after
 * the full set. Transient errors are not thrown: the source emits a `failure` and retries.
 */
export interface Source {
  /** The clusters whose full sets it emits, one after the other. Default: only the home cluster. */
  readonly clusters?: readonly string[];
  run(emit: (change: Change) => void, signal: AbortSignal): Promise<void>;
}

/** Reads the full set of a source once. @throws the error of the first failure */
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
  if (result?.kind !== 'sync') throw new Error('the source ended without a full set');
  return result;
}
