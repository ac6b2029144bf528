import { type Backoff, backoff } from '../model/backoff.ts';
import { createFairSlots } from '../model/fair-slots.ts';

export interface WorkQueueOptions<K> {
  /** Maximum number of concurrently processed keys; groups share it fairly. */
  readonly concurrency: number;
  /** The group of a key, such as its namespace. */
  readonly groupOf: (key: K) => string;
  /** Processes a key from current state. After a rejection the key is retried with backoff. */
  readonly process: (key: K, signal: AbortSignal) => Promise<void>;
  /** Called after each rejection, with the time until the next attempt in milliseconds. */
  readonly onFailure: (key: K, error: unknown, retryIn: number) => void;
  /** Called after each attempt, successful or not. */
  readonly onDone?: (key: K, group: string) => void;
  readonly backoff: Backoff;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/**
 * A queue of keys to process, modelled on client-go's work queue. A key that is added several times before it is processed
 * is processed once. A key that is added during its processing is processed again afterwards, never concurrently. Ends with
 * its signal.
 */
export class WorkQueue<K> {
  readonly #options: WorkQueueOptions<K>;
  readonly #signal: AbortSignal;
  readonly #slots: ReturnType<typeof createFairSlots>;
  /** Queued keys. */
  readonly #dirty = new Set<K>();
  readonly #processing = new Set<K>();
  /** Delayed keys, with their times. */
  readonly #delayed = new Map<K, { readonly at: number; readonly timer: NodeJS.Timeout }>();
  readonly #failures = new Map<K, number>();
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: WorkQueueOptions<K>, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#slots = createFairSlots(options.concurrency);
    signal.addEventListener('abort', () => this.#stop(), { once: true });
  }

  /** Number of queued and running keys, without delayed ones. */
  get size(): number {
    return this.#dirty.size + [...this.#processing].filter((key) => !this.#dirty.has(key)).length;
  }

  /** Whether a key is queued or running. */
  has(key: K): boolean {
    return this.#dirty.has(key) || this.#processing.has(key);
  }

  /** Resolves when no key is queued or running. */
  get idle(): Promise<void> {
    if (this.#isIdle) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  get #isIdle(): boolean {
    return this.#dirty.size === 0 && this.#processing.size === 0;
  }

  /** Enqueues a key. */
  add(key: K): void {
    if (this.#signal.aborted) return;
    this.#cancelDelay(key);
    if (this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (!this.#processing.has(key)) this.#start(key);
  }

  /** Enqueues a key later, unless it is enqueued sooner. @param delay milliseconds */
  addAfter(key: K, delay: number): void {
    if (this.#signal.aborted || this.#dirty.has(key)) return;
    const at = performance.now() + delay;
    const before = this.#delayed.get(key);
    if (before !== undefined && before.at <= at) return;
    this.#cancelDelay(key);
    const timer = setTimeout(() => this.add(key), delay).unref();
    this.#delayed.set(key, { at, timer });
  }

  /** Removes a queued or delayed key, with its backoff. */
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
    // It was removed, or the queue has ended, while it waited for a slot.
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
