import { NO_APPROVALS } from '../model/approvals.ts';
import { type BackendMember, byAge } from '../model/backend-id.ts';
import type { Detector } from '../model/detector.ts';
import {
  type Candidate,
  type Endpoint,
  type Evidence,
  endpointUrl,
  type Problem,
} from '../model/discovery.ts';
import { compareKeys, displayKey, displayNamespace } from '../model/key.ts';
import { defaultName, type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import { oneLine } from '../model/text.ts';
import { withinNamespace } from './bound-namespace.ts';
import type { FormerSelectors } from './former.ts';
import { type Group, groupMembers } from './group.ts';
import { factsOf } from './identity.ts';
import { isApprovedMatch, judge, type Match, type Miss, strongest } from './judge.ts';
import { matchService } from './match.ts';
import { type Member, memberOf } from './member.ts';
import { assignNames, NO_NAMING } from './names.ts';
import { Neighbours } from './neighbours.ts';
import { type DetectOptions, type OwnersWord, ownersWord, wantedName } from './owner.ts';
import { chooseScheme } from './port.ts';
import type { Rules } from './rules.ts';
import { podsWithin } from './selection.ts';
import { wordsOf } from './words.ts';

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

/** The backends of one namespace: what was examined there, put together, in steps that are small. Pure. */
export function* combine(
  examined: Iterable<Examined>,
  rules: Rules,
  options: DetectOptions,
  former?: FormerSelectors,
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
  const neighbours = new Neighbours(services, former);
  yield* neighbours.relate();
  const candidates: Candidate[] = [];
  for (const group of groupMembers(kept, approved)) {
    yield;
    const candidate = backendOf(group, { approved, neighbours }, rules, options, problems);
    if (candidate !== undefined) candidates.push(candidate);
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

/** Most labels, and most selector entries, of a Service in which words are looked for. */
const MOST_READ = 50;

function wordsIn(service: Service): Set<string> {
  const texts = [service.labels, service.selector].flatMap((of) => Object.values(of).slice(0, MOST_READ));
  return new Set([service.name, ...texts].flatMap((text) => wordsOf(text)));
}

/** The first of a detector's base paths whose words and conditions a Service fulfils. */
function placeOf(service: Service, detector: Detector): Detector['paths'][number] | undefined {
  const words = detector.paths.some((place) => place.words.length > 0) ? wordsIn(service) : new Set();
  return detector.paths.find(
    (place) =>
      place.words.every((word) => words.has(word)) &&
      (place.when === undefined || matchService(service, place.when) !== undefined),
  );
}

/**
 * Most ways into one backend that are worked out, the better ones and as many of the oldest: one of them may be in use, or a
 * person may name it. A few of them are asked.
 */
const MOST_WAYS = 100;

/** The Services of a group that are worked out, the best first. */
function worthALook(group: readonly Match[]): readonly Match[] {
  if (group.length <= MOST_WAYS) return group;
  const made = ({ service }: Match): string => service.created ?? '~';
  const oldest = group.toSorted((a, b) => (made(a) < made(b) ? -1 : made(a) > made(b) ? 1 : 0));
  const kept = new Set([...group.slice(0, MOST_WAYS / 2), ...oldest.slice(0, MOST_WAYS / 2)]);
  return group.filter((match) => kept.has(match));
}

/** The candidate of a group, with its fallbacks; what its owners may not say is told. */
function backendOf(
  group: Group,
  { approved, neighbours }: { readonly approved: ReadonlySet<Match>; readonly neighbours: Neighbours },
  rules: Rules,
  options: DetectOptions,
  problems: Problem[],
): Candidate | undefined {
  const members = group.map(({ service }) => service).sort((a, b) => (a.name < b.name ? -1 : 1));
  const known = group.map(backendMember).sort(byAge);
  const shown = displayNames(group);
  const ways: Candidate[] = [];
  // An approval is for the one Service that it names, so the others are no way in beside it.
  const usable = approved.has(group[0]) ? group.filter((match) => approved.has(match)) : group;
  for (const match of worthALook(usable)) {
    const { candidate, word } = candidateOf(match, members, rules, options);
    if (ways.length === 0) problems.push(...word.problems);
    const own = candidate.displayNames ?? [];
    const named = {
      ...candidate,
      displayNames: [...new Set([...own, ...shown])],
      ...reachedAs(group, neighbours.of(match.service)),
      members: known,
    };
    // What a hint alone speaks for is no help to others.
    if (!word.refused && (ways.length === 0 || candidate.certainty !== 'hint')) ways.push(named);
  }
  const [best, ...fallbacks] = ways;
  if (best === undefined) return undefined;
  const { alternates } = best;
  if (alternates.length === 0) return best;
  const detail = `leads to the same backend as ${alternates.join(', ')}, and is the better entry point`;
  return { ...best, fallbacks, evidence: [...best.evidence, { signal: 'group', detail }] };
}

const backendMember = ({ service: { name, created }, roles }: Match): BackendMember => ({
  name,
  roles,
  ...(created === undefined ? {} : { created }),
});

/** The Services that share Pods with one of a group, and the cluster IPs of all of these. */
function reachedAs(group: Group, sharing: readonly Service[]): Pick<Candidate, 'sharesPods' | 'clusterIPs'> {
  const all = [...group.map(({ service }) => service), ...sharing];
  const known = all.flatMap(({ name, clusterIPs }) =>
    clusterIPs === undefined ? [] : [[name, clusterIPs] as const],
  );
  return {
    ...(sharing.length === 0 ? {} : { sharesPods: sharing.map(({ name }) => name) }),
    ...(known.length === 0 ? {} : { clusterIPs: Object.fromEntries(known) }),
  };
}

/** @param members all Services that lead to the same backend */
function candidateOf(
  chosen: Match,
  members: readonly Service[],
  rules: Rules,
  options: DetectOptions,
): { readonly candidate: Candidate; readonly word: OwnersWord } {
  const { service } = chosen;
  const word = ownersWord(service, (chosen.owner ?? chosen.compiled).detector, options);
  const known = word.type === undefined ? undefined : rules.byType.get(word.type)?.detector;
  const detector = known ?? chosen.compiled.detector;
  const evidence: Evidence[] = [...chosen.evidence];

  const host = `${service.name}.${service.namespace}.svc.${options.clusterDomain}`;
  const place = placeOf(service, detector);
  let endpoint: Endpoint;
  if (word.endpoint !== undefined) {
    endpoint = { host, ...word.endpoint };
    evidence.push({ signal: 'path', detail: `its annotation names ${endpointUrl(endpoint)}` });
  } else if (detector.transport === 'tcp') {
    endpoint = { scheme: 'tcp', host, port: chosen.port.port, path: '' };
  } else {
    const { scheme, detail } =
      place?.scheme === undefined
        ? chooseScheme(service, chosen.port.source)
        : { scheme: place.scheme, detail: 'its annotation' };
    if (detail !== undefined) evidence.push({ signal: 'scheme', detail: `${detail}, so ${scheme}` });
    const path = word.path ?? (place?.path ?? '').replace(/\/+$/, '');
    if (path !== '') evidence.push({ signal: 'path', detail: `${detector.title}'s API is below ${path}` });
    endpoint = { scheme, host, port: chosen.port.port, path };
  }
  const others = members.filter(({ name }) => name !== service.name);
  // At a host that its annotation names are not the Pods of its selector.
  const samePods = endpoint.host === host ? others.filter((other) => podsWithin(service, other)) : [];
  return {
    word,
    candidate: {
      service,
      type: word.type ?? detector.type,
      detector: detector.type,
      tool: defaultName(service),
      displayNames: word.name === undefined ? [] : [word.name],
      kind: detector.description,
      description: word.description ?? detector.description,
      tenantDescription: word.description !== undefined,
      endpoint,
      servicePort: word.endpoint?.port ?? chosen.port.source.port,
      mode: place?.mode ?? 'streamable-http',
      healthPath: word.healthPath ?? rules.byType.get(detector.type)?.options.healthPath,
      certainty: chosen.certainty,
      evidence,
      alternates: others.map(({ name }) => name),
      samePods: samePods.map(({ name }) => name),
      fallbacks: [],
      mappings: detector.outputs,
      mcp: detector.mcp,
    },
  };
}

/** The names that owners of a group's Services ask for, each once. */
function displayNames(group: Group): string[] {
  const names = group.map(({ service, owner, compiled }) =>
    wantedName(service, (owner ?? compiled).detector),
  );
  return [...new Set(names.filter((name) => name !== undefined))];
}

/**
 * A candidate whose answers proved it to be of another kind, or at another base path, than its labels say.
 * @param detector type of the detector whose proof held
 */
export function retyped(
  candidate: Candidate,
  rules: Rules,
  detector: string,
  place: Pick<Endpoint, 'path' | 'scheme' | 'port'>,
): Candidate {
  const endpoint = { ...candidate.endpoint, ...place };
  const proven = rules.byType.get(detector)?.detector;
  if (proven === undefined || detector === candidate.detector) return { ...candidate, endpoint };
  return {
    ...candidate,
    endpoint,
    type: proven.type,
    detector: proven.type,
    kind: proven.description,
    description: candidate.tenantDescription ? candidate.description : proven.description,
    mappings: proven.outputs,
    mcp: proven.mcp,
  };
}
