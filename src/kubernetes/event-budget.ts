import type { ObjectEvent } from '../model/object-event.ts';

/**
 * Token bucket for Events of one reason: its size, and milliseconds per new token. client-go uses the same values for each source
 * and object.
 * @see https://github.com/kubernetes/client-go/blob/master/tools/record/events_cache.go
 */
const BURST = 25;
const REFILL = 5 * 60_000;

/** Bucket size for Events of one reason about one Service or namespace. */
const BURST_ABOUT = 5;

/** Beyond this many budgets, the Services of a namespace share one, because a tenant may keep creating Services. */
const MAX_IN_NAMESPACE = 20;

/** With this many budgets, further Events share the budget of their reason. */
const MAX_BUDGETS = 2_048;

/** Rate limit of one kind of Event. `T` is the type of a deferred Event. */
export class EventBudget<T> {
  readonly #burst: number;
  #tokens: number;
  #refilled: number;
  /** Events that were not written, and that no later Event has counted yet. */
  leftOut = 0;
  /** The last Event over the limit. It is written as soon as there is a token. */
  deferred: T | undefined;

  constructor(burst: number, time: number) {
    this.#burst = burst;
    this.#tokens = burst;
    this.#refilled = time;
  }

  /** Takes a token, if there is one. @param time in milliseconds since 1970 */
  take(time: number): boolean {
    const more = Math.max(0, Math.floor((time - this.#refilled) / REFILL));
    this.#refilled = this.#tokens + more >= this.#burst ? time : this.#refilled + more * REFILL;
    this.#tokens = Math.min(this.#burst, this.#tokens + more);
    if (this.#tokens === 0) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds until the next token. */
  wait(time: number): number {
    return Math.min(REFILL, Math.max(1, this.#refilled + REFILL - time));
  }

  /** Whether the budget can be dropped without losing state. */
  isIdle(time: number): boolean {
    const full = time - this.#refilled >= (this.#burst - this.#tokens) * REFILL;
    return full && this.leftOut === 0 && this.deferred === undefined;
  }
}

/** One budget for each reason, and for each Service or namespace that an Event is about. */
export class EventBudgets<T> {
  readonly #budgets = new Map<string, EventBudget<T>>();

  of({ reason, about }: ObjectEvent, time: number): EventBudget<T> {
    const key = JSON.stringify([reason, about ?? null]);
    const known = this.#budgets.get(key);
    if (known !== undefined) return known;
    const namespace = about?.includes('/') === true ? about.slice(0, about.lastIndexOf('/')) : undefined;
    if (namespace !== undefined && this.#isFullIn(reason, namespace, time))
      return this.of({ reason, about: namespace } as ObjectEvent, time);
    if (about !== undefined && this.#isFull(time)) return this.of({ reason } as ObjectEvent, time);
    const budget = new EventBudget<T>(about === undefined ? BURST : BURST_ABOUT, time);
    this.#budgets.set(key, budget);
    return budget;
  }

  /** Whether the Services of a namespace have as many budgets for a reason as they may. */
  #isFullIn(reason: string, namespace: string, time: number): boolean {
    const start = `${JSON.stringify([reason, namespace]).slice(0, -2)}/`;
    const theirs = [...this.#budgets].filter(([key]) => key.startsWith(start));
    if (theirs.length < MAX_IN_NAMESPACE) return false;
    const idle = theirs.filter(([, budget]) => budget.isIdle(time));
    for (const [key] of idle) this.#budgets.delete(key);
    return idle.length === 0;
  }

  #isFull(time: number): boolean {
    if (this.#budgets.size < MAX_BUDGETS) return false;
    for (const [key, budget] of this.#budgets) if (budget.isIdle(time)) this.#budgets.delete(key);
    return this.#budgets.size >= MAX_BUDGETS;
  }
}
