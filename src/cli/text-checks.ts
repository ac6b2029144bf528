import { Worker } from 'node:worker_threads';
import type { DocumentFaults } from '../generate/check.ts';
import type { DocumentKind } from '../generate/check-text.ts';
import type { TextQuestion } from './text-worker.ts';
import { WORKER_FILE } from './worker-file.ts';

/** Why a text was not checked. */
export class CheckRefused extends Error {
  /** `client`: that client's last one is not done; `busy`: many clients wait; `costly`: it hit the limit of time or memory. */
  readonly reason: 'client' | 'busy' | 'costly';

  constructor(reason: CheckRefused['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface TextCheckOptions {
  /** The worker's program. */
  readonly file?: URL;
  /** Longest time for one text, in milliseconds. */
  readonly longest?: number;
  /** Most memory for objects in the worker, in MiB. */
  readonly heap?: number;
  /** Most clients at once, the one whose text is being read among them. */
  readonly clients?: number;
  /** How long the worker waits for another text before it ends, in milliseconds: it takes about 10 MiB. */
  readonly idle?: number;
}

/**
 * Checks texts of API clients in a worker thread, so that no text holds up anything else: one text at a time, one of each
 * client, and only so many clients.
 */
export class TextChecks {
  readonly #file: URL;
  readonly #longest: number;
  readonly #heap: number;
  readonly #most: number;
  readonly #idle: number;
  readonly #clients = new Set<string>();
  #turn: Promise<unknown> = Promise.resolve();
  #worker: Worker | undefined;
  #end: NodeJS.Timeout | undefined;

  constructor(options: TextCheckOptions = {}) {
    const { file = WORKER_FILE, longest = 10_000, heap = 96, clients = 8, idle = 10_000 } = options;
    this.#file = file;
    this.#longest = longest;
    this.#heap = heap;
    this.#most = clients;
    this.#idle = idle;
  }

  /**
   * What is wrong with a text.
   * @param client who sent it
   * @throws CheckRefused
   */
  async check(kind: DocumentKind, text: string, client: string): Promise<DocumentFaults> {
    if (this.#clients.has(client))
      throw new CheckRefused(
        'client',
        'another document of yours is being checked; send one after the other',
      );
    if (this.#clients.size >= this.#most)
      throw new CheckRefused('busy', `documents of ${this.#most} clients are being checked; try again`);
    this.#clients.add(client);
    const answer = this.#turn.then(() => this.#ask({ kind, text }));
    this.#turn = answer.catch(() => {});
    try {
      return await answer;
    } finally {
      this.#clients.delete(client);
    }
  }

  async #ask(question: TextQuestion): Promise<DocumentFaults> {
    clearTimeout(this.#end);
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const { promise, resolve, reject } = Promise.withResolvers<DocumentFaults>();
    const costly = (what: string): void => reject(new CheckRefused('costly', what));
    const late = setTimeout(
      () => costly(`it takes more than ${this.#longest / 1000} s to check`),
      this.#longest,
    );
    const ended = (): void => reject(new Error('the worker ended'));
    const failed = (error: NodeJS.ErrnoException): void =>
      error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? costly(`it takes more than ${this.#heap} MiB of memory to check`)
        : reject(error);
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

  #start(): Worker {
    const worker = new Worker(this.#file, {
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: this.#heap, maxYoungGenerationSizeMb: 8 },
    });
    worker.unref();
    // One that fails while no text is being checked must not end the process, nor be asked again.
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
