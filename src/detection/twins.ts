import type { Member } from './member.ts';
import { within } from './selection.ts';

/** Maximum selectors of regular Services to compare a headless Service's selector with. */
const MAX_COMPARISONS = 32;

/** Counts comparisons, for tests. */
export interface Work {
  compared: number;
}

const entryOf = ([key, value]: readonly [string, string]): string => `${key}=${value}`;

/** A selector of regular Services, and the first group with it. */
interface Known {
  readonly selector: ReadonlyMap<string, string>;
  readonly group: number;
}

/**
 * An index of selectors by their entries. If one selector contains another, both have the rarest entry of the smaller one,
 * so each selector is also indexed by its rarest entry.
 */
class SelectorIndex {
  readonly #byEntry = new Map<string, Known[]>();
  readonly #byRarest = new Map<string, Known[]>();
  readonly #work: Work;

  constructor(known: readonly Known[], work: Work) {
    this.#work = work;
    for (const each of known) for (const entry of each.selector) add(this.#byEntry, entryOf(entry), each);
    for (const each of known) {
      const rarest = this.#rarest(each.selector);
      if (rarest !== undefined) add(this.#byRarest, rarest, each);
    }
  }

  #rarest(selector: ReadonlyMap<string, string>): string | undefined {
    const count = (entry: string): number => this.#byEntry.get(entry)?.length ?? 0;
    let rarest: string | undefined;
    for (const pair of selector) {
      const entry = entryOf(pair);
      if (rarest === undefined || count(entry) < count(rarest)) rarest = entry;
    }
    return rarest;
  }

  /** The first group with a selector that contains this one, or is contained in it. */
  first(selector: ReadonlyMap<string, string>): number | undefined {
    const rarest = this.#rarest(selector);
    if (rarest === undefined) return undefined;
    let best: number | undefined;
    let left = MAX_COMPARISONS;
    const look = (known: readonly Known[] | undefined): void => {
      for (const each of known ?? []) {
        if (left === 0) return;
        if (best !== undefined && each.group >= best) continue;
        left -= 1;
        this.#work.compared += 1;
        if (within(selector, each.selector) || within(each.selector, selector)) best = each.group;
      }
    };
    look(this.#byEntry.get(rarest));
    for (const pair of selector) look(this.#byRarest.get(entryOf(pair)));
    return best;
  }
}

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Keeps the first group for each key. */
const keepFirst = (map: Map<string, number>, key: string, group: number): void => {
  if (!map.has(key)) map.set(key, group);
};

/**
 * Finds the group of regular Services that a headless Service matches best: by equal selector, then by a selector that
 * contains the other, by name, and by the installation in labels. Among equal matches, the first group counts.
 */
export class Twins {
  readonly #bySelector = new Map<string, number>();
  readonly #byStem = new Map<string, number>();
  readonly #byName = new Map<string, number>();
  readonly #byInstance = new Map<string, number>();
  readonly #selectors: SelectorIndex;
  readonly #within = new Map<string, number | undefined>();

  constructor(groups: readonly (readonly Member[])[], work: Work) {
    const known: Known[] = [];
    for (const [group, members] of groups.entries())
      for (const { selector, selectorKey, stem, rest, instances } of members) {
        if (selectorKey !== undefined && !this.#bySelector.has(selectorKey)) {
          this.#bySelector.set(selectorKey, group);
          if (selector.size > 0) known.push({ selector, group });
        }
        if (stem !== undefined) {
          keepFirst(this.#byStem, stem, group);
          keepFirst(this.#byName, `${stem} ${rest}`, group);
        }
        for (const instance of instances) keepFirst(this.#byInstance, instance, group);
      }
    this.#selectors = new SelectorIndex(known, work);
  }

  /** The index of the group that a headless Service joins, if any matches. */
  groupOf(headless: Member): number | undefined {
    const { selectorKey, instances } = headless;
    const same = selectorKey === undefined ? undefined : this.#bySelector.get(selectorKey);
    return (
      same ?? this.#containing(headless) ?? this.#named(headless) ?? this.#first(this.#byInstance, instances)
    );
  }

  #containing({ selector, selectorKey }: Member): number | undefined {
    if (selectorKey === undefined) return undefined;
    if (!this.#within.has(selectorKey)) this.#within.set(selectorKey, this.#selectors.first(selector));
    return this.#within.get(selectorKey);
  }

  /** Names match if they do not distinguish two installations. */
  #named({ stem, rest }: Member): number | undefined {
    if (stem === undefined) return undefined;
    if (rest === '') return this.#byStem.get(stem);
    return this.#first(this.#byName, [`${stem} ${rest}`, `${stem} `]);
  }

  #first(map: ReadonlyMap<string, number>, keys: readonly string[]): number | undefined {
    const found = keys.flatMap((key) => map.get(key) ?? []);
    return found.length === 0 ? undefined : Math.min(...found);
  }
}
