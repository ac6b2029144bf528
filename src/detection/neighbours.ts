import type { Service } from '../model/service.ts';
import type { FormerSelectors } from './former.ts';
import { type Selection, selectionOf, within } from './selection.ts';

/** Most pairs of selectors in one namespace that are compared entry by entry, those of the oldest Services first. */
const MOST_PAIRS = 50_000;

/** Most Services that may lead anywhere before each Service of the namespace counts as leading to the same Pods as all others. */
const MOST_ANYWHERE = 32;

/** Services that lead to the same Pods, or to some Pods in common. One object for all Services that have these in common. */
export interface Sharing {
  /** The oldest first. */
  readonly names: readonly string[];
  /** The cluster IPs of those that have some, by name. */
  readonly clusterIPs: Readonly<Record<string, readonly string[]>>;
}

const NO_SHARING: Sharing = { names: [], clusterIPs: {} };

/** Different for different entries. */
const textOf = ([key, value]: readonly [string, string]): string => `${key.length} ${key}${value}`;

/** The first of the Services by age, and then by name; where the age is not known, last. */
function olderFirst(a: Service, b: Service): number {
  const [x, y] = [a.created ?? '~', b.created ?? '~'];
  return x < y ? -1 : x > y ? 1 : a.name < b.name ? -1 : 1;
}

/** A selector with too many entries to compare. Real ones have up to about ten, so it may as well select any Pods. */
const isLong = ({ key, entries }: Selection): boolean => key !== undefined && entries.size === 0;

const sameItems = <T>(one: readonly T[], other: readonly T[]): boolean =>
  one.length === other.length && one.every((item, index) => item === other[index]);

/** What some Services have in common. @param before the last result, which stays the same object while it still holds */
function sharingOf(services: readonly Service[], before: Sharing | undefined): Sharing {
  const names = services.map(({ name }) => name);
  const isSame = ({ name, clusterIPs }: Service): boolean => {
    const known = before?.clusterIPs[name];
    return known === clusterIPs || sameItems(known ?? [], clusterIPs ?? []);
  };
  if (before !== undefined && sameItems(before.names, names) && services.every(isSame)) return before;
  const clusterIPs = services.flatMap((each) =>
    each.clusterIPs === undefined ? [] : [[each.name, each.clusterIPs] as const],
  );
  return { names, clusterIPs: Object.fromEntries(clusterIPs) };
}

/**
 * Services of one namespace, and which of them lead to Pods of one another: their selectors are equal, or one contains the
 * other. A Service whose selector is too long to compare, or was changed too often to remember, may lead to any Pods.
 * Selectors that a Service had before count for others, and not for itself.
 */
export class Neighbours {
  /** The oldest first. */
  readonly #services: readonly Service[];
  /** Services by selectors that they have or had, the oldest first. */
  readonly #bySelector: ReadonlyMap<string | undefined, readonly Service[]>;
  /** Each selector once. */
  readonly #selections: readonly Selection[];
  /** Services that may lead to any Pods, or may have led to them. */
  readonly #anywhere: readonly Service[];
  /** By selector, the other ones that contain it or that it contains. */
  #related: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  /** By selector, and for Services that may lead anywhere. */
  readonly #results: { readonly byKey: Map<string, Sharing>; all?: Sharing } = { byKey: new Map() };
  #before: Neighbours | undefined;

  /** @param before the neighbours as they were: what still holds is not computed again, and results stay the same objects */
  constructor(services: readonly Service[], former?: FormerSelectors, before?: Neighbours) {
    this.#services = services.toSorted(olderFirst);
    const selected = this.#services.map((service) => {
      const remembered = former?.of(service);
      const others = remembered instanceof Map ? remembered.values() : [];
      const selections = [selectionOf(service), ...others];
      return { service, selections, isAnywhere: remembered === 'any' || selections.some(isLong) };
    });
    const pairs = selected.flatMap(({ service, selections }) =>
      selections.map((selection) => ({ service, selection })),
    );
    const byKey = Map.groupBy(pairs, ({ selection }) => selection.key);
    this.#bySelector = new Map(
      [...byKey].map(([key, all]) => [key, all.map(({ service }) => service)] as const),
    );
    this.#selections = [...byKey.values()].flatMap(([first]) => first?.selection ?? []);
    this.#anywhere = selected.flatMap(({ service, isAnywhere }) => (isAnywhere ? service : []));
    this.#before = before;
    if (before !== undefined) before.#before = undefined;
  }

  /** Compares the selectors, in small steps. Until the last one, only equal selectors are known to be related. */
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
        if (++pairs > MOST_PAIRS) return;
        if (key === undefined || other.key === undefined || other.key === key) continue;
        if (!within(entries, other.entries)) continue;
        join(related, key, other.key);
        join(related, other.key, key);
      }
    }
  }

  /** The Services that lead to Pods of a Service, or did before, itself included; none where nothing is known of its Pods. */
  of(service: Service): Sharing {
    const selection = selectionOf(service);
    const { key } = selection;
    if (key === undefined) return NO_SHARING;
    const before = this.#before === undefined ? undefined : this.#before.#results;
    if (isLong(selection) || this.#anywhere.length > MOST_ANYWHERE) {
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

function join(related: Map<string, Set<string>>, key: string, other: string): void {
  const known = related.get(key);
  if (known === undefined) related.set(key, new Set([other]));
  else known.add(other);
}
