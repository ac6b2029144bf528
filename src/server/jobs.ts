import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** The result of a requested discovery. */
export interface DiscoverResult {
  /** Number of backends now. */
  readonly services: number;
  /** Number of known backends that were probed again. */
  readonly asked: number;
  /** Of the requested backends: how many are healthy and unhealthy now, and how many changed. */
  readonly healthy: number;
  readonly unhealthy: number;
  /**
   * Number of requested backends with unknown health. While no backend is reachable at all, every one that is not unhealthy
   * counts.
   */
  readonly unknown: number;
  readonly changed: number;
}

/** One requested discovery. */
export interface Job {
  readonly id: string;
  readonly startedAt: Date;
  completedAt: Date | undefined;
  status: 'running' | 'completed' | 'failed';
  message: string;
  result: DiscoverResult | undefined;
}

/** Maximum number of jobs of each client, and of clients. */
const MAX_JOBS = 20;
const MAX_CLIENTS = 500;

/** Recently requested discoveries, by client. */
export class Jobs {
  readonly #clients = new LRUCache<string, LRUCache<string, Job>>({ max: MAX_CLIENTS });
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  get(id: string): Job | undefined {
    for (const jobs of this.#clients.values()) {
      const job = jobs.get(id);
      if (job !== undefined) return job;
    }
    return undefined;
  }

  /**
   * @param work resolves when the discovery is done
   * @param client identifies the caller
   */
  start(work: Promise<DiscoverResult>, client: string): { readonly job: Job; readonly ended: Promise<void> } {
    const job: Job = {
      id: randomUUID(),
      startedAt: this.#now(),
      completedAt: undefined,
      status: 'running',
      message: 'discovery is running',
      result: undefined,
    };
    const jobs = this.#clients.get(client) ?? new LRUCache<string, Job>({ max: MAX_JOBS });
    jobs.set(job.id, job);
    this.#clients.set(client, jobs);
    const ended = work.then(
      (result) => this.#end(job, 'completed', summary(result), result),
      (error: Error) => this.#end(job, 'failed', error.message, undefined),
    );
    return { job, ended };
  }

  #end(job: Job, status: Job['status'], message: string, result: DiscoverResult | undefined): void {
    Object.assign(job, { status, message, result, completedAt: this.#now() });
  }
}

const summary = ({ asked, healthy, unhealthy, unknown, changed }: DiscoverResult): string =>
  `discovery is complete: ${asked} probed again, ${healthy} healthy, ${unhealthy} unhealthy, ${unknown} unknown, ${changed} changed`;
