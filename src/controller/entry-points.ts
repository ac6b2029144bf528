import type { Naming } from '../detection/names.ts';
import { INSTALLATION_SPAN_MS } from '../detection/newcomers.ts';
import type { Rules } from '../detection/rules.ts';
import { podsWithin as servicePodsWithin } from '../detection/selection.ts';
import { type Candidate, isBlank, type Verdict } from '../model/discovery.ts';
import { displayNamespace, HOME_CLUSTER } from '../model/key.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { keyOfService, type ServiceKey, serviceKey } from '../model/service.ts';

/** The entry points in use. */
export type InUse = ReadonlySet<ServiceKey>;

/** The entry points of published tools. */
export function publishedEntryPoints(tools: readonly PublishedTool[]): InUse {
  const keys = tools.flatMap(({ cluster = HOME_CLUSTER, namespace, metadata: { service } }) =>
    namespace === undefined || service === undefined ? [] : serviceKey({ cluster, namespace, name: service }),
  );
  return new Set(keys);
}

/** The names of the other Services of a backend when its entry point came into use. */
export interface Company {
  /** All of them. A Service that came later, with other Pods, cannot take over. */
  readonly all: ReadonlySet<string>;
  /** Those that were preferred to it, and did not work. Only these take over again while it works. */
  readonly better: ReadonlySet<string>;
}

/** The company of each entry point in use. */
export type Companions = ReadonlyMap<ServiceKey, Company>;

/** What the choice of entry points depends on, apart from verdicts. */
export interface Standing {
  readonly inUse: InUse;
  readonly companions: Companions;
  /** Services that overrides name. */
  readonly named: ReadonlySet<ServiceKey>;
  /** See `Naming`. */
  readonly configured?: ReadonlySet<string>;
}

/** Maximum number of probed entry points per backend. */
const MAX_ENTRY_POINTS = 4;

const keyOf = ({ service }: Candidate): ServiceKey => keyOfService(service);

const podsWithin = (one: Candidate, other: Candidate): boolean =>
  servicePodsWithin(one.service, other.service);

/**
 * Whether an entry point may replace another one in use: it leads to its Pods, or belonged to its backend from the
 * beginning.
 * @param of which of its companions count
 */
const mayReplace = (
  entryPoint: Candidate,
  other: Candidate,
  companions: Companions,
  of: keyof Company,
): boolean =>
  podsWithin(entryPoint, other) || companions.get(keyOf(other))?.[of].has(entryPoint.service.name) === true;

/** A backend with another one of its entry points as the preferred one. */
function preferring(candidate: Candidate, first: Candidate, why: string): Candidate {
  const rest = [candidate, ...candidate.fallbacks].filter((entryPoint) => entryPoint !== first);
  const detail = `leads to the same backend as ${first.alternates.join(', ')}, and ${why}`;
  return {
    ...first,
    fallbacks: rest.map((entryPoint) => ({
      ...entryPoint,
      fallbacks: [],
      evidence: entryPoint.evidence.filter(({ signal }) => signal !== 'group'),
    })),
    evidence: [...first.evidence, { signal: 'group', detail }],
  };
}

/** The first few entry points, always including the oldest, so that newer Services with better names cannot crowd it out. */
function withOldest(entryPoints: readonly Candidate[], most: number): readonly Candidate[] {
  if (entryPoints.length <= most) return entryPoints;
  const made = ({ service: { created = '~' } }: Candidate): string => created;
  const oldest = entryPoints.reduce((a, b) => (made(b) < made(a) ? b : a));
  const first = entryPoints.slice(0, most);
  return first.includes(oldest) ? first : [...first.slice(0, -1), oldest];
}

/**
 * Orders the entry points of a backend by preference, and keeps only a few. An entry point named in overrides comes first:
 * text about a Service applies to that Service only, and not to others that lead to the same backend, or claim to. Then the
 * one in use comes first, if the better one leads to other Pods and was not better from the beginning: a new Service may
 * change the order of the others, too.
 */
