import { type Detection, detect } from '../detection/detect.ts';
import { limitCandidates } from '../detection/limit-candidates.ts';
import { assignNames, type Naming, NO_NAMING } from '../detection/names.ts';
import type { DetectOptions } from '../detection/owner.ts';
import { withReach } from '../detection/reach.ts';
import type { Rules } from '../detection/rules.ts';
import type { AddressBook } from '../model/addresses.ts';
import type { Candidate, DiscoveredService, Problem, Verdict } from '../model/discovery.ts';
import type { Service } from '../model/service.ts';
import type { ToolKind } from '../planning/tools.ts';
import type { ProbeKind } from '../probing/http.ts';
import type { Prober, RememberingProber } from '../probing/prober.ts';
import { isPlaced, type Judging, type Outcome, probeBackend } from './outcome.ts';
import { mergeProven } from './same-pods.ts';
import { apart, type Companions, companionsOf, type InUse, inOrder, waysInUse } from './ways.ts';

/** What a pass works with. */
export interface Stages {
  readonly rules: Rules;
  /** What is wrong with rules that were passed over. */
  readonly problems: readonly Problem[];
  readonly prober: Prober;
  readonly detection: DetectOptions;
  /** Where Services lead to, if EndpointSlices are read. */
  readonly addresses?: AddressBook;
  /** Most backends that are looked at. */
  readonly maxBackends: number;
  /** The Services that are in use already; they stay in use while they work, see `tryWays`. */
  readonly inUse?: InUse;
  /** Who was there when each of them came into use; nobody else was where this is not given. */
  readonly companions?: Companions;
  /** Who has which name of a tool already; nobody has one where this is not given. */
  readonly naming?: Naming;
}

/** What the engine works with: its prober remembers verdicts. */
export interface EngineStages extends Stages {
  readonly prober: RememberingProber;
}

/** What a pass found. */
export interface DiscoveryResult {
  readonly services: readonly DiscoveredService[];
  /** Tools of backends that turned out to be something else, or to answer like something else. */
  readonly contradicted: readonly string[];
  /** How many of them are left out because their answers contradict their type; the others were mere hints. */
  readonly disproven: number;
  readonly problems: readonly Problem[];
  /** The Services that are used as ways into their backends. */
  readonly inUse: InUse;
  readonly companions: Companions;
}

/** What a prober needs to know of the kinds of backends. */
export function probeKinds(rules: Rules): ProbeKind[] {
  return rules.detectors.map(({ detector }) => ({
    detector: detector.type,
    title: detector.title,
    spec: detector.probe,
    path: (
      detector.paths.find(({ words, when }) => words.length === 0 && when === undefined)?.path ?? ''
    ).replace(/\/+$/, ''),
  }));
}

/** What generating needs to know of the kinds of backends, for tools that people add. */
export function toolKinds(rules: Rules): Map<string, ToolKind> {
  return new Map(
    [...rules.byType].map(([type, { detector }]) => [
      type,
      { description: detector.description, mappings: detector.outputs, mcp: detector.mcp },
    ]),
  );
}

/** A detection as the backends to probe, by what is in use and what people name. */
export interface Backends {
  readonly candidates: readonly Candidate[];
  /** The Services to probe: each way into each of them, unless a person gives the URL. */
  readonly ways: readonly Candidate[];
  /** All Services that count, backends or not. */
  readonly services: readonly Service[];
  readonly problems: readonly Problem[];
  readonly judging: Judging;
}

export function backendsOf(detection: Detection, stages: Omit<Stages, 'prober'>): Backends {
  const { rules, maxBackends, naming = NO_NAMING, inUse = new Set(), companions = new Map() } = stages;
  const judging = { rules, inUse, companions, named: naming.named, placed: naming.placed };
  const limited = limitCandidates(detection, maxBackends, stages.detection.approvals);
  const candidates = limited.candidates
    .flatMap((candidate) => apart(candidate, inUse, naming.held))
    .map((candidate) => inOrder(candidate, judging));
  const ways = candidates
    .filter((candidate) => !isPlaced(candidate, naming.placed))
    .flatMap((candidate) => [candidate, ...candidate.fallbacks]);
  return { candidates, ways, services: detection.services, problems: limited.problems, judging };
}

/** What all outcomes are together: services that prove to be one are merged, and each has a name of its own. Pure. */
export function combineOutcomes(
  outcomes: readonly Outcome[],
  { judging, services: all, problems }: Pick<Backends, 'judging' | 'services' | 'problems'>,
  stages: Omit<Stages, 'prober'>,
  prepared: readonly Problem[],
): DiscoveryResult {
  const { naming = NO_NAMING } = stages;
  const { inUse } = judging;
  const used = outcomes.flatMap((outcome) => outcome.used ?? []);
  const found = outcomes.flatMap(({ service }) => service ?? []);
  const merged = mergeProven(found, inUse, naming.named, stages.detection.approvals);
  const { services, problems: cut } = withReach(merged, all, stages.addresses);
  const named = assignNames(services, naming);
  const told = outcomes.flatMap(({ problem }) => problem ?? []);
  return {
    services: named.candidates,
    inUse: waysInUse(used, found, services),
    companions: companionsOf(used, judging),
    contradicted: outcomes.flatMap(({ contradicted }) => contradicted ?? []),
    disproven: outcomes.filter(
      ({ contradicted, problem }) => contradicted !== undefined && problem !== undefined,
    ).length,
    problems: [...stages.problems, ...problems, ...prepared, ...cut, ...told, ...named.problems],
  };
}

/** One full pass from Services to discovered services: detection, then all probes, then what these prove. */
export async function discover(
  services: Iterable<Service>,
  stages: Stages,
  signal: AbortSignal,
): Promise<DiscoveryResult> {
  const { prober } = stages;
  const backends = backendsOf(detect(services, stages.rules, stages.detection), stages);
  const prepared = (await prober.prepare?.(backends.ways, signal)) ?? [];
  const probe = (way: Candidate): Promise<Verdict> => prober.probe(way, signal);
  const outcomes = await Promise.all(
    backends.candidates.map((candidate) => probeBackend(candidate, backends.judging, probe, signal)),
  );
  return combineOutcomes(outcomes, backends, stages, prepared);
}
