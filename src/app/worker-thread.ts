import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { WorkerTask } from './text-worker.ts';
import { WORKER_FILE } from './worker-file.ts';

/** A task hit the worker's limit on time or memory. */
export class WorkerLimitError extends Error {
  override readonly name = 'TooCostly';
  /** The limit, such as `5 s` or `24 MiB of memory`. */
  readonly limit: string;

  constructor(limit: string) {
    super(`it takes more than ${limit}`);
    this.limit = limit;
  }
}

export interface WorkerThreadOptions {
  /** The program of the worker. */
  readonly file?: URL;
  /** Timeout of one task, in milliseconds. */
  readonly longest?: number;
  /** Heap limit of the worker, in MiB. */
  readonly heap?: number;
  /** Idle time after which the worker ends, in milliseconds. An idle worker takes about 25 MiB. */
  readonly idle?: number;
}

/** Runs tasks in a worker thread, one at a time, so that they do not block the event loop. */
export class WorkerThread {
  readonly #file: URL;
  readonly #longest: number;
  readonly #heap: number;
  readonly #idle: number;
  #lastTask: Promise<unknown> = Promise.resolve();
  #worker: Worker | undefined;
  /** Resolves when the last worker has ended. */
  #ended: Promise<void> = Promise.resolve();
  #end: NodeJS.Timeout | undefined;

  constructor({ file = WORKER_FILE, longest = 10_000, heap = 24, idle = 1_000 }: WorkerThreadOptions = {}) {
    this.#file = file;
    this.#longest = longest;
    this.#heap = heap;
    this.#idle = idle;
  }

  /** Resolves after all tasks, and the pause after the last one. */
  get rested(): Promise<unknown> {
    return this.#lastTask;
  }

  /**
   * Runs a task after all earlier ones.
   * @throws WorkerLimitError; Error if the worker fails, which is a bug
   */
  run<T>(task: WorkerTask): Promise<T> {
    let began = 0;
    const answer = this.#lastTask.then(() => {
      began = performance.now();
      return this.#run<T>(task);
    });
    this.#lastTask = answer.catch(() => {}).then(() => this.#pauseAfter(performance.now() - began));
    return answer;
  }

  async #run<T>(task: WorkerTask): Promise<T> {
    clearTimeout(this.#end);
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const late = setTimeout(() => reject(new WorkerLimitError(`${this.#longest / 1000} s`)), this.#longest);
    const ended = (): void => reject(new Error('the worker ended'));
    const failed = (error: NodeJS.ErrnoException): void =>
      reject(
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? new WorkerLimitError(`${this.#heap} MiB of memory`)
          : error,
      );
    worker.once('message', resolve).once('error', failed).once('exit', ended);
    worker.postMessage(task);
    try {
      return await promise;
    } catch (error) {
      this.#worker = undefined;
      void worker.terminate();
      throw error;
    } finally {
      clearTimeout(late);
      worker.off('message', resolve).off('error', failed).off('exit', ended);
      this.#end = setTimeout(() => void this.close(), this.#idle).unref();
    }
  }

  /** Pauses after a long task, so that repeated requests cannot occupy a whole core. */
  async #pauseAfter(took: number): Promise<void> {
    if (took > MAX_UNTHROTTLED_MS) await sleep(Math.min(took, MAX_PAUSE_MS), undefined, { ref: false });
  }

  #start(): Worker {
    const worker = new Worker(this.#file, {
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: this.#heap, maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    });
    worker.unref();
    // A worker that fails while idle must not end the process, and is not used again.
    worker.on('error', () => {});
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    return worker;
  }

  /** Whether a worker is running. */
  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  /** Ends the worker. The next task starts another one. @returns resolves when it has ended */
  close(): Promise<void> {
    clearTimeout(this.#end);
    if (this.#worker !== undefined) this.#ended = this.#worker.terminate().then(() => {});
    this.#worker = undefined;
    return this.#ended;
  }
}

/** Longest task without a pause after it, in milliseconds. */
const MAX_UNTHROTTLED_MS = 100;
/** Maximum pause, in milliseconds. It is shorter than the idle time after which the worker ends. */
const MAX_PAUSE_MS = 500;

/** Limit of the worker's young generation, in MiB. */
const YOUNG_GENERATION_MIB = 2;
