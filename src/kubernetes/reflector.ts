import { setTimeout as sleep } from 'node:timers/promises';
import { breather } from '../model/breather.ts';
import type { FailureReason } from '../model/failure-reason.ts';
import { BadAnswerError } from './answer.ts';
import type { Kube } from './connection.ts';
import { type Collection, keyOf, PAGE, readKept } from './list.ts';
import { PACE, type Pace, pauseAfter } from './pace.ts';
import { ApiStatusError, failureReason, isDenied, isStatus } from './status.ts';
import { type WatchEvent, watch } from './watch.ts';

/** A collection to follow. */
export interface Followed<T> extends Collection<T> {
  /** Milliseconds after which all is read again though the watch told everything; never without. */
  readonly resync?: number | undefined;
  /** Items are told once and not kept in memory: the map of what was read is to be used at once. */
  readonly forgotten?: boolean;
  /** How fast to try again; `PACE` without. */
  readonly pace?: Partial<Pace>;
  /** Told how each watch ended. */
  readonly ended?: (why: WatchEnd) => void;
}

/** How a watch ended: by the server as it does from time to time, with its connection, or for a reason. */
export type WatchEnd = 'ended' | 'lost' | FailureReason;

/** What is told of a collection. Keys are `namespace/name`, or the name alone outside namespaces. */
export type Told<T> =
  /** All there is. The map stays in step from then on: read it, do not change it. */
  | { readonly kind: 'synced'; readonly items: ReadonlyMap<string, T> }
  /** `before` is what was known of it until now, where that is kept. */
  | { readonly kind: 'upsert'; readonly key: string; readonly item: T; readonly before: T | undefined }
  /** `item` is its last state, as far as that is known. */
  | { readonly kind: 'delete'; readonly key: string; readonly item: T | undefined }
  /** What was known stands; the next try is in `retryIn` milliseconds. */
  | {
      readonly kind: 'failure';
      readonly doing: 'list' | 'watch';
      readonly error: unknown;
      readonly retryIn: number;
    }
  /** After a failure the watch works again, and nothing was missed. */
  | { readonly kind: 'recovered' };

/** How a list or a watch ended: well, or with an error. */
type End = { readonly error?: unknown; readonly lost?: boolean };

/** When the server is to end a watch, in seconds: spread, so that not all watches end together. */
const WATCH_SECONDS = { least: 300, spread: 300 };
/** A watch that ends so much before its time ends well, in milliseconds; or a tenth of its time. */
const EARLY = 500;
/** After so many errors of the server in a row a watch is given up for a new list. */
const PATIENCE = 4;
/** Milliseconds of events in a row after which the event loop turns: a burst of large objects must not block it. */
const SLICE = 10;
/** Longest pause before a watch that worked and broke is taken up again, in milliseconds. */
const RESUME_WITHIN = 1_000;

/** Did the server forget the version that we asked for? */
const isExpired = (error: unknown): boolean => isStatus(error, 410);

/** Will the same watch not work, however often it is asked for? Then only a new list helps. */
function needsList(error: unknown, failures: number): boolean {
  if (error instanceof BadAnswerError) return true;
  if (!(error instanceof ApiStatusError) || [401, 403, 429].includes(error.code)) return false;
  return error.code < 500 || failures >= PATIENCE;
}

function endOf({ error, lost }: End): WatchEnd {
  if (error !== undefined) return failureReason(error);
  return lost === true ? 'lost' : 'ended';
}

function endedEarly(lasted: number, cause: unknown): Error {
  const why = cause instanceof Error ? `, ${cause.message}` : '';
  return new Error(`the watch ended after ${(lasted / 1000).toFixed(1)} s${why}`, { cause });
}

/** Resolves with a step's value or error, so that errors of our own code around it are not taken for the server's. */
async function outcome<T>(step: Promise<T>): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await step };
  } catch (error) {
    return { error };
  }
}

/** Follows one collection; `follow` is the way in. */
class Reflector<T> {
  readonly #kube: Kube;
  readonly #followed: Followed<T>;
  readonly #tell: (told: Told<T>) => void;
  readonly #signal: AbortSignal;
  readonly #pace: Pace;
  /** What there is, by key; without a value where items are not kept. */
  #items = new Map<string, T | undefined>();
  /** The version from which a watch goes on; `undefined` when all must be read. */
  #version: string | undefined;
  /** When all was read last, on the clock of `performance.now`. */
  #readAt = Number.NEGATIVE_INFINITY;
  #pageSize = PAGE;
  #failures = 0;
  #failing: 'list' | 'watch' | undefined;

