import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** One discovery that somebody asked for. */
export interface Job {
  readonly id: string;
  readonly startedAt: Date;
  completedAt: Date | undefined;
  status: 'running' | 'completed' | 'failed';
  message: string;
  /** How many backends there were when it was done. */
  services: number | undefined;
}

/** How many are remembered. */
const REMEMBERED = 200;

/** The discoveries that were asked for lately. */
export class Jobs {
  readonly #jobs = new LRUCache<string, Job>({ max: REMEMBERED });
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** @param work resolves with the number of backends when it is done */
  start(work: Promise<number>): { readonly job: Job; readonly ended: Promise<void> } {
    const job: Job = {
      id: randomUUID(),
      startedAt: this.#now(),
      completedAt: undefined,
      status: 'running',
      message: 'discovery is running',
      services: undefined,
    };
    this.#jobs.set(job.id, job);
    const ended = work.then(
      (services) => this.#end(job, 'completed', 'discovery is complete', services),
      (error: Error) => this.#end(job, 'failed', error.message, undefined),
    );
    return { job, ended };
  }

  #end(job: Job, status: Job['status'], message: string, services: number | undefined): void {
    Object.assign(job, { status, message, services, completedAt: this.#now() });
  }
}
