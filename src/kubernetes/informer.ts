import { setTimeout as sleep } from 'node:timers/promises';
import type { FailureReason } from '../model/failure-reason.ts';
import { yieldEvery } from '../model/yield-every.ts';
import type { KubeClient } from './connection.ts';
import { DEFAULT_TIMING, type InformerTiming, retryDelay } from './informer-timing.ts';
import { type Collection, keyOf, listItems, PAGE_SIZE } from './list.ts';
import { InvalidResponseError } from './response.ts';
import { ApiStatusError, failureReason, isDenied, isStatus } from './status.ts';
import { type WatchEvent, watch } from './watch.ts';

export interface InformerOptions<T> extends Collection<T> {
  /** Interval in milliseconds at which everything is listed again although the watch works; default: never. */
  readonly resync?: number | undefined;
  /** Whether items stay in memory; default true. If false, the map of a `synced` event is valid only during the callback. */
  readonly keepItems?: boolean;
  /** Delays and timeouts; default `DEFAULT_TIMING`. */
  readonly timing?: Partial<InformerTiming>;
  /** Called after each watch. */
  readonly onWatchEnd?: (why: WatchEnd) => void;
}

/** How a watch ended: regularly by the server, with its connection, or with a failure. */
export type WatchEnd = 'ended' | 'lost' | FailureReason;

/** A change of a collection. Keys are `namespace/name`, or only the name for cluster-scoped objects. */
export type InformerEvent<T> =
  /** The complete list. The informer keeps updating the map, so callers must not change it. */
  | { readonly kind: 'synced'; readonly items: ReadonlyMap<string, T> }
  /** `before` is the previous state, if items are kept. */
  | { readonly kind: 'upsert'; readonly key: string; readonly item: T; readonly before: T | undefined }
  /** `item` is the last known state. */
  | { readonly kind: 'delete'; readonly key: string; readonly item: T | undefined }
  /** Earlier data stays valid. The next attempt is in `retryIn` milliseconds. */
  | {
      readonly kind: 'failure';
      readonly doing: 'list' | 'watch';
      readonly error: unknown;
      readonly retryIn: number;
    }
  /** The watch works again after a failure, and no event was missed. */
  | { readonly kind: 'recovered' };

/** The result of a list or a watch. */
type StepResult = { readonly error?: unknown; readonly lost?: boolean };

/** Duration of a watch, in seconds: spread, so that watches do not all end at the same time. */
const WATCH_SECONDS = { least: 300, spread: 300 };
/** A watch may end this early, in milliseconds, or a tenth of its duration. */
const EARLY_END_TOLERANCE = 500;
/** Consecutive server errors after which a watch is replaced by a new list. */
const MAX_WATCH_ERRORS_BEFORE_RELIST = 4;
/** Time in milliseconds after which event handling yields, so that a burst of large objects does not block the event loop. */
const MAX_BUSY = 10;
/** Maximum delay before a broken connection is resumed, in milliseconds. */
const MAX_RESUME_DELAY = 1_000;

/** Whether the server no longer has the requested resourceVersion. */
const isExpired = (error: unknown): boolean => isStatus(error, 410);

/** Whether retrying the same watch cannot succeed, so that a new list is needed. */
function needsList(error: unknown, failures: number): boolean {
  if (error instanceof InvalidResponseError) return true;
  if (!(error instanceof ApiStatusError) || [401, 403, 429].includes(error.code)) return false;
  return error.code < 500 || failures >= MAX_WATCH_ERRORS_BEFORE_RELIST;
}

function watchEndOf({ error, lost }: StepResult): WatchEnd {
  if (error !== undefined) return failureReason(error);
  return lost === true ? 'lost' : 'ended';
}

function endedEarly(lasted: number, cause: unknown): Error {
  const why = cause instanceof Error ? `, ${cause.message}` : '';
  return new Error(`the watch ended after ${(lasted / 1000).toFixed(1)} s${why}`, { cause });
}

/** Returns the error of a step as a value, to distinguish it from errors of our own code. */
async function outcome<T>(step: Promise<T>): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await step };
  } catch (error) {
    return { error };
  }
}

class Informer<T> {
  readonly #kube: KubeClient;
  readonly #options: InformerOptions<T>;
  readonly #emit: (event: InformerEvent<T>) => void;
  readonly #signal: AbortSignal;
  readonly #timing: InformerTiming;
  /** Items by key. Values are undefined if items are not kept. */
  #items = new Map<string, T | undefined>();
  /** The resourceVersion from which to watch; undefined if a list is needed. */
  #version: string | undefined;
  /** Time of the last list, from `performance.now`. */
  #listedAt = Number.NEGATIVE_INFINITY;
  #pageSize = PAGE_SIZE;
  #failures = 0;
  #failingStep: 'list' | 'watch' | undefined;

  constructor(
    kube: KubeClient,
    options: InformerOptions<T>,
    emit: (event: InformerEvent<T>) => void,
    signal: AbortSignal,
  ) {
    this.#kube = kube;
    this.#options = options;
    this.#emit = emit;
    this.#signal = signal;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      if (this.#msUntilResync() <= 0) this.#version = undefined;
      const doing = this.#version === undefined ? 'list' : 'watch';
      const end = this.#version === undefined ? await this.#list() : await this.#watch(this.#version);
      if (this.#signal.aborted) return;
      if (doing === 'watch') this.#options.onWatchEnd?.(watchEndOf(end));
      if (end.lost === true) await this.#wait(Math.random() * MAX_RESUME_DELAY);
      else if (end.error !== undefined) await this.#handleFailure(doing, end.error);
    }
  }

