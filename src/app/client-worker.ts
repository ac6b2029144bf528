import type { Generated } from '../model/documents.ts';
import type { ContentFaults } from '../outputs/faults.ts';
import type { GenerateTask } from './generate-in-worker.ts';
import type { WorkerTask } from './text-worker.ts';
import { WorkerLimitError, WorkerThread, type WorkerThreadOptions } from './worker-thread.ts';

/** The worker rejected or did not finish a task. */
export class TaskRejected extends Error {
  /** `client`: another task of this client is running; `busy`: too many clients; `costly`: the task hit a limit of time or memory. */
  readonly reason: 'client' | 'busy' | 'costly';

  constructor(reason: TaskRejected['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export interface ClientWorkerOptions extends WorkerThreadOptions {
  /** Maximum clients with a queued or running task. */
  readonly clients?: number;
}

/**
 * Checks texts and generates documents for API clients in a worker thread, so that no request blocks the event loop.
 * It runs one task at a time, accepts one task per client, and limits the number of clients.
 */
export class ClientWorker {
  readonly #thread: WorkerThread;
  readonly #maxClients: number;
  readonly #clients = new Set<string>();

  constructor({ clients = 8, ...options }: ClientWorkerOptions = {}) {
    this.#thread = new WorkerThread(options);
    this.#maxClients = clients;
  }

  /**
   * Checks a text.
   * @param format the id of an output, or `overrides`
   * @param client identifies the caller
   * @throws TaskRejected
   */
  check(format: string, text: string, client: string): Promise<ContentFaults> {
    return this.#run(() => ({ kind: 'check', format, text }), client);
  }

  /**
   * Generates documents.
   * @param createTask called once the client is admitted
   * @param client identifies the caller
   * @throws TaskRejected
   */
  generate(createTask: () => Promise<GenerateTask>, client: string): Promise<Generated> {
    return this.#run(createTask, client);
  }

  async #run<T>(createTask: () => WorkerTask | Promise<WorkerTask>, client: string): Promise<T> {
    if (this.#clients.has(client))
      throw new TaskRejected('client', 'another request of your client is in progress; send one at a time');
    if (this.#clients.size >= this.#maxClients)
      throw new TaskRejected('busy', `requests of ${this.#maxClients} clients are in progress; try again`);
    this.#clients.add(client);
    try {
      return await this.#thread.run<T>(await createTask());
    } catch (error) {
      if (!(error instanceof WorkerLimitError)) throw error;
      throw new TaskRejected('costly', error.message, { cause: error });
    } finally {
      this.#clients.delete(client);
    }
  }

  /** Whether a worker is running. */
  get isRunning(): boolean {
    return this.#thread.isRunning;
  }

  /** Ends the worker. The next task starts another one. */
  close(): Promise<void> {
    return this.#thread.close();
  }
}