export function orderEntryPoints(candidate: Candidate, { inUse, companions, named }: Standing): Candidate {
  if (candidate.fallbacks.length === 0) return candidate;
  const entryPoints = [candidate, ...candidate.fallbacks];
  const used = entryPoints.find((entryPoint) => inUse.has(keyOf(entryPoint)));
  const wanted = entryPoints.find((entryPoint) => named.has(keyOf(entryPoint)));
  let ordered = candidate;
  if (wanted !== undefined && wanted !== candidate)
    ordered = preferring(candidate, wanted, 'a person named it');
  else if (
    wanted === undefined &&
    used !== undefined &&
    used !== candidate &&
    !mayReplace(candidate, used, companions, 'better')
  )
    ordered = preferring(candidate, used, `is in use; ${candidate.service.name} leads to other Pods`);
  const isIn = (set: ReadonlySet<ServiceKey>, entryPoint: Candidate): number =>
    Number(set.has(keyOf(entryPoint)));
  // Without more than a hint, a Service does not become the entry point of this backend, but it may be one already.
  const counted = ordered.fallbacks.filter(
    (each) => each.certainty !== 'hint' || isIn(named, each) + isIn(inUse, each) > 0,
  );
  const sorted = counted.toSorted(
    (a, b) => isIn(named, b) - isIn(named, a) || isIn(inUse, b) - isIn(inUse, a),
  );
  const fallbacks = withOldest(sorted, MAX_ENTRY_POINTS - 1);
  const isSame =
    ordered === candidate &&
    fallbacks.every((entryPoint, index) => entryPoint === candidate.fallbacks[index]);
  return isSame && fallbacks.length === candidate.fallbacks.length ? candidate : { ...ordered, fallbacks };
}

/**
 * Splits a backend if several of its Services are in use for different Pods: they were separate backends before a new
 * Service connected them.
 * @param held the names in use, with the Services of each backend as it was
 */
export function splitCandidate(
  candidate: Candidate,
  inUse: InUse,
  held: Naming['held'],
): readonly Candidate[] {
  if (candidate.fallbacks.length === 0) return [candidate];
  const entryPoints = [candidate, ...candidate.fallbacks];
  const used = entryPoints.filter((entryPoint) => inUse.has(keyOf(entryPoint)));
  const homes = used.filter(
    (entryPoint, index) =>
      !used.slice(0, index).some((other) => podsWithin(entryPoint, other) && podsWithin(other, entryPoint)),
  );
  const [first, ...others] = homes;
  if (first === undefined || others.length === 0) return [candidate];
  const place = displayNamespace(candidate.service);
  const backends = [...held.values()].filter((holder) => displayNamespace(holder) === place);
  const wereOne = (a: string, b: string): boolean =>
    backends.some(({ members }) => members.includes(a) && members.includes(b));
  const homeOf = (name: string): Candidate => {
    const entryPoint = entryPoints.find(({ service }) => service.name === name);
    return (
      homes.find(({ service }) => service.name === name) ??
      homes.find((home) => wereOne(home.service.name, name)) ??
      homes.find((home) => entryPoint !== undefined && podsWithin(entryPoint, home)) ??
      first
    );
  };
  const names = Map.groupBy([candidate.service.name, ...candidate.alternates], homeOf);
  return homes.flatMap((home) => {
    const own = new Set(names.get(home));
    const [best, ...fallbacks] = entryPoints
      .filter(({ service }) => own.has(service.name))
      .map((entryPoint) => ({
        ...entryPoint,
        alternates: [...own].filter((name) => name !== entryPoint.service.name).sort(),
        samePods: (entryPoint.samePods ?? []).filter((name) => own.has(name)),
        ...(entryPoint.members === undefined
          ? {}
          : { members: entryPoint.members.filter(({ name }) => own.has(name)) }),
        fallbacks: [],
        evidence: entryPoint.evidence.filter(({ signal }) => signal !== 'group'),
      }));
    return best === undefined ? [] : { ...best, fallbacks };
  });
}

/** An entry point with its verdict. */
export interface ProbedEntryPoint {
  readonly entryPoint: Candidate;
  readonly verdict: Verdict;
}

