import { exponential } from '../model/backoff.ts';
import type { McpTool, Verdict } from '../model/discovery.ts';

/** A backend becomes unhealthy after this many failures of one kind, spread over at least this time in milliseconds. */
const FAILURE_THRESHOLD = 3;
const MIN_FAILURE_SPAN = 30_000;
/** Delay before a failed backend is probed again, in milliseconds. Doubles with each failure once it is unhealthy. */
const RETRY_DELAY = 15_000;
/**
 * Delays after failures of a backend whose Pod has just become ready. kube-proxy sees the change at the same time as we
 * do, and takes a moment longer to apply it.
 */
const EARLY_RETRY_DELAYS = [1_000, 2_000, 4_000, 8_000];

/** What a failure is about. Each kind is counted separately: a DNS failure, for example, says nothing about Pods. */
type FailureKind = 'not_ready' | 'resolution' | 'backend';

interface Failures {
  readonly count: number;
  readonly since: number;
}

/** The probe state of one candidate. Times are in milliseconds. */
export interface ProbeState {
  /** What was probed. A different endpoint or detector starts with a new state. */
  readonly subject: string;
  /** The verdict after hysteresis, which the rest of the program uses. */
  readonly reportedVerdict: Verdict;
  /** Failures since the last success, by kind. */
  readonly failures: Readonly<Partial<Record<FailureKind, Failures>>>;
  /** Number of probes since the last success, for backoff. */
  readonly attempts: number;
  /** Number of early retries. `undefined` if no Pod became ready since the last success. */
  readonly early: number | undefined;
  /** Time of the next probe. */
  readonly due: number;
}

export interface HysteresisOptions {
  /** Interval between probes of a healthy backend, in milliseconds. */
  readonly refreshInterval: number;
  /** Returns a number from 0 up to 1. */
  readonly random: () => number;
}

export const isGood = (verdict: Verdict): boolean =>
  verdict.health === 'healthy' && verdict.proof !== 'contradicted';

function kindOf({ fault, steps }: Verdict): FailureKind {
  if (fault === 'resolution') return 'resolution';
  return fault === 'not_ready' || steps.length === 0 ? 'not_ready' : 'backend';
}

/** Counts a failure. An unknown verdict is neither a failure nor a success. */
function countFailure(
  failures: ProbeState['failures'],
  verdict: Verdict,
  now: number,
): ProbeState['failures'] {
  if (verdict.health === 'unknown') return failures;
  const kind = kindOf(verdict);
  const { count, since } = failures[kind] ?? { count: 0, since: now };
  return { ...failures, [kind]: { count: count + 1, since } };
}

const exceedsThreshold = ({ count, since }: Failures, now: number): boolean =>
  count >= FAILURE_THRESHOLD && now - since >= MIN_FAILURE_SPAN;

/** The verdict to report: a healthy backend stays healthy until the failure threshold is reached. */
function verdictToReport(
  before: ProbeState | undefined,
  failures: ProbeState['failures'],
  verdict: Verdict,
  now: number,
): Verdict {
  if (before === undefined || !isGood(before.reportedVerdict)) return verdict;
  if (verdict.health === 'unknown') return before.reportedVerdict;
  if (Object.values(failures).some((each) => exceedsThreshold(each, now))) return verdict;
  const { count = 1 } = failures[kindOf(verdict)] ?? {};
  return { ...before.reportedVerdict, reason: `kept for now, failure ${count} in a row: ${verdict.reason}` };
}

/** A verdict that does not tell whether the backend requires a tenant keeps what an earlier one told. */
function withKnownTenant(verdict: Verdict, before: Verdict | undefined): Verdict {
  const known = before?.provenAs === verdict.provenAs ? before?.tenantRequired : undefined;
  return verdict.tenantRequired !== undefined || known === undefined
    ? verdict
    : { ...verdict, tenantRequired: known };
}

