import { INSTALLATION_SPAN_MS } from '../detection/newcomers.ts';
import { type Candidate, lastingAlternates } from '../model/discovery.ts';
import { displayNamespace, partsOf } from '../model/key.ts';
import { BEFORE, type InUseSince, knownSeniority, NONE, type Seniority } from '../model/seniority.ts';
import { defaultName, keyOfService, type ServiceKey, serviceKey } from '../model/service.ts';
import type { Observed } from '../planning/observed.ts';
import { SERVICES_IN_USE } from '../planning/plan.ts';
import { publishedInUse, type ServiceInUse, storedNames } from '../planning/services-in-use.ts';
import { type KeptNames, namesFrom } from './kept-names.ts';

/** The entry points in use, and those that were when their Services vanished. */
export type InUse = ReadonlySet<ServiceKey>;

/** The names of the other Services of a backend when its entry point came into use. */
export interface Company {
  /** All of them. A Service that came later cannot take over. */
  readonly all: ReadonlySet<string>;
  /** Those that were preferred to it, and did not work. Only these take over again while it works. */
  readonly better: ReadonlySet<string>;
  /** Whether the entry point has worked since. Until then, Services that are added belong to its company. */
  readonly hasWorked: boolean;
  /**
   * When the backend came into use, which is when it worked first; until then, when it was found. Absent: unknown, because
   * another process published it.
   */
  readonly since?: Seniority;
  /**
   * The Services of the backend, this one included, that worked in its first ten minutes. Only these may take the place of one
   * that works, and they take it back from any other. Absent: this one.
   */
  readonly established?: ReadonlySet<string>;
}

/** The company of each entry point in use. */
export type Companions = ReadonlyMap<ServiceKey, Company>;

/** What is in use, as of the last pass. */
export interface Use {
  readonly inUse: InUse;
  readonly companions: Companions;
  /** Those in use whose Services vanished; absent if there are none. */
  readonly vanished?: ReadonlyMap<ServiceKey, Vanished> | undefined;
  /** The names that are kept for backends; absent: none. */
  readonly keptNames?: KeptNames | undefined;
}

/** An entry point whose Service vanished. */
interface Vanished {
  /** When it did, in milliseconds of `performance.now`. */
  readonly at: number;
  /** How long it had been in use, in milliseconds, as far as this process knows. */
  readonly used: number;
}

/** The seniority of a backend with this company. One that has never worked has none. */
const seniorityIn = ({ hasWorked, since = BEFORE }: Company): Seniority => (hasWorked ? since : NONE);

/** When the backends in use came into use, by their entry points. */
export const sinceOf = ({ inUse, companions }: Use): InUseSince =>
  new Map(
    [...inUse].map((key) => {
      const company = companions.get(key);
      return [key, company === undefined ? BEFORE : seniorityIn(company)];
    }),
  );

/** Seconds since 1970 as milliseconds of `performance.now`, and the reverse. */
const atOf = (seconds: number): number => seconds * 1_000 - performance.timeOrigin;
const secondsOf = (at: number): number => Math.round((performance.timeOrigin + at) / 1_000);

/**
 * What is in use, with the seniority of what another process published: the age of its Service, unless another one was
 * published.
 */
export function withAges<T extends Use>(use: T, candidates: readonly Candidate[]): T {
  const unknown = new Set(
    [...use.companions].flatMap(([key, { since }]) =>
      since === undefined && use.inUse.has(key) ? [key] : [],
    ),
  );
  if (unknown.size === 0) return use;
  const companions = new Map(use.companions);
  for (const candidate of candidates)
    for (const { service } of [candidate, ...candidate.fallbacks]) {
      const key = keyOfService(service);
      const company = use.companions.get(key);
      if (company !== undefined && unknown.has(key))
        companions.set(key, { ...company, since: knownSeniority(BEFORE, service) });
    }
  return { ...use, companions };
}

/** How long what belongs to a backend has to start, from when the backend worked first, in milliseconds. */
const START_MS = INSTALLATION_SPAN_MS;

/** The Services of a backend that worked in its first ten minutes. */
const establishedIn = (name: string, { established = new Set([name]) }: Company): ReadonlySet<string> =>
  established;

/** Whether what belongs to a backend still has time to start. */
const isStarting = ({ hasWorked, since }: Company, now: number): boolean =>
  !hasWorked || (since !== undefined && now < since.at + START_MS);

/**
 * Whether another Service of a backend takes the place of its entry point, if it works.
 * @param key the entry point
 * @param now milliseconds of `performance.now`
 */
