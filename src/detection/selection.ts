import { createHash } from 'node:crypto';
import type { Service } from '../model/service.ts';

/** The Pods that a Service leads to, as far as its selector tells. */
export interface Selection {
  /** Equal for equal selectors, whatever the order of their entries; undefined without one. */
  readonly key: string | undefined;
  /** Empty where there are too many to compare one by one. */
  readonly entries: ReadonlyMap<string, string>;
  /** The entries that are kept, however many there are. */
  readonly kept: ReadonlyMap<string, string>;
  /** Every entry is kept. */
  readonly isWhole: boolean;
}

type Selecting = Pick<Service, 'selector' | 'selectorHash'>;

/**
 * Most selector entries of a Service that is compared with others entry by entry. Real ones have up to about ten; a Service
 * with more leads to the Pods only of those with exactly the same selector.
 */
export const MOST_ENTRIES = 20;

const NO_ENTRIES: ReadonlyMap<string, string> = new Map();

/** Selections by Service, since each is asked for many times. */
const known = new WeakMap<Selecting, Selection>();

/** The Pods that a Service leads to. Linear in the bytes of its selector. */
export function selectionOf(service: Selecting): Selection {
  const before = known.get(service);
  if (before !== undefined) return before;
  const selection = read(service);
  known.set(service, selection);
  return selection;
}

function read({ selector, selectorHash }: Selecting): Selection {
  const all = Object.entries(selector);
  const kept = new Map(all);
  if (selectorHash !== undefined) return { key: selectorHash, entries: NO_ENTRIES, kept, isWhole: false };
  if (all.length === 0) return { key: undefined, entries: NO_ENTRIES, kept, isWhole: true };
  const text = JSON.stringify(all.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return all.length > MOST_ENTRIES
    ? { key: createHash('sha256').update(text).digest('base64'), entries: NO_ENTRIES, kept, isWhole: true }
    : { key: text, entries: kept, kept, isWhole: true };
}

/** Every entry of `small` is in `large`, so whatever `large` selects, `small` selects too. */
export function within(small: ReadonlyMap<string, string>, large: ReadonlyMap<string, string>): boolean {
  if (small.size > large.size) return false;
  for (const [key, value] of small) if (large.get(key) !== value) return false;
  return true;
}

/** As `within`, as far as can be told: an entry of `large` that is not kept may be any. */
export function maybeWithin(small: Selection, large: Selection): boolean {
  if (large.isWhole) return small.isWhole && within(small.kept, large.kept);
  for (const [key, value] of small.kept) if ((large.kept.get(key) ?? value) !== value) return false;
  return true;
}

/** Every Pod of the one is a Pod of the other as well. Without a selector nothing is known of a Service's Pods. */
export const leadsWithin = (one: Selection, other: Selection): boolean =>
  one.key !== undefined &&
  (one.key === other.key || (other.entries.size > 0 && within(other.entries, one.entries)));

/**
 * Every Pod of the one Service is a Pod of the other as well. The selector of an ExternalName means nothing: that leads to
 * wherever its owner says.
 */
export const podsWithin = (one: Selecting & Pick<Service, 'type'>, other: typeof one): boolean =>
  one.type !== 'ExternalName' &&
  other.type !== 'ExternalName' &&
  leadsWithin(selectionOf(one), selectionOf(other));

/** Whether two selectors select Pods in common, as far as that follows from them: one contains the other. */
export const overlap = (one: Selection, other: Selection): boolean =>
  one.key !== undefined &&
  other.key !== undefined &&
  (one.key === other.key || maybeWithin(one, other) || maybeWithin(other, one));
