import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { same } from '../../../model/same.ts';
import { addressesOf } from '../contract/shape.ts';
import { own } from '../yaml.ts';

/** Whether a value is a mapping with a key. */
export const has = (map: unknown, key: string): boolean => isMapping(map) && Object.hasOwn(map, key);
/** A value if it is a mapping, otherwise an empty one. */
export const mappingOf = (value: unknown): Mapping => (isMapping(value) ? value : {});
/** A value if it is a list, otherwise an empty one. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
/** The keys of all mappings. */
export const keysOf = (...maps: readonly Mapping[]): string[] => [...new Set(maps.flatMap(Object.keys))];

/** Three versions of a value: the one that an edit began with, the edited one, and the current one. */
export type Three<T> = readonly [base: T, edited: T, now: T];

/** What a merge of two changes depends on, besides the values. */
export interface Context {
  /** Called for a change that is not applied. */
  readonly lose: () => void;
  /** Whether a backend is generated now, maybe with other options. */
  readonly isGenerated: (backend: unknown) => boolean;
  /** Whether a value has something that was withdrawn meanwhile. */
  readonly isWithdrawn: (value: unknown) => boolean;
  /** Whether a backend is as it is generated now, so that no person wrote anything of it. */
  readonly isUntouched: (backend: unknown) => boolean;
}

/** Merges values that both sides changed. */
export function rebasedValue([base, edited, now]: Three<unknown>, context: Context): unknown {
  if (same(edited, base)) return now;
  if (same(now, base)) return edited;
  // What is of another kind now has nothing of what the person left as it was.
  if (isMapping(edited) && (isMapping(now) || isMapping(base)))
    return rebasedMapping([mappingOf(base), edited, mappingOf(now)], context);
  if (Array.isArray(edited) && (Array.isArray(now) || Array.isArray(base)))
    return rebasedList([listOf(base), edited, listOf(now)], context);
  if (isText(base) && isText(edited) && isText(now))
    return rebasedList([base.split('\n'), edited.split('\n'), now.split('\n')], context).join('\n');
  return edited;
}

/** Whether a value is a text of several lines, which are merged line by line. */
const isText = (value: unknown): value is string => typeof value === 'string' && value.includes('\n');

/** The list of tools before which the agent asks. */
export const QUESTIONS = 'approval_required_tools';

/**
 * That list, if a person or the program changed it. An entry that the person left or wrote stays, and so does one of now, unless the
 * person took it out: so the agent asks before all tools that either of them means.
 */
export function rebasedQuestions([base, edited, now]: Three<unknown>): unknown {
  if (same(edited, base)) return now;
  if (!Array.isArray(edited) || !Array.isArray(now)) return edited;
  const removed = listOf(base).filter((each) => !edited.includes(each));
  return [...new Set([...edited, ...now.filter((each) => !removed.includes(each))])];
}

/** Whether the list of tools that need approval changed meanwhile, so that its removal did not mean the current list. */
const isStricter = (key: string, [base, , now]: Three<Mapping>): boolean =>
  key === QUESTIONS && has(now, key) && !same(base[key], now[key]);

export function rebasedMapping(three: Three<Mapping>, context: Context): Mapping {
  const [base, edited, now] = three;
  return Object.fromEntries(
    keysOf(now, edited).flatMap((key): [string, unknown][] => {
      const [before, change, current] = [base[key], edited[key], now[key]];
      if (!has(edited, key)) {
        if (has(base, key) && !isStricter(key, three)) return [];
        if (has(base, key)) context.lose();
        return [[key, current]];
      }
      if (has(now, key) && key === QUESTIONS) return [[key, rebasedQuestions([before, change, current])]];
      if (has(now, key)) return [[key, rebasedValue([before, change, current], context)]];
      if (!has(base, key) && context.isWithdrawn(change)) {
        context.lose();
        return [];
      }
      if (!has(base, key)) return [[key, change]];
      if (same(change, before)) return [];
      if (Array.isArray(before) && Array.isArray(change)) {
        const added = rebasedList([before, change, []], context);
        return added.length === 0 ? [] : [[key, added]];
      }
      if (!isMapping(before) || !isMapping(change)) return [[key, change]];
      const part = rebasedMapping([before, change, {}], context);
      return Object.keys(part).length === 0 ? [] : [[key, part]];
    }),
  );
}

