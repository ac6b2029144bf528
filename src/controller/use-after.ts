import { type Candidate, lastingAlternates } from '../model/discovery.ts';
import { displayNamespace, partsOf } from '../model/key.ts';
import { BEFORE, type Seniority } from '../model/seniority.ts';
import { keyOfService, type ServiceKey, serviceKey } from '../model/service.ts';
import {
  type Company,
  establishedIn,
  type InUse,
  isStarting,
  laterThan,
  seniorityIn,
  type Use,
  VANISHED_MS,
  type Vanished,
} from './company.ts';

const keyed = (one: ServiceKey, name: string): ServiceKey => serviceKey({ ...partsOf(one), name });

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
  // One that was a backend of its own at that time is no successor.
  const isSucceeded = (key: ServiceKey): boolean =>
    [...(before.companions.get(key)?.all ?? [])].some((name) => {
      const other = keyed(key, name);
      return inUse.has(other) && companions.get(other)?.all.has(partsOf(key).name) === true;
    });
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
