import type { Candidate, Problem, Verdict } from '../model/discovery.ts';
import { displayNamespace } from '../model/key.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import {
  detectOutage,
  isUnreachable,
  type Outage,
  outageProblem,
  type ProbeResult,
  verdictInOutage,
  wasProbed,
} from './outage.ts';
import type { ProbeEvent, Prober } from './prober.ts';

/** Number of backends that are probed in each pass during an outage. */
const MAX_SCOUTS = 4;
/** Number of other reachable backends that are probed to confirm an outage. */
const MAX_WITNESSES = 3;

/** Maximum time that the verdict of an unreachable backend waits for concurrent probes, in milliseconds. */
const MAX_WAIT = 3_000;

const NOT_PROBED: Verdict = {
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  fault: 'connection',
  reason: 'not probed, because no other backend is reachable either',
  steps: [],
};

interface CandidateResult extends ProbeResult {
  readonly candidate: Candidate;
}

/** An unreachable backend whose verdict waits for the decision whether there is an outage. */
interface Pending extends CandidateResult {
  readonly settle: (outage: Outage | undefined) => void;
}

/**
 * Distinguishes an outage of this process from outages of backends, see `detectOutage`. The verdict of an unreachable
 * backend waits for all concurrent probes. During an outage, each pass probes only a few backends (scouts), different
 * ones each time, until one is reachable.
 */
export class OutageProber implements Prober {
  readonly #prober: Prober;
  readonly #emit: (event: ProbeEvent) => void;
  readonly #recovered: () => void;
  /** Probed backends, and whether the last probe reached them. */
  readonly #known = new Map<ServiceKey, { readonly candidate: Candidate; readonly reached: boolean }>();
  #outage: Outage | undefined;
  /** The scouts of this pass, and all scouts of the current outage. */
  #scouts: Promise<unknown>[] = [];
  readonly #scouted = new Set<ServiceKey>();
  /** The number of running probes, and the results of those that ran concurrently. */
  #inFlight = 0;
  #results: CandidateResult[] = [];
  #pending: Pending[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param recovered called when an outage ends, to probe all backends again */
  constructor(prober: Prober, recovered: () => void, emit: (event: ProbeEvent) => void = () => {}) {
    this.#prober = prober;
    this.#recovered = recovered;
    this.#emit = emit;
  }

  async prepare(candidates: readonly Candidate[], signal: AbortSignal): Promise<readonly Problem[]> {
    // All backends have been scouts, so start over.
    if (this.#scouts.length < MAX_SCOUTS) this.#scouted.clear();
    this.#scouts = [];
    const keys = new Set(candidates.map(({ service }) => serviceKey(service)));
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
    const problems = (await this.#prober.prepare?.(candidates, signal)) ?? [];
    return this.#outage === undefined ? problems : [outageProblem(this.#outage), ...problems];
  }

  async probe(candidate: Candidate, signal: AbortSignal): Promise<Verdict> {
    if (this.#outage !== undefined && !this.#isScout(candidate)) {
      await Promise.allSettled(this.#scouts);
      if (this.#outage !== undefined) return verdictInOutage(this.#outage, NOT_PROBED);
    }
    const asking = this.#probeAndClassify(candidate, signal);
    if (this.#outage !== undefined) this.#scouts.push(asking);
    const { verdict, outage } = await asking;
    return outage === undefined ? verdict : verdictInOutage(outage, verdict);
  }

  #isScout({ service }: Candidate): boolean {
    const key = serviceKey(service);
    if (this.#scouts.length >= MAX_SCOUTS || this.#scouted.has(key)) return false;
    this.#scouted.add(key);
    return true;
  }

  async #probeAndClassify(
    candidate: Candidate,
    signal: AbortSignal,
  ): Promise<{ readonly verdict: Verdict; readonly outage: Outage | undefined }> {
    const wasReachable = this.#known.get(serviceKey(candidate.service))?.reached ?? true;
    let outage: Promise<Outage | undefined>;
    let verdict: Verdict;
    this.#inFlight++;
    try {
      verdict = await this.#prober.probe(candidate, signal);
      outage = this.#classify({ candidate, verdict, wasReachable: wasReachable }, signal);
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0) void this.#settlePending(signal);
    }
    return { verdict, outage: await outage };
  }

  /** Decides whether an unreachable backend is part of an outage. Waits for concurrent probes if that is not clear yet. */
  async #classify(result: CandidateResult, signal: AbortSignal): Promise<Outage | undefined> {
    this.#results.push(result);
    if (this.#outage !== undefined) this.#setOutage(detectOutage([result], this.#outage));
    if (!isUnreachable(result.verdict)) {
      if (wasProbed(result.verdict)) this.#recordReachability(result.candidate, true);
      return undefined;
    }
    if (this.#outage !== undefined) return this.#outage;
    return new Promise((settle) => {
      this.#pending.push({ ...result, settle });
      this.#timer ??= setTimeout(() => void this.#settlePending(signal), MAX_WAIT).unref();
    });
  }

  /** Settles the pending verdicts, once all concurrent probes have ended. */
  async #settlePending(signal: AbortSignal): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [results, pending] = [this.#results, this.#pending];
    this.#results = [];
    this.#pending = [];
    const outage = signal.aborted
      ? undefined
      : await this.#confirmOutage(results, signal).catch(() => undefined);
    if (outage !== undefined) this.#setOutage(outage);
    for (const { candidate, verdict, settle } of pending) {
      if (outage === undefined) this.#recordReachability(candidate, false);
      settle(outage === 'dns' && verdict.fault !== 'resolution' ? undefined : outage);
    }
  }

  /** Detects an outage. To confirm it, probes a few other backends that were reachable. */
  async #confirmOutage(
    results: readonly CandidateResult[],
    signal: AbortSignal,
  ): Promise<Outage | undefined> {
    const isPossible =
      detectOutage(results, 'network') !== undefined &&
      results.some((result) => result.wasReachable && isUnreachable(result.verdict));
    if (!isPossible) return undefined;
    const asked = new Set(results.map(({ candidate }) => serviceKey(candidate.service)));
    const namespaces = new Set(results.map(({ candidate }) => displayNamespace(candidate.service)));
    const others = [...this.#known].filter(([key, { reached }]) => reached && !asked.has(key));
    const witnesses = others
      .map(([, { candidate }]) => candidate)
      .sort(
        (a, b) =>
          Number(namespaces.has(displayNamespace(a.service))) -
          Number(namespaces.has(displayNamespace(b.service))),
      )
      .slice(0, MAX_WITNESSES);
    const witnessResults = await Promise.all(
      witnesses.map(async (candidate) => ({
        candidate,
        verdict: await this.#prober.probe(candidate, signal),
        wasReachable: true,
      })),
    );
    return detectOutage([...results, ...witnessResults], undefined);
  }

  #recordReachability(candidate: Candidate, reached: boolean): void {
    this.#known.set(serviceKey(candidate.service), { candidate, reached });
  }

  #setOutage(outage: Outage | undefined): void {
    const before = this.#outage;
    if (before === outage) return;
    this.#outage = outage;
    this.#scouted.clear();
    this.#emit({ kind: 'outage', outage });
    if (outage === undefined) this.#recovered();
  }
}