  async #handleFailure(doing: 'list' | 'watch', error: unknown): Promise<void> {
    if (doing === 'watch' && needsList(error, this.#failures)) this.#version = undefined;
    // The list expired before its last page, so use larger pages.
    if (doing === 'list' && isExpired(error)) this.#pageSize *= 8;
    // 410 after an outage is expected: relist without backoff. Right after a list it is a failure.
    if (
      doing === 'watch' &&
      isExpired(error) &&
      performance.now() - this.#listedAt >= this.#timing.healthyAfter
    )
      return;
    this.#failures += 1;
    this.#failingStep = doing;
    const retryIn = retryDelay(error, this.#failures, this.#timing);
    this.#emit({ kind: 'failure', doing, error, retryIn });
    const resync = this.#msUntilResync();
    // If only watching is denied, the resync interval stays the same.
    if (doing === 'list' || !isDenied(error) || resync > retryIn) return await this.#wait(retryIn);
    await this.#wait(resync);
    this.#version = undefined;
  }

  /** Milliseconds until the next resync. */
  #msUntilResync(): number {
    const { resync } = this.#options;
    return resync === undefined ? Number.POSITIVE_INFINITY : this.#listedAt + resync - performance.now();
  }

  async #wait(milliseconds: number): Promise<void> {
    await sleep(Math.max(0, milliseconds), undefined, { signal: this.#signal }).catch((error: unknown) => {
      if (!this.#signal.aborted) throw error;
    });
  }

  async #list(): Promise<StepResult> {
    const read = await outcome(listItems(this.#kube, this.#options, this.#signal, this.#pageSize));
    if (this.#signal.aborted) return {};
    if ('error' in read) return read;
    const { items, resourceVersion } = read.value;
    this.#version = resourceVersion;
    this.#listedAt = performance.now();
    this.#pageSize = PAGE_SIZE;
    if (this.#failingStep === 'list') this.#failingStep = undefined;
    this.#emit({ kind: 'synced', items });
    const { keepItems } = this.#options;
    this.#items = keepItems === false ? new Map([...items.keys()].map((key) => [key, undefined])) : items;
    return {};
  }

  async #watch(resourceVersion: string): Promise<StepResult> {
    const { least, spread } = WATCH_SECONDS;
    const seconds = Math.ceil(Math.min(least + Math.random() * spread, this.#msUntilResync() / 1000));
    const options = { resourceVersion, seconds: Math.max(1, seconds), idleTimeout: this.#timing.idleTimeout };
    const opened = await outcome(watch(this.#kube, this.#options, options, this.#signal));
    if ('error' in opened) return opened;
    const started = performance.now();
    const settled = setTimeout(() => this.#markHealthy(), this.#timing.healthyAfter);
    const breathe = yieldEvery(MAX_BUSY);
    try {
      for (;;) {
        const step = await outcome(opened.value.next());
        if (this.#signal.aborted) return {};
        if (!('error' in step) && step.value.done !== true) {
          this.#applyEvent(step.value.value);
          await breathe();
          continue;
        }
        const lasted = performance.now() - started;
        const error = 'error' in step ? step.error : undefined;
        if (
          error === undefined &&
          lasted >= options.seconds * 1000 - Math.max(EARLY_END_TOLERANCE, options.seconds * 100)
        ) {
          this.#markHealthy();
          return {};
        }
        if (error instanceof ApiStatusError || error instanceof InvalidResponseError) return { error };
        if (lasted >= this.#timing.healthyAfter) return { lost: true };
        return { error: endedEarly(lasted, error) };
      }
    } finally {
      clearTimeout(settled);
      await opened.value.return(undefined);
    }
  }

  /** Resets the backoff. */
  #markHealthy(): void {
    this.#failures = 0;
    this.#emitRecovered();
  }

  #emitRecovered(): void {
    if (this.#failingStep === undefined) return;
    this.#failingStep = undefined;
    this.#emit({ kind: 'recovered' });
  }

  #applyEvent(event: WatchEvent): void {
    if (event.type !== 'bookmark') {
      const key = keyOf(event.object);
      const item = this.#options.select(event.object);
      if (key !== undefined) this.#applyChange(key, event.type === 'set' ? item : undefined, item);
    }
    this.#version = event.resourceVersion;
    this.#emitRecovered();
  }

  /** @param last the item in a DELETED event, which is newer than the known one */
  #applyChange(key: string, item: T | undefined, last: T | undefined): void {
    const before = this.#items.get(key);
    if (item !== undefined) {
      this.#items.set(key, this.#options.keepItems === false ? undefined : item);
      this.#emit({ kind: 'upsert', key, item, before });
    } else if (this.#items.has(key)) {
      this.#items.delete(key);
      this.#emit({ kind: 'delete', key, item: last ?? before });
    }
  }
}

/**
 * Lists and watches one collection until the signal is aborted. After an interruption it resumes the watch, or lists again if the
 * resourceVersion has expired. While the server is unreachable, earlier data stays valid: an empty list is emitted only if the
 * server returned one.
 * @throws only what `select` or `emit` throws
 */
export function runInformer<T>(
  kube: KubeClient,
  options: InformerOptions<T>,
  emit: (event: InformerEvent<T>) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Informer(kube, options, emit, signal).run();
}
