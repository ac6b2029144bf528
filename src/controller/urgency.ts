import { RateLimiter } from '../model/rate-limit.ts';

/** Urgent events of one namespace, and of all together: a burst, and then so many per second. */
const EACH = { burst: 6, rate: 0.2 };
const ALL = { burst: 20, rate: 5 };

/**
 * Decides which events are urgent: those of namespaces with few events, so that namespaces that change all the time do not
 * delay them. If everything changes all the time, hardly any event is urgent.
 */
export class UrgencyBudget {
  readonly #each: RateLimiter;
  readonly #all: RateLimiter;

  /** @param now a monotonic clock, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#each = new RateLimiter({ ...EACH, clients: 10_000, now });
    this.#all = new RateLimiter({ ...ALL, clients: 1, now });
  }

  /** Whether an event of a namespace is urgent. */
  take(namespace: string): boolean {
    return this.#each.take(namespace).allowed && this.#all.take('').allowed;
  }
}
