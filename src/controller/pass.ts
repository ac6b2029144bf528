import { tenancyOf } from '../detection/backend.ts';
import { type Detection, detect } from '../detection/detect.ts';
import { type BeyondLimit, limitCandidates } from '../detection/limit-candidates.ts';
import { assignNames, type Naming, NO_NAMING } from '../detection/names.ts';
import type { DetectOptions } from '../detection/owner.ts';
import { withReach } from '../detection/reach.ts';
import { requestsFor } from '../detection/requested-names.ts';
import type { Rules } from '../detection/rules.ts';
import type { AddressBook } from '../model/addresses.ts';
import type { Candidate, DiscoveredService, Problem, Verdict } from '../model/discovery.ts';
import type { Service } from '../model/service.ts';
import { withoutTrailing } from '../model/trailing.ts';
import { runAtOnce, type Steps } from '../model/yield-every.ts';
import type { ToolKind } from '../planning/tools.ts';
import type { ProbeKind } from '../probing/http.ts';
import type { Prober, RememberingProber } from '../probing/prober.ts';
import { type Companions, type InUse, sinceOf, type Use, withAges } from './company.ts';
import { orderEntryPoints, splitCandidate } from './entry-points.ts';
import { withHeirs, withReturned } from './heirs.ts';
import { keepNames } from './kept-names.ts';
import { type EvaluationContext, isPlaced, type Outcome, probeBackend } from './outcome.ts';
import { mergeProven } from './same-pods.ts';
import { useAfter } from './use-after.ts';

/** The dependencies of a pass. */
export interface Stages {
  readonly rules: Rules;
  /** Problems with rules that were skipped. */
  readonly problems: readonly Problem[];
  readonly prober: Prober;
  readonly detection: DetectOptions;
  /** The addresses of Services, if EndpointSlices are read. */
  readonly addresses?: AddressBook;
  /** Maximum number of backends. */
  readonly maxBackends: number;
  /** The Services in use. They stay in use while they work; see `tryEntryPoints`. */
  readonly inUse?: InUse;
  /** The other Services of each backend when its entry point came into use; by default, none. */
  readonly companions?: Companions;
  /** The Services in use that vanished; by default, none. */
  readonly vanished?: Use['vanished'] | undefined;
  /** The names that are kept for backends; by default, none. */
  readonly keptNames?: Use['keptNames'] | undefined;
  /** Milliseconds of `performance.now`, which is the default. */
  readonly now?: number;
  /** The names of tools in use; by default, none. */
  readonly naming?: Naming;
}

/** The dependencies of the engine. Its prober caches verdicts. */
export interface EngineStages extends Stages {
  readonly prober: RememberingProber;
}

/** The results of a pass. */
export interface DiscoveryResult extends Use {
  readonly services: readonly DiscoveredService[];
  /** Tools of backends that proved to be something else. */
  readonly contradicted: readonly string[];
  /** Number of those that are left out because responses contradict their type. The others were only hints. */
  readonly disproven: number;
  readonly problems: readonly Problem[];
}

/** The results of a full pass. */
export interface PassResult extends DiscoveryResult {
  /** The backends that the limit leaves out. */
  readonly beyond: BeyondLimit | undefined;
}

/** The facts about kinds of backends that a prober needs. */
export function probeKinds(rules: Rules): ProbeKind[] {
  return rules.detectors.map(({ detector }) => ({
    detector: detector.type,
    title: detector.title,
    spec: detector.probe,
    path: withoutTrailing(
      detector.paths.find(({ words, when }) => words.length === 0 && when === undefined)?.path ?? '',
      '/',
    ),
  }));
}

/** The facts about kinds of backends that tools from overrides need. */
export function toolKinds(rules: Rules): Map<string, ToolKind> {
  return new Map(
    [...rules.byType].map(([type, { detector }]) => [
      type,
      {
        description: detector.description,
        mappings: detector.outputs,
        mcp: detector.mcp,
        tenancy: tenancyOf(detector),
      },
    ]),
  );
}

/** The backends to probe, based on detection, entry points in use and overrides. */
export interface Backends {
  readonly candidates: readonly Candidate[];
  /** The Services to probe: all entry points, unless overrides give the URL. */
  readonly entryPoints: readonly Candidate[];
  /** All included Services, whether they are backends or not. */
  readonly services: readonly Service[];
  readonly problems: readonly Problem[];
  /** Those that the limit leaves out. */
  readonly beyond: BeyondLimit | undefined;
  readonly context: EvaluationContext;
}

