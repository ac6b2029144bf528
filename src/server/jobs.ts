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

/** Maximum number of jobs. */
const MAX_JOBS = 200;

/** Recently requested discoveries. */
export class Jobs {
  readonly #jobs = new LRUCache<string, Job>({ max: MAX_JOBS });
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** @param work resolves when the discovery is done */
  start(work: Promise<DiscoverResult>): { readonly job: Job; readonly ended: Promise<void> } {
    const job: Job = {
      id: randomUUID(),
      startedAt: this.#now(),
      completedAt: undefined,
      status: 'running',
      message: 'discovery is running',
      result: undefined,
    };
    this.#jobs.set(job.id, job);
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
