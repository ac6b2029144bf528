import type { DiscoverRequest } from '../server/api.ts';
import type { DiscoverResult } from '../server/jobs.ts';
import { ProblemError } from '../server/problem.ts';
import { Cooldown } from './cooldown.ts';

/** Minimum time between discoveries, in milliseconds. Without it, a client could have backends probed all the time. */
const INTERVAL = 5_000;
/** Maximum requests that wait or run, of one client and of all. */
const MAX_OF_CLIENT = 4;
const MAX_REQUESTS = 64;

/** A request that waits or runs. */
interface Entry {
  readonly client: string;
  readonly request: DiscoverRequest;
  readonly resolve: (result: DiscoverResult) => void;
  readonly reject: (error: Error) => void;
}

const refusal = (type: 'too-many-requests' | 'unavailable', why: string): ProblemError =>
  new ProblemError(type, `The discovery was not started: ${why}.`, { headers: { 'retry-after': '5' } });

/** Lets requested discoveries begin together, at most once in an interval, and limits how many there are. */
export class RequestedDiscoveries {
  readonly #run: (requests: readonly DiscoverRequest[]) => Promise<readonly DiscoverResult[]>;
  readonly #cooldown: Cooldown;
  /** Those that wait or run. */
  readonly #open = new Set<Entry>();
  #waiting: Entry[] = [];

  /** @param run runs the discovery of several requests, and returns their results in the same order */
  constructor(
    run: (requests: readonly DiscoverRequest[]) => Promise<readonly DiscoverResult[]>,
    cooldown: Cooldown = new Cooldown(INTERVAL),
  ) {
    this.#run = run;
    this.#cooldown = cooldown;
  }

  /**
   * Adds a request. @param client identifies the caller
   * @returns resolves when its discovery is complete
   * @throws ProblemError if there are too many
   */
  add(request: DiscoverRequest, client: string): Promise<DiscoverResult> {
    this.#makeRoom(client);
    const { promise, resolve, reject } = Promise.withResolvers<DiscoverResult>();
    const entry = { client, request, resolve, reject };
    this.#open.add(entry);
    this.#waiting.push(entry);
    if (this.#waiting.length === 1) void this.#cooldown.turn().then(() => this.#begin());
    return promise.finally(() => this.#open.delete(entry));
  }

  /** Drops the last waiting request of the client with the most of them if that one has more than this client. */
  #makeRoom(client: string): void {
    const counts = new Map<string, number>();
    for (const each of this.#open) counts.set(each.client, (counts.get(each.client) ?? 0) + 1);
    const own = counts.get(client) ?? 0;
    if (own >= MAX_OF_CLIENT)
      throw refusal('too-many-requests', `${MAX_OF_CLIENT} of your client are not complete yet`);
    if (this.#open.size < MAX_REQUESTS) return;
    const countOf = (each: Entry): number => counts.get(each.client) ?? 0;
    const most = Math.max(...this.#waiting.map(countOf));
    const last = this.#waiting.findLast((each) => countOf(each) === most);
    if (last === undefined || most <= own + 1)
      throw refusal('unavailable', `${MAX_REQUESTS} are not complete yet`);
    this.#waiting = this.#waiting.filter((each) => each !== last);
    this.#open.delete(last);
    last.reject(new Error('too many discoveries were requested; try again'));
  }

  async #begin(): Promise<void> {
    const entries = this.#waiting;
    this.#waiting = [];
    if (entries.length === 0) return;
    try {
      const results = await this.#run(entries.map(({ request }) => request));
      for (const [index, { resolve, reject }] of entries.entries()) {
        const result = results[index];
        if (result === undefined) reject(new Error('the discovery has no result'));
        else resolve(result);
      }
    } catch (error) {
      for (const { reject } of entries) reject(error as Error);
    }
  }
}
