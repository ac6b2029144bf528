import { INSTALLATION_SPAN_MS } from '../detection/newcomers.ts';
import type { Rules } from '../detection/rules.ts';
import { podsWithin as servicePodsWithin } from '../detection/selection.ts';
import { type Candidate, isBlank, type Verdict } from '../model/discovery.ts';
import { displayNamespace } from '../model/key.ts';
import { keyOfService, type ServiceKey } from '../model/service.ts';
import { mayReplace, newcomersTo, ownersBefore, type Use } from './company.ts';

/** What the choice of entry points depends on, apart from verdicts. */
export interface Standing extends Use {
  /** Services that overrides name. */
  readonly named: ReadonlySet<ServiceKey>;
  /** See `Naming`. */
  readonly configured?: ReadonlySet<string>;
  /** Milliseconds of `performance.now`. */
  readonly now: number;
}

/** Maximum number of probed entry points per backend. */
const MAX_ENTRY_POINTS = 4;

const keyOf = ({ service }: Candidate): ServiceKey => keyOfService(service);

const podsWithin = (one: Candidate, other: Candidate): boolean =>
  servicePodsWithin(one.service, other.service);

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

/** A result for a candidate, with everything else that it depends on. */
interface Made<T> {
  readonly of: string;
  readonly result: T;
}

/** Makes something of a candidate, or returns the last result: what is unchanged stays the same object. */
function remade<T>(
  known: WeakMap<Candidate, Made<T>>,
  candidate: Candidate,
  inputs: unknown,
  make: () => T,
): T {
  const of = JSON.stringify(inputs);
  const last = known.get(candidate);
  if (last?.of === of) return last.result;
  const result = make();
  known.set(candidate, { of, result });
  return result;
}

const ordered = new WeakMap<Candidate, Made<Candidate>>();
const divided = new WeakMap<Candidate, Made<readonly Candidate[]>>();

const nameOf = ({ service }: Candidate): string => service.name;

/**
 * Orders the entry points of a backend by preference, and keeps only a few. An entry point named in overrides comes first:
 * text about a Service applies to that Service only, and not to others that lead to the same backend, or claim to. Then the
 * one in use comes first, after those that were preferred to it from the beginning or lead to its Pods: a new Service may
 * change the order of the others, too. Newcomers come last.
 */
export function orderEntryPoints(candidate: Candidate, standing: Standing): Candidate {
  const { inUse, named, now } = standing;
  if (candidate.alternates.length === 0) return candidate;
  const entryPoints = [candidate, ...candidate.fallbacks];
  const used = entryPoints.find((entryPoint) => inUse.has(keyOf(entryPoint)));
  const wanted = entryPoints.find((entryPoint) => named.has(keyOf(entryPoint)));
  const mayComeFirst = (entryPoint: Candidate): boolean =>
    used === undefined ||
    entryPoint === used ||
    mayReplace(entryPoint.service.name, keyOf(used), standing, now);
  const owners = used === undefined ? new Set<string>() : ownersBefore(keyOf(used), standing);
  const owner = entryPoints.find(({ service: { name } }) => owners.has(name));
  const first = wanted ?? owner ?? entryPoints.find(mayComeFirst) ?? candidate;
  const newcomers = newcomersTo(used ?? first, standing, named);
  const { name: other } = candidate.service;
  const instead = newcomers.includes(other)
    ? `${other} came later`
    : `to use ${other}, name it in overrides.yaml`;
  const why =
    first === wanted
      ? 'a person named it'
      : `${first === used ? 'is in use' : 'was preferred before'}; ${instead}`;
  const best = first === candidate ? candidate : preferring(candidate, first, why);
  const isIn = (set: ReadonlySet<ServiceKey>, entryPoint: Candidate): number =>
    Number(set.has(keyOf(entryPoint)));
  // Without more than a hint, a Service does not become the entry point of this backend, but it may be one already.
  const counted = best.fallbacks.filter(
    (each) => each.certainty !== 'hint' || isIn(named, each) + isIn(inUse, each) > 0,
  );
  const isNewcomer = (each: Candidate): number => Number(newcomers.includes(each.service.name));
  const sorted = counted.toSorted(
    (a, b) =>
      isIn(named, b) - isIn(named, a) || isIn(inUse, b) - isIn(inUse, a) || isNewcomer(a) - isNewcomer(b),
  );
  const fallbacks = withOldest(sorted, MAX_ENTRY_POINTS - 1);
  const isSame =
    best === candidate &&
    newcomers.length === 0 &&
    fallbacks.length === candidate.fallbacks.length &&
    fallbacks.every((entryPoint, index) => entryPoint === candidate.fallbacks[index]);
  if (isSame) return candidate;
  return remade(ordered, candidate, [why, nameOf(best), fallbacks.map(nameOf), newcomers], () =>
    newcomers.length === 0
      ? { ...best, fallbacks }
      : { ...best, fallbacks: fallbacks.map((each) => ({ ...each, newcomers })), newcomers },
  );
}

