import { setTimeout as sleep } from 'node:timers/promises';

/** Lets work begin at once, and then at most once in an interval: what is requested meanwhile begins together at its end. */
export class Cooldown {
  readonly #interval: number;
  readonly #now: () => number;
  #next = Number.NEGATIVE_INFINITY;
  /** Resolves at the end of the interval, for all that wait for it. */
  #end: Promise<void> | undefined;

  /**
   * @param interval in milliseconds
   * @param now a monotonic clock, in milliseconds
   */
  constructor(interval: number, now: () => number = () => performance.now()) {
    this.#interval = interval;
    this.#now = now;
  }

  /** Resolves when work may begin. */
  async turn(): Promise<void> {
    const wait = this.#next - this.#now();
    if (wait <= 0 && this.#end === undefined) {
      this.#next = this.#now() + this.#interval;
      return;
    }
    this.#end ??= sleep(Math.max(0, wait), undefined, { ref: false }).then(() => {
      this.#end = undefined;
      this.#next = this.#now() + this.#interval;
    });
    await this.#end;
  }
}
