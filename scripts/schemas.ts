/** The JSON Schemas in `schemas/`, for validation and completion in editors. They are generated from the program's schemas. */

import type { PhrasingContent } from 'mdast';
import { toString as textOf } from 'mdast-util-to-string';
import { visit } from 'unist-util-visit';
import * as z from 'zod';
import { configFileSchema } from '../src/config/file.ts';
import type { Setting } from '../src/config/setting.ts';
import { SETTING_NAMES, SETTINGS } from '../src/config/setting-table.ts';
import { MAYBE_PART } from '../src/model/part.ts';
import { detectorSchema } from '../src/outputs/detector-schema.ts';
import { overridesSchema } from '../src/outputs/overrides-schema.ts';
import { parseMarkdown } from './markdown.ts';
import { CONFIG, DETECTOR, OVERRIDES, type Texts } from './schema-texts.ts';

interface Node {
  readonly properties?: Record<string, Node>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly allOf?: readonly Node[];
  description?: string;
  [keyword: string]: unknown;
}

/** Rules that zod checks in code and that a JSON Schema can express, by place. */
type Rules = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Calls back with each part of a schema and its place, inner parts first: `*` is any key, `[]` any item. */
function eachPart(node: Node, place: string, call: (node: Node, place: string) => void): void {
  eachPartBelow(node, place, call);
  call(node, place);
}

function eachPartBelow(node: Node, place: string, call: (node: Node, place: string) => void): void {
  const below = (key: string): string => (place === '' ? key : `${place}.${key}`);
  for (const [key, value] of Object.entries(node.properties ?? {})) eachPart(value, below(key), call);
  if (typeof node.additionalProperties === 'object') eachPart(node.additionalProperties, below('*'), call);
  if (node.items !== undefined) eachPart(node.items, `${place}[]`, call);
  for (const branch of [...(node.anyOf ?? []), ...(node.allOf ?? [])]) eachPartBelow(branch, place, call);
}

/** The texts of a page's tables of fields, by field. */
function tableTexts(file: string, below = ''): Texts {
  const texts: Record<string, string> = {};
  visit(parseMarkdown(file), 'table', ({ children: [header, ...rows] }) => {
    if (!/^(field|option)$/.test(textOf(header?.children[0]))) return;
    for (const { children } of rows) {
      const [names, meaning] = children;
      for (const name of names?.children ?? [])
        if (name.type === 'inlineCode')
          texts[below + name.value] = sentence(cellText(meaning?.children ?? []));
    }
  });
  return texts;
}

/** Converts a table cell for editors: code stays code, links become text. */
const cellText = (nodes: readonly PhrasingContent[]): string =>
  nodes.map((node) => (node.type === 'inlineCode' ? `\`${node.value}\`` : textOf(node))).join('');

const sentence = (text: string): string =>
  `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;

/** Properties without a text, and texts and rules without a property, one line each. */
const faults: string[] = [];

/** Converts a zod schema for editors: draft 7, which all of them support. */
function schemaOf(name: string, title: string, schema: z.ZodType, texts: Texts, rules: Rules): Node {
  const made = z.toJSONSchema(schema, { io: 'input', target: 'draft-07' }) as Node;
  const unused = new Set([...Object.keys(texts), ...Object.keys(rules)]);
  eachPart(made, '', (node, place) => {
    const text = texts[place];
    const isProperty = place !== '' && !/(\*|\[\])$/.test(place);
    if (isProperty) {
      if (text === undefined) faults.push(`${name}: scripts/schema-texts.ts has no text for ${place}`);
      else node.description = text;
    }
    Object.assign(node, rules[place]);
    unused.delete(place);
  });
  for (const place of unused) faults.push(`${name}: there is nothing at ${place}`);
  const { $schema, ...rest } = made;
  return { $schema, $id: `urn:dynamic-toolset:schema:${name}`, title, ...rest };
}

/** The schema of a setting in the configuration file, which accepts strings, numbers and booleans. */
function settingSchema({ form, description: says, defaultText: preset }: Setting<unknown>): Node {
  const description = sentence(`${says}${preset === '' ? '' : `. Default: ${preset}`}`);
  if (form.words?.includes('true') === true) return { description, enum: [true, false, 'true', 'false'] };
  if (form.words !== undefined) return { description, enum: [...form.words] };
  const [, minimum, maximum] = /^(\d+) to (\d+)$/.exec(form.range) ?? [];
  if (form.placeholder === 'number' && minimum !== undefined && maximum !== undefined)
    return {
      description,
      anyOf: [
        { type: 'integer', minimum: Number(minimum), maximum: Number(maximum) },
        { type: 'string', pattern: '^\\d+$' },
      ],
    };
  const one = { type: ['string', 'number', 'boolean'] };
  return { description, anyOf: [one, { type: 'array', items: { type: 'string' } }] };
}

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';

function overrides(): Node {
  const texts = { ...OVERRIDES, ...tableTexts('docs/overrides.md', 'tools.*.') };
  return schemaOf('overrides', 'overrides.yaml of Dynamic Toolset', overridesSchema, texts, {
    // An empty file changes nothing.
    '': { type: ['object', 'null'] },
    tools: {
      propertyNames: { minLength: 1, maxLength: 253, pattern: `^([^/]+|${LABEL}/${LABEL}${MAYBE_PART})$` },
    },
    'tools.*.endpoint': {
      pattern: '^(https?://[^/?#@]+|tcp://[^/?#@]+:\\d+)(/[^?#]*)?$',
    },
  });
}

function detector(): Node {
  const texts = { ...DETECTOR, ...tableTexts('docs/detectors.md') };
  return schemaOf('detector', 'A detector of Dynamic Toolset', detectorSchema, texts, {
    'signals[]': { minProperties: 2 },
    'exclude[]': { minProperties: 2 },
    'paths[].when': { minProperties: 1 },
  });
}

function config(): Node {
  const settings = Object.fromEntries(SETTING_NAMES.map((name) => [name, settingSchema(SETTINGS[name])]));
  const told = Object.fromEntries(
    Object.entries(settings).map(([name, { description = '' }]) => [name, description]),
  );
  const texts = { ...CONFIG, ...tableTexts('docs/configuration.md', 'detectors.*.'), ...told };
  const kinds = ['apiKey', 'bearerToken', 'username', 'headers', 'agentToken'];
  const made = schemaOf('config', 'Configuration file of Dynamic Toolset', configFileSchema, texts, {
    credentials: { patternProperties: { '^[^/]+$': { required: ['namespaces'] } } },
    'credentials.*': {
      anyOf: kinds.map((kind) => ({ required: [kind] })),
      dependencies: { username: ['password'], password: ['username'] },
    },
    'credentials.*.headers': { minProperties: 1 },
  });
  return { ...made, properties: { ...made.properties, ...settings } };
}

/** The files, by name relative to the repository. Ends the process if a property has no text, or a text no property. */
export function schemaFiles(): ReadonlyMap<string, string> {
  const all = { overrides: overrides(), config: config(), detector: detector() };
  if (faults.length > 0) {
    process.stderr.write(`${faults.join('\n')}\n`);
    process.exit(1);
  }
  return new Map(
    Object.entries(all).map(([name, schema]) => [
      `schemas/${name}.schema.json`,
      `${JSON.stringify(schema, undefined, 2)}\n`,
    ]),
  );
}
