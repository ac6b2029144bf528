import { retyped } from '../detection/backend.ts';
import { forbiddenType } from '../detection/evaluate.ts';
import type { Naming } from '../detection/names.ts';
import type { Rules } from '../detection/rules.ts';
import { apiElsewhere } from '../model/api-elsewhere.ts';
import type { Candidate, DiscoveredService, Problem, Verdict } from '../model/discovery.ts';
import { displayKey } from '../model/key.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import { oneLine } from '../model/text.ts';
import { type ChosenEntryPoint, chooseEntryPoint, type Standing, tryEntryPoints } from './entry-points.ts';

/** How a candidate is evaluated. */
export interface EvaluationContext extends Standing {
  readonly rules: Rules;
  /** Services for which overrides give a URL. */
  readonly placed: Naming['placed'];
}

/** The outcome of one candidate. */
export interface Outcome {
  /** The chosen entry point; absent without a verdict. */
  readonly used?: ChosenEntryPoint;
  readonly service?: DiscoveredService;
  /** The tool of a backend that proved to be something else. */
  readonly contradicted?: string;
  readonly problem?: Problem;
  /** The verdict on the chosen entry point is pending. */
  readonly isPending?: true;
}

/** The verdict on a backend that has not been probed yet. */
export const PENDING: Verdict = {
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  pending: true,
  reason: 'it has not answered yet',
  steps: [],
};

/** The verdict on a backend with a URL from overrides. Its Services are not probed, because they are a different place. */
const PLACED: Verdict = {
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  reason: 'not probed: overrides.yaml gives its URL',
  steps: [],
};

/** Rejects a verdict that would change a Service's type to one that the configuration forbids. */
export function permitted({ service }: Candidate, verdict: Verdict, rules: Rules): Verdict {
  const { provenAs, ...rest } = verdict;
  const forbidden = provenAs === undefined ? undefined : forbiddenType(provenAs, service, rules);
  return forbidden === undefined
    ? verdict
    : { ...rest, proof: 'contradicted', reason: `it answers as ${provenAs}, ${forbidden}` };
}

/** Whether overrides give the URL of a backend whose type is known without probes. */
export function isPlaced(
  { service, alternates, certainty }: Candidate,
  placed: ReadonlySet<ServiceKey>,
): boolean {
  const keys = [service.name, ...alternates].map((name) => serviceKey({ ...service, name }));
  return certainty !== 'hint' && keys.some((key) => placed.has(key));
}

/** Turns a candidate and its verdict into a discovered service, or the reason why it is not one. */
function toDiscoveredService(candidate: Candidate, verdict: Verdict, rules: Rules): Outcome {
  const where = `Service ${displayKey(candidate.service)}`;
  if (candidate.certainty === 'hint' && verdict.proof !== 'proven') return { contradicted: candidate.tool };
  if (verdict.proof === 'contradicted')
    return {
      contradicted: candidate.tool,
      problem: {
        where,
        what: `looks like ${candidate.type} (${candidate.evidence[0]?.detail}) and is left out: ${verdict.reason}`,
        fix: apiElsewhere(candidate),
      },
    };
  const proven = verdict.provenAs ?? candidate.detector;
  const place = {
    path: verdict.path ?? candidate.endpoint.path,
    scheme: verdict.scheme ?? candidate.endpoint.scheme,
    port: verdict.port ?? candidate.endpoint.port,
  };
  const mode = verdict.mode ?? candidate.mode;
  const service = { ...retyped(candidate, rules, proven, place), mode, verdict };
  if (verdict.fix !== undefined)
    return { service, problem: { where, what: verdict.reason, fix: verdict.fix } };
  if (proven === candidate.detector) return { service };
  return {
    service,
    problem: { where, what: `looks like ${candidate.type}, but is ${service.type}: ${verdict.reason}` },
  };
}

/** Yields each entry point that needs a verdict. */
function* evaluateCandidate(
  candidate: Candidate,
  context: EvaluationContext,
): Generator<Candidate, Outcome, Verdict> {
  const { rules, inUse, placed } = context;
  if (isPlaced(candidate, placed))
    return {
      used: { entryPoint: candidate, verdict: PLACED, fails: false, better: [], apart: [] },
      service: { ...candidate, verdict: PLACED },
    };
  const chosen = chooseEntryPoint(candidate, yield* tryEntryPoints(candidate, context, rules));
  if (chosen.verdict.pending !== true)
    return { used: chosen, ...toDiscoveredService(chosen.entryPoint, chosen.verdict, rules) };
  return pendingOutcome(inUse.has(serviceKey(chosen.entryPoint.service)) ? chosen.entryPoint : undefined);
}

/** While the verdict is pending, only a backend in use stays. @param used the entry point in use, if any */
const pendingOutcome = (used: Candidate | undefined): Outcome =>
  used === undefined ? { isPending: true } : { isPending: true, service: { ...used, verdict: PENDING } };

/**
 * The outcome of a candidate whose probe threw. Probes should not throw, and one that does must not affect other candidates.
 */
function failed(candidate: Candidate, error: unknown): Outcome {
  return {
    problem: {
      where: `Service ${displayKey(candidate.service)}`,
      what: `is left out: its probe failed with "${oneLine(String(error), 200)}", which is a bug`,
      fix: 'please report it',
    },
  };
}

/** Probes the entry points of one backend until one works. @throws only if the signal is aborted */
export async function probeBackend(
  candidate: Candidate,
  context: EvaluationContext,
  probe: (entryPoint: Candidate) => Promise<Verdict>,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const steps = evaluateCandidate(candidate, context);
    let step = steps.next();
    while (step.done !== true)
      step = steps.next(permitted(step.value, await probe(step.value), context.rules));
    return step.value;
  } catch (error) {
    signal.throwIfAborted();
    return failed(candidate, error);
  }
}

/**
 * The same from known verdicts. Pure if `recall` is.
 * @param recall returns the last verdict on an entry point, `PENDING` without one; rethrows the error of its probe
 * @param isPatient wait for a pending fallback before trying the next one
 */
export function recallBackend(
  candidate: Candidate,
  context: EvaluationContext,
  recall: (entryPoint: Candidate) => Verdict,
  isPatient: boolean,
): Outcome {
  const { inUse, rules } = context;
  const used = [candidate, ...candidate.fallbacks].find(({ service }) => inUse.has(serviceKey(service)));
  try {
    const steps = evaluateCandidate(candidate, context);
    let step = steps.next();
    while (step.done !== true) {
      const entryPoint = step.value;
      const verdict = recall(entryPoint);
      if (isPatient && verdict.pending === true && entryPoint !== candidate && entryPoint !== used)
        return pendingOutcome(used);
      step = steps.next(permitted(entryPoint, verdict, rules));
    }
    return step.value;
  } catch (error) {
    return failed(candidate, error);
  }
}
