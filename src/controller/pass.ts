import { bounded } from '../detection/bound.ts';
import { type Detection, detect, retyped } from '../detection/detect.ts';
import { forbiddenType } from '../detection/judge.ts';
import { assignNames, type Naming, NO_NAMING } from '../detection/names.ts';
import type { DetectOptions } from '../detection/owner.ts';
import type { Rules } from '../detection/rules.ts';
import type { Candidate, DiscoveredService, Problem, Verdict } from '../model/discovery.ts';
import { displayKey } from '../model/key.ts';
import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import { oneLine } from '../model/text.ts';
import type { ToolKind } from '../planning/tools.ts';
import type { ProbeKind } from '../probing/http.ts';
import type { Prober } from '../probing/prober.ts';
import { mergeProven } from './same-pods.ts';
import {
  type Asked,
  apart,
  askWays,
  type Companions,
  chosenWay,
  companionsOf,
  type InUse,
  inOrder,
  waysInUse,
} from './ways.ts';

/** What a pass works with. */
export interface Stages {
  readonly rules: Rules;
  /** What is wrong with rules that were passed over. */
  readonly problems: readonly Problem[];
  readonly prober: Prober;
  readonly detection: DetectOptions;
  /** Most backends that are looked at. */
  readonly maxBackends: number;
  /** The Services that are in use already; they stay in use while they work, see `askWays`. */
  readonly inUse?: InUse;
  /** Who was there when each of them came into use; nobody else was where this is not given. */
  readonly companions?: Companions;
  /** Who has which name of a tool already; nobody has one where this is not given. */
  readonly naming?: Naming;
}

/** What a pass found. */
export interface Found {
  readonly services: readonly DiscoveredService[];
  /** Tools of backends that turned out to be something else, or to answer like something else. */
  readonly contradicted: readonly string[];
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

/** A verdict that makes no Service a type that the configuration keeps it from being. */
export function permitted({ service }: Candidate, verdict: Verdict, rules: Rules): Verdict {
  const { provenAs, ...rest } = verdict;
  const forbidden = provenAs === undefined ? undefined : forbiddenType(provenAs, service, rules);
  return forbidden === undefined
    ? verdict
    : { ...rest, proof: 'contradicted', reason: `it answers as ${provenAs}, ${forbidden}` };
}

/** What a verdict makes of a candidate: a discovered service, or nothing and perhaps a word about it. */
function judged(
  candidate: Candidate,
  verdict: Verdict,
  rules: Rules,
): { readonly service?: DiscoveredService; readonly contradicted?: string; readonly problem?: Problem } {
  const where = `Service ${displayKey(candidate.service)}`;
  if (candidate.certainty === 'hint' && verdict.proof !== 'proven') return { contradicted: candidate.tool };
  if (verdict.proof === 'contradicted')
    return {
      contradicted: candidate.tool,
      problem: {
        where,
        what: `looks like ${candidate.type} (${candidate.evidence[0]?.detail}) and is left out: ${verdict.reason}`,
        fix: 'see it with explain',
      },
    };
  const proven = verdict.provenAs ?? candidate.detector;
  const place = {
    path: verdict.path ?? candidate.endpoint.path,
    scheme: verdict.scheme ?? candidate.endpoint.scheme,
    port: verdict.port ?? candidate.endpoint.port,
  };
  const service = { ...retyped(candidate, rules, proven, place), verdict };
  if (proven === candidate.detector) return { service };
  return {
    service,
    problem: { where, what: `looks like ${candidate.type} and is ${service.type}: ${verdict.reason}` },
  };
}

/** A candidate whose probe failed in a way that no probe should: it must not take the others with it. */
function failed(candidate: Candidate, error: unknown): { readonly problem: Problem } {
  return {
    problem: {
      where: `Service ${displayKey(candidate.service)}`,
      what: `is left out: its probe failed with "${oneLine(String(error), 200)}", which is a bug`,
      fix: 'please report it',
    },
  };
}

/** What is known of a backend for which a person gives the URL: what its Services answer is of another place. */
const PLACED: Verdict = {
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  reason: 'not probed: overrides.yaml gives its URL',
  steps: [],
};

/** A person gives the URL of this backend, and its type is known without its answers. */
function isPlaced({ service, alternates, certainty }: Candidate, placed: ReadonlySet<ServiceKey>): boolean {
  const keys = [service.name, ...alternates].map((name) => serviceKey({ ...service, name }));
  return certainty !== 'hint' && keys.some((key) => placed.has(key));
}

/** From what was detected to discovered services: all probes, and what these prove. */
export async function probeAll(detection: Detection, stages: Stages, signal: AbortSignal): Promise<Found> {
  const { rules, prober, problems: broken, maxBackends, naming = NO_NAMING } = stages;
  const { inUse = new Set(), companions = new Map() } = stages;
  const { approvals } = stages.detection;
  const standing = { inUse, companions, named: naming.named };
  const { candidates: detected, problems } = bounded(detection, maxBackends, approvals);
  const candidates = detected
    .flatMap((candidate) => apart(candidate, inUse, naming.held))
    .map((candidate) => inOrder(candidate, standing));
  const ways = candidates
    .filter((candidate) => !isPlaced(candidate, naming.placed))
    .flatMap((candidate) => [candidate, ...candidate.fallbacks]);
  const prepared = (await prober.prepare?.(ways, signal)) ?? [];
  const used: Asked[] = [];
  const results: ReturnType<typeof judged>[] = await Promise.all(
    candidates.map(async (candidate) => {
      if (isPlaced(candidate, naming.placed)) {
        used.push({ way: candidate, verdict: PLACED });
        return { service: { ...candidate, verdict: PLACED } };
      }
      try {
        const asked = await askWays(candidate, standing, rules, async (way) =>
          permitted(way, await prober.probe(way, signal, inUse.has(serviceKey(way.service))), rules),
        );
        const chosen = chosenWay(asked);
        // Of what has not answered yet only what is published stays.
        if (chosen.verdict.pending === true)
          return inUse.has(serviceKey(chosen.way.service))
            ? { service: { ...chosen.way, verdict: chosen.verdict } }
            : {};
        used.push(chosen);
        return judged(chosen.way, chosen.verdict, rules);
      } catch (error) {
        signal.throwIfAborted();
        return failed(candidate, error);
      }
    }),
  );
  const found = results.flatMap(({ service }) => service ?? []);
  const services = mergeProven(found, inUse, naming.named, approvals);
  const named = assignNames(services, naming);
  const told = results.flatMap(({ problem }) => problem ?? []);
  return {
    services: named.candidates,
    inUse: waysInUse(used, found, services),
    companions: companionsOf(used, standing),
    contradicted: results.flatMap(({ contradicted }) => contradicted ?? []),
    problems: [...broken, ...problems, ...prepared, ...told, ...named.problems],
  };
}

/** One pass from Services to discovered services: detection, then all probes, then what these prove. */
export function discover(services: Iterable<Service>, stages: Stages, signal: AbortSignal): Promise<Found> {
  return probeAll(detect(services, stages.rules, stages.detection), stages, signal);
}
