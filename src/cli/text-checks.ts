import type { DocumentFaults } from '../generate/check.ts';
import type { DocumentKind } from '../generate/check-text.ts';
import { TextThread, type TextThreadOptions, TooCostly } from './text-thread.ts';

/** Why a text was not checked. */
export class CheckRefused extends Error {
  /** `client`: that client's last one is not done; `busy`: many clients wait; `costly`: it hit the limit of time or memory. */
  readonly reason: 'client' | 'busy' | 'costly';

  constructor(reason: CheckRefused['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export interface TextCheckOptions extends TextThreadOptions {
  /** Most clients at once, the one whose text is being read among them. */
  readonly clients?: number;
}

/**
 * Checks texts of API clients in a worker thread, so that no text holds up anything else: one text at a time, one of each
 * client, and only so many clients.
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
    try {
      return await this.#thread.ask({ kind, text });
    } catch (error) {
      if (!(error instanceof TooCostly)) throw error;
      throw new CheckRefused('costly', `${error.message} to check`, { cause: error });
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
