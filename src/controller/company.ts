import { INSTALLATION_SPAN_MS } from '../detection/newcomers.ts';
import type { Candidate } from '../model/discovery.ts';
import { partsOf } from '../model/key.ts';
import { BEFORE, type InUseSince, knownSeniority, NONE, type Seniority } from '../model/seniority.ts';
import { keyOfService, type ServiceKey, serviceKey } from '../model/service.ts';
import type { KeptNames } from './kept-names.ts';

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
export interface Vanished {
  /** When it did, in milliseconds of `performance.now`. */
  readonly at: number;
  /** How long it had been in use, in milliseconds, as far as this process knows. */
  readonly used: number;
}

/** The seniority of a backend with this company. One that has never worked has none. */
export const seniorityIn = ({ hasWorked, since = BEFORE }: Company): Seniority => (hasWorked ? since : NONE);

/** When the backend with this entry point came into use. */
export function sinceIn(companions: Companions, key: ServiceKey): Seniority {
  const company = companions.get(key);
  return company === undefined ? BEFORE : seniorityIn(company);
}

/** When the backends in use came into use, by their entry points. */
export const sinceOf = ({ inUse, companions }: Use): InUseSince =>
  new Map([...inUse].map((key) => [key, sinceIn(companions, key)]));

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
export const establishedIn = (
  name: string,
  { established = new Set([name]) }: Company,
): ReadonlySet<string> => established;

/** Whether what belongs to a backend still has time to start. */
export const isStarting = ({ hasWorked, since }: Company, now: number): boolean =>
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

/** How long a vanished entry point is remembered with precedence, and over restarts, in milliseconds. */
export const VANISHED_MS = 24 * 3_600_000;

const made = (created: string | undefined): number =>
  created === undefined ? Number.NaN : Date.parse(created);

/** The members of a backend that are too new to be part of the same installation as its entry point. */
export function laterThan({ service, members = [] }: Candidate): ReadonlySet<string> {
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