/** The entry point that was chosen. */
export interface ChosenEntryPoint extends ProbedEntryPoint {
  /** The names of those that are preferred to it. */
  readonly better: readonly string[];
}

const isAgainst = ({ health, proof }: Verdict): boolean => health === 'unhealthy' || proof === 'contradicted';

/** It needs a proof, and has none. */
const isMereHint = ({ entryPoint, verdict }: ProbedEntryPoint): boolean =>
  entryPoint.certainty === 'hint' && verdict.proof !== 'proven';

/** Whether an entry point cannot be used. An unknown state is no reason against it, unless it is only a hint. */
const fails = (probed: ProbedEntryPoint): boolean => isAgainst(probed.verdict) || isMereHint(probed);

/** The entry point is unreachable, as many others are. Another one may be reachable. */
const isLost = ({ verdict }: ProbedEntryPoint): boolean =>
  verdict.health === 'unknown' && verdict.fault !== undefined;

/** Its answers show nothing without credentials, or at the paths that are known. Another entry point may answer openly. */
const isClosed = ({ verdict }: ProbedEntryPoint): boolean =>
  (verdict.proof === 'unproven' && verdict.authRequired) || isBlank(verdict);

const isOpen = (probed: ProbedEntryPoint): boolean =>
  works(probed) && probed.verdict.proof === 'proven' && !probed.verdict.authRequired;

const works = (probed: ProbedEntryPoint): boolean => probed.verdict.health === 'healthy' && !fails(probed);

const ALONE: Company = { all: new Set(), better: new Set() };

/**
 * The companions of the entry points in use. While one fails, any Service may take over, so its companions are recorded
 * again.
 */
export function companionsOf(
  chosen: readonly ChosenEntryPoint[],
  { inUse, companions }: Standing,
): Companions {
  return new Map(
    chosen.map((probed) => {
      const key = keyOf(probed.entryPoint);
      const stands = inUse.has(key) && !fails(probed);
      if (stands) return [key, companions.get(key) ?? ALONE];
      const all = new Set(probed.entryPoint.alternates);
      return [key, { all, better: fails(probed) ? all : new Set(probed.better) }];
    }),
  );
}

/** Whether an entry point was created before another one, or together with it. Only the API server sets that time. */
function isOfOneInstallation({ service: one }: Candidate, { service: other }: Candidate): boolean {
  const [a, b] = [one, other].map(({ created }) => (created === undefined ? 0 : Date.parse(created)));
  return (a ?? 0) <= (b ?? 0) + INSTALLATION_SPAN_MS;
}

/** Whether people configured something for a backend by its type or namespace. */
const isConfigured = (
  { detector, service }: Candidate,
  configured: ReadonlySet<string> = new Set(),
): boolean =>
  [detector, '*'].some((type) =>
    [displayNamespace(service), '*'].some((namespace) => configured.has(`${type} ${namespace}`)),
  );

/** Whether backends of this kind can prove their type. */
function canProve({ detector }: Candidate, rules: Rules): boolean {
  const probe = rules.byType.get(detector)?.detector.probe;
  return probe !== undefined && (probe.protocol !== 'http' || probe.proofs.length > 0);
}

/**
 * Tries the entry points of one backend until one works. Yields each entry point to try, and receives its verdict. The
 * preferred one comes first, and is chosen once it is proven, or works and overrides name it. Until then the one in use
 * stays unless it fails. In that case the others are tried in order. If the preferred one shows nothing without credentials,
 * and users neither named it nor configured anything for it, one of the others that proves itself openly is chosen. One in use gives
 * way only to what belonged to its backend from the beginning, or leads to its Pods.
 * @param candidate the preferred entry point, with the others as its fallbacks
 * @returns all that were tried, ending with the chosen one
 */