  constructor(kube: Kube, followed: Followed<T>, tell: (told: Told<T>) => void, signal: AbortSignal) {
    this.#kube = kube;
    this.#followed = followed;
    this.#tell = tell;
    this.#signal = signal;
    this.#pace = { ...PACE, ...followed.pace };
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      if (this.#untilResync() <= 0) this.#version = undefined;
      const doing = this.#version === undefined ? 'list' : 'watch';
      const end = this.#version === undefined ? await this.#list() : await this.#watch(this.#version);
      if (this.#signal.aborted) return;
      if (doing === 'watch') this.#followed.ended?.(endOf(end));
      if (end.lost === true) await this.#wait(Math.random() * RESUME_WITHIN);
      else if (end.error !== undefined) await this.#failed(doing, end.error);
    }
  }

  async #failed(doing: 'list' | 'watch', error: unknown): Promise<void> {
    if (doing === 'watch' && needsList(error, this.#failures)) this.#version = undefined;
    // Paging that takes longer than the server remembers never ends: take larger steps.
    if (doing === 'list' && isExpired(error)) this.#pageSize *= 8;
    // A watch that sat out an outage finds its version forgotten; that is as it should be. Right after a list it is not.
    if (doing === 'watch' && isExpired(error) && performance.now() - this.#readAt >= this.#pace.settled)
      return;
    this.#failures += 1;
    this.#failing = doing;
    const retryIn = pauseAfter(error, this.#failures, this.#pace);
    this.#tell({ kind: 'failure', doing, error, retryIn });
    const resync = this.#untilResync();
    // Where only watching is denied, lists go on in time.
    if (doing === 'list' || !isDenied(error) || resync > retryIn) return await this.#wait(retryIn);
    await this.#wait(resync);
    this.#version = undefined;
  }

  /** Milliseconds until all is to be read again. */
  #untilResync(): number {
    const { resync } = this.#followed;
    return resync === undefined ? Number.POSITIVE_INFINITY : this.#readAt + resync - performance.now();
  }

  async #wait(milliseconds: number): Promise<void> {
    await sleep(Math.max(0, milliseconds), undefined, { signal: this.#signal }).catch((error: unknown) => {
      if (!this.#signal.aborted) throw error;
    });
  }

  async #list(): Promise<End> {
    const read = await outcome(readKept(this.#kube, this.#followed, this.#signal, this.#pageSize));
    if (this.#signal.aborted) return {};
    if ('error' in read) return read;
    const { items, resourceVersion } = read.value;
    this.#version = resourceVersion;
    this.#readAt = performance.now();
    this.#pageSize = PAGE;
    if (this.#failing === 'list') this.#failing = undefined;
    this.#tell({ kind: 'synced', items });
    const { forgotten } = this.#followed;
    this.#items = forgotten === true ? new Map([...items.keys()].map((key) => [key, undefined])) : items;
    return {};
  }

  async #watch(resourceVersion: string): Promise<End> {
    const { least, spread } = WATCH_SECONDS;
    const seconds = Math.ceil(Math.min(least + Math.random() * spread, this.#untilResync() / 1000));
    const options = { resourceVersion, seconds: Math.max(1, seconds), idle: this.#pace.idle };
    const opened = await outcome(watch(this.#kube, this.#followed, options, this.#signal));
    if ('error' in opened) return opened;
    const started = performance.now();
    const settled = setTimeout(() => this.#works(), this.#pace.settled);
    const breathe = breather(SLICE);
    try {
      for (;;) {
        const step = await outcome(opened.value.next());
        if (this.#signal.aborted) return {};
        if (!('error' in step) && step.value.done !== true) {
          this.#take(step.value.value);
          await breathe();
          continue;
        }
        const lasted = performance.now() - started;
        const error = 'error' in step ? step.error : undefined;
        if (
          error === undefined &&
          lasted >= options.seconds * 1000 - Math.max(EARLY, options.seconds * 100)
        ) {
          this.#works();
          return {};
        }
        if (error instanceof ApiStatusError || error instanceof BadAnswerError) return { error };
        if (lasted >= this.#pace.settled) return { lost: true };
        return { error: endedEarly(lasted, error) };
      }
    } finally {
      clearTimeout(settled);
      await opened.value.return(undefined);
    }
  }

  /** The watch works: forget earlier failures. */
  #works(): void {
    this.#failures = 0;
    this.#tellRecovered();
  }

  #tellRecovered(): void {
    if (this.#failing === undefined) return;
    this.#failing = undefined;
    this.#tell({ kind: 'recovered' });
  }

  #take(event: WatchEvent): void {
    if (event.type !== 'bookmark') {
      const key = keyOf(event.object);
      const item = this.#followed.select(event.object);
      if (key !== undefined) this.#change(key, event.type === 'set' ? item : undefined, item);
    }
    this.#version = event.resourceVersion;
    this.#tellRecovered();
  }

  /** @param last the state to tell when it goes and the object's own last one is of interest */
  #change(key: string, item: T | undefined, last: T | undefined): void {
    const before = this.#items.get(key);
    if (item !== undefined) {
      this.#items.set(key, this.#followed.forgotten === true ? undefined : item);
      this.#tell({ kind: 'upsert', key, item, before });
    } else if (this.#items.has(key)) {
      this.#items.delete(key);
      this.#tell({ kind: 'delete', key, item: last ?? before });
    }
  }
}

/**
 * Keeps what is told of one collection in step with the server: reads all of it, then watches, and after an
 * interruption goes on where it was, or reads all again where the server has forgotten that. Ends only when the signal
 * is aborted. While the server is away what was known stands: an empty set is told only when the server says so.
 * @throws only what `select` or `tell` throws
 */
export function follow<T>(
  kube: Kube,
  followed: Followed<T>,
  tell: (told: Told<T>) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Reflector(kube, followed, tell, signal).run();
}