export function mayReplace(other: string, key: ServiceKey, { companions }: Use, now: number): boolean {
  const company = companions.get(key);
  if (company?.better.has(other) !== true) return false;
  return isStarting(company, now) || establishedIn(partsOf(key).name, company).has(other);
}

/** The Services that take their place back from an entry point that is not established, in whatever order they are preferred. */
export function ownersBefore(key: ServiceKey, { companions }: Use): ReadonlySet<string> {
  const company = companions.get(key);
  const { name } = partsOf(key);
  const established = company === undefined ? new Set<string>() : establishedIn(name, company);
  return established.has(name) ? new Set() : established;
}

/** What is in use according to what is published. */
export function publishedUse(live: Pick<Observed, 'present' | 'annotations'> | undefined): Use {
  const known = publishedInUse(live?.present.tools ?? [], live?.annotations[SERVICES_IN_USE]);
  const companions = new Map(
    known.map(({ service, others, gone, since, created, owners }): [ServiceKey, Company] => {
      const made = created === undefined ? Number.NaN : Date.parse(created) / 1_000;
      const age = Number.isNaN(made) ? undefined : made;
      const seconds = gone === undefined ? (since ?? age) : gone.at - gone.used;
      return [
        serviceKey(service),
        {
          all: new Set(others),
          better: new Set(),
          hasWorked: true,
          ...(owners === undefined ? {} : { established: new Set(owners) }),
          ...(seconds === undefined ? {} : { since: { at: atOf(seconds) } }),
        },
      ];
    }),
  );
  const vanished = new Map(
    known.flatMap(({ service, gone }) =>
      gone === undefined
        ? []
        : [[serviceKey(service), { at: atOf(gone.at), used: gone.used * 1_000 }] as const],
    ),
  );
  const keptNames = namesFrom(storedNames(live?.annotations[SERVICES_IN_USE]), performance.now());
  return {
    inUse: new Set(companions.keys()),
    companions,
    ...(vanished.size === 0 ? {} : { vanished }),
    ...(keptNames.size === 0 ? {} : { keptNames }),
  };
}

/** How long a vanished entry point is remembered with precedence, and over restarts, in milliseconds. */
const VANISHED_MS = 24 * 3_600_000;

/** How much older than its Service a use must be to be published, in milliseconds: clocks differ. */
const REPLACED_MS = 5_000;

/** The Services that take the place of an entry point back, if there are any. */
function ownersOf(key: ServiceKey, use: Use): Pick<ServiceInUse, 'owners'> {
  const owners = [...ownersBefore(key, use)].sort();
  return owners.length === 0 ? {} : { owners };
}

/** When a Service vanished, and for how long it was in use, in whole seconds. */
const timesOf = ({ at, used }: Vanished): { readonly at: number; readonly used: number } => ({
  at: secondsOf(at),
  used: secondsOf(at) - secondsOf(at - used),
});

/** A backend in use. Times are in milliseconds since 1970. */
interface Aged {
  readonly key: ServiceKey;
  /** Rounded to whole seconds, as in the annotation, so that every process computes the same order. */
  readonly since: number;
  /** The age of its Service; NaN if it is gone. */
  readonly created: number;
}

/**
 * The backends of which the age of their Service does not say when they came into use, compared with others of their
 * namespace: a Service may be created again, and one that was offered late is older than it seems.
 */
function agedOtherwise(backends: readonly Aged[]): ReadonlySet<ServiceKey> {
  const found = new Set<ServiceKey>();
  for (const each of Map.groupBy(backends, ({ key }) => displayNamespace(partsOf(key))).values()) {
    let latest = { since: Number.NEGATIVE_INFINITY, age: Number.NEGATIVE_INFINITY };
    for (const { key, since, created } of each.toSorted(
      (a, b) => a.since - b.since || a.created - b.created || 0,
    )) {
      const isReplaced = since + REPLACED_MS < created;
      const seemsOlder = created < latest.age || (created === latest.age && since > latest.since);
      if (isReplaced || seemsOlder) found.add(key);
      const age = isReplaced || seemsOlder || Number.isNaN(created) ? since : created;
      if (age >= latest.age) latest = { since, age };
    }
  }
  return found;
}

/**
 * What is in use, or was in the last day, and has worked, to be published. What was in use longest comes first.
 * @param found the discovered backends
 * @param published what is published now. A time that is published stays, so that two processes that both publish agree
 * @param now milliseconds of `performance.now`
 */
