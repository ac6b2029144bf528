import { OVERRIDES_KEY } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import type { Revision } from '../model/revision.ts';
import { isRead, type ReadOverrides, rememberOverrides } from '../planning/overrides.ts';
import type { History, Publisher } from '../publishers/publisher.ts';
import { TextThread, TooCostly } from './text-thread.ts';

/** Longest text that is read on the event loop, in characters. Even the costliest of this length takes some 20 ms. */
const SHORT = 8 * 1024;
/** Longest time for a text, in milliseconds. The costliest of 256 KiB takes 0.3 s of a whole processor. */
const LONGEST = 5_000;
/** How long a text that hit a limit is not tried again, in milliseconds: the machine may just have been busy. */
const RETRY = 60_000;

export interface OverridesAheadOptions {
  readonly thread?: Pick<TextThread, 'ask' | 'close'>;
  /** Longest text that is read on the event loop, in characters. */
  readonly short?: number;
  /** Milliseconds on a clock that only goes forward. */
  readonly now?: () => number;
}

/** The fault of a text that could not be read for another reason than what it says. */
const unread = (message: string): ReadOverrides => ({
  faults: [{ line: 1, column: 1, message }],
  more: 0,
});

/**
 * Reads long texts of `overrides.yaml` in a worker thread, before anything on the event loop asks `readOverrides` for them.
 * Until then the texts before count.
 */
export class OverridesAhead {
  readonly #thread: Pick<TextThread, 'ask' | 'close'>;
  readonly #short: number;
  readonly #now: () => number;
  /** The text that hit a limit last, and when it may be tried again. */
  #costly: { readonly text: string; readonly until: number } | undefined;

  constructor({
    thread = new TextThread({ longest: LONGEST, idle: 0 }),
    short = SHORT,
    now = () => performance.now(),
  }: OverridesAheadOptions = {}) {
    this.#thread = thread;
    this.#short = short;
    this.#now = now;
  }

  /** Reads a text, unless it is short or was read before. Never throws: what keeps it from being read is a fault. */
  async read(text: string | undefined): Promise<void> {
    if (text === undefined || text.length <= this.#short) return;
    const again = this.#costly?.text === text && this.#now() >= this.#costly.until;
    if (isRead(text) && !again) return;
    try {
      rememberOverrides(text, await this.#thread.ask<ReadOverrides>({ kind: 'read-overrides', text }));
      if (again) this.#costly = undefined;
    } catch (error) {
      const why =
        error instanceof TooCostly
          ? `was not read within the limit of ${error.limit}; make it smaller`
          : `could not be read: ${(error as Error).message}`;
      rememberOverrides(text, unread(why));
      this.#costly = { text, until: this.#now() + RETRY };
    }
  }

  /** A publisher whose overrides are read by the time it answers. */
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
      ...(inner.watch === undefined ? {} : { watch: inner.watch.bind(inner) }),
    };
  }

  /** Where what is published was deleted, the overrides of the newest revision count. */
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

  close(): void {
    this.#thread.close();
  }
}
