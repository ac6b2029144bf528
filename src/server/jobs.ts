import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** The result of a requested discovery. */
export interface DiscoverResult {
  /** How many backends there are now. */
  readonly services: number;
  /** How many known backends were probed again. */
  readonly asked: number;
  /** Of those that the request is about: how many are healthy and unhealthy now, and whose health changed by it. */
  readonly healthy: number;
  readonly unhealthy: number;
  /** Of how many of them nothing is known now; all that are not unhealthy, while no backend at all can be reached. */
  readonly unknown: number;
  readonly changed: number;
}

/** One discovery that somebody asked for. */
export interface Job {
  readonly id: string;
  readonly startedAt: Date;
  completedAt: Date | undefined;
  status: 'running' | 'completed' | 'failed';
  message: string;
  result: DiscoverResult | undefined;
}

/** How many are remembered. */
const MAX_JOBS = 200;

/** The discoveries that were asked for lately. */
export class Jobs {
  readonly #jobs = new LRUCache<string, Job>({ max: MAX_JOBS });
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** @param work resolves when it is done */
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
