import type { Detection } from '../detection/detect.ts';
import { selectionOf } from '../detection/selection.ts';
import type { Candidate, Problem, Verdict } from '../model/discovery.ts';
import { displayNamespace } from '../model/key.ts';
import type { InUseSince } from '../model/seniority.ts';
import { keyOfService, type ServiceKey } from '../model/service.ts';
import type { Steps } from '../model/yield-every.ts';
import { sinceOf, type Use } from './company.ts';
import { type EvaluationContext, isPlaced, type Outcome, PENDING, recallBackend } from './outcome.ts';
import { type Backends, backendsOf, combineOutcomes, type DiscoveryResult, type Stages } from './pass.ts';

/** How long a backend without a verdict delays others, in milliseconds. */
export interface Grace {
  /** A new backend delays those that may be the same backend, or that request the same name. */
  readonly usual: number;
  /** A backend in use, which keeps its last outcome meanwhile. */
  readonly inUse: number;
}

export const GRACE: Grace = { usual: 2_000, inUse: 10_000 };

/** Since when a verdict is pending, and when the change was made that caused it, by `performance.now`. */
interface Waiting {
  readonly since: number;
  readonly changedAt: number | undefined;
}

/** The state of all backends at one time. */
export interface Evaluation {
  readonly result: DiscoveryResult;
  /** No verdict is pending. */
  readonly isComplete: boolean;
  /** Milliseconds until the next grace period ends. */
  readonly recheckIn: number | undefined;
  /** Time of the earliest change whose verdicts are no longer pending. */
  readonly changedAt: number | undefined;
  readonly outcomes: readonly Outcome[];
}

const keyOf = ({ service }: Candidate): ServiceKey => keyOfService(service);

/** Equal while a candidate is evaluated with the same standing. */
function standingOf(candidate: Candidate, { inUse, named, placed }: EvaluationContext): string {
  const flags = [candidate, ...candidate.fallbacks].map((entryPoint) => {
    const key = keyOf(entryPoint);
    return `${Number(inUse.has(key))}${Number(named.has(key))}`;
  });
  return `${flags.join('')} ${placed.size > 0 && isPlaced(candidate, placed)}`;
}

/** An outcome with its inputs. */
interface CachedOutcome {
  readonly standing: string;
  readonly probed: readonly (readonly [entryPoint: Candidate, verdict: Verdict])[];
  readonly outcome: Outcome;
}

/** What stays of a backend that has not answered for a long time: it keeps its address, and its health is unknown. */
function unanswered(kept: Outcome | undefined): Outcome {
  if (kept?.service === undefined) return { isPending: true };
  const { service } = kept;
  const { health, reason } = PENDING;
  return {
    ...kept,
    service: { ...service, verdict: { ...service.verdict, health, pending: true, reason } },
  };
}

/** The resources for which backends may compete: Pods, because backends of the same Pods may be merged, and names. */
function contentions({ service, displayNames = [] }: Candidate): string[] {
  const selector = selectionOf(service).key;
  return [
    ...(selector === undefined ? [] : [`pods ${displayNamespace(service)} ${selector}`]),
    ...displayNames.map((name) => `name ${name.toLowerCase()}`),
  ];
}

/**
 * Tracks the outcome of each backend. Verdicts enter one by one: an evaluation uses those that are known, and waits for
 * none. A backend without a verdict is left out, unless it has a last outcome, or is published since before this process.
 */
export class BackendTracker {
  /** What is in use; undefined until it was read from the published state. */
  #use: Use | undefined;
  /** The last outcome of each entry point in use. */
  #outcomes: ReadonlyMap<ServiceKey, Outcome> = new Map();
  /** The published entry points that have not answered this process yet. They stay until they do. */
  #unanswered: ReadonlySet<ServiceKey> = new Set();
  #waiting: ReadonlyMap<ServiceKey, Waiting> = new Map();
  /** By candidate, because an unchanged candidate is the same object. */
  readonly #cached = new WeakMap<Candidate, CachedOutcome>();

  get knowsEntryPoints(): boolean {
    return this.#use !== undefined;
  }

  /** When the backends in use came into use. */
  get inUseSince(): InUseSince {
    return this.#use === undefined ? new Map() : sinceOf(this.#use);
  }

  /**
   * Sets what is in use according to the published state.
   * @param published the entry points of published tools. What failed or vanished is in use, too, but not among them
   */
  setEntryPoints(use: Use, published: ReadonlySet<ServiceKey>): void {
    this.#use = use;
    this.#unanswered = published;
  }

  /** Forgets the entry points in use, because other replicas may have published. */
  forgetEntryPoints(): void {
    this.#use = undefined;
  }

