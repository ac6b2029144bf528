import { ProblemError } from './problem.ts';

/** Most bytes of bodies that are being sent, in all and by one client: whoever sends slowly keeps them in memory. */
export interface BodyLimits {
  readonly total: number;
  readonly client: number;
}

const LIMITS: BodyLimits = { total: 8 * 1024 * 1024, client: 512 * 1024 };

/** Room for the bodies of requests while they arrive, shared by clients. */
export class OpenBodies {
  readonly #limits: BodyLimits;
  readonly #byClient = new Map<string, number>();
  #total = 0;

  constructor(limits: BodyLimits = LIMITS) {
    this.#limits = limits;
  }

  /**
   * Makes room for a body.
   * @param bytes what its header says, or the most that it may have
   * @returns gives the room back; it may be called more than once
   * @throws ProblemError where there is none left
   */
  take(client: string, bytes: number): () => void {
    const { total, client: most } = this.#limits;
    const taken = this.#byClient.get(client) ?? 0;
    if (taken > 0 && taken + bytes > most)
      throw new ProblemError(
        'too-many-requests',
        `You are sending other bodies, and all of one client together may have ${most} bytes at a time; wait for their answers.`,
        { headers: { 'retry-after': '1' } },
      );
    if (this.#total + bytes > total)
      throw new ProblemError(
        'unavailable',
        'Too many bodies are being sent now; try again in some seconds.',
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
