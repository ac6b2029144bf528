import { type Document, isMap, isScalar, type Pair, parseDocument, type Scalar, type YAMLMap } from 'yaml';
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

const isBlock = (node: unknown): node is YAMLMap<Scalar, unknown> & { range: [number, number, number] } =>
  isMap(node) &&
  node.flow !== true &&
  node.items.length > 0 &&
  node.range !== undefined &&
  node.range !== null;

const pairOf = (map: YAMLMap<Scalar, unknown>, key: string): Pair<Scalar, unknown> | undefined =>
  map.items.find((item) => isScalar(item.key) && item.key.value === key);

/** Where an item of a block mapping begins in its line: the indentation of the next one. */
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

/** Puts the words where they belong and leaves every other byte; nothing where the text is of another style. */
function spliced(text: string, document: Document, key: string, [name, value]: Field): string | undefined {
  const line = `${name}: ${value}`;
  const entry = (indent: string): string[] => [`${indent}${key}:`, `${indent}  ${line}`];
  const root = document.contents;
  if (root === null) return inserted(text, text.length, ['tools:', ...entry('  ')]);
  if (!isBlock(root)) return undefined;
  const tools = pairOf(root, 'tools');
  if (tools === undefined) {
    const indent = indentOf(text, root);
    if (indent === undefined) return undefined;
    return inserted(text, root.range[1], [`${indent}tools:`, ...entry(`${indent}  `)]);
  }
  if (isScalar(tools.value) && tools.value.value === null)
    return inserted(text, tools.key.range?.[1] ?? 0, entry(`${indentOf(text, root) ?? ''}  `));
  if (!isBlock(tools.value)) return undefined;
  const indent = indentOf(text, tools.value);
  const tool = pairOf(tools.value, key);
  if (tool === undefined)
    return indent === undefined ? undefined : inserted(text, tools.value.range[1], entry(indent));
  if (!isBlock(tool.value)) return undefined;
  const field = pairOf(tool.value, name)?.value;
  if (isScalar(field) && field.range)
    return `${text.slice(0, field.range[0])}${value}${text.slice(field.range[1])}`;
  const below = indentOf(text, tool.value);
  return below === undefined ? undefined : inserted(text, tool.value.range[1], [`${below}${line}`]);
}

/** As `spliced`, for any style; what it touches is written anew, with its comments. */
function rewritten(text: string, key: string, [name, value]: Field): string | undefined {
  const document = parsed(text);
  try {
    if (document.get('tools') === null) document.set('tools', document.createNode({}));
    document.setIn(['tools', key, name], value);
    const result = document.toString({ lineWidth: 0, flowCollectionPadding: true });
    return text.includes('\r\n') ? result.replace(/\r?\n/g, '\r\n') : result;
  } catch {
    // An alias or a scalar stands where a mapping should.
    return undefined;
  }
}

/** What of a text is for people only, in the order in which it stands there. */
const comments = (text: string): string[] => (text.match(/#.*/g) ?? []).map((comment) => comment.trim());

const keeps = (before: string, after: string): boolean => {
  const left = comments(after);
  return comments(before).every((comment) => left.includes(comment));
};

/** The text in which one field of a Service has this value; undefined where that cannot be written. */
function withField(text: string, service: ServiceName, field: Field): string | undefined {
  const document = parsed(text);
  const before = contentOf(document);
  const key = keyIn(isMapping(before) ? before.tools : undefined, service);
  const goal = wanted(before, key, field);
  if (goal === undefined || same(before, goal)) return goal && text;
  for (const write of [() => spliced(text, document, key, field), () => rewritten(text, key, field)]) {
    const result = write();
    if (result === undefined || !keeps(text, result)) continue;
    const again = parsed(result);
    if (again.errors.length === 0 && same(contentOf(again), goal)) return result;
  }
  return undefined;
}

/**
 * The text of `overrides.yaml` in which a Service is approved, or not any more. Whatever else stands there stays, with its
 * comments: each way to write it is read back, and one that would say anything else is not taken. Pure.
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
