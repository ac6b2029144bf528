import type { Generated } from '../model/documents.ts';
import type { ContentFaults } from '../outputs/faults.ts';
import type { GenerateQuestion } from './generate-apart.ts';
import { TextThread, type TextThreadOptions, TooCostly } from './text-thread.ts';
import type { TextQuestion } from './text-worker.ts';

/** Why the worker did not answer. */
export class CheckRefused extends Error {
  /** `client`: that client's last request is not done; `busy`: many clients wait; `costly`: it hit the limit of time or memory. */
  readonly reason: 'client' | 'busy' | 'costly';

  constructor(reason: CheckRefused['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export interface TextCheckOptions extends TextThreadOptions {
  /** Most clients at once, the one whose request is being answered among them. */
  readonly clients?: number;
}

/**
 * Checks texts of API clients and generates documents for them in a worker thread, so that no request holds up anything
 * else: one at a time, one of each client, and only so many clients.
 */
export class TextChecks {
  readonly #thread: TextThread;
  readonly #most: number;
  readonly #clients = new Set<string>();

  constructor({ clients = 8, ...options }: TextCheckOptions = {}) {
    this.#thread = new TextThread(options);
    this.#most = clients;
  }

  /**
   * What is wrong with a text.
   * @param format the id of an output, or `overrides`
   * @param client who sent it
   * @throws CheckRefused
   */
  check(format: string, text: string, client: string): Promise<ContentFaults> {
    return this.#ask(() => ({ kind: 'check', format, text }), client);
  }

  /**
   * The documents for what is described or known.
   * @param question makes what is asked, once it is known that the client may ask
   * @param client who asked for them
   * @throws CheckRefused
   */
  generate(question: () => Promise<GenerateQuestion>, client: string): Promise<Generated> {
    return this.#ask(question, client);
  }

  async #ask<T>(question: () => TextQuestion | Promise<TextQuestion>, client: string): Promise<T> {
    if (this.#clients.has(client))
      throw new CheckRefused('client', 'another request of yours is in progress; send one at a time');
    if (this.#clients.size >= this.#most)
      throw new CheckRefused('busy', `requests of ${this.#most} clients are in progress; try again`);
    this.#clients.add(client);
    try {
      return await this.#thread.ask<T>(await question());
    } catch (error) {
      if (!(error instanceof TooCostly)) throw error;
      throw new CheckRefused('costly', error.message, { cause: error });
    } finally {
      this.#clients.delete(client);
    }
  }

  /** Whether there is a worker now. */
  get working(): boolean {
    return this.#thread.working;
  }

  /** Ends the worker; the next text starts another. */
  close(): void {
    this.#thread.close();
  }
}
