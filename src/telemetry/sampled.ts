/** Milliseconds for which lines of one kind are counted in place of being written. */
const EVERY = 1_000;
/** Most kinds at a time that have lines of their own; the others share one. */
const MOST = 50;
const REST = 'the rest';

interface Kind {
  /** Lines that were left out since the last one. */
  more: number;
  write: (more: number) => void;
}

/**
 * Lines that somebody else can cause: the first of each kind at once, then at most one a second with the number of those
 * that it stands for. So a flood costs about `MOST` lines a second, and every line is counted.
 */
export class Sampled {
  readonly #kinds = new Map<string, Kind>();

  /**
   * @param kind what such lines have in common, a reason and an address for instance
   * @param write writes the line; `more` is how many like it were left out before
   */
  line(kind: string, write: (more: number) => void): void {
    const key = this.#kinds.size < MOST || this.#kinds.has(kind) ? kind : REST;
    const known = this.#kinds.get(key);
    if (known !== undefined) {
      known.more++;
      known.write = write;
      return;
    }
    this.#kinds.set(key, { more: 0, write });
    write(0);
    this.#later(key);
  }

  #later(key: string): void {
    setTimeout(() => {
      const kind = this.#kinds.get(key);
      if (kind === undefined || kind.more === 0) {
        this.#kinds.delete(key);
        return;
      }
      // The line that is written is one of those that were left out.
      kind.write(kind.more - 1);
      kind.more = 0;
      this.#later(key);
    }, EVERY).unref();
  }
}