export function servicesInUseOf(
  use: Use,
  found: readonly Candidate[],
  published: readonly ServiceInUse[] = [],
  now: number = performance.now(),
): ServiceInUse[] {
  const { inUse, companions, vanished = new Map() } = use;
  const shown = new Map(found.map((each) => [keyOfService(each.service), each]));
  const stored = new Map(published.map((each) => [serviceKey(each.service), each]));
  const sinceSeconds = (key: ServiceKey): number | undefined => {
    const { hasWorked = true, since = BEFORE } = companions.get(key) ?? {};
    if (!hasWorked) return undefined;
    return stored.get(key)?.since ?? (since.at === 0 ? undefined : secondsOf(since.at));
  };
  const aged = [...inUse].flatMap((key): Aged[] => {
    const since = sinceSeconds(key);
    const created = vanished.has(key) ? Number.NaN : Date.parse(shown.get(key)?.service.created ?? '');
    return since === undefined ? [] : [{ key, since: since * 1_000, created }];
  });
  const otherwise = agedOtherwise(aged);
  const told = [...inUse].flatMap((key) => {
    const { all = [], hasWorked = true, since = BEFORE } = companions.get(key) ?? {};
    const gone = vanished.get(key);
    if (!hasWorked || (gone !== undefined && now - gone.at > VANISHED_MS)) return [];
    const service = partsOf(key);
    const known = shown.get(key);
    return {
      used: gone?.used ?? now - since.at,
      told: {
        service,
        tool: known?.tool ?? defaultName(service),
        others: [...all],
        ...ownersOf(key, use),
        ...(gone === undefined
          ? stored.get(key)?.since !== undefined || otherwise.has(key)
            ? { since: sinceSeconds(key) }
            : {}
          : { gone: stored.get(key)?.gone ?? timesOf(gone) }),
      },
    };
  });
  return told.toSorted((a, b) => b.used - a.used).map((each) => each.told);
}

const keyed = (one: ServiceKey, name: string): ServiceKey => serviceKey({ ...partsOf(one), name });

/**
 * What is in use, where the best companion of each entry point whose Service is gone takes its place, so that no newcomer
 * does.
 * @param candidates all backends
 */
export function withHeirs(use: Use, candidates: readonly Candidate[]): Use {
  const gone = new Set(use.inUse);
  for (const { service, fallbacks } of candidates)
    for (const one of [service, ...fallbacks.map((fallback) => fallback.service)])
      gone.delete(keyOfService(one));
  if (gone.size === 0) return use;
  const places = new Set([...gone].map((key) => displayNamespace(partsOf(key))));
  for (const { service, alternates } of candidates)
    if (places.has(displayNamespace(service)))
      for (const name of alternates) gone.delete(serviceKey({ ...service, name }));
  const owners = new Map<ServiceKey, ServiceKey>();
  for (const owner of gone) {
    const members = [...(use.companions.get(owner)?.all ?? [])].map((name) => keyed(owner, name));
    if (!members.some((member) => use.inUse.has(member)))
      for (const member of members) owners.set(member, owner);
  }
  if (owners.size === 0) return use;
  const [inUse, companions] = [new Set(use.inUse), new Map(use.companions)];
  for (const candidate of candidates)
    for (const { service } of [candidate, ...candidate.fallbacks]) {
      const owner = owners.get(keyOfService(service));
      const company = owner === undefined ? undefined : use.companions.get(owner);
      if (owner === undefined || company === undefined || !gone.delete(owner)) continue;
      const { name } = partsOf(owner);
      const all = new Set([...company.all, name]);
      all.delete(service.name);
      inUse.add(keyOfService(service));
      const established = establishedIn(name, company);
      companions.set(keyOfService(service), { ...company, all, better: new Set([name]), established });
    }
  return { ...use, inUse, companions };
}

const made = (created: string | undefined): number =>
  created === undefined ? Number.NaN : Date.parse(created);

/** The members of a backend that are too new to be part of the same installation as its entry point. */
function laterThan({ service, members = [] }: Candidate): ReadonlySet<string> {
  const latest = made(service.created) + INSTALLATION_SPAN_MS;
  return new Set(members.filter(({ created }) => made(created) > latest).map(({ name }) => name));
}

/**
 * The Services of a backend that came after its entry point. They take neither its place nor its name, whether it works or
 * not, and whatever Pods they select, unless people name them. Until it has worked, those that are part of the same
 * installation, by their age, do not count.
 * @param first the entry point in use, or else the preferred one
 */
