import { NO_APPROVALS } from '../model/approvals.ts';
import type { Candidate, Problem } from '../model/discovery.ts';
import { compareKeys, displayKey, displayNamespace } from '../model/key.ts';
import { keyOfService, type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import { oneLine } from '../model/text.ts';
import { runAtOnce } from '../model/yield-every.ts';
import { BackendBuilder } from './backend.ts';
import { evaluate, isApprovedMatch, type Match, type Miss, strongest } from './evaluate.ts';
import type { FormerSelectors } from './former-selectors.ts';
import { groupMembers } from './group.ts';
import { factsOf } from './identity.ts';
import { ignoredAnnotations } from './ignored-annotations.ts';
import { keptOut } from './kept-out.ts';
import { type BeyondNamespaceLimit, limitNamespace } from './limit-namespace.ts';
import { type Member, memberOf } from './member.ts';
import { assignNames, NO_NAMING } from './names.ts';
import { Neighbours } from './neighbours.ts';
import type { DetectOptions } from './owner.ts';
import { partsOf } from './parts.ts';
import type { Rules } from './rules.ts';

/** The result of detection: one candidate per backend, and problems. */
export interface Detection {
  readonly candidates: readonly Candidate[];
  /** All relevant Services, whether backends or not. */
  readonly services: readonly Service[];
  readonly problems: readonly Problem[];
  /** The Services beyond the limit of their namespace; absent: none. */
  readonly beyondNamespaceLimit?: readonly BeyondNamespaceLimit[];
}

/** Indexes Services by key. For duplicate keys, the result does not depend on their order. */
function distinct(services: Iterable<Service>): Map<ServiceKey, Service> {
  const byKey = new Map<ServiceKey, Service>();
  for (const service of services) {
    const key = serviceKey(service);
    const known = byKey.get(key);
    if (known === undefined || JSON.stringify(service) < JSON.stringify(known)) byKey.set(key, service);
  }
  return byKey;
}

/** The result of examining one Service on its own. */
export interface Examined {
  readonly member: Member | undefined;
  /** Its parts with products of their own; absent: none. */
  readonly parts?: readonly Member[];
  /** Set if it is not an entry point, but overrides that name it apply to other Services of its Pods. */
  readonly nonBackend?: Service;
  readonly problems: readonly Problem[];
}

const NOTHING: Examined = { member: undefined, problems: [] };

/** A Service that is no way in; where it leads to is kept. */
export const nonBackend = (service: Service, problems: readonly Problem[] = []): Examined => ({
  member: undefined,
  problems,
  nonBackend: service,
});

/** Examines one Service on its own. Pure. */
export function examine(service: Service, rules: Rules, options: DetectOptions): Examined {
  // Keep it, because its owner may change it back and forth, and overrides that name it must still apply.
  if (keptOut(service, rules, options) !== undefined) return nonBackend(service);
  const facts = factsOf(service, rules.vocabulary);
  const claims: Match[] = [];
  const problems: Problem[] = [];
  for (const compiled of rules.detectors) {
    let verdict: Match | Miss;
    try {
      verdict = evaluate(facts, compiled, rules);
    } catch (error) {
      // A bug in one detector must not affect the others.
      const what = `the detector ${compiled.detector.type} failed with "${oneLine(String(error), 200)}", which is a bug`;
      problems.push({ where: `Service ${displayKey(service)}`, what, fix: 'please report it' });
      continue;
    }
    if (verdict.matched) claims.push(verdict);
    else if (verdict.missingPort)
      problems.push({
        where: `Service ${displayKey(service)}`,
        what:
          service.ports.length === 0
            ? `looks like ${compiled.detector.title} and has no ports, so nothing can reach it`
            : `is offered as ${compiled.detector.title}, but it has several ports, and none of them is the obvious one`,
        fix: service.ports.length === 0 ? 'give it the port that it serves on' : 'name that port http',
      });
  }
  const match = strongest(claims);
  // An ExternalName may point to another one, which points to a backend.
  if (match === undefined && problems.length === 0)
    return service.type === 'ExternalName' ? nonBackend(service) : NOTHING;
  if (match === undefined) return nonBackend(service, problems);
  const parts = partsOf(match, rules);
  return {
    member: memberOf(match, rules),
    ...(parts.length === 0 ? {} : { parts }),
    problems: [...problems, ...ignoredAnnotations(service, rules)],
  };
}

/** Intermediate results of one namespace, to reuse in the next detection. */
export class NamespaceMemory {
  neighbours: Neighbours | undefined;
  readonly backends: BackendBuilder;

  constructor(rules: Rules) {
    this.backends = new BackendBuilder(rules);
  }
}

/**
 * Groups the examined Services of one namespace into backends, in small steps. Pure, except for `memory`.
 * @param memory results of the same namespace: unchanged backends stay the same objects
 */
export function* detectNamespace(
  examined: Iterable<Examined>,
  rules: Rules,
  options: DetectOptions,
  former?: FormerSelectors,
  memory = new NamespaceMemory(rules),
): Generator<void, Detection, undefined> {
  const { approvals = NO_APPROVALS, maxNamespaceServices, inUseSince } = options;
  const members: Member[] = [];
  const approved = new Set<Match>();
  const services: Service[] = [];
  const problems: Problem[] = [];
  for (const { member, parts, nonBackend: aside, problems: found } of examined) {
    if (member !== undefined) {
      members.push(member);
      services.push(member.match.service);
      if (isApprovedMatch(member.match, rules, approvals)) approved.add(member.match);
      if (parts !== undefined) members.push(...parts);
    }
    if (aside !== undefined) services.push(aside);
    if (found.length > 0) problems.push(...found);
  }
  const { kept, problem, beyond } = limitNamespace(members, maxNamespaceServices, approved, inUseSince);
  if (problem !== undefined) problems.push(problem);
  services.sort((a, b) => (a.name < b.name ? -1 : 1));
  const { neighbours: known } = memory;
  const holds = known?.holdsFor(services, former) === true;
  const neighbours = holds ? known : new Neighbours(services, former, known);
  if (!holds) yield* neighbours.relate();
  memory.neighbours = neighbours;
  const candidates: Candidate[] = [];
  for (const group of groupMembers(kept, approved)) {
    yield;
    const made = memory.backends.build(group, { approved, neighbours, options });
    problems.push(...made.problems);
    if (made.candidate !== undefined) candidates.push(made.candidate);
  }
  const limits = beyond === undefined ? {} : { beyondNamespaceLimit: [beyond] };
  return { candidates, services, problems, ...limits };
}

/** Merges the results of all namespaces: assigns unique names, and sorts problems. Pure. */
export function mergeNamespaces(parts: Iterable<Detection>): Detection {
  const found: Candidate[] = [];
  const services: Service[] = [];
  const problems: Problem[] = [];
  const beyond: BeyondNamespaceLimit[] = [];
  const placeOf = ({ services: [first] }: Detection): string =>
    first === undefined ? '' : displayNamespace(first);
  for (const part of [...parts].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))) {
    found.push(...part.candidates);
    for (const service of part.services) services.push(service);
    problems.push(...part.problems);
    beyond.push(...(part.beyondNamespaceLimit ?? []));
  }
  // These names are preliminary: a pass assigns them again, because it knows which names are in use, and reports conflicts.
  const { candidates } = assignNames(found.sort(byKey), NO_NAMING);
  problems.sort((a, b) => (a.where < b.where ? -1 : a.where > b.where ? 1 : a.what < b.what ? -1 : 1));
  const limits = beyond.length === 0 ? {} : { beyondNamespaceLimit: beyond };
  return { candidates, services, problems, ...limits };
}

function byKey(a: Candidate, b: Candidate): number {
  return compareKeys(keyOfService(a.service), keyOfService(b.service));
}

/**
 * Finds the backends among Services: the product, certainty, evidence and endpoint of each, and the Services that lead to
 * it. Pure; order and duplicates of Services do not matter.
 */
export function detect(services: Iterable<Service>, rules: Rules, options: DetectOptions): Detection {
  const byNamespace = Map.groupBy(distinct(services).values(), displayNamespace);
  return mergeNamespaces(
    [...byNamespace.values()].map((all) =>
      runAtOnce(
        detectNamespace(
          all.map((service) => examine(service, rules, options)),
          rules,
          options,
        ),
      ),
    ),
  );
}