  /** The backends to evaluate. @param now milliseconds of `performance.now` */
  backends(detection: Detection, stages: Omit<Stages, 'prober'>, now: number): Backends {
    return backendsOf(detection, { ...stages, ...this.#use, now });
  }

  /**
   * Evaluates all backends, in steps of one backend. Verdicts may enter between two steps.
   * @param recall returns the last verdict on an entry point, `PENDING` without one; rethrows the error of its probe
   * @param now milliseconds of `performance.now`
   * @param changedAt when the inputs changed, if that is the reason for this evaluation
   */
  *evaluate(
    backends: Backends,
    stages: Omit<Stages, 'prober'>,
    prepared: readonly Problem[],
    recall: (entryPoint: Candidate) => Verdict,
    { now, changedAt, grace }: { now: number; changedAt: number | undefined; grace: Grace },
  ): Steps<Evaluation> {
    const { candidates, context } = backends;
    const before = this.#waiting;
    const waiting = new Map<ServiceKey, Waiting>();
    let recheckIn = Number.POSITIVE_INFINITY;
    let isComplete = true;
    /** Waits for a candidate. @returns false if its grace period is over */
    const waits = (candidate: Candidate, longest: number): boolean => {
      const key = keyOf(candidate);
      const entry = before.get(key) ?? { since: now, changedAt };
      waiting.set(key, entry);
      const left = entry.since + longest - now;
      if (left <= 0) return false;
      isComplete = false;
      recheckIn = Math.min(recheckIn, left);
      return true;
    };
    const contended = new Set<string>();
    const evaluateFirst = (candidate: Candidate): Outcome => {
      const outcome = this.#evaluate(candidate, context, recall);
      if (outcome.isPending !== true) return outcome;
      const kept = this.#keptOf(outcome);
      if (!waits(candidate, kept === undefined ? grace.usual : grace.inUse)) {
        if (kept?.used?.fails === true) return kept;
        const late = recallBackend(candidate, context, recall, false);
        return late.isPending === true ? unanswered(kept) : late;
      }
      if (kept === undefined) for (const each of contentions(candidate)) contended.add(each);
      return kept ?? { isPending: true };
    };
    const first: Outcome[] = [];
    for (const candidate of candidates) {
      first.push(evaluateFirst(candidate));
      yield;
    }
    const outcomes = first.map((outcome, index): Outcome => {
      const candidate = candidates[index];
      if (candidate === undefined || outcome.used === undefined || contended.size === 0) return outcome;
      const isNew = !context.inUse.has(keyOf(outcome.used.entryPoint));
      const isContended = isNew && contentions(candidate).some((each) => contended.has(each));
      return isContended && waits(candidate, grace.usual) ? { isPending: true } : outcome;
    });
    this.#waiting = waiting;
    const answered = [...before].flatMap(([key, each]) =>
      waiting.has(key) || each.changedAt === undefined ? [] : each.changedAt,
    );
    const changes = changedAt === undefined ? answered : [...answered, changedAt];
    return {
      result: yield* combineOutcomes(
        outcomes,
        backends,
        { ...stages, keptNames: this.#use?.keptNames },
        prepared,
      ),
      isComplete,
      recheckIn: Number.isFinite(recheckIn) ? recheckIn : undefined,
      changedAt: changes.length === 0 ? undefined : Math.min(...changes),
      outcomes,
    };
  }

  /** The outcome of a candidate, which is the same object while its inputs are the same. */
  #evaluate(
    candidate: Candidate,
    context: EvaluationContext,
    recall: (entryPoint: Candidate) => Verdict,
  ): Outcome {
    const standing = standingOf(candidate, context);
    const known = this.#cached.get(candidate);
    const isSame = ([entryPoint, verdict]: CachedOutcome['probed'][number]): boolean =>
      recall(entryPoint) === verdict;
    const probed: [Candidate, Verdict][] = [];
    try {
      if (known?.standing === standing && known.probed.every(isSame)) return known.outcome;
    } catch {
      // The probe failed since then.
    }
    let hasFailed = false;
    const record = (entryPoint: Candidate): Verdict => {
      hasFailed = true;
      const verdict = recall(entryPoint);
      hasFailed = false;
      probed.push([entryPoint, verdict]);
      return verdict;
    };
    const outcome = recallBackend(candidate, context, record, true);
    if (!hasFailed) this.#cached.set(candidate, { standing, probed, outcome });
    return outcome;
  }

  /**
   * What stays of a backend until it has a verdict, however long that takes: its last outcome, because the owner of a Service
   * can restart its probe at will by changing the Service; after a restart, its published tool. Nothing stays of one that
   * returns, because it may be something else now.
   */
  #keptOf(pending: Outcome): Outcome | undefined {
    const { service } = pending;
    if (service === undefined) return undefined;
    return this.#outcomes.get(keyOf(service)) ?? (this.#unanswered.has(keyOf(service)) ? pending : undefined);
  }

  /** Records that the chosen entry points are in use. */
  commit({ result, outcomes }: Evaluation): void {
    const { inUse, companions, vanished, keptNames } = result;
    this.#use = { inUse, companions, vanished, keptNames };
    this.#unanswered = new Set(result.services.filter(({ verdict }) => verdict.pending === true).map(keyOf));
    this.#outcomes = new Map(
      outcomes.flatMap((outcome) =>
        outcome.used === undefined ? [] : [[keyOf(outcome.used.entryPoint), outcome]],
      ),
    );
  }
}
