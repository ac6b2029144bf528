import { type Candidate, endpointUrl, type Problem, type Verdict } from '../model/discovery.ts';
import { isPart, objectOf } from '../model/part.ts';
import { keyOfService, type ServiceKey, serviceKey } from '../model/service.ts';
import {
  type HysteresisOptions,
  invalidatedState,
  isSuspicious,
  needsRetry,
  nextProbeState,
  type ProbeState,
} from './hysteresis.ts';
import {
  type ProbeEvent,
  type Prober,
  probedBackend,
  type Recalled,
  type RememberingProber,
} from './prober.ts';

export interface ScheduleOptions extends HysteresisOptions {
  /** Monotonic clock, in milliseconds. */
  readonly now: () => number;
  /** Receives the result of each probe. */
  readonly emit?: (event: ProbeEvent) => void;
}

/** Invalidations that arrived during a probe. */
interface PendingInvalidation {
  isInvalidated: boolean;
  becameReady: boolean;
}

/**
 * Identifies what a probe tests. It changes with the endpoint, the detector, the selected Pods, and if a Service is created again:
 * the answer of another one proves nothing.
 */
export function subjectOf(candidate: Candidate): string {
  const known = subjects.get(candidate);
  if (known !== undefined) return known;
  const { detector, endpoint, healthPath = '', service } = candidate;
  const pods = service.selectorHash ?? JSON.stringify(service.selector);
  const subject = `${detector} ${endpointUrl(endpoint)} ${healthPath} ${service.uid ?? ''} ${pods}`;
  subjects.set(candidate, subject);
  return subject;
}

const subjects = new WeakMap<Candidate, string>();

/** Probes candidates when they are due, and otherwise returns the remembered verdict. See `nextProbeState`. */
export class ScheduledProber implements RememberingProber {
  readonly #prober: Prober;
  readonly #options: ScheduleOptions;
  #states: Map<ServiceKey, ProbeState>;
  /** Candidates of the last pass. Only these trigger retries. */
  readonly #candidates: Set<ServiceKey>;
  /** The parts of Services among the candidates, by Service. */
  #parts: ReadonlyMap<ServiceKey, readonly ServiceKey[]> = new Map();
  /** When a failure last made all candidates due, on the clock of `now`. */
  #checkedAt = Number.NEGATIVE_INFINITY;
  /** Invalidations of candidates that are being probed. */
  readonly #running = new Map<ServiceKey, PendingInvalidation>();

  /** @param before the prober whose states are kept */
  constructor(prober: Prober, options: ScheduleOptions, before?: ScheduledProber) {
    this.#prober = prober;
    this.#options = options;
    this.#states = new Map(before === undefined ? [] : before.#states);
    this.#candidates = new Set(before === undefined ? [] : before.#candidates);
  }

  nextRetry(): number | undefined {
    let due = Number.POSITIVE_INFINITY;
    for (const key of this.#candidates) {
      const state = this.#states.get(key);
      // The next probe of a candidate is scheduled when the running one ends.
      if (state !== undefined && needsRetry(state) && !this.#running.has(key)) due = Math.min(due, state.due);
    }
    return due === Number.POSITIVE_INFINITY ? undefined : Math.max(0, due - this.#options.now());
  }

  /**
   * Makes a candidate and the parts of its Service due now, because something changed that their health depends on. This holds
   * even if a probe is already running.
   * @param becameReady whether it has a ready Pod now, and had none before
   */
  invalidate(key: ServiceKey, becameReady = false): void {
    const pending = this.#running.get(key);
    if (pending !== undefined) {
      pending.isInvalidated = true;
      pending.becameReady ||= becameReady;
    }
    const state = this.#states.get(key);
    if (state !== undefined) this.#states.set(key, invalidatedState(state, becameReady, this.#options.now()));
    for (const part of this.#parts.get(key) ?? []) this.invalidate(part, becameReady);
  }

  /** Makes all matching candidates due now. @param all also those whose last probe succeeded */
  invalidateMatching(wanted: (key: ServiceKey) => boolean, all: boolean): void {
    for (const [key, state] of this.#states)
      if (wanted(key) && (all || needsRetry(state))) this.invalidate(key);
  }

  /**
   * Makes all healthy candidates due now, because a failure may be part of an outage: else it would show only gradually, as
   * each probe is due. At most once in the refresh interval, so one backend can at most double the number of probes.
   */
  #checkOthers(now: number): void {
    if (now - this.#checkedAt < this.#options.refreshInterval) return;
    this.#checkedAt = now;
    for (const [key, state] of this.#states) if (!needsRetry(state)) this.invalidate(key);
  }

  /** Drops the state of all other candidates. Their running probes do not count: if one returns, it is probed again. */
  async prepare(candidates: readonly Candidate[], signal: AbortSignal): Promise<readonly Problem[]> {
    const kept = new Map<ServiceKey, ProbeState>();
    for (const { service } of candidates) {
      const state = this.#states.get(keyOfService(service));
      if (state !== undefined) kept.set(keyOfService(service), state);
    }
    this.#states = kept;
    const keys = new Set(candidates.map(({ service }) => keyOfService(service)));
    const parts = candidates.map(({ service }) => service).filter(isPart);
    const byService = Map.groupBy(parts, (part) => serviceKey(objectOf(part)));
    this.#parts = new Map([...byService].map(([key, all]) => [key, all.map(keyOfService)]));
    for (const key of this.#running.keys()) if (!keys.has(key)) this.#running.delete(key);
    this.#candidates.clear();
    return (await this.#prober.prepare?.(candidates, signal)) ?? [];
  }

  recall(candidate: Candidate): Recalled {
    const key = keyOfService(candidate.service);
    this.#candidates.add(key);
    const state = this.#states.get(key);
    if (state?.subject !== subjectOf(candidate)) return { verdict: undefined, isDue: true };
    return { verdict: state.reportedVerdict, isDue: this.#options.now() >= state.due };
  }

  async probe(candidate: Candidate, signal: AbortSignal): Promise<Verdict> {
    const key = keyOfService(candidate.service);
    this.#candidates.add(key);
    const subject = subjectOf(candidate);
    const known = this.#states.get(key);
    if (known?.subject === subject && this.#options.now() < known.due) return known.reportedVerdict;
    const pending: PendingInvalidation = { isInvalidated: false, becameReady: false };
    this.#running.set(key, pending);
    try {
      const verdict = await this.#probeAndEmit(candidate, signal);
      // The candidate changed and another probe is running, so this verdict is outdated.
      if (this.#running.get(key) !== pending) return verdict;
      // The state includes changes of its Pods during the probe.
      const latest = this.#states.get(key);
      const before = latest?.subject === subject ? latest : undefined;
      const now = this.#options.now();
      const state = nextProbeState(before, subject, verdict, now, this.#options);
      this.#states.set(
        key,
        pending.isInvalidated ? invalidatedState(state, pending.becameReady, now) : state,
      );
      if (isSuspicious(state)) this.#checkOthers(now);
      return state.reportedVerdict;
    } finally {
      if (this.#running.get(key) === pending) this.#running.delete(key);
    }
  }

  async #probeAndEmit(candidate: Candidate, signal: AbortSignal): Promise<Verdict> {
    let verdict: Verdict | undefined;
    try {
      verdict = await this.#prober.probe(candidate, signal);
      return verdict;
    } finally {
      if (!signal.aborted) this.#options.emit?.({ kind: 'probed', ...probedBackend(candidate), verdict });
    }
  }
}