export function newcomersTo(
  first: Candidate,
  { inUse, companions }: Use,
  named: ReadonlySet<ServiceKey>,
): readonly string[] {
  const key = keyOfService(first.service);
  const company = companions.get(key);
  const hasWorked = company?.hasWorked ?? inUse.has(key);
  const late = laterThan(first);
  return first.alternates.filter(
    (name) =>
      (hasWorked ? company?.all.has(name) !== true : late.has(name)) &&
      !named.has(serviceKey({ ...first.service, name })),
  );
}

/** An entry point that was chosen in a pass. */
interface Chosen {
  readonly entryPoint: Candidate;
  /** Whether it cannot be used. */
  readonly fails: boolean;
  /** The names of those that are preferred to it. */
  readonly better: readonly string[];
  /** Newcomers that are used besides it, as backends of their own. */
  readonly apart: readonly Candidate[];
}

type Found = readonly Pick<Candidate, 'service' | 'alternates'>[];

/** An entry point that is no longer in use, with its company. */
interface Former {
  readonly name: string;
  readonly company: Company;
}

/** The entry points that are no longer in use: by their names, and by the Services of their company. */
interface Formers {
  readonly byName: ReadonlyMap<ServiceKey, Former>;
  readonly byMember: ReadonlyMap<ServiceKey, Former>;
}

function formersOf({ companions }: Use, inUse: InUse): Formers {
  const byName = new Map<ServiceKey, Former>();
  const byMember = new Map<ServiceKey, Former>();
  for (const [key, company] of companions) {
    if (inUse.has(key)) continue;
    const former = { name: partsOf(key).name, company };
    byName.set(key, former);
    for (const member of company.all) byMember.set(keyed(key, member), former);
  }
  return { byName, byMember };
}

/** The entry point whose place another one takes: one to whose company it belongs, or one whose Pods it has. */
function formerOf({ service, alternates }: Candidate, { byName, byMember }: Formers): Former | undefined {
  const key = keyOfService(service);
  const member = byMember.get(key);
  if (member !== undefined) return member;
  return alternates.map((name) => byName.get(keyed(key, name))).find((each) => each !== undefined);
}

/** The company of an entry point that works, as the first one of its backend. */
const worksFirst = (
  { established: _, ...company }: Company,
  { service: { created } }: Candidate,
  now: number,
): Company => ({ ...company, hasWorked: true, since: { at: now, created } });

/** The company of an entry point that works: it becomes established while its backend starts. */
function works(company: Company, { service: { name } }: Candidate, now: number): Company {
  const { established = new Set([name]) } = company;
  if (established.has(name) || !isStarting(company, now)) return company;
  return { ...company, established: new Set([...established, name]) };
}

/**
 * The company of an entry point that came into use. One that takes the place of another one has the same company, so that
 * Services that came meanwhile do not belong to it, and the other one may take over again.
 */
function newCompany({ entryPoint, fails, better }: Chosen, former: Former | undefined, now: number): Company {
  const { name, created } = entryPoint.service;
  if (former === undefined) {
    const late = laterThan(entryPoint);
    const names = new Set(lastingAlternates(entryPoint).filter((each) => !late.has(each)));
    const since = { at: now, created };
    if (fails) return { all: names, better: names, hasWorked: false, since };
    const ahead = new Set(better.filter((each) => names.has(each)));
    return worksFirst({ all: names, better: ahead, hasWorked: true, since }, entryPoint, now);
  }
  const all = new Set([...former.company.all, former.name]);
  all.delete(name);
  const isGone = !entryPoint.alternates.includes(former.name);
  const company: Company = {
    all,
    better: new Set([...better.filter((name) => all.has(name)), ...(isGone ? [former.name] : [])]),
    hasWorked: former.company.hasWorked,
    established: establishedIn(former.name, former.company),
    ...(former.company.since === undefined ? {} : { since: former.company.since }),
  };
  if (fails) return company;
  return company.hasWorked ? works(company, entryPoint, now) : worksFirst(company, entryPoint, now);
}

/** How long a backend was in use, in milliseconds; 0 if it has never worked. */
const usedBy = (company: Company | undefined, now: number): number =>
  company === undefined ? now : Math.max(0, now - seniorityIn(company).at);

/** Maximum vanished entry points that are remembered, in one namespace and in all. */
const MAX_VANISHED_IN_NAMESPACE = 100;
const MAX_VANISHED = 1_000;

