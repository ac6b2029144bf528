import { ProblemError } from './problem.ts';

/** Maximum size of bodies in flight, in total and per client, in bytes. Slow clients keep them in memory. */
export interface BodyLimits {
  readonly total: number;
  readonly client: number;
}

const LIMITS: BodyLimits = { total: 8 * 1024 * 1024, client: 512 * 1024 };

/** Memory budget of bodies in flight, shared by clients. */
export class OpenBodies {
  readonly #limits: BodyLimits;
  readonly #byClient = new Map<string, number>();
  #total = 0;

  readonly #what: string;

  readonly #isFirstFree: boolean;

  /**
   * @param what what a client has, as the rest of "Your client has"
   * @param isFirstFree whether the total does not matter to a client that has none, so that others cannot keep it out
   */
  constructor(limits: BodyLimits = LIMITS, what = 'other requests with bodies', isFirstFree = false) {
    this.#limits = limits;
    this.#what = what;
    this.#isFirstFree = isFirstFree;
  }

  /**
   * Reserves budget for a body.
   * @param bytes its content length, or the maximum
   * @returns releases the budget; may be called more than once
   * @throws ProblemError if the budget is exhausted
   */
  take(client: string, bytes: number): () => void {
    const { total, client: most } = this.#limits;
    const taken = this.#byClient.get(client) ?? 0;
    if (taken > 0 && taken + bytes > most)
      throw new ProblemError(
        'too-many-requests',
        `Your client has ${this.#what}, and the limit for all of a client together is ${most} bytes; wait until they end.`,
        { headers: { 'retry-after': '1' } },
      );
    const isFirst = this.#isFirstFree && taken === 0;
    if (this.#total + bytes > total && !isFirst)
      throw new ProblemError(
        'unavailable',
        'Too many bodies and responses are in transfer now; try again in some seconds.',
        {
          headers: { 'retry-after': '5' },
        },
      );
    this.#add(client, bytes);
    let isOpen = true;
    return () => {
      if (isOpen) this.#add(client, -bytes);
      isOpen = false;
    };
  }

  #add(client: string, bytes: number): void {
    this.#total += bytes;
    const left = (this.#byClient.get(client) ?? 0) + bytes;
    if (left > 0) this.#byClient.set(client, left);
    else this.#byClient.delete(client);
  }
}