/**
 * Splits a backend if several of its Services are in use: they were separate backends before a new Service, or a change of
 * one, connected them.
 */
export function splitCandidate(candidate: Candidate, { inUse, companions }: Use): readonly Candidate[] {
  if (candidate.fallbacks.length === 0) return [candidate];
  const entryPoints = [candidate, ...candidate.fallbacks];
  const homes = entryPoints.filter((entryPoint) => inUse.has(keyOf(entryPoint)));
  const [first, ...others] = homes;
  if (first === undefined || others.length === 0) return [candidate];
  const homeOf = (name: string): Candidate => {
    const entryPoint = entryPoints.find(({ service }) => service.name === name);
    return (
      homes.find(({ service }) => service.name === name) ??
      homes.find((home) => companions.get(keyOf(home))?.all.has(name) === true) ??
      homes.find((home) => entryPoint !== undefined && podsWithin(entryPoint, home)) ??
      first
    );
  };
  const names = Map.groupBy([candidate.service.name, ...candidate.alternates], homeOf);
  const partOf = (home: Candidate): readonly Candidate[] => {
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
    return best === undefined ? [] : [{ ...best, fallbacks }];
  };
  const inputs = homes.map((home) => names.get(home));
  return remade(divided, candidate, inputs, () => homes.flatMap(partOf));
}

/** An entry point with its verdict. */
export interface ProbedEntryPoint {
  readonly entryPoint: Candidate;
  readonly verdict: Verdict;
}

/** The entry point that was chosen. */
export interface ChosenEntryPoint extends ProbedEntryPoint {
  /** Whether it cannot be used. */
  readonly fails: boolean;
  /** The names of those that are preferred to it. */
  readonly better: readonly string[];
  /** Newcomers that are used besides it, as backends of their own. */
  readonly apart: readonly Candidate[];
}

