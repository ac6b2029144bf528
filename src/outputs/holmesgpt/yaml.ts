import { Document, isMap, type Tags } from 'yaml';
import { isMapping, type Mapping } from '../../model/mapping.ts';
import { same } from '../../model/same.ts';
import { shownMessage } from '../../model/visible.ts';
import { LARGE, readDocument } from '../../model/yaml-document.ts';

/** A key's value if it is the mapping's own: `constructor` is not. */
export const own = (map: unknown, key: string): unknown =>
  isMapping(map) && Object.hasOwn(map, key) ? map[key] : undefined;

/** Tags of YAML 1.1 that give more than texts, numbers, lists and mappings. A date stays the text that it is. */
const NOT_READ = /:(timestamp|binary|omap|pairs|set)$/;

/** HolmesGPT reads with PyYAML, which is YAML 1.1: `yes` is true, and `<<` merges. */
const OPTIONS = {
  version: '1.1',
  customTags: (tags: Tags) => tags.filter((tag) => typeof tag === 'string' || !NOT_READ.test(tag.tag)),
} as const;

/** Whether a value can stand in any YAML and JSON as it is. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'number')
    return Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value));
  if (Array.isArray(value)) return value.every(isPlain);
  if (isMapping(value)) return Object.values(value).every(isPlain);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

/** A text that holds a mapping, as HolmesGPT would read it; a blank one holds an empty mapping. */
export type MappingText =
  | { readonly value: Mapping; readonly document: Document }
  | {
      /** What is wrong with it, in words for a person. */
      readonly fault: string;
    };

/** Reads a YAML text whose whole is a mapping. Never throws for what the text holds. */
export function readMapping(text: string): MappingText {
  const { document, lines, faults } = readDocument(text, LARGE, OPTIONS);
  const [fault] = faults;
  if (fault !== undefined) {
    const { line, col } = lines.linePos(fault.offset);
    return { fault: `line ${line}, column ${col}: ${shownMessage(fault.message)}` };
  }
  const value: unknown = document.toJS({ maxAliasCount: -1 });
  if (value === null || value === undefined) return { value: {}, document };
  if (!isMapping(value)) return { fault: 'it is not a mapping with toolsets or mcp_servers' };
  if (!isPlain(value)) return { fault: 'it holds a number that cannot be kept exactly; put it in quotes' };
  return { value, document };
}

function edit(document: Document, path: readonly string[], from: Mapping, to: Mapping): void {
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) document.deleteIn([...path, key]);
  for (const [key, value] of Object.entries(to)) {
    const here = [...path, key];
    const before = own(from, key);
    if (Object.hasOwn(from, key) && same(before, value)) continue;
    if (isMapping(before) && isMapping(value) && isMap(document.getIn(here, true)))
      edit(document, here, before, value);
    else document.setIn(here, document.createNode(value, { aliasDuplicateObjects: false }));
  }
}

/** The text with another value; what stays the same stays as it was written, with its comments. */
export function edited(text: string, value: Mapping): string {
  const read = readMapping(text);
  if ('value' in read) {
    if (same(read.value, value)) return text;
    try {
      edit(read.document, [], read.value, value);
      const result = read.document.toString({ lineWidth: 0 });
      const again = readMapping(result);
      if ('value' in again && same(again.value, value)) return result;
    } catch {
      // An alias whose anchor is gone, or a key that came by `<<`: the value is written out below.
    }
  }
  const fresh = new Document(value, { ...OPTIONS, aliasDuplicateObjects: false });
  return fresh.toString({ lineWidth: 0 });
}