/** Finds the item of a list that is the same thing as another item; each only once. */
function matcher(list: readonly unknown[]): (item: unknown) => number {
  const taken = new Set<number>();
  const byKey = new Map<string, number[]>();
  for (const [index, item] of list.entries())
    for (const key of identitiesOf(item)) {
      const known = byKey.get(key);
      if (known === undefined) byKey.set(key, [index]);
      else known.push(index);
    }
  for (const indexes of byKey.values()) indexes.reverse();
  return (item) => {
    for (const key of identitiesOf(item)) {
      const indexes = byKey.get(key) ?? [];
      while (indexes.length > 0) {
        const index = indexes.pop() as number;
        if (taken.has(index)) continue;
        taken.add(index);
        return index;
      }
    }
    return -1;
  };
}

/** What identifies an item of a list, the best match first: its address and name, its address, or else its content. */
function identitiesOf(item: unknown): readonly string[] {
  const addresses = isMapping(item) ? addressesOf(item) : [];
  if (addresses.length === 0) return [JSON.stringify(item)];
  const names = ['name', 'id'].map((field) => own(item, field));
  return [JSON.stringify([addresses, names]), JSON.stringify(addresses)];
}

/**
 * Merges lists item by item. Items with an address are the same only if they have the same address, whatever they are
 * called: what somebody wrote for one address never applies to another.
 */
function rebasedList([base, edited, now]: Three<readonly unknown[]>, context: Context): unknown[] {
  const [inEdited, inNow] = [matcher(edited), matcher(now)];
  const result = new Map<number, { readonly item: unknown; readonly at: number }>();
  const [keptInEdited, keptInNow] = [new Set<number>(), new Set<number>()];
  const keptByEdit = new Set<unknown>();
  let isChangedRemoved = false;
  for (const before of base) {
    const [theirs, current] = [inEdited(before), inNow(before)];
    if (theirs >= 0) {
      keptInEdited.add(theirs);
      keptByEdit.add(before);
    }
    if (current >= 0) keptInNow.add(current);
    if (theirs < 0 && isMapping(before) && !same(before, now[current])) isChangedRemoved = true;
    if (theirs >= 0 && current >= 0)
      result.set(current, {
        item: rebasedValue([before, edited[theirs], now[current]], context),
        at: theirs,
      });
    else if (theirs >= 0 && !same(before, edited[theirs])) context.lose();
  }
  const isAdded = (item: unknown, at: number): boolean => isMapping(item) && !keptInEdited.has(at);
  const isWithdrawn = (item: unknown, at: number): boolean => isAdded(item, at) && context.isWithdrawn(item);
  if (edited.some(isWithdrawn) || (isChangedRemoved && edited.some(isAdded))) {
    // One of the added items may be a changed one with another name or address, from before it changed.
    context.lose();
    return [...now];
  }
  const added = edited.flatMap((item, at) => {
    if (keptInEdited.has(at)) return [];
    const current = inNow(item);
    if (current < 0) return [{ item, at }];
    keptInNow.add(current);
    result.set(current, { item: rebasedValue([undefined, item, now[current]], context), at });
    return [];
  });
  const order = [...result.values(), ...added].sort((a, b) => a.at - b.at);
  // Somebody who removes a backend chooses from those that were there: generated ones that came meanwhile are not chosen.
  const isChoice = base.some((item) => isMapping(item) && !keptByEdit.has(item));
  // One of another address and the same name is chosen: its owner changed its port.
  const chosen = new Set<unknown>(
    [...keptByEdit].map((item) => own(item, 'name')).filter((name) => name !== undefined),
  );
  const isNew = (item: unknown): boolean => context.isGenerated(item) && !chosen.has(own(item, 'name'));
  const others = now.filter((item, index) => !keptInNow.has(index) && !(isChoice && isNew(item)));
  return [...order.map(({ item }) => item), ...others];
}
