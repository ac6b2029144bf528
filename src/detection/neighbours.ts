import { sameItems } from '../model/same.ts';
import type { Service } from '../model/service.ts';
import type { FormerSelectors } from './former-selectors.ts';
import { type Selection, selectionOf, within } from './selection.ts';

/** Maximum pairs of selectors per namespace to compare entry by entry, oldest Services first. */
const MAX_PAIRS = 50_000;

/** If more Services than this may select any Pods, all Services of the namespace count as sharing Pods. */
const MAX_ANYWHERE = 32;

/** The parts of a Service that results contain. */
type Entry = Pick<Service, 'name' | 'created' | 'clusterIPs'>;

/** Services that share Pods. Services with equal results share the object. */
export interface Sharing {
  /** Oldest first. */
  readonly names: readonly string[];
  /** Cluster IPs by name. */
  readonly clusterIPs: Readonly<Record<string, readonly string[]>>;
}

const NO_SHARING: Sharing = { names: [], clusterIPs: {} };

/** A unique text for an entry. */
const textOf = ([key, value]: readonly [string, string]): string => `${key.length} ${key}${value}`;

/** Sorts Services by age and name. Those of unknown age are last. */
function olderFirst(a: Entry, b: Entry): number {
  const [x, y] = [a.created ?? '~', b.created ?? '~'];
  return x < y ? -1 : x > y ? 1 : a.name < b.name ? -1 : 1;
}

/** Whether a selector has too many entries to compare. Real ones have about ten at most, so it counts as selecting any Pods. */
const isLong = ({ key, entries }: Selection): boolean => key !== undefined && entries.size === 0;

/** The result for Services that share Pods. @param before the previous result, which is reused if unchanged */
function sharingOf(services: readonly Entry[], before: Sharing | undefined): Sharing {
  const names = services.map(({ name }) => name);
  const isSame = ({ name, clusterIPs }: Entry): boolean => {
    const known = before?.clusterIPs[name];
    return known === clusterIPs || sameItems(known ?? [], clusterIPs ?? []);
  };
  if (before !== undefined && sameItems(before.names, names) && services.every(isSame)) return before;
  const clusterIPs = services.flatMap((each) =>
    each.clusterIPs === undefined ? [] : [[each.name, each.clusterIPs] as const],
  );
  return { names, clusterIPs: Object.fromEntries(clusterIPs) };
}

/** Whether two versions of a Service are equivalent here. */
const isAlike = (one: Service, other: Service | undefined): boolean =>
  one === other ||
  (other !== undefined &&
    one.name === other.name &&
    one.created === other.created &&
    selectionOf(one).key === selectionOf(other).key &&
    sameItems(one.clusterIPs ?? [], other.clusterIPs ?? []));

/**
 * Finds the Services of a namespace that share Pods: their selectors are equal, or one contains the other. A Service whose
 * selector is too long to compare, or changed too often, counts as selecting any Pods. The former selectors of a Service
 * count only when others are compared with it.
 */
export class Neighbours {
  /** As passed. */
  #given: readonly Service[];
  readonly #formerRevision: number | undefined;
  /** Oldest first. */
  readonly #services: readonly Entry[];
  /** Services by current and former selectors, oldest first. */
  readonly #bySelector: ReadonlyMap<string | undefined, readonly Entry[]>;
  /** Distinct selectors. */
  readonly #selections: readonly Selection[];
  /** Services that count as selecting any Pods, now or formerly. */
  readonly #anywhere: readonly Entry[];
  /** By selector: the other selectors that contain it or that it contains. */
  #related: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  /** Results by selector, and the result for Services that may select any Pods. */
  readonly #results: { readonly byKey: Map<string, Sharing>; all?: Sharing } = { byKey: new Map() };
  #before: Neighbours | undefined;

