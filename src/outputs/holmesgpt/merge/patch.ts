import type { Problem } from '../../../model/discovery.ts';
import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { mergePatch } from '../../../model/merge.ts';
import { nearest } from '../../../model/nearest.ts';
import { restrictionsIn } from '../checks/restrictions.ts';
import { holmesFaults, loadFaults } from '../contract/contract.ts';
import { isKnownName } from '../contract/known-toolsets.ts';
import { fault, type HolmesFault, isFault, type Path, warning } from '../contract/model-check.ts';
import { HOLMES, own } from '../contract/models.ts';
import { addressesOf, carriesCredentials, shapeOf } from '../contract/shape.ts';
import { wrongTypes } from '../contract/wrong-types.ts';
import type { HolmesPatch } from '../overrides.ts';
import { joinDocuments } from './join.ts';
import { partsOf } from './join-lists.ts';
import type { JoinOptions } from './join-options.ts';
import { WITHOUT_ADDRESS } from './join-toolset.ts';

/** Overrides, for the newest HolmesGPT: options without an address belong to no particular backend. */
const OVERRIDES: JoinOptions = { holmesgptVersion: '0.32', standsAlone: false };

type Sections = Readonly<Record<string, Mapping>>;

interface Checked {
  readonly document: Mapping;
  readonly notes: readonly Problem[];
}

/**
 * Maps the path of a fault to the hand-written text. A hand-written backend is a list item in the document, but may be
 * outside a list in the text, or at another index.
 */
function pathIn(patch: unknown, document: Mapping, path: Path): Path {
  const [section, name, config, list, index, ...rest] = path;
  if (config !== 'config' || typeof list !== 'string' || typeof index !== 'number') return path;
  const theirs = valueAt(patch, [section ?? '', name ?? '', config]);
  const item = valueAt(document, path.slice(0, 5));
  if (!isMapping(theirs)) return path;
  const own = theirs[list];
  if (Array.isArray(own)) {
    const place = own.findIndex((each) => isMapping(each) && isMapping(item) && each.name === item.name);
    return place < 0 ? path : [...path.slice(0, 4), place, ...rest];
  }
  const [field] = rest;
  return field === undefined || Object.hasOwn(theirs, field) ? [...path.slice(0, 3), ...rest] : path;
}

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (inner, step) =>
      (isMapping(inner) || Array.isArray(inner)) && Object.hasOwn(inner, step)
        ? (inner as Record<PropertyKey, unknown>)[step]
        : undefined,
    value,
  );

/** `config.clusters.0: lacks broker (and 2 more)`: the first fault, and the number of others. */
function summary(faults: readonly HolmesFault[], pathOf: (path: Path) => Path = (path) => path): string {
  const [first] = faults;
  if (first === undefined) throw new Error('no faults to tell');
  const field = pathOf(first.path).slice(2).join('.');
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  return `${field === '' ? '' : `${field}: `}${first.message}${more}`;
}

const entryKey = ({ path }: Pick<HolmesFault, 'path'>): string => JSON.stringify(path.slice(0, 2));

function byEntry(faults: readonly HolmesFault[]): Map<string, HolmesFault[]> {
  return Map.groupBy(faults, entryKey);
}

/** Where a fault is in a list of backends, as the index; `undefined` if it is elsewhere. */
function indexOf({ path: [section, , config, , index] }: HolmesFault): number | undefined {
  return section === 'toolsets' && config === 'config' && typeof index === 'number' ? index : undefined;
}

/** The faults of single backends of a toolset by index; `undefined` if another part of the toolset has a fault. */
function faultsOfBackends(faults: readonly HolmesFault[]): ReadonlyMap<number, string> | undefined {
  if (faults.some((each) => indexOf(each) === undefined)) return undefined;
  const inBackend = (path: Path): Path => [...path.slice(0, 2), ...path.slice(5)];
  const byIndex = Map.groupBy(faults, (each) => indexOf(each) ?? 0);
  return new Map([...byIndex].map(([index, several]) => [index, summary(several, inBackend)]));
}

/**
 * The generated document without what HolmesGPT would reject. The built-in detectors make nothing of that kind, but custom
 * detectors may. A fault of one backend of a list costs only this backend, and any other one the entry. Each removed entry
 * is reported, and the rest stays.
 * @param withoutBackends makes a toolset without some backends, by index and with the reason, and reports them;
 *   `undefined` if none is left
 * @throws Error if a fault is in no entry, which is a bug
 */
