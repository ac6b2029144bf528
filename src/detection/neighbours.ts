import type { Service } from '../model/service.ts';
import type { FormerSelectors } from './former.ts';
import { maybeWithin, type Selection, selectionOf, within } from './selection.ts';

/** Most pairs of selectors in one namespace that are compared entry by entry, those of the oldest Services first. */
const MOST_PAIRS = 50_000;

/** Different for different entries. */
const textOf = ([key, value]: readonly [string, string]): string => `${key.length} ${key}${value}`;

/** The first of the Services by age, and then by name; where the age is not known, last. */
function olderFirst(a: Service, b: Service): number {
  const [x, y] = [a.created ?? '~', b.created ?? '~'];
  return x < y ? -1 : x > y ? 1 : a.name < b.name ? -1 : 1;
}

/** How many comparisons with long selectors make one step. */
const STEP = 256;

/**
 * Services of one namespace, and which of them lead to Pods of one another: their selectors are equal, or one contains the
 * other. A selector of which not all entries are kept contains all others that do not contradict it. Selectors that a
 * Service had before count for others, and not for itself.
 */
export class Neighbours {
  /** Services by selectors that they have or had, the oldest first. */
  readonly #bySelector: ReadonlyMap<string | undefined, readonly Service[]>;
  /** Each selector once. */
  readonly #selections: readonly Selection[];
  /** Services that may have led to any Pods. */
  readonly #anywhere: readonly Service[];
  /** By selector, the other ones that contain it or that it contains. */
  readonly #related = new Map<string, Set<string>>();

  constructor(services: readonly Service[], former?: FormerSelectors) {
    const selected = services.toSorted(olderFirst).map((service) => {
      const before = former?.of(service);
      const others = before instanceof Map ? before.values() : [];
      return { service, isAnywhere: before === 'any', selections: [selectionOf(service), ...others] };
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
  }

  /** Compares the selectors, in small steps. Until the last one, only equal selectors are known to be related. */
  *relate(): Generator<void, void, undefined> {
    const selections = this.#selections;
    yield* this.#relateLong(selections);
    const byEntry = new Map<string, Selection[]>();
    for (const selection of selections)
      for (const entry of selection.entries) {
        const text = textOf(entry);
        const list = byEntry.get(text);
        if (list === undefined) byEntry.set(text, [selection]);
        else list.push(selection);
      }
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
        this.#join(key, other.key);
      }
    }
  }

  /** Compares each selector with those that have too many entries to be found by one of them. */
  *#relateLong(selections: readonly Selection[]): Generator<void, void, undefined> {
    const long = selections.filter(({ key, entries }) => key !== undefined && entries.size === 0);
    let pairs = 0;
    for (const one of selections)
      for (const other of long) {
        if (++pairs > MOST_PAIRS) return;
        if (pairs % STEP === 0) yield;
        if (one.key === undefined || other.key === undefined || one.key === other.key) continue;
        if (maybeWithin(one, other) || maybeWithin(other, one)) this.#join(one.key, other.key);
      }
  }

  /** The others that lead to Pods of a Service, or did before, the oldest first. */
  of(service: Service): readonly Service[] {
    const { key } = selectionOf(service);
    if (key === undefined) return [];
    const alike = [key, ...(this.#related.get(key) ?? [])].flatMap(
      (each) => this.#bySelector.get(each) ?? [],
    );
    return [...new Set([...alike, ...this.#anywhere])]
      .filter(({ name }) => name !== service.name)
      .sort(olderFirst);
  }

  #join(key: string, other: string): void {
    for (const [one, another] of [
      [key, other],
      [other, key],
    ] as const) {
      const known = this.#related.get(one);
      if (known === undefined) this.#related.set(one, new Set([another]));
      else known.add(another);
    }
  }
}
