import type { Member } from './member.ts';
import { within } from './selection.ts';

/** Most selectors of ordinary Services that one headless selector is compared with, entry by entry. */
const MOST_COMPARED = 32;

/** Counts selectors that were compared entry by entry, for tests. */
export interface Work {
  compared: number;
}

const entryOf = ([key, value]: readonly [string, string]): string => `${key}=${value}`;

/** One selector of ordinary Services, and the first group that has it. */
interface Known {
  readonly selector: ReadonlyMap<string, string>;
  readonly group: number;
}

/**
 * Selectors of ordinary Services by their entries. Where two selectors contain one another, the smaller one's rarest entry
 * is in both; so each selector stands once under its own rarest entry, and is found from there.
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
    let left = MOST_COMPARED;
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

/** Keeps the first group for each key: groups come in order. */
const keepFirst = (map: Map<string, number>, key: string, group: number): void => {
  if (!map.has(key)) map.set(key, group);
};

/**
 * Says which group of ordinary Services a headless one is most like. From the strongest likeness on: the same selector, a
 * selector that contains the other, the name, the installation that labels name. Of several groups that are as like, the
 * first one counts.
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

  /** The index of the group that a headless Service joins, if it is like one. */
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

  /** Names are alike where nothing in them tells two installations apart. */
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
