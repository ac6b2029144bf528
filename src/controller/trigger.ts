/** Wakes a waiting loop. A trigger that fires during a run causes another run. */
export class Trigger {
  #isFired = false;
  #wake: (() => void) | undefined;

  fire(): void {
    this.#isFired = true;
    this.#wake?.();
  }

  /**
   * Waits until it fires, the delay is over or the signal is aborted.
   * @param delay milliseconds; undefined: no limit
   * @returns whether it fired
   */
  async wait(delay: number | undefined, signal: AbortSignal): Promise<boolean> {
    if (!this.#isFired && !signal.aborted) await this.#sleep(delay, signal);
    const isFired = this.#isFired;
    this.#isFired = false;
    return isFired;
  }

  #sleep(delay: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      // A timer may fire up to a millisecond early.
      const timer = delay === undefined ? undefined : setTimeout(done, Math.ceil(delay) + 1);
      signal.addEventListener('abort', done);
      this.#wake = done;
    });
  }
}

/** Waits for a delay or an abort. @param delay milliseconds */
export const pause = async (delay: number, signal: AbortSignal): Promise<void> => {
  await new Trigger().wait(delay - 1, signal);
};

/** Rejects when a signal is aborted. */
export const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
