import type { Service } from '../model/service.ts';
import { MOST_ENTRIES, selectorKeyOf } from './member.ts';
import { within } from './selectors.ts';

/** The Pods that a Service leads to, as far as its selector tells. */
export interface Selection {
  /** Equal for equal selectors; undefined without one. */
  readonly key: string | undefined;
  /** Empty where there are too many to compare one by one. */
  readonly entries: ReadonlyMap<string, string>;
}

export function selectionOf(service: Pick<Service, 'selector' | 'selectorHash'>): Selection {
  const entries = Object.entries(service.selector);
  return { key: selectorKeyOf(service), entries: new Map(entries.length > MOST_ENTRIES ? [] : entries) };
}

/** Every Pod of the one is a Pod of the other as well. Without a selector nothing is known of a Service's Pods. */
export const leadsWithin = (one: Selection, other: Selection): boolean =>
  one.key !== undefined &&
  (one.key === other.key || (other.entries.size > 0 && within(other.entries, one.entries)));
