import type { Detection } from '../detection/detect.ts';
import { selectionOf } from '../detection/selection.ts';
import type { Candidate, Problem, Verdict } from '../model/discovery.ts';
import { displayNamespace } from '../model/key.ts';
import { keyOfService, type ServiceKey } from '../model/service.ts';
import { isPlaced, type Judging, type Outcome, recallBackend } from './outcome.ts';
import { type Backends, backendsOf, combineOutcomes, type DiscoveryResult, type Stages } from './pass.ts';
import type { Companions, InUse } from './ways.ts';

/** How long others wait for a backend that has not answered, in milliseconds. */
export interface Grace {
  /** For a new one: those that may turn out to be the same backend, or that ask for the same name. */
  readonly usual: number;
  /** For one that is in use: it stays as it was. */
  readonly inUse: number;
}

export const GRACE: Grace = { usual: 2_000, inUse: 10_000 };

/** Since when a backend is waited for, and when the change was made that brought it, by `performance.now`. */
interface Waiting {
  readonly since: number;
  readonly changedAt: number | undefined;
}

/** What is known of all backends at one time. */
export interface Evaluation {
  readonly result: DiscoveryResult;
  /** No backend is waited for. */
  readonly isComplete: boolean;
  /** Milliseconds until a backend has been waited for long enough. */
  readonly recheckIn: number | undefined;
  /** When the first of the changes was made that backends were waited for, and are no more. */
  readonly changedAt: number | undefined;
  readonly outcomes: readonly Outcome[];
}

const keyOf = ({ service }: Candidate): ServiceKey => keyOfService(service);

/** Equal while a candidate is judged by the same standing. */
function standingOf(candidate: Candidate, { inUse, named, placed }: Judging): string {
  const flags = [candidate, ...candidate.fallbacks].map((way) => {
    const key = keyOf(way);
    return `${Number(inUse.has(key))}${Number(named.has(key))}`;
  });
  return `${flags.join('')} ${placed.size > 0 && isPlaced(candidate, placed)}`;
}

/** What an outcome followed from. */
interface Judged {
  readonly standing: string;
  readonly asked: readonly (readonly [way: Candidate, verdict: Verdict])[];
  readonly outcome: Outcome;
}

/** What two backends have in common that may become one, or that ask for one name: what the first gets, the second does not. */
function contentions({ service, displayNames = [] }: Candidate): string[] {
  const selector = selectionOf(service).key;
  const [name] = displayNames;
  return [
    ...(selector === undefined ? [] : [`pods ${displayNamespace(service)} ${selector}`]),
    ...(name === undefined ? [] : [`name ${name.toLowerCase()}`]),
  ];
}

/**
 * The backends, and what probes found of each. Verdicts enter one by one: an evaluation takes those that are known, and
 * waits for none. A new backend that has not answered is left out; one that is in use stays as it was for a while.
 */
export class BackendTracker {
  /** Services that are in use as ways into their backends; undefined until that was read from what is published. */
  #inUse: InUse | undefined;
  /** Who was there when each of them came into use. */
  #companions: Companions = new Map();
  /** The last outcome of each way in use. */
  #outcomes: ReadonlyMap<ServiceKey, Outcome> = new Map();
  #waiting: ReadonlyMap<ServiceKey, Waiting> = new Map();
  /** A candidate that did not change is the same object again. */
  readonly #judged = new WeakMap<Candidate, Judged>();

  get knowsWays(): boolean {
    return this.#inUse !== undefined;
  }

  /** Starts from what is published. */
  useWays(inUse: InUse): void {
    this.#inUse = inUse;
  }

  /** Forgets which ways are in use: others may have published since. */
  forgetWays(): void {
    this.#inUse = undefined;
    this.#companions = new Map();
  }

  backends(detection: Detection, stages: Omit<Stages, 'prober'>): Backends {
    return backendsOf(detection, {
      ...stages,
      inUse: this.#inUse ?? new Set(),
      companions: this.#companions,
    });
  }

