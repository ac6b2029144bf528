import { OVERRIDES_KEY } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import type { Revision } from '../model/revision.ts';
import { cacheOverrides, isCached, type ReadOverrides } from '../outputs/read-overrides.ts';
import type { History, Publisher } from '../publishers/publisher.ts';
import { WorkerLimitError, WorkerThread } from './worker-thread.ts';

/** Maximum length to parse on the event loop, in characters. The costliest text of this length takes about 20 ms. */
const MAX_INLINE_CHARACTERS = 8 * 1024;
/** Heap limit, in MiB. The largest text that keeps to the other limits needs 25 to 28 MiB. */
const HEAP_MIB = 40;

/** Timeout for a text, in milliseconds. The costliest text of 256 KiB takes 0.3 s of CPU time. */
const TIMEOUT = 5_000;
/** Delay before a text that hit a limit is tried again, in milliseconds. The machine may have been busy. */
const RETRY_DELAY = 60_000;

export interface OverridesPreloaderOptions {
  readonly thread?: Pick<WorkerThread, 'run' | 'close'>;
  /** Maximum length to parse on the event loop, in characters. */
  readonly short?: number;
  /** Monotonic clock, in milliseconds. */
  readonly now?: () => number;
}

/** The result for a text that could not be parsed for a reason other than its content. */
const unreadableOverrides = (message: string): ReadOverrides => ({
  faults: [{ line: 1, column: 1, message }],
  more: 0,
});

/**
 * Parses long `overrides.yaml` texts in a worker thread, so that a later `readOverrides` on the event loop finds the
 * result in its cache. The previous overrides stay in force until then.
 */
export class OverridesPreloader {
  readonly #thread: Pick<WorkerThread, 'run' | 'close'>;
  readonly #short: number;
  readonly #now: () => number;
  /** The last text that hit a limit, and when to try it again. */
  #costly: { readonly text: string; readonly until: number } | undefined;

  constructor({
    thread = new WorkerThread({ longest: TIMEOUT, heap: HEAP_MIB, idle: 0 }),
    short = MAX_INLINE_CHARACTERS,
    now = () => performance.now(),
  }: OverridesPreloaderOptions = {}) {
    this.#thread = thread;
    this.#short = short;
    this.#now = now;
  }

  /** Parses a text, unless it is short or cached. Never throws: failures become faults of the text. */
  async read(text: string | undefined): Promise<void> {
    if (text === undefined || text.length <= this.#short) return;
    const again = this.#costly?.text === text && this.#now() >= this.#costly.until;
    if (isCached(text) && !again) return;
    try {
      cacheOverrides(text, await this.#thread.run<ReadOverrides>({ kind: 'read-overrides', text }));
      if (again) this.#costly = undefined;
    } catch (error) {
      const why =
        error instanceof WorkerLimitError
          ? `was not read within the limit of ${error.limit}; make it smaller`
          : `could not be read: ${(error as Error).message}`;
      cacheOverrides(text, unreadableOverrides(why));
      this.#costly = { text, until: this.#now() + RETRY_DELAY };
    }
  }

  /** Wraps a publisher so that overrides are parsed by the time `read` returns. */
  publisher(inner: Publisher): Publisher {
    const read = async (signal: AbortSignal): Promise<Published | undefined> => {
      const live = await inner.read(signal);
      await this.read(live?.data[OVERRIDES_KEY]);
      return live;
    };
    return {
      target: inner.target,
      ...(inner.history === undefined ? {} : { history: this.#history(inner.history) }),
      read,
      apply: (...args) => inner.apply(...args),
      ...(inner.checkShards === undefined ? {} : { checkShards: inner.checkShards.bind(inner) }),
      ...(inner.isUsable === undefined ? {} : { isUsable: inner.isUsable.bind(inner) }),
      ...(inner.watch === undefined ? {} : { watch: inner.watch.bind(inner) }),
    };
  }

  /** If the published object was deleted, the overrides come from the newest revision. */
  #history(inner: History): History {
    const newest = async (revisions: readonly Revision[]): Promise<readonly Revision[]> => {
      await this.read(revisions.at(-1)?.overrides);
      return revisions;
    };
    return {
      list: async (signal) => newest(await inner.list(signal)),
      record: (...args) => inner.record(...args),
    };
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}
