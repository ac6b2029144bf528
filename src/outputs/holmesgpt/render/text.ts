import { load, YAML11_SCHEMA } from 'js-yaml';
import { Document, isScalar, type ScalarTag, type Tags, visit } from 'yaml';
import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { numberText } from '../../../model/pyyaml.ts';
import { escapedYaml, hasInvisible } from '../../../model/visible.ts';
import type { Steps } from '../../../model/yield-every.ts';

/** The serializer may write a text that begins with white space so that it does not read back. */
const BEGINS_BLANK = /^\s/;

/** Maximum characters of remembered texts with their JSON, each of which has most of a file. */
const MAX_REMEMBERED = 2_000_000;

/**
 * The texts of mappings with one key and of lists with one item, by their JSON, the least recently used first. A change of one
 * backend changes one of them, and serializing and parsing all of a large file takes many times as long.
 */
const remembered = new Map<string, string>();
let rememberedSize = 0;

function remember(json: string, text: string): void {
  remembered.set(json, text);
  rememberedSize += json.length + text.length;
  for (const [oldest, { length }] of remembered) {
    if (rememberedSize <= MAX_REMEMBERED) return;
    remembered.delete(oldest);
    rememberedSize -= oldest.length + length;
  }
}

/** The serializer would write 1e-7, which is a text in PyYAML. */
const withNumbers = (tags: Tags): Tags =>
  tags.map((tag) =>
    typeof tag === 'object' && /:(int|float)$/.test(tag.tag)
      ? { ...(tag as ScalarTag), stringify: ({ value }) => numberText(value) }
      : tag,
  );

/** Serializes a document, or a part of it. @throws Error if it does not read back, which is a bug */
function serialized(document: unknown, json: string): string {
  const tree = new Document(document, {
    compat: 'yaml-1.1',
    customTags: withNumbers,
    aliasDuplicateObjects: false,
  });
  visit(tree, {
    Scalar(_, node) {
      if (!isScalar<unknown>(node) || typeof node.value !== 'string') return;
      const { value } = node;
      if (value === '=' || BEGINS_BLANK.test(value) || value.includes('\t') || hasInvisible(value))
        node.type = 'QUOTE_DOUBLE';
    },
  });
  // PyYAML reads some of these characters as line breaks and rejects others.
  const text = escapedYaml(tree.toString({ lineWidth: 0 }));
  if (JSON.stringify(load(text, { schema: YAML11_SCHEMA })) !== json)
    throw new Error('custom_toolset.yaml does not read back as it was meant');
  return text;
}

/** The text of a document, serialized once. */
function textOf(document: unknown): string {
  const json = JSON.stringify(document);
  const known = remembered.get(json);
  if (known === undefined) {
    const text = serialized(document, json);
    remember(json, text);
    return text;
  }
  // Used most recently.
  remembered.delete(json);
  remembered.set(json, known);
  return known;
}

/** Whether a value contains several mappings, at any depth, which are serialized separately. */
function isDivisible(value: unknown): value is Mapping | readonly Mapping[] {
  if (Array.isArray(value))
    return value.length > 1 && value.every((item) => isMapping(item) && Object.keys(item).length > 0);
  if (!isMapping(value)) return false;
  const inner = Object.values(value);
  return inner.filter(isMapping).length > 1 || inner.some(isDivisible);
}

const indented = (text: string, pad: string): string => (pad === '' ? text : text.replace(/^(?=.)/gm, pad));

/**
 * The text of a mapping with one key. Below the key, each line of a mapping or list is two further to the right.
 * @param pad spaces before each line
 */
function entryText(key: string, value: unknown, pad: string): string {
  const head = isDivisible(value) ? textOf({ [key]: 0 }) : '';
  if (!isDivisible(value) || !head.endsWith(': 0\n') || head.startsWith('?'))
    return indented(textOf({ [key]: value }), pad);
  const below = `${pad}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => indented(textOf([item]), below)).join('')
    : mappingText(value as Mapping, below);
  return `${pad}${head.slice(0, -' 0\n'.length)}\n${parts}`;
}

const mappingText = (document: Mapping, pad = ''): string =>
  Object.entries(document)
    .map(([key, value]) => entryText(key, value, pad))
    .join('');

/** The parts of a document that are serialized one by one. */
function* partsOf(document: Mapping): Generator<Mapping | readonly Mapping[]> {
  for (const [key, value] of Object.entries(document))
    if (!isDivisible(value)) yield { [key]: value };
    else if (Array.isArray(value)) for (const item of value) yield [item];
    else yield* partsOf(value as Mapping);
}

/** The same as `holmesText`, in steps. */
export function* holmesTextInSteps(document: Mapping): Steps<string> {
  for (const part of partsOf(document)) {
    // It is remembered for the whole.
    textOf(part);
    yield;
  }
  return holmesText(document);
}

/**
 * Serializes a document as YAML 1.1 for PyYAML, which HolmesGPT uses: `no` and `1:30` stay strings. Another, faster library
 * parses the result for comparison.
 * @throws Error if it does not read back as the document, which is a bug
 */
export const holmesText = (document: unknown): string =>
  isMapping(document) && Object.keys(document).length > 0 ? mappingText(document) : textOf(document);