  /**
   * @param recall the last verdict on a way, `PENDING` without one; throws what its probe threw
   * @param now milliseconds of `performance.now`
   * @param changedAt when the inputs changed, where that is the reason for this evaluation
   */
  evaluate(
    backends: Backends,
    stages: Omit<Stages, 'prober'>,
    prepared: readonly Problem[],
    recall: (way: Candidate) => Verdict,
    { now, changedAt, grace }: { now: number; changedAt: number | undefined; grace: Grace },
  ): Evaluation {
    const { candidates, judging } = backends;
    const before = this.#waiting;
    const waiting = new Map<ServiceKey, Waiting>();
    let recheckIn = Number.POSITIVE_INFINITY;
    let isComplete = true;
    /** Waits for a candidate. @returns whether it is still worth while */
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
    const first = candidates.map((candidate) => {
      const outcome = this.#judge(candidate, judging, recall);
      if (outcome.isPending !== true) return outcome;
      const isNew = outcome.service === undefined;
      if (!waits(candidate, isNew ? grace.usual : grace.inUse))
        return recallBackend(candidate, judging, recall, false);
      if (isNew) for (const each of contentions(candidate)) contended.add(each);
      return this.#lastOf(outcome) ?? outcome;
    });
    const outcomes = first.map((outcome, index): Outcome => {
      const candidate = candidates[index];
      if (candidate === undefined || outcome.used === undefined || contended.size === 0) return outcome;
      const isNew = !judging.inUse.has(keyOf(outcome.used.way));
      const isContended = isNew && contentions(candidate).some((each) => contended.has(each));
      return isContended && waits(candidate, grace.usual) ? { isPending: true } : outcome;
    });
    this.#waiting = waiting;
    const answered = [...before].flatMap(([key, each]) =>
      waiting.has(key) || each.changedAt === undefined ? [] : each.changedAt,
    );
    const changes = changedAt === undefined ? answered : [...answered, changedAt];
    return {
      result: combineOutcomes(outcomes, backends, stages, prepared),
      isComplete,
      recheckIn: Number.isFinite(recheckIn) ? recheckIn : undefined,
      changedAt: changes.length === 0 ? undefined : Math.min(...changes),
      outcomes,
    };
  }

  /** The outcome of a candidate; the same object again while nothing changed that it follows from. */
  #judge(candidate: Candidate, judging: Judging, recall: (way: Candidate) => Verdict): Outcome {
    const standing = standingOf(candidate, judging);
    const known = this.#judged.get(candidate);
    const isSame = ([way, verdict]: Judged['asked'][number]): boolean => recall(way) === verdict;
    const asked: [Candidate, Verdict][] = [];
    try {
      if (known?.standing === standing && known.asked.every(isSame)) return known.outcome;
    } catch {
      // Its probe throws now, which is judged below.
    }
    let hasFailed = false;
    const record = (way: Candidate): Verdict => {
      hasFailed = true;
      const verdict = recall(way);
      hasFailed = false;
      asked.push([way, verdict]);
      return verdict;
    };
    const outcome = recallBackend(candidate, judging, record, true);
    if (!hasFailed) this.#judged.set(candidate, { standing, asked, outcome });
    return outcome;
  }

  /** What was known of a backend that is in use, before it changed or while another way into it is tried. */
  #lastOf({ service }: Outcome): Outcome | undefined {
    return service === undefined ? undefined : this.#outcomes.get(keyOf(service));
  }

  /** The ways that an evaluation chose are in use from now on. */
  commit({ result, outcomes }: Evaluation): void {
    const companions = new Map(result.companions);
    // What is not known of a backend is no reason to let others take its place.
    for (const { isPending, service } of outcomes) {
      if (isPending !== true || service === undefined) continue;
      const known = this.#companions.get(keyOf(service));
      if (known !== undefined) companions.set(keyOf(service), known);
    }
    this.#companions = companions;
    this.#inUse = result.inUse;
    this.#outcomes = new Map(
      outcomes.flatMap((outcome) => (outcome.used === undefined ? [] : [[keyOf(outcome.used.way), outcome]])),
    );
  }
}