export function backendsOf(detection: Detection, stages: Omit<Stages, 'prober'>): Backends {
  const {
    rules,
    maxBackends,
    naming = NO_NAMING,
    inUse = new Set(),
    companions = new Map(),
    vanished,
    now = performance.now(),
  } = stages;
  const { named, placed, configured = new Set<string>() } = naming;
  const known = withAges({ inUse, companions, vanished }, detection.candidates);
  const limited = limitCandidates(detection, maxBackends, {
    approvals: stages.detection.approvals,
    named,
    inUseSince: sinceOf(known),
  });
  const use = withReturned(withHeirs(known, limited.candidates), limited.candidates);
  const context = { rules, ...use, named, configured, placed, now };
  const candidates = limited.candidates
    .flatMap((candidate) => splitCandidate(candidate, context))
    .map((candidate) => orderEntryPoints(candidate, context));
  const entryPoints = candidates
    .filter((candidate) => !isPlaced(candidate, naming.placed))
    .flatMap((candidate) => [candidate, ...candidate.fallbacks]);
  const { problems, beyond } = limited;
  return { candidates, entryPoints, services: detection.services, problems, beyond, context };
}

/** Combines outcomes: merges services that prove to be the same backend, and assigns unique names. Pure. */
export function* combineOutcomes(
  outcomes: readonly Outcome[],
  { context, candidates: possible, services: all, problems }: Omit<Backends, 'entryPoints' | 'beyond'>,
  stages: Omit<Stages, 'prober'>,
  prepared: readonly Problem[],
): Steps<DiscoveryResult> {
  const { naming = NO_NAMING } = stages;
  const used = outcomes.flatMap((outcome) => outcome.used ?? []);
  const found = outcomes.flatMap(({ service }) => service ?? []);
  const merged = mergeProven(found, context, naming.named, stages.detection.approvals);
  yield;
  const { services, problems: cut } = withReach(merged, all, stages.addresses);
  yield;
  const { now } = context;
  const use = useAfter(used, found, services, context, now);
  yield;
  const free = keepNames(services, {
    held: naming.held,
    before: stages.keptNames ?? new Map(),
    possible,
    asking: () => requestsFor(all, stages.rules, stages.detection),
    since: sinceOf(use),
    now,
  });
  const named = assignNames(free.candidates, { ...naming, held: free.held });
  yield;
  const told = outcomes.flatMap(({ problem }) => problem ?? []);
  return {
    services: named.candidates,
    ...use,
    keptNames: free.kept,
    contradicted: outcomes.flatMap(({ contradicted }) => contradicted ?? []),
    disproven: outcomes.filter(
      ({ contradicted, problem }) => contradicted !== undefined && problem !== undefined,
    ).length,
    problems: [
      ...stages.problems,
      ...problems,
      ...prepared,
      ...cut,
      ...told,
      ...free.problems,
      ...named.problems,
    ],
  };
}

/** The options of detection, with what is in use, which has precedence where a limit takes some. */
export const detectionOptions = ({
  detection,
  inUse = new Set(),
  companions = new Map(),
}: Pick<Stages, 'detection' | 'inUse' | 'companions'>): DetectOptions => ({
  ...detection,
  inUseSince: sinceOf({ inUse, companions }),
});

/** Runs one full pass from Services to discovered services: detection, then all probes. */
export async function discover(
  services: Iterable<Service>,
  stages: Stages,
  signal: AbortSignal,
): Promise<PassResult> {
  const { prober } = stages;
  const backends = backendsOf(detect(services, stages.rules, detectionOptions(stages)), stages);
  const prepared = (await prober.prepare?.(backends.entryPoints, signal)) ?? [];
  const probe = (entryPoint: Candidate): Promise<Verdict> => prober.probe(entryPoint, signal);
  const outcomes = await Promise.all(
    backends.candidates.map((candidate) => probeBackend(candidate, backends.context, probe, signal)),
  );
  return { ...runAtOnce(combineOutcomes(outcomes, backends, stages, prepared)), beyond: backends.beyond };
}
