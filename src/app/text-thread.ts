import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { TextQuestion } from './text-worker.ts';
import { WORKER_FILE } from './worker-file.ts';

/** A text hit the worker's limit on time or memory. */
export class TooCostly extends Error {
  override readonly name = 'TooCostly';
  /** The limit, such as `5 s` or `48 MiB of memory`. */
  readonly limit: string;

  constructor(limit: string) {
    super(`it takes more than ${limit}`);
    this.limit = limit;
  }
}

export interface TextThreadOptions {
  /** The worker's program. */
  readonly file?: URL;
  /** Longest time for one text, in milliseconds. */
  readonly longest?: number;
  /** Most memory for objects in the worker, in MiB. */
  readonly heap?: number;
  /** How long the worker waits for another text before it ends, in milliseconds: it takes about 10 MiB. */
  readonly idle?: number;
}

/** Answers questions in a worker thread, one at a time, so that none holds up the event loop. */
export class TextThread {
  readonly #file: URL;
  readonly #longest: number;
  readonly #heap: number;
  readonly #idle: number;
  #turn: Promise<unknown> = Promise.resolve();
  #worker: Worker | undefined;
  #end: NodeJS.Timeout | undefined;

  constructor({ file = WORKER_FILE, longest = 10_000, heap = 48, idle = 1_000 }: TextThreadOptions = {}) {
    this.#file = file;
    this.#longest = longest;
    this.#heap = heap;
    this.#idle = idle;
  }

  /**
   * The worker's answer, after those to all earlier questions.
   * @throws TooCostly; Error where the worker fails, which is a bug
   */
  ask<T>(question: TextQuestion): Promise<T> {
    let began = 0;
    const answer = this.#turn.then(() => {
      began = performance.now();
      return this.#ask<T>(question);
    });
    this.#turn = answer.catch(() => {}).then(() => this.#rest(performance.now() - began));
    return answer;
  }

  async #ask<T>(question: TextQuestion): Promise<T> {
    clearTimeout(this.#end);
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const late = setTimeout(() => reject(new TooCostly(`${this.#longest / 1000} s`)), this.#longest);
    const ended = (): void => reject(new Error('the worker ended'));
    const failed = (error: NodeJS.ErrnoException): void =>
      reject(
        error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? new TooCostly(`${this.#heap} MiB of memory`) : error,
      );
    worker.once('message', resolve).once('error', failed).once('exit', ended);
    worker.postMessage(question);
    try {
      return await promise;
    } catch (error) {
      this.#worker = undefined;
      void worker.terminate();
      throw error;
    } finally {
      clearTimeout(late);
      worker.off('message', resolve).off('error', failed).off('exit', ended);
      this.#end = setTimeout(() => this.close(), this.#idle).unref();
    }
  }

  /** Waits after a long question, so that those who ask again and again do not take a whole core. */
  async #rest(took: number): Promise<void> {
    if (took > SHORT) await sleep(Math.min(took, LONGEST_REST), undefined, { ref: false });
  }

  #start(): Worker {
    const worker = new Worker(this.#file, {
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: this.#heap, maxYoungGenerationSizeMb: YOUNG },
    });
    worker.unref();
    // One that fails while it has no question must not end the process, nor be asked again.
    worker.on('error', () => {});
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    return worker;
  }

  /** Whether there is a worker now. */
  get working(): boolean {
    return this.#worker !== undefined;
  }

  /** Ends the worker; the next text starts another. */
  close(): void {
    clearTimeout(this.#end);
    void this.#worker?.terminate();
    this.#worker = undefined;
  }
}

/** Longest time of a question after which the worker does not rest, in milliseconds. */
const SHORT = 100;
/** Longest rest, in milliseconds: shorter than what the worker waits for another question before it ends. */
const LONGEST_REST = 500;

/** Most memory for the worker's new objects, in MiB. */
const YOUNG = 2;
