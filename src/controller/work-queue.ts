import { type Backoff, backoff } from '../model/backoff.ts';
import { createFairSlots } from '../probing/fair-slots.ts';

export interface WorkQueueOptions<K> {
  /** Maximum number of keys processed at a time; groups share it fairly. */
  readonly concurrency: number;
  /** The group of a key, such as its namespace. */
  readonly groupOf: (key: K) => string;
  /** Processes a key from current state. A rejection makes the queue try the key again after a backoff. */
  readonly process: (key: K, signal: AbortSignal) => Promise<void>;
  /** Called after each rejection, with the time until the next attempt in milliseconds. */
  readonly onFailure: (key: K, error: unknown, retryIn: number) => void;
  /** Called whenever a key has been processed, whatever came of it. */
  readonly onDone?: (key: K, group: string) => void;
  readonly backoff: Backoff;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/**
 * A queue of keys to process, after client-go's work queue. A key that is added several times before it is processed is
 * processed once. One that is added while it is processed is processed again afterwards, and never twice at a time.
 * Ends with its signal: nothing is processed after that.
 */
export class WorkQueue<K> {
  readonly #options: WorkQueueOptions<K>;
  readonly #signal: AbortSignal;
  readonly #slots: ReturnType<typeof createFairSlots>;
  /** Keys that wait to be processed. */
  readonly #dirty = new Set<K>();
  readonly #processing = new Set<K>();
  /** Keys that are added later, and when. */
  readonly #delayed = new Map<K, { readonly at: number; readonly timer: NodeJS.Timeout }>();
  readonly #failures = new Map<K, number>();
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: WorkQueueOptions<K>, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#slots = createFairSlots(options.concurrency);
    signal.addEventListener('abort', () => this.#stop(), { once: true });
  }

  /** How many keys wait or are processed; those that are only due later do not count. */
  get size(): number {
    return this.#dirty.size + [...this.#processing].filter((key) => !this.#dirty.has(key)).length;
  }

  /** Whether a key waits or is processed. */
  has(key: K): boolean {
    return this.#dirty.has(key) || this.#processing.has(key);
  }

  /** Resolves when no key waits or is processed. */
  get idle(): Promise<void> {
    if (this.#isIdle) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  get #isIdle(): boolean {
    return this.#dirty.size === 0 && this.#processing.size === 0;
  }

  /** Processes a key as soon as it can be. */
  add(key: K): void {
    if (this.#signal.aborted) return;
    this.#cancelDelay(key);
    if (this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (!this.#processing.has(key)) this.#start(key);
  }

  /** Adds a key later, unless it is added sooner. @param delay milliseconds */
  addAfter(key: K, delay: number): void {
    if (this.#signal.aborted || this.#dirty.has(key)) return;
    const at = performance.now() + delay;
    const before = this.#delayed.get(key);
    if (before !== undefined && before.at <= at) return;
    this.#cancelDelay(key);
    const timer = setTimeout(() => this.add(key), delay).unref();
    this.#delayed.set(key, { at, timer });
  }

  /** Drops a key that waits or is due later, with its backoff. */
  remove(key: K): void {
    this.#cancelDelay(key);
    this.#failures.delete(key);
    this.#dirty.delete(key);
    this.#checkIdle();
  }

  #cancelDelay(key: K): void {
    clearTimeout(this.#delayed.get(key)?.timer);
    this.#delayed.delete(key);
  }

  #start(key: K): void {
    const group = this.#options.groupOf(key);
    void this.#slots.run(group, () => this.#run(key, group));
  }

  async #run(key: K, group: string): Promise<void> {
    // It was removed, or the queue has ended, while it waited.
    if (this.#processing.has(key) || !this.#dirty.delete(key)) return;
    this.#processing.add(key);
    try {
      await this.#options.process(key, this.#signal);
      this.#failures.delete(key);
    } catch (error) {
      this.#retry(key, error);
    } finally {
      this.#processing.delete(key);
      if (this.#dirty.has(key)) this.#start(key);
      this.#checkIdle();
      if (!this.#signal.aborted) this.#options.onDone?.(key, group);
    }
  }

  #retry(key: K, error: unknown): void {
    if (this.#signal.aborted) return;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const retryIn = backoff(failures, this.#options.backoff, this.#options.random);
    this.addAfter(key, retryIn);
    this.#options.onFailure(key, error, retryIn);
  }

  #stop(): void {
    for (const { timer } of this.#delayed.values()) clearTimeout(timer);
    this.#dirty.clear();
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (!this.#isIdle) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}
