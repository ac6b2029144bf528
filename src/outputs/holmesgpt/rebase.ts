import { isMapping, type Mapping } from '../../model/mapping.ts';
import { same } from '../../model/same.ts';
import { nameOfAddress } from '../../model/same-url.ts';
import { SECTIONS, type Version } from './hand-written.ts';
import { fieldsWhere, partsOf } from './join-lists.ts';
import { addressesOf, isAddress, isCommon, type Shape, shapeOf } from './shape.ts';
import { own } from './yaml.ts';

/** An edit as if it had been made in another version. */
export interface Rebased {
  readonly document: Mapping;
  /** Entries that the person wrote or removed (`null`), which are hand-written although they make no difference now. */
  readonly explicit: Mapping;
  /** Entries with changes that were not applied, because they were removed or changed meanwhile: `toolsets prometheus/metrics`. */
  readonly lost: readonly string[];
}

const has = (map: unknown, key: string): boolean => isMapping(map) && Object.hasOwn(map, key);
const mappingOf = (value: unknown): Mapping => (isMapping(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const keysOf = (...maps: readonly Mapping[]): string[] => [...new Set(maps.flatMap(Object.keys))];

/** Three versions of a value: the one that an edit began with, the edited one, and the current one. */
type Three<T> = readonly [base: T, edited: T, now: T];

/** What a merge of two changes depends on, besides the values. */
interface Context {
  /** Called for a change that is not applied. */
  readonly lose: () => void;
  /** Whether another person changed the entry meanwhile. */
  readonly isContested: boolean;
  /** Whether a backend is generated now, maybe with other options. */
  readonly isGenerated: (backend: unknown) => boolean;
  /** Whether a backend is as it is generated now, so that no person wrote anything of it. */
  readonly isUntouched: (backend: unknown) => boolean;
}

/** Merges values that both sides changed. */
function rebasedValue([base, edited, now]: Three<unknown>, context: Context): unknown {
  if (same(edited, base)) return now;
  if (same(now, base)) return edited;
  // What is of another kind now has nothing of what the person left as it was.
  if (isMapping(edited) && (isMapping(now) || isMapping(base)))
    return rebasedMapping([mappingOf(base), edited, mappingOf(now)], context);
  if (Array.isArray(edited) && (Array.isArray(now) || Array.isArray(base)))
    return rebasedList([listOf(base), edited, listOf(now)], context);
  if (isText(base) && isText(edited) && isText(now))
    return rebasedList([base.split('\n'), edited.split('\n'), now.split('\n')], context).join('\n');
  if (!context.isContested || same(edited, now)) return edited;
  context.lose();
  return now;
}

/** Whether a value is a text of several lines, which are merged line by line. */
const isText = (value: unknown): value is string => typeof value === 'string' && value.includes('\n');

/** Whether the list of tools that need approval changed meanwhile, so that its removal did not mean the current list. */
const isStricter = (key: string, [base, , now]: Three<Mapping>): boolean =>
  key === 'approval_required_tools' && has(now, key) && !same(base[key], now[key]);

function rebasedMapping(three: Three<Mapping>, context: Context): Mapping {
  const [base, edited, now] = three;
  return Object.fromEntries(
    keysOf(now, edited).flatMap((key): [string, unknown][] => {
      const [before, change, current] = [base[key], edited[key], now[key]];
      if (!has(edited, key)) {
        if (has(base, key) && !isStricter(key, three)) return [];
        if (has(base, key)) context.lose();
        return [[key, current]];
      }
      if (has(now, key)) return [[key, rebasedValue([before, change, current], context)]];
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
 * called: what somebody wrote for one address never goes to another one.
 */
function rebasedList([base, edited, now]: Three<readonly unknown[]>, context: Context): unknown[] {
  const [inEdited, inNow] = [matcher(edited), matcher(now)];
  const result = new Map<number, { readonly item: unknown; readonly at: number }>();
  const [keptInEdited, keptInNow] = [new Set<number>(), new Set<number>()];
  const keptByEdit = new Set<unknown>();
  const contested: Mapping[] = [];
  for (const before of base) {
    const [theirs, current] = [inEdited(before), inNow(before)];
    if (theirs >= 0) {
      keptInEdited.add(theirs);
      keptByEdit.add(before);
    }
    if (current >= 0) keptInNow.add(current);
    const isOther = current >= 0 && !same(before, now[current]) && !context.isUntouched(now[current]);
    if (theirs < 0 && isOther && isMapping(now[current])) {
      // Somebody wrote something for what this edit removes: it stays, and is not replaced by another one.
      context.lose();
      contested.push(now[current]);
      keptByEdit.add(before);
      result.set(current, { item: now[current], at: edited.length });
    }
    if (theirs >= 0 && current >= 0)
      result.set(current, {
        item: rebasedValue([before, edited[theirs], now[current]], context),
        at: theirs,
      });
    else if (theirs >= 0 && !same(before, edited[theirs])) context.lose();
  }
  const added = edited.flatMap((item, at) => {
    if (keptInEdited.has(at)) return [];
    if (contested.some((each) => isAlike(each, item))) return [];
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

/** Whether two backends have an address or the name in common. */
function isAlike(one: Mapping, other: unknown): boolean {
  if (!isMapping(other)) return false;
  const addresses = addressesOf(one);
  const name = own(one, 'name') ?? own(one, 'id');
  return (
    addressesOf(other).some((address) => addresses.includes(address)) ||
    (name !== undefined && name === (own(other, 'name') ?? own(other, 'id')))
  );
}

/** A configuration with its backends in a list, also if it has only one, outside a list. */
function listed(config: Mapping, shape: Shape): Mapping {
  const parts = partsOf(config, shape);
  if (shape.name === undefined || parts === undefined || parts.list.length > 0) return config;
  const [address] = addressesOf(parts.beside);
  if (address === undefined) return config;
  return {
    ...fieldsWhere(parts.beside, isCommon),
    [shape.list]: [
      { [shape.name]: nameOfAddress(address), ...fieldsWhere(parts.beside, (...each) => !isCommon(...each)) },
    ],
  };
}

/** Whether a value may be the address of a backend, also in a field that is not known as one. */
const isUrl = (value: unknown): boolean =>
  typeof value === 'string' && /^[a-z][a-z0-9+.-]*:\/\//i.test(value);

const changedIn = (base: Mapping, other: Mapping): string[] =>
  keysOf(base, other).filter((key) => !same(base[key], other[key]));

/** Whether one of three versions has another address than the first one. */
const changesPlace = (three: Three<Mapping>, one: Mapping): boolean =>
  changedIn(three[0], one).some((key) => isAddress(key) || three.some((each) => isUrl(each[key])));

/** Merges the configurations of a toolset, whose options are for the address beside them. */
function rebasedConfig(three: Three<Mapping>, shape: Shape | undefined, context: Context): Mapping {
  const [base, edited, now] = three;
  if (same(now, base) || same(edited, base)) return rebasedMapping(three, context);
  if (![edited, now].some((each) => changesPlace(three, each))) return rebasedMapping(three, context);
  if (changedIn(base, edited).every((key) => has(edited, key) && isCommon(key, edited[key])))
    return rebasedMapping(three, context);
  const [from, to] = [addressesOf(base), addressesOf(edited)];
  const isReplaced = from.length > 0 && to.length > 0 && !same(from, to) && !context.isUntouched(now);
  if (shape?.flat !== true || isReplaced) {
    context.lose();
    return now;
  }
  const lists = three.map((each) => listed(each, shape)) as unknown as Three<Mapping>;
  const result = rebasedMapping(lists, context);
  return same(result, lists[2]) ? now : result;
}

function rebasedEntry(name: string, three: Three<Mapping>, hasInstances: boolean, context: Context): Mapping {
  const [base, edited, now] = three;
  if (same(edited, base)) return now;
  const without = (entry: Mapping): Mapping => fieldsWhere(entry, (field) => field !== 'config');
  if (
    !same(now, base) &&
    [edited, now].some((each) => changesPlace(three.map(without) as unknown as Three<Mapping>, without(each)))
  ) {
    context.lose();
    return now;
  }
  if (!isMapping(edited.config) || !isMapping(now.config)) return rebasedMapping(three, context);
  const configs = [mappingOf(base.config), edited.config, now.config];
  const config = rebasedConfig(
    configs as unknown as Three<Mapping>,
    shapeOf(name, own(now, 'type'), hasInstances),
    context,
  );
  return { ...rebasedMapping([without(base), without(edited), without(now)], context), config };
}

/** What tells generated backends from others. */
function generatedIn(entry: unknown): Pick<Context, 'isGenerated' | 'isUntouched'> {
  const config = mappingOf(own(entry, 'config'));
  const backends = [
    config,
    ...Object.values(config)
      .filter((value) => Array.isArray(value))
      .flat(),
  ];
  const known = new Set(backends.flatMap((item) => (isMapping(item) ? addressesOf(item) : [])));
  const withoutName = (backend: unknown): string =>
    JSON.stringify(fieldsWhere(mappingOf(backend), (field) => field !== 'name' && field !== 'id'));
  const contents = new Set(backends.map(withoutName));
  return {
    isGenerated: (backend) =>
      isMapping(backend) && addressesOf(backend).some((address) => known.has(address)),
    isUntouched: (backend) => contents.has(withoutName(backend)),
  };
}

/** Whether two entries lead to the same place. */
function isSamePlace(one: unknown, other: unknown): boolean {
  const [a, b] = [one, other].map((entry) => addressesOf(mappingOf(own(entry, 'config')))) as [
    string[],
    string[],
  ];
  return a.length > 0 && same(a, b);
}

/**
 * An edit of one version of the file, as if it had been made in another one: only what the person changed counts. What was
 * removed meanwhile stays away, and so do changes of it. Lists have the additions of both sides, and nothing that either side
 * removed. Of two persons who change the same, the first one's change stays.
 * @param before the version that the edit began with
 * @param edited the edited file
 * @param now the current version
 * @param hasInstances whether the agent supports several backends per toolset
 */
export function rebased(before: Version, edited: Mapping, now: Version, hasInstances: boolean): Rebased {
  const lost = new Set<string>();
  const document = Object.fromEntries(
    SECTIONS.flatMap((section): [string, unknown][] => {
      const of = (document: Mapping): Mapping => mappingOf(own(document, section));
      const [base, change, current] = [of(before.merged), of(edited), of(now.merged)];
      const isContested = (name: string): boolean =>
        !same(of(before.handWritten)[name], of(now.handWritten)[name]);
      // What this edit removes, and another person changed meanwhile.
      const contested = Object.keys(base).filter(
        (name) => !has(change, name) && has(current, name) && isContested(name),
      );
      const entries = keysOf(current, change).flatMap((name): [string, unknown][] => {
        const context: Context = {
          lose: () => void lost.add(`${section} ${name}`),
          isContested: isContested(name),
          ...generatedIn(of(now.generated)[name]),
        };
        const [old, theirs, ours] = [base[name], change[name], current[name]];
        if (!has(change, name)) {
          if (has(base, name) && !contested.includes(name)) return [];
          if (has(base, name)) context.lose();
          return [[name, ours]];
        }
        if (!has(base, name) && has(current, name)) {
          // What both added is the first one's; beside what is generated since, it is hand-written as it is.
          if (isContested(name) && !same(theirs, ours)) context.lose();
          return [[name, ours]];
        }
        if (has(current, name)) {
          if (!isMapping(theirs) || !isMapping(ours))
            return [[name, rebasedValue([old, theirs, ours], context)]];
          return [[name, rebasedEntry(name, [mappingOf(old), theirs, ours], hasInstances, context)]];
        }
        if (!has(base, name)) {
          const isSameAsContested = contested.some((each) => isSamePlace(current[each], theirs));
          if (isSameAsContested) context.lose();
          return isSameAsContested ? [] : [[name, theirs]];
        }
        if (same(theirs, old)) return [];
        context.lose();
        return [];
      });
      const isMissing = entries.length === 0 && !has(now.merged, section);
      return isMissing ? [] : [[section, Object.fromEntries(entries)]];
    }),
  );
  return { document, explicit: explicitIn(before, edited, now), lost: [...lost] };
}

/**
 * What the person wrote or removed, and has no difference from the current version: the entries that are generated now, too,
 * and, as `null`, those that are not generated any more.
 */
function explicitIn(before: Version, edited: Mapping, now: Version): Mapping {
  return Object.fromEntries(
    SECTIONS.map((section) => {
      const of = (document: Mapping): Mapping => mappingOf(own(document, section));
      const [base, change] = [of(before.merged), of(edited)];
      const gone = Object.keys(of(before.generated)).filter(
        (name) => has(base, name) && !has(change, name) && !has(of(now.generated), name),
      );
      const added = Object.keys(change).filter(
        (name) =>
          ![base, of(before.generated)].some((each) => has(each, name)) &&
          has(of(now.generated), name) &&
          same(of(before.handWritten)[name], of(now.handWritten)[name]),
      );
      const entries = [
        ...gone.map((name) => [name, null] as const),
        ...added.map((name) => [name, change[name]] as const),
      ];
      return [section, Object.fromEntries(entries)] as const;
    }).filter(([, entries]) => Object.keys(entries).length > 0),
  );
}
