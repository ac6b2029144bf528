import type { Candidate } from '../model/discovery.ts';
import { displayNamespace, partsOf } from '../model/key.ts';
import { BEFORE } from '../model/seniority.ts';
import { defaultName, keyOfService, type ServiceKey, serviceKey } from '../model/service.ts';
import type { Observed } from '../planning/observed.ts';
import { SERVICES_IN_USE } from '../planning/plan.ts';
import { publishedInUse, type ServiceInUse, storedNames } from '../planning/services-in-use.ts';
import { type Company, ownersBefore, type Use, VANISHED_MS, type Vanished } from './company.ts';
import { namesFrom } from './kept-names.ts';

/** Seconds since 1970 as milliseconds of `performance.now`, and the reverse. */
const atOf = (seconds: number): number => seconds * 1_000 - performance.timeOrigin;
const secondsOf = (at: number): number => Math.round((performance.timeOrigin + at) / 1_000);

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

/** The entry points of published tools. */
export const publishedEntryPoints = (live: Pick<Observed, 'present'> | undefined): ReadonlySet<ServiceKey> =>
  new Set(publishedInUse(live?.present.tools ?? [], undefined).map(({ service }) => serviceKey(service)));

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
