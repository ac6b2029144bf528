import { LRUCache } from 'lru-cache';
import pLimit, { type LimitFunction } from 'p-limit';

/** An answer, and how long it holds. */
export interface Held<Answer> {
  readonly answer: Answer;
  /** In milliseconds; nothing is remembered where it is 0 or less. */
  readonly holds: number;
}

export interface BriefMemoryLimits {
  /** Most answers that are remembered. */
  readonly remembered: number;
  /** Most questions that are asked at once. */
  readonly atOnce: number;
  /** Most questions that wait to be asked. */
  readonly waiting: number;
  /** Longest time for a question, the waiting included, in milliseconds. */
  readonly longest: number;
}

export const LIMITS: BriefMemoryLimits = { remembered: 10_000, atOnce: 32, waiting: 256, longest: 10_000 };

/** The part of its time after which an answer that is asked for is found out anew, while it still holds. */
const REFRESHED = 0.7;

interface Known<Answer> {
  readonly answer: Answer;
  readonly since: number;
  readonly until: number;
  /** Whether it was found out anew, or that was tried. */
  renewed: boolean;
}

/**
 * Answers to questions that cost a request, each remembered for a short time. The same question is asked once at a
 * time, and who comes meanwhile gets the same answer. One that is asked for again and again is found out anew before its
 * time is over, so that nobody waits for that. Nobody who waits can end that, so one who goes away spoils it for
 * nobody.
 */
export class BriefMemory<Answer> {
  readonly #known: LRUCache<string, Known<Answer>>;
  readonly #asking = new Map<string, Promise<Answer>>();
  readonly #limits: BriefMemoryLimits;
  readonly #slots: LimitFunction;
  readonly #now: () => number;
  readonly #closing: AbortSignal;

  /**
   * @param now milliseconds since the epoch; where that clock is set back, what was learnt later does not count
   * @param closing ends the questions that are being asked
   */
  constructor(limits: BriefMemoryLimits, now: () => number, closing: AbortSignal) {
    this.#limits = limits;
    this.#known = new LRUCache({ max: limits.remembered });
    this.#slots = pLimit(limits.atOnce);
    this.#now = now;
    this.#closing = closing;
  }

  /**
   * The answer to a question, from memory where that still holds.
   * @param ask asks it; the signal is aborted when that takes too long
   * @returns nothing where too many questions are being asked
   * @throws what `ask` throws, which is not remembered
   */
  answer(
    key: string,
    ask: (signal: AbortSignal) => Promise<Held<Answer>>,
  ): Promise<Answer> | Answer | undefined {
    const known = this.#known.get(key);
    const now = this.#now();
    if (known === undefined || now < known.since || known.until <= now) return this.#ask(key, ask);
    // It is tried once: where that fails, who comes when the answer no longer holds asks again.
    if (!known.renewed && now - known.since > REFRESHED * (known.until - known.since)) {
      known.renewed = true;
      void this.#ask(key, ask)?.catch(() => {});
    }
    return known.answer;
  }

  #ask(key: string, ask: (signal: AbortSignal) => Promise<Held<Answer>>): Promise<Answer> | undefined {
    const asking = this.#asking.get(key);
    if (asking !== undefined) return asking;
    if (this.#asking.size >= this.#limits.atOnce + this.#limits.waiting) return undefined;
    const signal = AbortSignal.any([this.#closing, AbortSignal.timeout(this.#limits.longest)]);
    const answer = this.#slots(async () => {
      try {
        const held = await ask(signal);
        this.#learn(key, held);
        return held.answer;
      } finally {
        this.#asking.delete(key);
      }
    });
    this.#asking.set(key, answer);
    return answer;
  }

  /** One that holds for a shorter time does not take the place of one that is known: to know nothing is not to know better. */
  #learn(key: string, { answer, holds }: Held<Answer>): void {
    const since = this.#now();
    const until = since + holds;
    const known = this.#known.get(key);
    if (known === undefined || since < known.since || known.until <= until)
      this.#known.set(key, { answer, since, until, renewed: false });
  }
}
