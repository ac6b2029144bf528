import { DriftRateLimiter } from '../model/drift-rate-limiter.ts';
import type { Observed } from '../planning/observed.ts';
import type { EngineEvent } from './events.ts';
import { liveFingerprint } from './external-changes.ts';

/** Delay before each further revert of a change that keeps coming back, in milliseconds. */
const DELAY = 60_000;

/** Backs off from reverting an external change that keeps coming back. */
export class DriftBackoff {
  readonly #emit: (event: EngineEvent) => void;
  readonly #limiter = new DriftRateLimiter(DELAY);
  #isReported = false;
  /** When the change may be reverted, on the clock of `performance.now`. */
  until: number | undefined;

  constructor(emit: (event: EngineEvent) => void) {
    this.#emit = emit;
  }

  /** Whether changes are left alone for now. Reports the first time. @param keys the changed keys */
  holds(live: Observed | undefined, keys: readonly string[], cycle: number): boolean {
    this.until = undefined;
    const now = performance.now();
    const retryIn = keys.length === 0 ? 0 : this.#limiter.delayFor(liveFingerprint(live), now);
    if (retryIn === 0) {
      this.#isReported = false;
      return false;
    }
    this.until = now + retryIn;
    if (!this.#isReported) this.#emit({ kind: 'drift-repeated', cycle, keys, retryIn });
    this.#isReported = true;
    return true;
  }

  recordRevert(live: Observed | undefined): void {
    this.#limiter.recordRevert(liveFingerprint(live), performance.now());
  }
}
