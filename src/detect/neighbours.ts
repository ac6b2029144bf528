import type { Service } from '../model/service.ts';
import { selectorKeyOf } from './member.ts';

/** Most pairs of selectors in one namespace that are compared entry by entry, those of the oldest Services first. */
const MOST_PAIRS = 50_000;

type Texts = Readonly<Record<string, string>>;

const contains = (large: Texts, small: readonly (readonly [string, string])[]): boolean =>
  small.every(([key, value]) => Object.hasOwn(large, key) && large[key] === value);

/** The first of the Services by age, and then by name; where the age is not known, last. */
function olderFirst(a: Service, b: Service): number {
  const [x, y] = [a.created ?? '~', b.created ?? '~'];
  return x < y ? -1 : x > y ? 1 : a.name < b.name ? -1 : 1;
}

/** Services of one namespace, and which of them lead to Pods of one another: their selectors are equal, or one contains the other. */
export class Neighbours {
  /** Services by selector, the oldest first. */
  readonly #bySelector: ReadonlyMap<string | undefined, readonly Service[]>;
  /** By selector, the other ones that contain it or that it contains. */
  readonly #related = new Map<string, Set<string>>();

  constructor(services: readonly Service[]) {
    this.#bySelector = Map.groupBy(services.toSorted(olderFirst), selectorKeyOf);
    this.#relate();
  }

  /** The others that lead to Pods of a Service, the oldest first. */
  of(service: Service): readonly Service[] {
    const key = selectorKeyOf(service);
    if (key === undefined) return [];
    return [key, ...(this.#related.get(key) ?? [])]
      .flatMap((each) => this.#bySelector.get(each) ?? [])
      .filter(({ name }) => name !== service.name)
      .sort(olderFirst);
  }

  #relate(): void {
    const selectors = [...this.#bySelector].flatMap(([key, [first]]) =>
      key === undefined || first === undefined ? [] : [{ key, service: first }],
    );
    const byEntry = new Map<string, typeof selectors>();
    for (const each of selectors)
      for (const entry of Object.entries(each.service.selector)) {
        const text = JSON.stringify(entry);
        const list = byEntry.get(text);
        if (list === undefined) byEntry.set(text, [each]);
        else list.push(each);
      }
    let pairs = 0;
    for (const { key, service } of selectors) {
      // Not all entries of it are known, so it may select less than it seems to.
      if (service.selectorHash !== undefined) continue;
      const entries = Object.entries(service.selector);
      const [rarest = []] = entries
        .map((entry) => byEntry.get(JSON.stringify(entry)) ?? [])
        .sort((a, b) => a.length - b.length);
      for (const other of rarest) {
        if (++pairs > MOST_PAIRS) return;
        if (other.key === key || !contains(other.service.selector, entries)) continue;
        this.#join(key, other.key);
        this.#join(other.key, key);
      }
    }
  }

  #join(key: string, other: string): void {
    const known = this.#related.get(key);
    if (known === undefined) this.#related.set(key, new Set([other]));
    else known.add(other);
  }
}
