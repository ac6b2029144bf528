import { createHash } from 'node:crypto';
import type { Service } from '../model/service.ts';

/** The selector of a Service, prepared for comparison. */
export interface Selection {
  /** Equal for equal selectors, in any order of entries. `undefined` without a selector. */
  readonly key: string | undefined;
  /** The entries. Empty if there are too many to compare. */
  readonly entries: ReadonlyMap<string, string>;
  /** All kept entries. */
  readonly kept: ReadonlyMap<string, string>;
  /** Whether all entries are kept. */
  readonly isWhole: boolean;
}

type Selecting = Pick<Service, 'selector' | 'selectorHash'>;

/**
 * Maximum entries of a selector to compare one by one. Real selectors have about ten at most. A longer one matches only an
 * equal selector.
 */
export const MAX_ENTRIES = 20;

const NO_ENTRIES: ReadonlyMap<string, string> = new Map();

/** Cache by Service. */
const known = new WeakMap<Selecting, Selection>();

/** Prepares the selector of a Service. Linear in its bytes. */
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
  return all.length > MAX_ENTRIES
    ? { key: createHash('sha256').update(text).digest('base64'), entries: NO_ENTRIES, kept, isWhole: true }
    : { key: text, entries: kept, kept, isWhole: true };
}

/** Labels that tell the Pods of one StatefulSet apart. */
const PER_POD = ['statefulset.kubernetes.io/pod-name', 'apps.kubernetes.io/pod-index'];

/** Whether a selector is for one Pod of a StatefulSet. */
export const selectsOnePod = ({ selector }: Selecting): boolean =>
  PER_POD.some((key) => Object.hasOwn(selector, key));

/** The selector of the StatefulSet's Pods, where the Service selects one of them. Otherwise the selector itself. */
export function setSelection(service: Selecting & Pick<Service, 'created'>): Selection {
  if (!selectsOnePod(service) || service.selectorHash !== undefined) return selectionOf(service);
  const rest = Object.entries(service.selector).filter(([key]) => !PER_POD.includes(key));
  const [name = ''] = PER_POD.flatMap((key) => service.selector[key] ?? []);
  if (rest.length > 0) return selectionOf({ selector: Object.fromEntries(rest) });
  // In a cluster, anyone may give a Pod any name.
  if (service.created !== undefined) return selectionOf(service);
  return { ...selectionOf(service), key: `set ${name.replace(/-\d+$/, '')}`, entries: NO_ENTRIES };
}

/** Whether all entries of `small` are in `large`, so that `small` selects all Pods that `large` selects. */
export function within(small: ReadonlyMap<string, string>, large: ReadonlyMap<string, string>): boolean {
  if (small.size > large.size) return false;
  for (const [key, value] of small) if (large.get(key) !== value) return false;
  return true;
}

/** Like `within`, but entries of `large` that were not kept may match anything. */
export function maybeWithin(small: Selection, large: Selection): boolean {
  if (large.isWhole) return small.isWhole && within(small.kept, large.kept);
  for (const [key, value] of small.kept) if ((large.kept.get(key) ?? value) !== value) return false;
  return true;
}

/** Whether all Pods of one selection are Pods of the other. Without a selector, the Pods are unknown. */
export const leadsWithin = (one: Selection, other: Selection): boolean =>
  one.key !== undefined &&
  (one.key === other.key || (other.entries.size > 0 && within(other.entries, one.entries)));

/** Whether all Pods of one Service are Pods of the other. The selector of an ExternalName has no effect. */
export const podsWithin = (one: Selecting & Pick<Service, 'type'>, other: typeof one): boolean =>
  one.type !== 'ExternalName' &&
  other.type !== 'ExternalName' &&
  leadsWithin(selectionOf(one), selectionOf(other));

/** Whether two selectors certainly select common Pods, because one contains the other. */
export const overlap = (one: Selection, other: Selection): boolean =>
  one.key !== undefined &&
  other.key !== undefined &&
  (one.key === other.key || maybeWithin(one, other) || maybeWithin(other, one));
