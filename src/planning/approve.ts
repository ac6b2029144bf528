import {
  type Document,
  isMap,
  isNode,
  isScalar,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { isMapping, type Mapping } from '../model/mapping.ts';
import type { ApprovalWord, ToolOverride } from '../model/overrides.ts';
import { same } from '../model/same.ts';
import { NO_TOOLS_SHOWN } from './tools-shown.ts';

/** A Service, by namespace and name. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** The text with the approval, or why it cannot be changed and what to write by hand. */
export type Approved = { readonly text: string } | { readonly fault: string };

const parse = (text: string): Document.Parsed =>
  parseDocument(text, { prettyErrors: false, logLevel: 'error' });

/** The JSON value of a document. An empty text is an empty mapping. Overrides with too many aliases are not valid. */
const contentOf = (document: Document): unknown => document.toJS({ maxAliasCount: -1 }) ?? {};

const toolsIn = (content: unknown): unknown => (isMapping(content) ? content.tools : undefined);

/** The key of this Service in overrides: the existing one, or the one to add. */
function keyOfService(tools: unknown, { namespace, name }: ServiceName): string {
  const key = `${namespace}/${name}`;
  const legacy = `${name}.${namespace}`;
  const has = (each: string): boolean => isMapping(tools) && Object.hasOwn(tools, each);
  return !has(key) && has(legacy) ? legacy : key;
}

/** One field of an approval, with its value. */
type Field = readonly [
  name: keyof Pick<ToolOverride, 'approved' | 'approvedTools'>,
  value: ApprovalWord | string,
];

/** The desired content: the content before, with this field. */
function desiredContent(before: unknown, key: string, [name, value]: Field): Mapping | undefined {
  if (!isMapping(before)) return undefined;
  const tools = before.tools ?? {};
  if (!isMapping(tools)) return undefined;
  const tool = tools[key] ?? {};
  if (!isMapping(tool)) return undefined;
  return { ...before, tools: { ...tools, [key]: { ...tool, [name]: value } } };
}

/** A node with a place of its own in the text. All but aliases have one. */
type Placed<T> = T & { range: [number, number, number] };
type Word = Placed<Scalar>;
type Mapped = Placed<YAMLMap<Word, unknown>>;

const isMapped = (node: unknown): node is Mapped => isMap(node);
const isWord = (node: unknown): node is Word => isScalar(node);

const pairOf = (map: Mapped, key: string): Pair<Word, unknown> | undefined =>
  map.items.find((item) => isScalar(item.key) && item.key.value === key);

/** The indentation of the items of a block mapping; undefined if the first one does not start its line. */
function indentOf(text: string, map: Mapped): string | undefined {
  const start = map.items[0]?.key.range[0];
  if (start === undefined) return undefined;
  const before = text.slice(text.lastIndexOf('\n', start - 1) + 1, start);
  return /^ *$/.test(before) ? before : undefined;
}

/** Inserts lines after the last line of a node. */
function insertLines(text: string, end: number, lines: readonly string[]): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const content = text.slice(0, end).trimEnd().length;
  const newline = text.indexOf('\n', content);
  const appendToMapping = lines.join(eol);
  if (newline < 0) return `${text}${text === '' ? '' : eol}${appendToMapping}${eol}`;
  return `${text.slice(0, newline + 1)}${appendToMapping}${eol}${text.slice(newline + 1)}`;
}

const replaceRange = (text: string, [start, end]: readonly [number, number], by: string): string =>
  `${text.slice(0, start)}${by}${text.slice(end)}`;

/** Formats nested keys with a field as lines of a block mapping. */
const blockLines = (indent: string, keys: readonly string[], line: string): string[] => [
  ...keys.map((key, depth) => `${indent}${'  '.repeat(depth)}${key}:`),
  `${indent}${'  '.repeat(keys.length)}${line}`,
];

/** Formats nested keys with a field as one item of a flow mapping. */
const flowItem = (keys: readonly string[], line: string): string =>
  keys.reduceRight((inner, key) => `${key}: { ${inner} }`, line);

