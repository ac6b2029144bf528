import type { ObjectEvent } from '../model/object-event.ts';

/**
 * As many Events of one reason at once, then one more each so many milliseconds: what client-go allows one source and
 * object.
 * @see https://github.com/kubernetes/client-go/blob/master/tools/record/events_cache.go
 */
const BURST = 25;
const REFILL = 5 * 60_000;

/** The same for Events of one reason about one Service or namespace. */
const BURST_ABOUT = 5;

/** Most budgets; Events beyond that share the budget of their reason. */
const MOST = 2_048;

/** How many Events of one kind may be written. `T` is what waits for its turn. */
export class EventBudget<T> {
  readonly #burst: number;
  #tokens: number;
  #refilled: number;
  /** Events that were not written, and that no Event told of yet. */
  leftOut = 0;
  /** The last Event that was too many: it is written as soon as one more may be. */
  deferred: T | undefined;

  constructor(burst: number, time: number) {
    this.#burst = burst;
    this.#tokens = burst;
    this.#refilled = time;
  }

  /** Takes one, if there is one. @param time in milliseconds since 1970 */
  take(time: number): boolean {
    const more = Math.max(0, Math.floor((time - this.#refilled) / REFILL));
    this.#refilled = this.#tokens + more >= this.#burst ? time : this.#refilled + more * REFILL;
    this.#tokens = Math.min(this.#burst, this.#tokens + more);
    if (this.#tokens === 0) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds until one more may be written. */
  wait(time: number): number {
    return Math.min(REFILL, Math.max(1, this.#refilled + REFILL - time));
  }

  /** Nothing of it is worth remembering. */
  isIdle(time: number): boolean {
    const full = time - this.#refilled >= (this.#burst - this.#tokens) * REFILL;
    return full && this.leftOut === 0 && this.deferred === undefined;
  }
}

/** The budgets of Events: one for each reason, and for each Service or namespace that an Event is about. */
export class EventBudgets<T> {
  readonly #budgets = new Map<string, EventBudget<T>>();

  of({ reason, about }: ObjectEvent, time: number): EventBudget<T> {
    const key = JSON.stringify([reason, about ?? null]);
    const known = this.#budgets.get(key);
    if (known !== undefined) return known;
    if (about !== undefined && this.#isFull(time)) return this.of({ reason } as ObjectEvent, time);
    const budget = new EventBudget<T>(about === undefined ? BURST : BURST_ABOUT, time);
    this.#budgets.set(key, budget);
    return budget;
  }

  #isFull(time: number): boolean {
    if (this.#budgets.size < MOST) return false;
    for (const [key, budget] of this.#budgets) if (budget.isIdle(time)) this.#budgets.delete(key);
    return this.#budgets.size >= MOST;
  }
}
