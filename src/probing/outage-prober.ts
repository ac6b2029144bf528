import type { Candidate, Problem, Verdict } from '../model/discovery.ts';
import { displayNamespace } from '../model/key.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import { inOutage, isLost, type Outage, outageOf, outageProblem, type Sign, wasAsked } from './outage.ts';
import type { ProbeEvent, Prober } from './prober.ts';

/** Backends that are asked in a pass while an outage goes on. */
const SCOUTS = 4;
/** Backends that were well, and that are asked again before several that are lost count as an outage. */
const WITNESSES = 3;

/**
 * Longest time that a verdict of one that is lost waits for those that are asked at the same time, in milliseconds: there may
 * always be some that are slow.
 */
const LONGEST_WAIT = 3_000;

const NOT_ASKED: Verdict = {
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  fault: 'connection',
  reason: 'not probed, because no other backend is reachable either',
  steps: [],
};

interface Asked extends Sign {
  readonly candidate: Candidate;
}

/** A backend that is lost, until it is clear what that means. */
interface Pending extends Asked {
  readonly settle: (outage: Outage | undefined) => void;
}

/**
 * A prober that tells an outage of this process from one of the backends, see `outageOf`. A backend that is lost gets its
 * verdict when all that are asked with it have theirs. While an outage goes on, a few are asked in each pass, others each
 * time, until one is reached.
 */
export class OutageProber implements Prober {
  readonly #prober: Prober;
  readonly #tell: (event: ProbeEvent) => void;
  readonly #recovered: () => void;
  /** Backends that were asked, and whether they were reached the last time. */
  readonly #known = new Map<ServiceKey, { readonly candidate: Candidate; readonly reached: boolean }>();
  #outage: Outage | undefined;
  /** What is asked in this pass while an outage goes on, and who was asked in it so far. */
  #scouts: Promise<unknown>[] = [];
  readonly #scouted = new Set<ServiceKey>();
  /** How many are being asked, and what came of those that were asked with them. */
  #open = 0;
  #signs: Asked[] = [];
  #pending: Pending[] = [];
  #late: NodeJS.Timeout | undefined;

  /** @param recovered called when a backend is reached again: then it is time to ask all the others */
  constructor(prober: Prober, recovered: () => void, tell: (event: ProbeEvent) => void = () => {}) {
    this.#prober = prober;
    this.#recovered = recovered;
    this.#tell = tell;
  }

  async prepare(candidates: readonly Candidate[], signal: AbortSignal): Promise<readonly Problem[]> {
    // All had their turn, so they have it again.
    if (this.#scouts.length < SCOUTS) this.#scouted.clear();
    this.#scouts = [];
    const keys = new Set(candidates.map(({ service }) => serviceKey(service)));
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
    const problems = (await this.#prober.prepare?.(candidates, signal)) ?? [];
    return this.#outage === undefined ? problems : [outageProblem(this.#outage), ...problems];
  }

  async probe(candidate: Candidate, signal: AbortSignal): Promise<Verdict> {
    if (this.#outage !== undefined && !this.#isScout(candidate)) {
      await Promise.allSettled(this.#scouts);
      if (this.#outage !== undefined) return inOutage(this.#outage, NOT_ASKED);
    }
    const asking = this.#ask(candidate, signal);
    if (this.#outage !== undefined) this.#scouts.push(asking);
    const { verdict, outage } = await asking;
    return outage === undefined ? verdict : inOutage(outage, verdict);
  }

  #isScout({ service }: Candidate): boolean {
    const key = serviceKey(service);
    if (this.#scouts.length >= SCOUTS || this.#scouted.has(key)) return false;
    this.#scouted.add(key);
    return true;
  }

  async #ask(
    candidate: Candidate,
    signal: AbortSignal,
  ): Promise<{ readonly verdict: Verdict; readonly outage: Outage | undefined }> {
    const isNews = this.#known.get(serviceKey(candidate.service))?.reached ?? true;
    let outage: Promise<Outage | undefined>;
    let verdict: Verdict;
    this.#open++;
    try {
      verdict = await this.#prober.probe(candidate, signal);
      outage = this.#meaningOf({ candidate, verdict, isNews }, signal);
    } finally {
      this.#open--;
      if (this.#open === 0) void this.#judge(signal);
    }
    return { verdict, outage: await outage };
  }

  /** What it says that a backend is lost. Where that is not clear yet, the answer comes with those of the others. */
  async #meaningOf(sign: Asked, signal: AbortSignal): Promise<Outage | undefined> {
    this.#signs.push(sign);
    if (this.#outage !== undefined) this.#turnTo(outageOf([sign], this.#outage));
    if (!isLost(sign.verdict)) {
      if (wasAsked(sign.verdict)) this.#remember(sign.candidate, true);
      return undefined;
    }
    if (this.#outage !== undefined) return this.#outage;
    return new Promise((settle) => {
      this.#pending.push({ ...sign, settle });
      this.#late ??= setTimeout(() => void this.#judge(signal), LONGEST_WAIT).unref();
    });
  }

  /** Says of those that are lost what that means, now that all that were asked with them have answered or are lost. */
  async #judge(signal: AbortSignal): Promise<void> {
    clearTimeout(this.#late);
    this.#late = undefined;
    const [signs, pending] = [this.#signs, this.#pending];
    this.#signs = [];
    this.#pending = [];
    const outage = signal.aborted ? undefined : await this.#outageIn(signs, signal).catch(() => undefined);
    if (outage !== undefined) this.#turnTo(outage);
    for (const { candidate, verdict, settle } of pending) {
      if (outage === undefined) this.#remember(candidate, false);
      settle(outage === 'dns' && verdict.fault !== 'resolution' ? undefined : outage);
    }
  }

  /** Before it counts as an outage, some who were well and were not asked just now are asked as well. */
  async #outageIn(signs: readonly Asked[], signal: AbortSignal): Promise<Outage | undefined> {
    const isPossible =
      outageOf(signs, 'network') !== undefined && signs.some((sign) => sign.isNews && isLost(sign.verdict));
    if (!isPossible) return undefined;
    const asked = new Set(signs.map(({ candidate }) => serviceKey(candidate.service)));
    const namespaces = new Set(signs.map(({ candidate }) => displayNamespace(candidate.service)));
    const others = [...this.#known].filter(([key, { reached }]) => reached && !asked.has(key));
    const witnesses = others
      .map(([, { candidate }]) => candidate)
      .sort(
        (a, b) =>
          Number(namespaces.has(displayNamespace(a.service))) -
          Number(namespaces.has(displayNamespace(b.service))),
      )
      .slice(0, WITNESSES);
    const heard = await Promise.all(
      witnesses.map(async (candidate) => ({
        candidate,
        verdict: await this.#prober.probe(candidate, signal),
        isNews: true,
      })),
    );
    return outageOf([...signs, ...heard], undefined);
  }

  #remember(candidate: Candidate, reached: boolean): void {
    this.#known.set(serviceKey(candidate.service), { candidate, reached });
  }

  #turnTo(outage: Outage | undefined): void {
    const before = this.#outage;
    if (before === outage) return;
    this.#outage = outage;
    this.#scouted.clear();
    this.#tell({ kind: 'outage', outage });
    if (outage === undefined) this.#recovered();
  }
}
