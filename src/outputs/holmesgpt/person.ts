import { isMapping, type Mapping } from '../../model/mapping.ts';
import { same } from '../../model/same.ts';
import { own } from './yaml.ts';

const SECTIONS = ['toolsets', 'mcp_servers'] as const;

/** What there was when the file was written last. */
export interface Before {
  readonly generated: Mapping;
  readonly person: Mapping;
  /** The one merged into the other: what was written. */
  readonly merged: Mapping;
}

/**
 * What of an edited file is a person's, as a patch to the generated document: what the person changed or took away since
 * it was written, and what was the person's before and stands.
 */
export function changedBy(edited: Mapping, { generated, person, merged }: Before): Mapping {
  const keys = new Set([...Object.keys(person), ...Object.keys(merged), ...Object.keys(edited)]);
  return Object.fromEntries(
    [...keys].flatMap((key): [string, unknown][] => {
      const kept: [string, unknown][] = Object.hasOwn(person, key) ? [[key, person[key]]] : [];
      const now = own(edited, key);
      const before = own(merged, key);
      if (Object.hasOwn(edited, key) === Object.hasOwn(merged, key) && same(now, before)) return kept;
      if (!Object.hasOwn(edited, key)) return Object.hasOwn(generated, key) ? [[key, null]] : [];
      if (!isMapping(now)) return [[key, now]];
      const below = own(generated, key);
      const mine = own(person, key);
      const underneath = isMapping(below) ? below : {};
      const part = changedBy(now, {
        generated: underneath,
        person: isMapping(mine) ? mine : {},
        // What was taken away or was no mapping, and is one now, is told from the generated one under it.
        merged: isMapping(before) ? before : underneath,
      });
      const needed = Object.keys(part).length > 0 || kept.length > 0 || !isMapping(below);
      return needed ? [[key, part]] : [];
    }),
  );
}

/**
 * What of a file that somebody put in the place of ours is a person's: all of it, but for entries that are what was
 * written last and were not the person's then. What was, stays as the person had written it.
 */
export function replacedBy(file: Mapping, { person, merged }: Before): Mapping {
  return Object.fromEntries(
    Object.entries(file).map(([section, entries]) => {
      if (!SECTIONS.some((name) => name === section) || !isMapping(entries)) return [section, entries];
      const last = own(merged, section);
      const mine = own(person, section);
      return [
        section,
        Object.fromEntries(
          Object.entries(entries).flatMap(([name, entry]): [string, unknown][] => {
            if (own(last, name) === undefined || !same(entry, own(last, name))) return [[name, entry]];
            return isMapping(mine) && Object.hasOwn(mine, name) ? [[name, mine[name]]] : [];
          }),
        ),
      ];
    }),
  );
}

/**
 * The sections that HolmesGPT reads, without empty ones. It ignores all other keys, where people keep anchors; and a
 * section that is `null` says nothing.
 */
export function sections(file: Mapping): Mapping {
  return Object.fromEntries(
    SECTIONS.flatMap((name): [string, unknown][] => {
      const entries = own(file, name);
      const empty = entries === null || entries === undefined;
      return empty || (isMapping(entries) && Object.keys(entries).length === 0) ? [] : [[name, entries]];
    }),
  );
}