/** Appends an item to a flow mapping. */
function appendToFlow(text: string, map: Mapped, item: string): string | undefined {
  const [start, end] = map.range;
  const last = map.items.at(-1);
  if (last !== undefined) {
    const at = isNode(last.value) ? last.value.range?.[1] : undefined;
    return at === undefined ? undefined : replaceRange(text, [at, at], `, ${item}`);
  }
  const inside = text.slice(start + 1, end - 1);
  return inside.trim() === '' ? replaceRange(text, [start + 1, end - 1], ` ${item} `) : undefined;
}

/** Appends nested keys with a field to a mapping. */
function added(text: string, map: Mapped, keys: readonly string[], line: string): string | undefined {
  if (map.flow === true) return appendToFlow(text, map, flowItem(keys, line));
  const indent = indentOf(text, map);
  return indent === undefined ? undefined : insertLines(text, map.range[1], blockLines(indent, keys, line));
}

/** Adds nested keys with a field below a key without a value. */
function addBelowEmptyKey(
  text: string,
  map: Mapped,
  { key, value }: { readonly key: Word; readonly value: Word },
  keys: readonly string[],
  line: string,
): string | undefined {
  const [start, end] = value.range;
  if (end > start) return replaceRange(text, [start, end], `{ ${flowItem(keys, line)} }`);
  const indent = indentOf(text, map);
  const [, after] = key.range;
  return indent === undefined ? undefined : insertLines(text, after, blockLines(`${indent}  `, keys, line));
}

/**
 * Sets a field in the text, and keeps every other byte.
 * @returns `undefined` if an ancestor is not a plain mapping, such as an alias
 */
function setField(text: string, document: Document, key: string, [name, value]: Field): string | undefined {
  const line = `${name}: ${value}`;
  const path = ['tools', key, name];
  let map: unknown = document.contents;
  if (map === null) return insertLines(text, text.length, blockLines('', path.slice(0, -1), line));
  for (const [depth, step] of path.entries()) {
    if (!isMapped(map)) return undefined;
    const rest = path.slice(depth, -1);
    const pair = pairOf(map, step);
    if (pair === undefined) return added(text, map, rest, line);
    const { value: there } = pair;
    if (depth === path.length - 1) {
      if (!isWord(there)) return undefined;
      const [start, end] = there.range;
      return end === start ? undefined : replaceRange(text, [start, end], String(value));
    }
    // No other scalar is on the way: `desiredContent` knows what to put only into mappings.
    if (isWord(there))
      return addBelowEmptyKey(text, map, { key: pair.key, value: there }, rest.slice(1), line);
    map = there;
  }
  return undefined;
}

/** Sets one field of a Service. `undefined` if that is impossible without other changes. */
function withField(text: string, service: ServiceName, field: Field): string | undefined {
  const document = parse(text);
  const before = contentOf(document);
  const key = keyOfService(toolsIn(before), service);
  const goal = desiredContent(before, key, field);
  if (goal === undefined) return undefined;
  if (same(before, goal)) return text;
  const result = setField(text, document, key, field);
  if (result === undefined) return undefined;
  const again = parse(result);
  return again.errors.length === 0 && same(contentOf(again), goal) ? result : undefined;
}

/**
 * Writes the approval of a Service, or its refusal, into the text of `overrides.yaml`, and keeps every other byte. The
 * result is parsed again, and discarded if it means anything else. Pure.
 * @param text valid overrides
 * @param shown digest of the tools that the user was shown, see `toolsShown`; without it, the existing value stays
 */
export function approve(
  text: string,
  service: ServiceName,
  approved: ApprovalWord,
  shown?: string,
): Approved {
  const word = withField(text, service, ['approved', approved]);
  const tools = toolsIn(contentOf(parse(text)));
  const earlier = isMapping(tools) ? tools[keyOfService(tools, service)] : undefined;
  // The tools that were approved earlier stay approved while the server does not show any.
  const hasEarlier = isMapping(earlier) && earlier.approvedTools !== undefined;
  const isUnneeded = shown === undefined || (shown === NO_TOOLS_SHOWN && hasEarlier);
  const after = word === undefined || isUnneeded ? word : withField(word, service, ['approvedTools', shown]);
  if (after !== undefined) return { text: after };
  const key = keyOfService(toolsIn(contentOf(parse(text))), service);
  const fields = `approved: ${approved}${shown === undefined ? '' : `, approvedTools: ${shown}`}`;
  return {
    fault: `its text cannot be changed without touching the rest of it; write tools: {${key}: {${fields}}} into it`,
  };
}
