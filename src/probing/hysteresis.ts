import { exponential } from '../model/backoff.ts';
import type { Verdict } from '../model/discovery.ts';

/** Failures of one kind, and the time over which they must be spread, before a backend leaves. */
const FAILURES_TO_LEAVE = 3;
const SPREAD_TO_LEAVE = 30_000;
/** Pause before a failed backend is asked again, in milliseconds; doubled each time once it has left. */
const RETRY = 15_000;
/**
 * Pauses after a failure of a backend whose Pod has just become ready: kube-proxy learns of that at the same time as we do,
 * and takes a moment longer to act on it.
 */
const EARLY_RETRIES = [1_000, 2_000, 4_000, 8_000];

/** What a failure is about. One of the name service says nothing of the Pods, and their readiness nothing of the process. */
type FailureKind = 'not_ready' | 'resolution' | 'backend';

interface Failures {
  readonly count: number;
  readonly since: number;
}

/** What is remembered of one candidate. Times are in milliseconds. */
export interface Memory {
  /** What was asked: another endpoint or detector starts anew. */
  readonly subject: string;
  /** What the rest of the program is told. */
  readonly told: Verdict;
  /** Failures since the last success, by kind. */
  readonly failures: Readonly<Partial<Record<FailureKind, Failures>>>;
  /** Probes since the last success that backoff counts. */
  readonly attempts: number;
  /** How many of the early retries were made; undefined: no Pod became ready since the last success. */
  readonly early: number | undefined;
  /** When to ask again. */
  readonly due: number;
}

export interface HysteresisOptions {
  /** How long a healthy verdict counts, in milliseconds. */
  readonly refresh: number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export const isGood = (verdict: Verdict): boolean =>
  verdict.health === 'healthy' && verdict.proof !== 'contradicted';

function kindOf({ fault, steps }: Verdict): FailureKind {
  if (fault === 'resolution') return 'resolution';
  return fault === 'not_ready' || steps.length === 0 ? 'not_ready' : 'backend';
}

/** The failures with one more; what cannot be said of a backend is no failure, and no success. */
function counted(failures: Memory['failures'], verdict: Verdict, now: number): Memory['failures'] {
  if (verdict.health === 'unknown') return failures;
  const kind = kindOf(verdict);
  const { count, since } = failures[kind] ?? { count: 0, since: now };
  return { ...failures, [kind]: { count: count + 1, since } };
}

const suffices = ({ count, since }: Failures, now: number): boolean =>
  count >= FAILURES_TO_LEAVE && now - since >= SPREAD_TO_LEAVE;

/** What the rest of the program is told: a backend that was well stays so until enough failures speak against it. */
function toldOf(
  before: Memory | undefined,
  failures: Memory['failures'],
  verdict: Verdict,
  now: number,
): Verdict {
  if (before === undefined || !isGood(before.told)) return verdict;
  if (verdict.health === 'unknown') return before.told;
  if (Object.values(failures).some((each) => suffices(each, now))) return verdict;
  const { count = 1 } = failures[kindOf(verdict)] ?? {};
  return { ...before.told, reason: `kept for now, failure ${count} in a row: ${verdict.reason}` };
}

/**
 * What is remembered after a verdict. One success enters at once. To leave takes three failures of one kind without a
 * success between them, spread over half a minute. A backend that left is asked less and less often. Pure.
 */
export function remember(
  before: Memory | undefined,
  subject: string,
  verdict: Verdict,
  now: number,
  { refresh, random }: HysteresisOptions,
): Memory {
  const jitter = 0.9 + random() / 5;
  if (isGood(verdict))
    return {
      subject,
      told: verdict,
      failures: {},
      attempts: 0,
      early: undefined,
      due: now + refresh * jitter,
    };
  const failures = counted(before?.failures ?? {}, verdict, now);
  const told = toldOf(before, failures, verdict, now);
  const memory = { subject, told, failures, attempts: before?.attempts ?? 0, early: before?.early };
  // Looking at the cluster's own data costs no request, so that is done as often as ever, and is no attempt.
  if (verdict.health !== 'unknown' && kindOf(verdict) === 'not_ready')
    return { ...memory, early: undefined, due: now + RETRY * jitter };
  const early = memory.early === undefined ? undefined : EARLY_RETRIES[memory.early];
  if (early !== undefined) return { ...memory, early: (memory.early ?? 0) + 1, due: now + early * jitter };
  const attempts = memory.attempts + 1;
  const backoff = exponential(attempts, { firstDelay: RETRY, maxDelay: Math.max(RETRY, refresh) });
  const mayLeave = isGood(told) && Object.keys(failures).length > 0;
  // While nobody can be reached, which is an outage of this process, asking again costs no backend anything.
  const isOutage = verdict.health === 'unknown' && verdict.fault !== undefined;
  return { ...memory, attempts, due: now + (mayLeave || isOutage ? RETRY : backoff) * jitter };
}

/** What is remembered after news of a candidate's Pods: it is due at once, and readiness ends the backoff. Pure. */
export function refreshed(memory: Memory, becameReady: boolean, now: number): Memory {
  if (!becameReady) return { ...memory, due: now };
  const { not_ready: _, ...failures } = memory.failures;
  return { ...memory, failures, attempts: 0, early: 0, due: now };
}

/** Is it failing, or is it not known how it is? Then it is worth asking again before its refresh. */
export const isOpen = ({ failures, attempts, told }: Memory): boolean =>
  told.health === 'unknown' || attempts > 0 || Object.keys(failures).length > 0 || !isGood(told);