  /** @param before the previous state, whose unchanged results are reused */
  constructor(services: readonly Service[], former?: FormerSelectors, before?: Neighbours) {
    this.#given = services;
    this.#formerRevision = revisionOf(services, former);
    const sorted = services.toSorted(olderFirst);
    const selected = sorted.map((service) => {
      const remembered = former?.of(service);
      const others = remembered instanceof Map ? remembered.values() : [];
      const selections = [selectionOf(service), ...others];
      const { name, created, clusterIPs } = service;
      const entry: Entry = {
        name,
        ...(created === undefined ? {} : { created }),
        ...(clusterIPs === undefined ? {} : { clusterIPs }),
      };
      return { entry, selections, isAnywhere: remembered === 'any' || selections.some(isLong) };
    });
    this.#services = selected.map(({ entry }) => entry);
    const pairs = selected.flatMap(({ entry, selections }) =>
      selections.map((selection) => ({ entry, selection })),
    );
    const byKey = Map.groupBy(pairs, ({ selection }) => selection.key);
    this.#bySelector = new Map([...byKey].map(([key, all]) => [key, all.map(({ entry }) => entry)] as const));
    this.#selections = [...byKey.values()].flatMap(([first]) => first?.selection ?? []);
    this.#anywhere = selected.flatMap(({ entry, isAnywhere }) => (isAnywhere ? entry : []));
    this.#before = before;
    if (before !== undefined) before.#before = undefined;
  }

  /** Whether it holds for these Services, so that no other one is necessary. Only versions of the same Services may be. */
  holdsFor(services: readonly Service[], former?: FormerSelectors): boolean {
    const before = this.#given;
    if (services.length !== before.length || this.#formerRevision !== revisionOf(services, former))
      return false;
    if (!services.every((service, index) => isAlike(service, before[index]))) return false;
    this.#given = services;
    return true;
  }

  /** Compares the selectors in small steps. Before it ends, only equal selectors count as related. */
  *relate(): Generator<void, void, undefined> {
    const selections = this.#selections;
    const before = this.#before;
    const keys = (of: readonly Selection[]): (string | undefined)[] => of.map(({ key }) => key);
    if (before !== undefined && sameItems(keys(selections), keys(before.#selections))) {
      this.#related = before.#related;
      return;
    }
    const byEntry = new Map<string, Selection[]>();
    for (const selection of selections)
      for (const entry of selection.entries) {
        const text = textOf(entry);
        const list = byEntry.get(text);
        if (list === undefined) byEntry.set(text, [selection]);
        else list.push(selection);
      }
    const related = new Map<string, Set<string>>();
    this.#related = related;
    let pairs = 0;
    for (const { key, entries } of selections) {
      yield;
      const [rarest = []] = [...entries]
        .map((entry) => byEntry.get(textOf(entry)) ?? [])
        .sort((a, b) => a.length - b.length);
      for (const other of rarest) {
        if (++pairs > MAX_PAIRS) return;
        if (key === undefined || other.key === undefined || other.key === key) continue;
        if (!within(entries, other.entries)) continue;
        join(related, key, other.key);
        join(related, other.key, key);
      }
    }
  }

  /** The Services that share Pods with a Service, or did before, including itself. Empty if it has no selector. */
  of(service: Service): Sharing {
    const selection = selectionOf(service);
    const { key } = selection;
    if (key === undefined) return NO_SHARING;
    const before = this.#before === undefined ? undefined : this.#before.#results;
    if (isLong(selection) || this.#anywhere.length > MAX_ANYWHERE) {
      this.#results.all ??= sharingOf(this.#services, before?.all);
      return this.#results.all;
    }
    const known = this.#results.byKey.get(key);
    if (known !== undefined) return known;
    const alike = [key, ...(this.#related.get(key) ?? [])].flatMap(
      (each) => this.#bySelector.get(each) ?? [],
    );
    const all = [...new Set([...alike, ...this.#anywhere])].sort(olderFirst);
    const sharing = sharingOf(all, before?.byKey.get(key));
    this.#results.byKey.set(key, sharing);
    return sharing;
  }
}

const revisionOf = ([first]: readonly Service[], former: FormerSelectors | undefined): number | undefined =>
  first === undefined ? undefined : former?.revisionOf(first);

function join(related: Map<string, Set<string>>, key: string, other: string): void {
  const known = related.get(key);
  if (known === undefined) related.set(key, new Set([other]));
  else known.add(other);
}
