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

interface Known<Answer> {
  readonly answer: Answer;
  readonly since: number;
  readonly until: number;
}

/**
 * Answers to questions that cost a request, each remembered for a short time. The same question is asked once at a
 * time, and who comes meanwhile gets the same answer. Nobody who waits can end that, so one who goes away spoils it for
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
    if (known !== undefined && known.since <= now && now < known.until) return known.answer;
    const asking = this.#asking.get(key);
    if (asking !== undefined) return asking;
    if (this.#asking.size >= this.#limits.atOnce + this.#limits.waiting) return undefined;
    const signal = AbortSignal.any([this.#closing, AbortSignal.timeout(this.#limits.longest)]);
    const answer = this.#slots(async () => {
      try {
        const held = await ask(signal);
        const since = this.#now();
        this.#known.set(key, { answer: held.answer, since, until: since + held.holds });
        return held.answer;
      } finally {
        this.#asking.delete(key);
      }
    });
    this.#asking.set(key, answer);
    return answer;
  }
}
