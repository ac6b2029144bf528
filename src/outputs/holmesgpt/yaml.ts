import { type Document, isMap, type Pair, parseDocument, type Tags, type YAMLMap } from 'yaml';
import { encodingFault } from '../../model/binary-text.ts';
import { isMapping, type Mapping } from '../../model/mapping.ts';
import { pyYamlTags } from '../../model/pyyaml.ts';
import { same } from '../../model/same.ts';
import { shownMessage } from '../../model/visible.ts';
import { LARGE, readDocument } from '../../model/yaml-document.ts';
import { holmesText } from './render/text.ts';

/** The value of an own property. Documents may have keys such as `constructor`. */
export const own = (map: unknown, key: string): unknown =>
  isMapping(map) && Object.hasOwn(map, key) ? map[key] : undefined;

/** Tags for types other than texts, numbers, lists and mappings. Without them a date stays a text. */
const NOT_READ = /:(timestamp|binary)$/;

/** HolmesGPT reads with PyYAML, which implements YAML 1.1: `yes` is true, and `<<` merges. */
const OPTIONS = {
  version: '1.1',
  customTags: (tags: Tags) =>
    pyYamlTags(tags).filter((tag) => typeof tag === 'string' || !NOT_READ.test(tag.tag)),
} as const;

/** Whether JSON and any version of YAML can represent a value exactly. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'number')
    return Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value));
  if (Array.isArray(value)) return value.every(isPlain);
  if (isMapping(value)) return Object.values(value).every(isPlain);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

/** A YAML mapping as HolmesGPT would read it. A blank text is an empty mapping. */
export type MappingText =
  | { readonly value: Mapping; readonly document: Document }
  | {
      /** The reason, in words for the operator. */
      readonly fault: string;
    };

/** Parses a YAML text that must be a mapping. Never throws because of the content. */
export function readMapping(text: string): MappingText {
  const unreadable = encodingFault(text);
  if (unreadable !== undefined)
    return { fault: `line ${unreadable.line}, column ${unreadable.column}: ${unreadable.message}` };
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

/** The pair of a key and a value with the quotes that PyYAML needs. */
function pairOf(key: string, value: unknown): Pair {
  const { contents } = parseDocument(holmesText({ [key]: value }), { ...OPTIONS, uniqueKeys: false });
  return (contents as YAMLMap.Parsed).items[0] as Pair;
}

function edit(map: YAMLMap, from: Mapping, to: Mapping): void {
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) map.delete(key);
  for (const [key, value] of Object.entries(to)) {
    const before = own(from, key);
    if (Object.hasOwn(from, key) && same(before, value)) continue;
    const node = map.get(key, true);
    if (isMapping(before) && isMapping(value) && isMap(node)) edit(node, before, value);
    else map.add(pairOf(key, value), true);
  }
}

/** Updates the value in a text; unchanged parts keep their formatting and comments. */
export function edited(text: string, value: Mapping): string {
  const read = readMapping(text);
  if ('value' in read) {
    if (same(read.value, value)) return text;
    const { document } = read;
    try {
      if (!isMap(document.contents)) document.contents = document.createNode({});
      edit(document.contents as YAMLMap, read.value, value);
      const result = document.toString({ lineWidth: 0 });
      const again = readMapping(result);
      if ('value' in again && same(again.value, value)) return result;
    } catch {
      // An alias without its anchor, or a key from `<<`: write the whole value.
    }
  }
  return holmesText(value);
}
