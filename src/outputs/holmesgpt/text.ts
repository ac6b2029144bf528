import { load, YAML11_SCHEMA } from 'js-yaml';
import { Document, isScalar, visit } from 'yaml';
import { isMapping } from '../../model/mapping.ts';
import { escapedYaml, hasInvisible } from '../../model/visible.ts';

/** The serializer may write a text that begins with white space so that it does not read back. */
const BEGINS_BLANK = /^\s/;

/** Names that are the same in YAML and in JSON, without quotes. */
const PLAIN_NAME = /^[a-z]{2,}_?[a-z]{4,}$/;

/** Maximum characters of remembered texts. A file has at most half a million. */
const MAX_REMEMBERED = 1_000_000;

/**
 * The texts of mappings with one key, by their JSON, the least recently used first. A change of one backend changes one
 * toolset, and serializing and parsing all of a large file takes many times as long.
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

/** Serializes a document, or a part of it. @throws Error if it does not read back, which is a bug */
function serialized(document: unknown, json: string): string {
  const tree = new Document(document, { compat: 'yaml-1.1', aliasDuplicateObjects: false });
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

/** The text of a mapping with one key. */
function entryText(key: string, value: unknown): string {
  const entry = { [key]: value };
  const json = JSON.stringify(entry);
  const known = remembered.get(json);
  if (known === undefined) {
    const text = serialized(entry, json);
    remember(json, text);
    return text;
  }
  // Used most recently.
  remembered.delete(json);
  remembered.set(json, known);
  return known;
}

/** The text of a mapping in a mapping with a plain name: each line of its entries is two further to the right. */
function sectionText(key: string, section: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(section).map(([name, value]) => entryText(name, value));
  return `${key}:\n${entries.join('').replace(/^(?=.)/gm, '  ')}`;
}

/**
 * Serializes a document as YAML 1.1 for PyYAML, which HolmesGPT uses: `no` and `1:30` stay strings. Another, faster library
 * parses the result for comparison.
 * @throws Error if it does not read back as the document, which is a bug
 */
export function holmesText(document: unknown): string {
  if (!isMapping(document) || Object.keys(document).length === 0)
    return serialized(document, JSON.stringify(document));
  return Object.entries(document)
    .map(([key, value]) =>
      isMapping(value) && Object.keys(value).length > 0 && PLAIN_NAME.test(key)
        ? sectionText(key, value)
        : entryText(key, value),
    )
    .join('');
}
