import { LRUCache } from 'lru-cache';
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
  /** Maximum time that queued tasks are expected to take together, in milliseconds. Their texts are in memory. */
  readonly queued?: number;
  /** A monotonic clock, in milliseconds. */
  readonly now?: () => number;
}

/** Half of what a client used counts after this time, in milliseconds. */
const HALF_LIFE_MS = 60_000;
/** Maximum clients that are remembered. */
const MAX_REMEMBERED = 1_000;

/** Characters of a text that take about a millisecond to check. */
const CHARACTERS_PER_MS = 256;

/** The most that a task is charged, in milliseconds: a client is not charged for restarting a worker that another one's task ended. */
const mostCharged = (expected: number): number => 10 + 4 * expected;

/** A client with a task that waits for its turn. */
interface Waiting {
  readonly client: string;
  /** The time that its task will take, in milliseconds: an estimate. */
  readonly expected: number;
  readonly begin: () => void;
  readonly reject: (error: TaskRejected) => void;
}

/**
 * Checks texts and generates documents for API clients in a worker thread, so that no request blocks the event loop.
 * It runs one task at a time, accepts one task per client, and limits the number of clients. The client that used the worker
 * least, its waiting task included, has precedence, so that those with costly tasks keep no others out.
 */
export class ClientWorker {
  readonly #thread: WorkerThread;
  readonly #maxClients: number;
  readonly #maxQueued: number;
  readonly #now: () => number;
  /** Those with a task, one of which may be running. */
  readonly #clients = new Set<string>();
  #waiting: Waiting[] = [];
  #isRunning = false;
  /** The time that clients used, in milliseconds, and when. */
  readonly #used = new LRUCache<string, { readonly amount: number; readonly at: number }>({
    max: MAX_REMEMBERED,
  });

  constructor({
    clients = 256,
    queued = 30_000,
    now = () => performance.now(),
    ...options
  }: ClientWorkerOptions = {}) {
    this.#now = now;
    this.#maxQueued = queued;
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
    return this.#run(() => ({ kind: 'check', format, text }), client, text.length / CHARACTERS_PER_MS);
  }

  /**
   * Generates documents.
   * @param createTask called once the client is admitted
   * @param client identifies the caller
   * @param services their number
   * @returns the API's response, as JSON in UTF-8
   * @throws TaskRejected
   */
  generate(createTask: () => Promise<GenerateTask>, client: string, services: number): Promise<Uint8Array> {
    // Rendering a service takes about a millisecond.
    return this.#run(createTask, client, services);
  }

  /** @throws TaskRejected while a task of this client is queued or running */
  mustBeFirst(client: string): void {
    if (this.#clients.has(client))
      throw new TaskRejected('client', 'another request of your client is in progress; send one at a time');
  }

  async #run<T>(
    createTask: () => WorkerTask | Promise<WorkerTask>,
    client: string,
    expected: number,
  ): Promise<T> {
    this.mustBeFirst(client);
    this.#makeRoom(client, expected);
    this.#clients.add(client);
    try {
      await this.#turn(client, expected);
      const began = this.#now();
      try {
        return await this.#thread.run<T>(await createTask());
      } catch (error) {
        if (!(error instanceof WorkerLimitError)) throw error;
        throw new TaskRejected('costly', error.message, { cause: error });
      } finally {
        const now = this.#now();
        const took = Math.min(now - began, mostCharged(expected));
        this.#used.set(client, { amount: this.#usedBy(client) + took, at: now });
        void this.#thread.rested.then(() => this.#next());
      }
    } finally {
      this.#clients.delete(client);
    }
  }

  /** What a client used in the last minutes, in milliseconds. */
  #usedBy(client: string): number {
    const used = this.#used.get(client);
    return used === undefined ? 0 : used.amount * 0.5 ** ((this.#now() - used.at) / HALF_LIFE_MS);
  }

  /** What a client will have used after its waiting task. */
  #dueOf({ client, expected }: Pick<Waiting, 'client' | 'expected'>): number {
    return this.#usedBy(client) + expected;
  }

  /** Rejects waiting tasks of the clients that used most until there is room, but only of those that used more than this one. */
  #makeRoom(client: string, expected: number): void {
    const due = this.#dueOf({ client, expected });
    let queued = this.#waiting.reduce((sum, each) => sum + each.expected, expected);
    while (this.#clients.size >= this.#maxClients || (queued > this.#maxQueued && queued > expected)) {
      const busy = new TaskRejected(
        'busy',
        `requests of ${this.#clients.size} clients are in progress; try again`,
      );
      // Of several, the one that came last.
      const most = this.#waiting.toSorted((a, b) => this.#dueOf(a) - this.#dueOf(b)).at(-1);
      if (most === undefined || this.#dueOf(most) <= due) throw busy;
      this.#waiting = this.#waiting.filter((each) => each !== most);
      this.#clients.delete(most.client);
      queued -= most.expected;
      most.reject(busy);
    }
  }

  /** Resolves when the client has its turn. */
  #turn(client: string, expected: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ client, expected, begin: resolve, reject });
    if (!this.#isRunning) this.#next();
    return promise;
  }

  #next(): void {
    const [first] = this.#waiting.toSorted((a, b) => this.#dueOf(a) - this.#dueOf(b));
    this.#isRunning = first !== undefined;
    if (first === undefined) return;
    this.#waiting = this.#waiting.filter((each) => each !== first);
    first.begin();
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
