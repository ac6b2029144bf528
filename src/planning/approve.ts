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

/** A Service, by namespace and name. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** The text with the approvals in it, or what stands in the way and what to type by hand. */
export type Approved = { readonly text: string } | { readonly fault: string };

const parsed = (text: string): Document.Parsed =>
  parseDocument(text, { prettyErrors: false, logLevel: 'error' });

/** The value of a text as JSON has it; an empty text is an empty mapping. */
const contentOf = (document: Document): unknown => document.toJS({ maxAliasCount: 100 }) ?? {};

/** The key under which overrides have this Service, or shall have it. */
function keyIn(tools: unknown, { namespace, name }: ServiceName): string {
  const key = `${namespace}/${name}`;
  const legacy = `${name}.${namespace}`;
  const has = (each: string): boolean => isMapping(tools) && Object.hasOwn(tools, each);
  return !has(key) && has(legacy) ? legacy : key;
}

/** One field that an approval consists of, with its value. */
type Field = readonly [
  name: keyof Pick<ToolOverride, 'approved' | 'approvedTools'>,
  value: ApprovalWord | string,
];

/** What the text is to say: the same as before, and this. */
function wanted(before: unknown, key: string, [name, value]: Field): Mapping | undefined {
  if (!isMapping(before)) return undefined;
  const tools = before.tools ?? {};
  const tool = isMapping(tools) ? (tools[key] ?? {}) : undefined;
  if (!isMapping(tools) || !isMapping(tool)) return undefined;
  return { ...before, tools: { ...tools, [key]: { ...tool, [name]: value } } };
}

type Mapped = YAMLMap<Scalar, unknown> & { range: [number, number, number] };

/** Whether a node is a mapping with a place in the text; a merged or aliased one has none of its own. */
const isPlaced = (node: unknown): node is Mapped =>
  isMap(node) && node.range !== undefined && node.range !== null;

const pairOf = (map: YAMLMap<Scalar, unknown>, key: string): Pair<Scalar, unknown> | undefined =>
  map.items.find((item) => isScalar(item.key) && item.key.value === key);

/** The indentation of the items of a block mapping; undefined if the first one does not start its line. */
function indentOf(text: string, map: YAMLMap<Scalar, unknown>): string | undefined {
  const start = map.items[0]?.key.range?.[0];
  if (start === undefined) return undefined;
  const before = text.slice(text.lastIndexOf('\n', start - 1) + 1, start);
  return /^ *$/.test(before) ? before : undefined;
}

/** The text with lines put behind the last line of a node. */
function inserted(text: string, end: number, lines: readonly string[]): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const content = text.slice(0, end).replace(/\s+$/, '').length;
  const newline = text.indexOf('\n', content);
  const added = lines.join(eol);
  if (newline < 0) return `${text}${text === '' ? '' : eol}${added}${eol}`;
  return `${text.slice(0, newline + 1)}${added}${eol}${text.slice(newline + 1)}`;
}

const replaced = (text: string, [start, end]: readonly [number, number], by: string): string =>
  `${text.slice(0, start)}${by}${text.slice(end)}`;

/** Keys in one another, and a field at the end, as lines of a block mapping. */
const blockLines = (indent: string, keys: readonly string[], line: string): string[] => [
  ...keys.map((key, depth) => `${indent}${'  '.repeat(depth)}${key}:`),
  `${indent}${'  '.repeat(keys.length)}${line}`,
];

/** The same as one item of a flow mapping. */
const flowItem = (keys: readonly string[], line: string): string =>
  keys.reduceRight((inner, key) => `${key}: { ${inner} }`, line);

/** The text with one item more in a flow mapping, behind the last one. */
function insertedInFlow(text: string, map: Mapped, item: string): string | undefined {
  const [start, end] = map.range;
  const last = map.items.at(-1);
  if (last !== undefined) {
    const at = isNode(last.value) ? last.value.range?.[1] : undefined;
    return at === undefined ? undefined : replaced(text, [at, at], `, ${item}`);
  }
  const inside = text.slice(start + 1, end - 1);
  return inside.trim() === '' ? replaced(text, [start + 1, end - 1], ` ${item} `) : undefined;
}

