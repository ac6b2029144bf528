import { isMapping, type Mapping, mappingOf } from '../../../model/mapping.ts';
import { same } from '../../../model/same.ts';
import { own } from '../yaml.ts';

/** The sections that HolmesGPT reads. */
export const SECTIONS = ['toolsets', 'mcp_servers'] as const;

/** A version of the file, with the documents that it is made of. */
export interface Version {
  readonly generated: Mapping;
  readonly handWritten: Mapping;
  /** The merged document. */
  readonly merged: Mapping;
}

/**
 * The hand-written part of an edited file, as a patch to the generated document: everything that was changed or removed
 * since the last write, and the earlier hand-written text that still stands.
 */
export function changedBy(edited: Mapping, { generated, handWritten, merged }: Version): Mapping {
  const keys = new Set([...Object.keys(handWritten), ...Object.keys(merged), ...Object.keys(edited)]);
  return Object.fromEntries(
    [...keys].flatMap((key): [string, unknown][] => {
      const kept: [string, unknown][] = Object.hasOwn(handWritten, key) ? [[key, handWritten[key]]] : [];
      const now = own(edited, key);
      const before = own(merged, key);
      if (Object.hasOwn(edited, key) === Object.hasOwn(merged, key) && same(now, before)) return kept;
      if (!Object.hasOwn(edited, key)) {
        // What neither text has was added when they were joined.
        const isOurs = Object.hasOwn(generated, key) || !Object.hasOwn(handWritten, key);
        return isOurs ? [[key, null]] : [];
      }
      if (!isMapping(now)) return [[key, now]];
      const below = own(generated, key);
      const mine = own(handWritten, key);
      const underneath = mappingOf(below);
      const part = changedBy(now, {
        generated: underneath,
        handWritten: mappingOf(mine),
        // A value that was removed or was no mapping is compared with the generated value.
        merged: isMapping(before) ? before : underneath,
      });
      const needed = Object.keys(part).length > 0 || kept.length > 0 || !isMapping(below);
      return needed ? [[key, part]] : [];
    }),
  );
}

/**
 * The hand-written part of a file that replaced the merged one: everything except generated entries that did not change.
 * Earlier hand-written entries that did not change keep their original text.
 */
export function replacedBy(file: Mapping, { handWritten, merged }: Version): Mapping {
  return Object.fromEntries(
    Object.entries(file).map(([section, entries]) => {
      if (!SECTIONS.some((name) => name === section) || !isMapping(entries)) return [section, entries];
      const last = own(merged, section);
      const mine = own(handWritten, section);
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
 * The sections that HolmesGPT reads, without empty ones and `null`. It ignores all other keys, which may hold YAML anchors.
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
