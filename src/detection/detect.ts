import { NO_APPROVALS } from '../model/approvals.ts';
import type { Candidate, Problem } from '../model/discovery.ts';
import { compareKeys, displayKey, displayNamespace } from '../model/key.ts';
import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import { oneLine } from '../model/text.ts';
import { BackendMaker } from './backend.ts';
import { withinNamespace } from './bound-namespace.ts';
import type { FormerSelectors } from './former.ts';
import { groupMembers } from './group.ts';
import { factsOf } from './identity.ts';
import { isApprovedMatch, judge, type Match, type Miss, strongest } from './judge.ts';
import { matchService } from './match.ts';
import { type Member, memberOf } from './member.ts';
import { assignNames, NO_NAMING } from './names.ts';
import { Neighbours } from './neighbours.ts';
import type { DetectOptions } from './owner.ts';
import type { Rules } from './rules.ts';

/** What detection gave: one candidate for each backend, and what a person should know. */
export interface Detection {
  readonly candidates: readonly Candidate[];
  /** All Services that were looked at and count, backends or not. */
  readonly services: readonly Service[];
  readonly problems: readonly Problem[];
}

/** Services by key; where two have the same key the result does not depend on which came first. */
function distinct(services: Iterable<Service>): Map<ServiceKey, Service> {
  const byKey = new Map<ServiceKey, Service>();
  for (const service of services) {
    const key = serviceKey(service);
    const known = byKey.get(key);
    if (known === undefined || JSON.stringify(service) < JSON.stringify(known)) byKey.set(key, service);
  }
  return byKey;
}

/** What one Service is by itself: a backend's way in, if a detector claims it. */
export interface Examined {
  readonly member: Member | undefined;
  /** It is no way in, and its Pods count all the same: what people say of it holds for other Services of these. */
  readonly aside?: Service;
  readonly problems: readonly Problem[];
}

const NOTHING: Examined = { member: undefined, problems: [] };

/** A Service that is no way in; where it leads to is kept. */
export const aside = (service: Service, problems: readonly Problem[] = []): Examined => ({
  member: undefined,
  problems,
  aside: service,
});

/** Looks at one Service, without the others. Pure. */
export function examine(service: Service, rules: Rules, options: DetectOptions): Examined {
  // Its selector means nothing, but its owner may change the type back and forth: what people say of it still counts.
  if (service.type === 'ExternalName' && !options.allowExternalNames) return aside(service);
  if (rules.vocabulary.optOut.some(({ why: _, ...match }) => matchService(service, match) !== undefined))
    return aside(service);
  const facts = factsOf(service, rules.vocabulary);
  const claims: Match[] = [];
  const problems: Problem[] = [];
  for (const compiled of rules.detectors) {
    let verdict: Match | Miss;
    try {
      verdict = judge(facts, compiled, rules);
    } catch (error) {
      // A detector that fails must not take the others with it.
      const what = `the detector ${compiled.detector.type} failed with "${oneLine(String(error), 200)}", which is a bug`;
      problems.push({ where: `Service ${displayKey(service)}`, what, fix: 'please report it' });
      continue;
    }
    if (verdict.matched) claims.push(verdict);
    else if (verdict.portless)
      problems.push({
        where: `Service ${displayKey(service)}`,
        what:
          service.ports.length === 0
            ? `looks like ${compiled.detector.title} and has no ports, so nothing can reach it`
            : `is offered as ${compiled.detector.title}, and which of its ports is the one cannot be told`,
        fix: service.ports.length === 0 ? 'give it the port that it serves on' : 'name that port http',
      });
  }
  const match = strongest(claims);
  // One ExternalName may lead to another, and that to a backend.
  if (match === undefined && problems.length === 0)
    return service.type === 'ExternalName' ? aside(service) : NOTHING;
  return match === undefined ? aside(service, problems) : { member: memberOf(match, rules), problems };
}

/** What is computed of one namespace and holds for the next time, as far as nothing changed. */
export class NamespaceMemory {
  neighbours: Neighbours | undefined;
  readonly backends: BackendMaker;

  constructor(rules: Rules) {
    this.backends = new BackendMaker(rules);
  }
}

/**
 * Combines what was examined in one namespace into backends, in small steps. Pure, but for what it remembers.
 * @param memory of the same namespace: what did not change is the same object again
 */
export function* combine(
  examined: Iterable<Examined>,
  rules: Rules,
  options: DetectOptions,
  former?: FormerSelectors,
  memory = new NamespaceMemory(rules),
): Generator<void, Detection, undefined> {
  const members: Member[] = [];
  const asides: Service[] = [];
  const problems: Problem[] = [];
  for (const each of examined) {
    if (each.member !== undefined) members.push(each.member);
    if (each.aside !== undefined) asides.push(each.aside);
    problems.push(...each.problems);
  }
  const { approvals = NO_APPROVALS } = options;
  const approved = new Set(
    members.map(({ match }) => match).filter((match) => isApprovedMatch(match, rules, approvals)),
  );
  const { kept, problem } = withinNamespace(members, options.maxNamespaceServices, approved);
  if (problem !== undefined) problems.push(problem);
  const services = [...members.map(({ match }) => match.service), ...asides];
  services.sort((a, b) => (a.name < b.name ? -1 : 1));
  const neighbours = new Neighbours(services, former, memory.neighbours);
  yield* neighbours.relate();
  memory.neighbours = neighbours;
  const candidates: Candidate[] = [];
  for (const group of groupMembers(kept, approved)) {
    yield;
    const made = memory.backends.make(group, { approved, neighbours, options });
    problems.push(...made.problems);
    if (made.candidate !== undefined) candidates.push(made.candidate);
  }
  return { candidates, services, problems };
}

/** Takes all steps at once. */
function toEnd<T>(steps: Generator<void, T, undefined>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** What was found in each namespace as one: tools have unique names, and problems stand in order. Pure. */
export function together(parts: Iterable<Detection>): Detection {
  const found: Candidate[] = [];
  const services: Service[] = [];
  const problems: Problem[] = [];
  const placeOf = ({ services: [first] }: Detection): string =>
    first === undefined ? '' : displayNamespace(first);
  for (const part of [...parts].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))) {
    found.push(...part.candidates);
    for (const service of part.services) services.push(service);
    problems.push(...part.problems);
  }
  // A pass gives names anew, since it knows who has which one, and tells who did not get what they asked for.
  const { candidates } = assignNames(found.sort(byKey), NO_NAMING);
  problems.sort((a, b) => (a.where < b.where ? -1 : a.where > b.where ? 1 : a.what < b.what ? -1 : 1));
  return { candidates, services, problems };
}

function byKey(a: Candidate, b: Candidate): number {
  return compareKeys(serviceKey(a.service), serviceKey(b.service));
}

/**
 * Finds the backends among Services: which product each is, how sure that is and why, where it answers, and which
 * Services lead to the same one. Pure: the same Services, in any order and number, give the same result.
 */
export function detect(services: Iterable<Service>, rules: Rules, options: DetectOptions): Detection {
  const byNamespace = Map.groupBy(distinct(services).values(), displayNamespace);
  return together(
    [...byNamespace.values()].map((all) =>
      toEnd(
        combine(
          all.map((service) => examine(service, rules, options)),
          rules,
          options,
        ),
      ),
    ),
  );
}