/** The text with keys in one another, and a field at the end, behind the items of a mapping. */
function added(text: string, map: Mapped, keys: readonly string[], line: string): string | undefined {
  if (map.flow === true) return insertedInFlow(text, map, flowItem(keys, line));
  const indent = indentOf(text, map);
  return indent === undefined ? undefined : inserted(text, map.range[1], blockLines(indent, keys, line));
}

/** The text with keys in one another, and a field at the end, below a key of a mapping that has no value. */
function below(
  text: string,
  map: Mapped,
  { key, value }: Pair<Scalar, unknown>,
  keys: readonly string[],
  line: string,
): string | undefined {
  const [start = 0, end = 0] = (isScalar(value) ? value.range : undefined) ?? [];
  if (end > start) return replaced(text, [start, end], `{ ${flowItem(keys, line)} }`);
  const indent = map.flow === true ? undefined : indentOf(text, map);
  const after = key.range?.[1];
  if (indent === undefined || after === undefined) return undefined;
  return inserted(text, after, blockLines(`${indent}  `, keys, line));
}

/**
 * Puts a field where it belongs and leaves every other byte.
 * @returns undefined where something else than a mapping is on the way, such as an alias
 */
function spliced(text: string, document: Document, key: string, [name, value]: Field): string | undefined {
  const line = `${name}: ${value}`;
  const path = ['tools', key, name];
  let map: unknown = document.contents;
  if (map === null) return inserted(text, text.length, blockLines('', path.slice(0, -1), line));
  for (const [depth, step] of path.entries()) {
    if (!isPlaced(map)) return undefined;
    const rest = path.slice(depth, -1);
    const pair = pairOf(map, step);
    if (pair === undefined) return added(text, map, rest, line);
    const { value: there } = pair;
    if (depth === path.length - 1) {
      const [start, end] = (isScalar(there) ? there.range : undefined) ?? [];
      return start === undefined || end === undefined || end === start
        ? undefined
        : replaced(text, [start, end], String(value));
    }
    if (there === null || (isScalar(there) && there.value === null))
      return below(text, map, pair, rest.slice(1), line);
    map = there;
  }
  return undefined;
}

/** The text in which one field of a Service has this value; undefined where that cannot be written. */
function withField(text: string, service: ServiceName, field: Field): string | undefined {
  const document = parsed(text);
  const before = contentOf(document);
  const key = keyIn(isMapping(before) ? before.tools : undefined, service);
  const goal = wanted(before, key, field);
  if (goal === undefined || same(before, goal)) return goal && text;
  const result = spliced(text, document, key, field);
  if (result === undefined) return undefined;
  const again = parsed(result);
  return again.errors.length === 0 && same(contentOf(again), goal) ? result : undefined;
}

/**
 * The text of `overrides.yaml` in which a Service is approved, or not any more. Every other byte stays as a person wrote
 * it. The result is read back, and one that would mean anything else is not taken. Pure.
 * @param text fulfils the schema of overrides
 * @param shown which tools the person was shown, see `toolsShown`; without it, what stands there stays
 */
export function approve(
  text: string,
  service: ServiceName,
  approved: ApprovalWord,
  shown?: string,
): Approved {
  const word = withField(text, service, ['approved', approved]);
  const after =
    word === undefined || shown === undefined ? word : withField(word, service, ['approvedTools', shown]);
  if (after !== undefined) return { text: after };
  const content = contentOf(parsed(text));
  const key = keyIn(isMapping(content) ? content.tools : undefined, service);
  const fields = `approved: ${approved}${shown === undefined ? '' : `, approvedTools: ${shown}`}`;
  return {
    fault: `its text cannot be changed without touching the rest of it; write tools: {${key}: {${fields}}} into it`,
  };
}