export function dropInvalidEntries(
  generated: Mapping,
  withoutBackends: (toolset: string, faulty: ReadonlyMap<number, string>) => Mapping | undefined,
): Checked {
  const notes: Problem[] = [];
  const fix = 'correct the detector or the override that it is from; if it is from neither, report this';
  let document = generated;
  // Without some of its backends, an entry may have other faults, which the next round finds.
  for (;;) {
    const found = byEntry(holmesFaults(document));
    const refused = [...found].filter(([, faults]) => faults.some(isFault));
    for (const [key, faults] of refused) {
      const [section, name] = JSON.parse(key) as string[];
      const faulty = faultsOfBackends(faults.filter(isFault));
      const what = `is left out, HolmesGPT would reject it: ${summary(faults.filter(isFault))}`;
      if (section === undefined || name === undefined) throw new Error(`custom_toolset.yaml ${what}`);
      if (faulty === undefined) notes.push({ where: `custom_toolset.yaml, ${section} ${name}`, what, fix });
      const left = faulty === undefined ? undefined : withoutBackends(name, faulty);
      document = withoutEmpty({
        ...document,
        [section]: withEntry(document[section] as Mapping, name, left),
      });
    }
    if (refused.length > 0) continue;
    for (const [key, faults] of found) {
      const [section, name] = JSON.parse(key) as string[];
      const what = `is written, and HolmesGPT does not use all of it: ${summary(faults)}`;
      notes.push({ where: `custom_toolset.yaml, ${section} ${name}`, what, fix });
    }
    return { document, notes };
  }
}

/** A section with another entry of a name, or without one. */
function withEntry(section: Mapping, name: string, entry: Mapping | undefined): Mapping {
  const { [name]: _, ...others } = section;
  return entry === undefined ? others : { ...others, [name]: entry };
}

/**
 * Removes the changes of toolsets that are not there: such a name is that of a kind of backend, and none is discovered now, or
 * it is misspelt. To HolmesGPT, such an entry would be an incomplete toolset of a person.
 * @param left the overrides, from which they are removed
 */
function dropChangesOfNothing(generated: Mapping, left: Record<string, Record<string, unknown>>): Problem[] {
  const { toolsets = {} } = left;
  const made = own(generated, 'toolsets');
  const names = isMapping(made) ? Object.keys(made) : [];
  return Object.entries(toolsets).flatMap(([name, entry]) => {
    if (!isMapping(entry) || isWhole('toolsets', entry) || isKnownName(name) || names.includes(name))
      return [];
    delete toolsets[name];
    const meant = nearest(name, [...names, ...Object.keys(HOLMES.toolsets)]);
    const isRestriction = Object.keys(entry).every((field) => Object.hasOwn(restrictionsIn(entry), field));
    const fix =
      meant === undefined
        ? 'for a toolset of your own, write its type, or its tools'
        : `did you mean ${meant}?`;
    return {
      where: placeOf(JSON.stringify(['toolsets', name])),
      what: `changes nothing now: no backend of this toolset is discovered, and HolmesGPT ${HOLMES.holmesgpt} has no built-in toolset of this name`,
      ...(isRestriction && meant === undefined ? {} : { fix }),
    };
  });
}

/**
 * The generated document with overrides merged into it. An override with which HolmesGPT would reject an entry or the file
 * is reported and not merged, except for what it forbids.
 */
export function withPatch(generated: Mapping, patch: HolmesPatch, options: JoinOptions = OVERRIDES): Checked {
  if (Object.keys(patch).length === 0) return { document: generated, notes: [] };
  const before = new Set(holmesFaults(generated).map((each) => JSON.stringify(each)));
  const left = structuredClone(patch) as Record<string, Record<string, unknown>>;
  const notes = dropChangesOfNothing(generated, left);
  const isPatched = (key: string): boolean => {
    const [section = '', name = ''] = JSON.parse(key) as string[];
    return Object.hasOwn(left[section] ?? {}, name);
  };
  const isRestricted = new Set<string>();
  // Each round removes at least one entry, or all but the restrictions of one.
  for (;;) {
    const joined = joinDocuments(generated, left, options);
    const document = withoutEmpty(joined.document);
    if (loadFaults(document).length > 0) {
      const what = 'leaves no toolset at all, and HolmesGPT refuses such a file, so this part is not merged';
      notes.push({ where: 'overrides.yaml, holmesgpt', what, fix: 'use enabled: false instead of null' });
      return { document: generated, notes };
    }
    const asWritten = (path: Path): Path => pathIn(left, document, path);
    const found = byEntry(holmesFaults(document).filter((each) => !before.has(JSON.stringify(each))));
    const refused = [...found].filter(([key, faults]) => isPatched(key) && faults.some(isFault));
    if (refused.length === 0) {
      const [fault] = [...found.values()].flat().filter(isFault);
      if (fault !== undefined)
        throw new Error(`custom_toolset.yaml, ${fault.path.join('.')}: ${fault.message}`);
      for (const [key, faults] of found)
        notes.push({
          where: placeOf(key),
          what: `HolmesGPT does not use all of it: ${summary(faults, asWritten)}`,
        });
      for (const { section, name, note } of joined.notes)
        notes.push({ where: placeOf(JSON.stringify([section, name])), ...note });
      return { document, notes };
    }
    for (const [key, faults] of refused) {
      const [section = '', name = ''] = JSON.parse(key) as string[];
      const what = summary(faults.filter(isFault), asWritten);
      const entries = left[section] ?? {};
      const kept = isRestricted.has(key) ? {} : restrictionsIn(entries[name]);
      isRestricted.add(key);
      const fields = Object.keys(kept);
      if (fields.length === 0) delete entries[name];
      else entries[name] = { ...kept };
      notes.push({
        where: placeOf(key),
        what: `is not merged${fields.length === 0 ? '' : `, except for ${fields.join(' and ')}`}, because HolmesGPT would reject the entry: ${what}`,
        fix: 'correct or remove it',
      });
    }
  }
}