/**
 * As many of those that vanished as are remembered: of those that did in the last day, the ones that were in use longest, so
 * that Services which come and go cannot displace them; and then the latest ones.
 */
function remembered(
  vanished: ReadonlyMap<ServiceKey, Vanished>,
  now: number,
): ReadonlyMap<ServiceKey, Vanished> {
  const counts = new Map<string, number>();
  const isOld = ({ at }: Vanished): number => Number(now - at > VANISHED_MS);
  const kept = [...vanished]
    .toSorted(([, a], [, b]) => isOld(a) - isOld(b) || (isOld(a) === 0 ? b.used - a.used : 0) || b.at - a.at)
    .filter(([key]) => {
      const place = displayNamespace(partsOf(key));
      const count = (counts.get(place) ?? 0) + 1;
      counts.set(place, count);
      return count <= MAX_VANISHED_IN_NAMESPACE;
    });
  return new Map(kept.slice(0, MAX_VANISHED));
}

/**
 * What is in use after a pass: the chosen entry points, without those that were merged into others. An entry point that
 * vanished, and whose company did not take over, remains: if its Service is created again, no other one has its place.
 * @param found the discovered services before those of the same backend were merged
 * @param kept those that remain
 * @param now milliseconds of `performance.now`
 */
export function useAfter(
  chosen: readonly Chosen[],
  found: Found,
  kept: Found,
  before: Use,
  now: number,
): Use {
  const used = new Set<ServiceKey>();
  for (const { entryPoint, apart } of chosen)
    for (const { service } of [entryPoint, ...apart]) used.add(keyOfService(service));
  for (const { service } of found) used.delete(keyOfService(service));
  for (const { service } of kept) used.add(keyOfService(service));
  // Those that were in use before come first, also in the annotation, so that others cannot crowd them out.
  const inUse = new Set([...[...before.inUse].filter((key) => used.has(key)), ...used]);

  const companions = new Map<ServiceKey, Company>();
  const sinceNow = ({ service: { created } }: Candidate): Seniority => ({ at: now, created });
  const alone = { all: new Set<string>(), better: new Set<string>(), hasWorked: true };
  for (const { apart } of chosen)
    for (const each of apart) companions.set(keyOfService(each.service), { ...alone, since: sinceNow(each) });
  // A pending backend was not chosen again, and keeps its company, so that no other Service takes its place.
  for (const key of inUse) {
    const company = before.companions.get(key);
    if (company !== undefined) companions.set(key, company);
  }
  let formers: Formers | undefined;
  for (const each of chosen) {
    const key = keyOfService(each.entryPoint.service);
    const company = before.companions.get(key);
    if (company !== undefined) {
      if (company.hasWorked) {
        if (!each.fails) companions.set(key, works(company, each.entryPoint, now));
      } else
        companions.set(
          key,
          each.fails
            ? { ...newCompany(each, undefined, now), since: company.since ?? BEFORE }
            : worksFirst(company, each.entryPoint, now),
        );
    } else if (!before.inUse.has(key)) {
      formers ??= formersOf(before, inUse);
      companions.set(key, newCompany(each, formerOf(each.entryPoint, formers), now));
    }
  }

  const missing = [...before.inUse].filter((key) => !inUse.has(key));
  if (missing.length === 0) return { inUse, companions };
  const places = new Set(missing.map((key) => displayNamespace(partsOf(key))));
  const present = new Set(
    [...chosen.map(({ entryPoint }) => entryPoint), ...found].flatMap(({ service, alternates }) =>
      places.has(displayNamespace(service))
        ? [service.name, ...alternates].map((name) => serviceKey({ ...service, name }))
        : [],
    ),
  );
  const isSucceeded = (key: ServiceKey): boolean =>
    [...(before.companions.get(key)?.all ?? [])].some((name) => inUse.has(keyed(key, name)));
  const gone = missing.filter((key) => !present.has(key) && !isSucceeded(key));
  if (gone.length === 0) return { inUse, companions };
  const usedUntilNow = (key: ServiceKey): Vanished => ({
    at: now,
    used: usedBy(before.companions.get(key), now),
  });
  const all = new Map(gone.map((key) => [key, before.vanished?.get(key) ?? usedUntilNow(key)]));
  const vanished = remembered(all, now);
  for (const key of vanished.keys()) {
    inUse.add(key);
    const company = before.companions.get(key);
    if (company !== undefined) companions.set(key, company);
  }
  return { inUse, companions, vanished };
}