const isSameTool = (one: McpTool, other: McpTool | undefined): boolean =>
  one.name === other?.name &&
  one.digest === other.digest &&
  one.readOnly === other.readOnly &&
  one.characters === other.characters &&
  one.texts === undefined;

/** A verdict with the list of tools of the one before if it is the same, so that memory holds one of them only. */
function withKnownList(verdict: Verdict, { tools: known }: Partial<Verdict> = {}): Verdict {
  const { tools } = verdict;
  const isSame =
    known !== undefined &&
    tools?.length === known.length &&
    tools.every((tool, index) => isSameTool(tool, known[index]));
  return isSame ? { ...verdict, tools: known } : verdict;
}

/**
 * Computes the probe state after a verdict (hysteresis). One success marks healthy; three failures of one kind in a row
 * over 30 s mark unhealthy. An unhealthy backend is probed with exponential backoff. Pure.
 */
export function nextProbeState(
  before: ProbeState | undefined,
  subject: string,
  verdict: Verdict,
  now: number,
  { refreshInterval, random }: HysteresisOptions,
): ProbeState {
  const jitter = 0.9 + random() / 5;
  if (isGood(verdict))
    return {
      subject,
      reportedVerdict: withKnownList(
        withKnownTenant(verdict, before?.reportedVerdict),
        before?.reportedVerdict,
      ),
      failures: {},
      attempts: 0,
      early: undefined,
      due: now + refreshInterval * jitter,
    };
  const failures = countFailure(before?.failures ?? {}, verdict, now);
  const reportedVerdict = verdictToReport(before, failures, verdict, now);
  const state = { subject, reportedVerdict, failures, attempts: before?.attempts ?? 0, early: before?.early };
  // Readiness comes from EndpointSlices and costs no request, so it has no backoff.
  if (verdict.health !== 'unknown' && kindOf(verdict) === 'not_ready')
    return { ...state, early: undefined, due: now + RETRY_DELAY * jitter };
  const early = state.early === undefined ? undefined : EARLY_RETRY_DELAYS[state.early];
  if (early !== undefined) return { ...state, early: (state.early ?? 0) + 1, due: now + early * jitter };
  const attempts = state.attempts + 1;
  const backoff = exponential(attempts, {
    firstDelay: RETRY_DELAY,
    maxDelay: Math.max(RETRY_DELAY, refreshInterval),
  });
  const mayBecomeUnhealthy = isGood(reportedVerdict) && Object.keys(failures).length > 0;
  // During an outage of this process, retries reach no backend, so they need no backoff.
  const isOutage = verdict.health === 'unknown' && verdict.fault !== undefined;
  return { ...state, attempts, due: now + (mayBecomeUnhealthy || isOutage ? RETRY_DELAY : backoff) * jitter };
}

/** The failure before a backend may become unhealthy. */
const SUSPICIOUS_FAILURES = FAILURE_THRESHOLD - 1;

/** Whether probes of a healthy backend fail so often that the next failure may make it unhealthy. */
export const isSuspicious = ({ reportedVerdict, failures: { backend, resolution } }: ProbeState): boolean =>
  isGood(reportedVerdict) && [backend, resolution].some((each) => each?.count === SUSPICIOUS_FAILURES);

/** Computes the probe state after a change of the candidate's Pods: a probe is due now, and readiness resets backoff. Pure. */
export function invalidatedState(state: ProbeState, becameReady: boolean, now: number): ProbeState {
  if (!becameReady) return { ...state, due: now };
  const { not_ready: _, ...failures } = state.failures;
  return { ...state, failures, attempts: 0, early: 0, due: now };
}

/** Whether a candidate is failing or unknown, so that it is probed again before the refresh interval. */
export const needsRetry = ({ failures, attempts, reportedVerdict }: ProbeState): boolean =>
  reportedVerdict.health === 'unknown' ||
  attempts > 0 ||
  Object.keys(failures).length > 0 ||
  !isGood(reportedVerdict);