export function* tryEntryPoints(
  candidate: Candidate,
  { inUse, companions, named, configured }: Standing,
  rules: Rules,
): Generator<Candidate, readonly [ProbedEntryPoint, ...ProbedEntryPoint[]], Verdict> {
  const used = [candidate, ...candidate.fallbacks].find((entryPoint) => inUse.has(keyOf(entryPoint)));
  const preferred: ProbedEntryPoint = { entryPoint: candidate, verdict: yield candidate };
  const isInUse = used === undefined || used === candidate;
  // One in use was proven before, so an unknown state is no reason against it.
  const failsNow = (each: ProbedEntryPoint): boolean =>
    each.entryPoint === used ? isAgainst(each.verdict) : fails(each);
  const isProven =
    works(preferred) &&
    (preferred.verdict.proof === 'proven' || !canProve(candidate, rules) || named.has(keyOf(candidate)));
  if (isProven) return [preferred];
  if (isInUse && !failsNow(preferred) && !isLost(preferred)) {
    // What people configured may open it to the agent.
    const isMeant = named.has(keyOf(candidate)) || isConfigured(candidate, configured);
    if (!isClosed(preferred) || isMeant) return [preferred];
    for (const entryPoint of candidate.fallbacks) {
      const mayCount = used === undefined && isOfOneInstallation(entryPoint, candidate);
      if (!mayCount && !mayReplace(entryPoint, candidate, companions, 'all')) continue;
      const each: ProbedEntryPoint = { entryPoint, verdict: yield entryPoint };
      if (isOpen(each)) return [preferred, each];
    }
    return [preferred];
  }
  const probed: [ProbedEntryPoint, ...ProbedEntryPoint[]] = [preferred];
  for (const entryPoint of [
    ...(isInUse ? [] : [used]),
    ...candidate.fallbacks.filter((each) => each !== used),
  ]) {
    const each: ProbedEntryPoint = { entryPoint, verdict: yield entryPoint };
    probed.push(each);
    if (works(each) || (entryPoint === used && !failsNow(each) && !isLost(each))) return probed;
  }
  // None works: the one in use stays, so that its health is reported.
  const stays =
    probed.find(({ entryPoint }) => entryPoint === used) ??
    probed.find((each) => !isMereHint(each)) ??
    preferred;
  const rest = probed.filter((each) => each !== stays);
  const [first, ...others] = rest;
  return first === undefined ? [stays] : [first, ...others, stays];
}

/**
 * The chosen entry point, with evidence why it is not the preferred one, or why none works.
 * @param candidate the backend
 * @param probed those that were tried, ending with the chosen one
 */
export function chooseEntryPoint(
  candidate: Candidate,
  probed: readonly [ProbedEntryPoint, ...ProbedEntryPoint[]],
): ChosenEntryPoint {
  const last = probed.at(-1) ?? probed[0];
  const names = [candidate, ...candidate.fallbacks].map(({ service }) => service.name);
  const better = names.slice(0, Math.max(0, names.indexOf(last.entryPoint.service.name)));
  if (probed.length === 1 || isLost(last)) return { ...last, better };
  const others = probed.slice(0, -1);
  const said = (each: ProbedEntryPoint): string =>
    `Service ${each.entryPoint.service.name}: ${each.verdict.reason}`;
  const [first] = others;
  const name = last.entryPoint.service.name;
  const closed = first !== undefined && isClosed(first) && isOpen(last);
  const detail = closed
    ? `${first.entryPoint.service.name} is preferred, but ${name} is used, because it requires no login: ${others.map(said).join('; ')}`
    : fails(last)
      ? `no entry point works: ${probed.map(said).join('; ')}`
      : `${first?.entryPoint.service.name} is preferred, and ${name} is used until it works: ${others.map(said).join('; ')}`;
  return {
    ...last,
    entryPoint: { ...last.entryPoint, evidence: [...last.entryPoint.evidence, { signal: 'group', detail }] },
    better,
  };
}

type Found = readonly { readonly service: Candidate['service'] }[];

/** The entry points in use after a pass: the chosen ones, without those that were merged into others. */
export function entryPointsInUse(chosen: readonly ProbedEntryPoint[], found: Found, kept: Found): InUse {
  const keys = new Set(chosen.map(({ entryPoint }) => keyOf(entryPoint)));
  for (const { service } of found) keys.delete(keyOfService(service));
  for (const { service } of kept) keys.add(keyOfService(service));
  return keys;
}