/** The entry points that were tried. */
export interface TriedEntryPoints {
  /** All that count, ending with the chosen one. */
  readonly probed: readonly [ProbedEntryPoint, ...ProbedEntryPoint[]];
  /** Newcomers that work while none of these does. */
  readonly apart: readonly Candidate[];
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
 * and users neither named it nor configured anything for it, one of the others that proves itself openly is chosen. One in
 * use gives way only to what belonged to its backend from the beginning. Newcomers that work while all others fail become
 * backends of their own.
 * @param candidate the preferred entry point, with the others as its fallbacks
 */
export function* tryEntryPoints(
  candidate: Candidate,
  { inUse, named, configured }: Standing,
  rules: Rules,
): Generator<Candidate, TriedEntryPoints, Verdict> {
  const used = [candidate, ...candidate.fallbacks].find((entryPoint) => inUse.has(keyOf(entryPoint)));
  const newcomers = new Set(candidate.newcomers);
  const isNewcomer = ({ service }: Candidate): boolean => newcomers.has(service.name);
  const preferred: ProbedEntryPoint = { entryPoint: candidate, verdict: yield candidate };
  const isInUse = used === undefined || used === candidate;
  // One in use was proven before, so an unknown state is no reason against it.
  const failsNow = (each: ProbedEntryPoint): boolean =>
    each.entryPoint === used ? isAgainst(each.verdict) : fails(each);
  const isProven = (each: ProbedEntryPoint): boolean =>
    works(each) &&
    (each.verdict.proof === 'proven' ||
      !canProve(each.entryPoint, rules) ||
      named.has(keyOf(each.entryPoint)));
  const apart: Candidate[] = [];
  if (isProven(preferred)) return { probed: [preferred], apart };
  if (isInUse && !failsNow(preferred) && !isLost(preferred)) {
    // What people configured may open it to the agent.
    const isMeant = named.has(keyOf(candidate)) || isConfigured(candidate, configured);
    if (!isClosed(preferred) || isMeant) return { probed: [preferred], apart };
    for (const entryPoint of candidate.fallbacks) {
      const belongs =
        used === undefined ? isOfOneInstallation(entryPoint, candidate) : !isNewcomer(entryPoint);
      if (!belongs) continue;
      const each: ProbedEntryPoint = { entryPoint, verdict: yield entryPoint };
      if (isOpen(each)) return { probed: [preferred, each], apart };
    }
    return { probed: [preferred], apart };
  }
  const probed: [ProbedEntryPoint, ...ProbedEntryPoint[]] = [preferred];
  const others = candidate.fallbacks.filter((each) => each !== used);
  for (const entryPoint of [...(isInUse ? [] : [used]), ...others.filter((each) => !isNewcomer(each))]) {
    const each: ProbedEntryPoint = { entryPoint, verdict: yield entryPoint };
    probed.push(each);
    if (works(each) || (entryPoint === used && !failsNow(each) && !isLost(each))) return { probed, apart };
  }
  for (const entryPoint of others.filter(isNewcomer))
    if (isProven({ entryPoint, verdict: yield entryPoint })) apart.push(entryPoint);
  // None works: the one in use stays, so that its health is reported.
  const stays =
    probed.find(({ entryPoint }) => entryPoint === used) ??
    probed.find((each) => !isMereHint(each)) ??
    preferred;
  const rest = probed.filter((each) => each !== stays);
  const [first, ...more] = rest;
  return { probed: first === undefined ? [stays] : [first, ...more, stays], apart };
}

/**
 * The chosen entry point, with evidence why it is not the preferred one, or why none works.
 * @param candidate the backend
 * @param tried what was tried
 */
export function chooseEntryPoint(
  candidate: Candidate,
  { probed, apart }: TriedEntryPoints,
): ChosenEntryPoint {
  const last = probed.at(-1) ?? probed[0];
  const names = [candidate, ...candidate.fallbacks].map(({ service }) => service.name);
  const better = names.slice(0, Math.max(0, names.indexOf(last.entryPoint.service.name)));
  const chosen = { ...last, fails: fails(last), better, apart };
  if (probed.length === 1 || isLost(last)) return chosen;
  const others = probed.slice(0, -1);
  const said = (each: ProbedEntryPoint): string =>
    `Service ${each.entryPoint.service.name}: ${each.verdict.reason}`;
  const [first] = others;
  const name = last.entryPoint.service.name;
  const closed = first !== undefined && isClosed(first) && isOpen(last);
  const detail = closed
    ? `${first.entryPoint.service.name} is preferred, but ${name} is used, because it requires no login: ${others.map(said).join('; ')}`
    : chosen.fails
      ? `no entry point works: ${probed.map(said).join('; ')}`
      : `${first?.entryPoint.service.name} is preferred, and ${name} is used until it works: ${others.map(said).join('; ')}`;
  const evidence = [...last.entryPoint.evidence, { signal: 'group', detail } as const];
  return { ...chosen, entryPoint: { ...last.entryPoint, evidence } };
}
