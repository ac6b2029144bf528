import type { Candidate } from '../model/discovery.ts';
import { displayNamespace, partsOf } from '../model/key.ts';
import { BEFORE } from '../model/seniority.ts';
import { defaultName, keyOfService, type ServiceKey, serviceKey } from '../model/service.ts';
import { timeText } from '../model/time-text.ts';
import type { Observed } from '../planning/observed.ts';
import { SERVICES_IN_USE } from '../planning/plan.ts';
import { publishedInUse, type ServiceInUse, storedNames } from '../planning/services-in-use.ts';
import { type Company, ownersBefore, type Use, VANISHED_MS, type Vanished } from './company.ts';
import { namesFrom } from './kept-names.ts';

/** Seconds since 1970 as milliseconds of `performance.now`, and the reverse. */
const atOf = (seconds: number): number => seconds * 1_000 - performance.timeOrigin;
const secondsOf = (at: number): number => Math.round((performance.timeOrigin + at) / 1_000);

/** The largest time of a `Date`, in seconds. What is published may have any number. */
const MAX_SECONDS = 8.64e12;

/** Seconds since 1970 as RFC 3339. */
const textOf = (seconds: number): string | undefined =>
  Math.abs(seconds) <= MAX_SECONDS ? timeText(seconds * 1_000) : undefined;

/** What is in use according to what is published. */
export function publishedUse(live: Pick<Observed, 'present' | 'annotations'> | undefined): Use {
  const known = publishedInUse(live?.present.tools ?? [], live?.annotations[SERVICES_IN_USE]);
  const companions = new Map(
    known.map(({ service, others, gone, since, created, owners }): [ServiceKey, Company] => {
      const made = created === undefined ? Number.NaN : Date.parse(created) / 1_000;
      const age = Number.isNaN(made) ? undefined : made;
      const seconds = gone === undefined ? (since ?? age) : gone.at - gone.used;
      // Of several at once, the one of the oldest Service came first.
      const first = Math.min(seconds ?? Number.NaN, age ?? Number.POSITIVE_INFINITY);
      return [
        serviceKey(service),
        {
          all: new Set(others),
          better: new Set(),
          hasWorked: true,
          ...(owners === undefined ? {} : { established: new Set(owners) }),
          ...(seconds === undefined ? {} : { since: { at: atOf(seconds), created: textOf(first) } }),
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

/** The entry points of published tools. */
export const publishedEntryPoints = (live: Pick<Observed, 'present'> | undefined): ReadonlySet<ServiceKey> =>
  new Set(publishedInUse(live?.present.tools ?? [], undefined).map(({ service }) => serviceKey(service)));

/** The Services that take the place of an entry point back, if there are any. */
function ownersOf(key: ServiceKey, use: Use): Pick<ServiceInUse, 'owners'> {
  const owners = [...ownersBefore(key, use)].sort();
  return owners.length === 0 ? {} : { owners };
}

/**
 * When a Service vanished, and for how long it was in use, in whole seconds.
 * @param since when it came into use, in seconds since 1970, as others compare themselves with it; absent: as far as is known
 */
const timesOf = (
  { at, used }: Vanished,
  since = secondsOf(at - used),
): { readonly at: number; readonly used: number } => ({ at: secondsOf(at), used: secondsOf(at) - since });

/** A backend in use. Times are in seconds since 1970. */
interface Aged {
  readonly key: ServiceKey;
  /** Whole seconds, as in the annotation, so that every process computes the same order. */
  readonly since: number;
  /** The age of its Service, infinite if it is gone, and of the one with which it came into use; NaN: unknown. */
  readonly created: number;
  readonly original: number;
}

/** The age of the oldest Service that a backend had. */
const ageOf = ({ created, original }: Pick<Aged, 'created' | 'original'>): number =>
  original < created ? original : created;

/**
 * The backends of which the age of their Service does not say when they came into use, compared with others of their
 * namespace, and what does: the age of the Service that was there before this one, or when they came into use, if that was
 * late, because they seem older than they are.
 */
function agedOtherwise(backends: readonly Aged[]): ReadonlyMap<ServiceKey, number> {
  const found = new Map<ServiceKey, number>();
  for (const each of Map.groupBy(backends, ({ key }) => displayNamespace(partsOf(key))).values()) {
    let latest = { since: Number.NEGATIVE_INFINITY, age: Number.NEGATIVE_INFINITY };
    for (const { key, since, created, original } of each.toSorted(
      (a, b) => a.since - b.since || ageOf(a) - ageOf(b) || 0,
    )) {
      const age = ageOf({ created, original });
      const seemsOlder = age < latest.age || (age === latest.age && since > latest.since);
      if (seemsOlder) found.set(key, since);
      else if (original < created) found.set(key, original);
      const counts = seemsOlder || !Number.isFinite(age) ? since : age;
      if (counts >= latest.age) latest = { since, age: counts };
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
  const originally = (key: ServiceKey): number =>
    Date.parse(companions.get(key)?.since?.created ?? '') / 1_000;
  const aged = [...inUse].flatMap((key): Aged[] => {
    const since = sinceSeconds(key);
    const made = shown.get(key)?.service.created ?? '';
    const created = vanished.has(key) ? Number.POSITIVE_INFINITY : Date.parse(made) / 1_000;
    return since === undefined ? [] : [{ key, since, created, original: originally(key) }];
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
          ? { since: stored.get(key)?.since ?? otherwise.get(key) }
          : { gone: stored.get(key)?.gone ?? timesOf(gone, stored.get(key)?.since ?? otherwise.get(key)) }),
      },
    };
  });
  return told.toSorted((a, b) => b.used - a.used).map((each) => each.told);
}
