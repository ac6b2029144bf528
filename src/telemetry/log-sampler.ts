/** Minimum time between two lines of one kind, in milliseconds. */
const INTERVAL = 1_000;
/** Maximum kinds with lines of their own. All others share one kind. */
const MAX_KINDS = 50;
const OTHER_KINDS = 'the rest';

interface Kind {
  /** Lines dropped since the last written one. */
  more: number;
  write: (more: number) => void;
}

/**
 * Rate-limits log lines that clients can cause. Writes the first line of each kind at once, then at most one per second
 * with the number of dropped lines. A flood costs at most about 50 lines per second, and every line is counted.
 */
export class LogSampler {
  readonly #kinds = new Map<string, Kind>();

  /**
   * @param kind identifies similar lines, for example by reason and address
   * @param write writes the line; `more` is the number of dropped lines
   */
  log(kind: string, write: (more: number) => void): void {
    const key = this.#kinds.size < MAX_KINDS || this.#kinds.has(kind) ? kind : OTHER_KINDS;
    const known = this.#kinds.get(key);
    if (known !== undefined) {
      known.more++;
      known.write = write;
      return;
    }
    this.#kinds.set(key, { more: 0, write });
    write(0);
    this.#scheduleNext(key);
  }

  #scheduleNext(key: string): void {
    setTimeout(() => {
      const kind = this.#kinds.get(key);
      if (kind === undefined || kind.more === 0) {
        this.#kinds.delete(key);
        return;
      }
      // The written line is itself one of the dropped lines.
      kind.write(kind.more - 1);
      kind.more = 0;
      this.#scheduleNext(key);
    }, INTERVAL).unref();
  }
}