/**
 * The faults in the `holmesgpt:` part of overrides that do not depend on generated entries. Complete entries are checked as
 * such; a change of a generated entry may be incomplete, so only the types of its values are.
 */
export function patchFaults(patch: HolmesPatch): HolmesFault[] {
  const own: Record<string, Mapping> = {};
  for (const [section, entries = {}] of Object.entries(patch)) {
    const whole = Object.entries(entries).filter(([, entry]) => isWhole(section, entry));
    if (whole.length > 0) own[section] = Object.fromEntries(whole);
  }
  const whole = Object.keys(own).length === 0 ? [] : holmesFaults(mergePatch({}, own));
  const changed = (['toolsets', 'mcp_servers'] as const).flatMap((section) =>
    Object.entries(patch[section] ?? {}).flatMap(([name, entry]) =>
      isMapping(entry) && !isWhole(section, entry) ? wrongTypes(section, name, entry) : [],
    ),
  );
  return [...whole, ...changed, ...unpairedFaults(patch)];
}

/** Credentials for a toolset with several backends that do not name their backend. Where they are used anyway, a warning. */
function unpairedFaults(patch: HolmesPatch): HolmesFault[] {
  return Object.entries(patch.toolsets ?? {}).flatMap(([name, entry]) => {
    const config = isMapping(entry) ? entry.config : undefined;
    const shape = shapeOf(name, isMapping(entry) ? entry.type : undefined);
    if (!isMapping(config) || shape?.flat !== true) return [];
    const parts = partsOf(config, shape);
    if (parts === undefined) return [];
    const { list, beside } = parts;
    if (list.length === 0 && addressesOf(beside).length > 0) return [];
    const path = ['toolsets', name, 'config'];
    const isAlone = name === WITHOUT_ADDRESS && list.length === 0;
    return Object.entries(beside)
      .filter(([field, value]) => carriesCredentials(field, value))
      .map(([field]) =>
        (isAlone ? warning : fault)(
          [...path, field],
          list.length > 0
            ? 'is set next to instances, so HolmesGPT would send it to each of them; write it into the instance that it is for'
            : `${isAlone ? 'is for the Prometheus that HolmesGPT finds itself, so no discovered one is added; if it is for a discovered one,' : 'does not say which backend it is for;'} write it under holmesgpt.toolsets.${name}.backends, below NAMESPACE/SERVICE, or write the address of your backend next to it`,
        ),
      );
  });
}

/** Whether an entry has a type or address of its own. Others may change a generated entry. */
function isWhole(section: string, entry: unknown): boolean {
  if (!isMapping(entry)) return false;
  if (section === 'mcp_servers') return isMapping(entry.config) && 'url' in entry.config;
  return 'type' in entry || Array.isArray(entry.tools);
}

function placeOf(key: string): string {
  const [section = '', name = ''] = JSON.parse(key) as string[];
  return `overrides.yaml, holmesgpt.${section} ${name}`;
}

/** Drops a section that the patch emptied. HolmesGPT needs only one of the two. */
function withoutEmpty(document: unknown): Mapping {
  const sections = isMapping(document) ? (document as Sections) : {};
  return Object.fromEntries(
    Object.entries(sections).filter(([, entries]) => Object.keys(entries).length > 0),
  );
}
