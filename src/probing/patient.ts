import type { Candidate, Problem, Verdict } from '../model/discovery.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import type { Prober } from './prober.ts';
import { type ScheduledProber, subjectOf } from './schedule.ts';

/** How long a pass waits for those that it asks, in milliseconds. */
export interface Patience {
  /** For a backend that is not in use, or that was asked before: what was known of it goes on to count. */
  readonly usual: number;
  /** For one that is in use and was never asked by this process. */
  readonly inUse: number;
}

const PATIENCE: Patience = { usual: 2_000, inUse: 10_000 };

/** What is told of a backend of which nothing is known yet. */
const PENDING: Verdict = {
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  pending: true,
  reason: 'it has not answered yet',
  steps: [],
};

/** A candidate that is being asked. */
interface Asked {
  readonly subject: string;
  /** The pass in which that began. */
  readonly pass: number;
  readonly verdict: Promise<Verdict>;
  /** A pass went on without it. */
  late: boolean;
}

/**
 * A prober for which no pass waits long: a few backends that are slow on purpose must not keep the others from being
 * published. Who has not answered in time is told as it was known, goes on to be asked, and wakes the next pass.
 */
export class PatientProber implements Prober {
  readonly #prober: Pick<ScheduledProber, 'prepare' | 'probe' | 'known'>;
  readonly #wake: () => void;
  readonly #patience: Patience;
  readonly #asked = new Map<ServiceKey, Asked>();
  #pass = 0;
  #deadlines = new Map<number, Promise<void>>();
  #idle = Promise.withResolvers<void>();

  /** @param wake called when one has answered that a pass did not wait for */
  constructor(
    prober: Pick<ScheduledProber, 'prepare' | 'probe' | 'known'>,
    wake: () => void,
    patience: Patience = PATIENCE,
  ) {
    this.#prober = prober;
    this.#wake = wake;
    this.#patience = patience;
  }

  /** Resolves when nobody is being asked. */
  get idle(): Promise<void> {
    return this.#asked.size === 0 ? Promise.resolve() : this.#idle.promise;
  }

  prepare(candidates: readonly Candidate[], signal: AbortSignal): Promise<readonly Problem[]> {
    this.#pass += 1;
    this.#deadlines = new Map();
    return this.#prober.prepare(candidates, signal);
  }

  /** @param isInUse what is published leads to it */
  async probe(candidate: Candidate, signal: AbortSignal, isInUse = false): Promise<Verdict> {
    const asked = this.#ask(candidate, signal);
    const known = this.#prober.known(candidate);
    const wait = isInUse && known === undefined ? this.#patience.inUse : this.#patience.usual;
    const verdict = await Promise.race([
      asked.verdict,
      // What a pass has waited for already, the next one does not wait for again.
      this.#deadline(asked.pass < this.#pass ? 0 : wait).then(() => undefined),
    ]);
    if (verdict !== undefined) return verdict;
    asked.late = true;
    return known ?? PENDING;
  }

  #ask(candidate: Candidate, signal: AbortSignal): Asked {
    const key = serviceKey(candidate.service);
    const subject = subjectOf(candidate);
    const before = this.#asked.get(key);
    if (before?.subject === subject) return before;
    const verdict = this.#prober.probe(candidate, signal);
    const asked: Asked = { subject, pass: this.#pass, verdict, late: false };
    this.#asked.set(key, asked);
    const ended = (): void => {
      if (this.#asked.get(key) === asked) this.#asked.delete(key);
      if (asked.late && !signal.aborted) this.#wake();
      if (this.#asked.size > 0) return;
      this.#idle.resolve();
      this.#idle = Promise.withResolvers();
    };
    // What it fails with is for the pass that waits, if one does.
    verdict.then(ended, ended);
    return asked;
  }

  /** Of one pass, each time is over once for all that wait. */
  #deadline(milliseconds: number): Promise<void> {
    let over = this.#deadlines.get(milliseconds);
    if (over === undefined) {
      over = new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
      this.#deadlines.set(milliseconds, over);
    }
    return over;
  }
}
