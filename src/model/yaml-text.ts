import {
  type Alias,
  type Document,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parseDocument,
  type ScalarTag,
  type Tags,
  visit,
} from 'yaml';
import type * as z from 'zod';
import { didYouMean } from './nearest.ts';
import { keysAbove, keysAt } from './schema-keys.ts';

/** A place in a text and what is wrong there. */
export interface Fault {
  /** Line and column, from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** Where it is in the document, where it is in a value of it. */
  readonly path?: readonly PropertyKey[];
}

/** A place in a text: line and column, from 1. */
export type Place = Pick<Fault, 'line' | 'column'>;

/** Most nodes that aliases may stand for: enough for people, too few for a bomb. */
const ALIASES = 100;

/** Most keys of a mapping that are told to be unknown. */
const MOST_KEYS = 20;

/** Most keys that are named to one who wrote another. */
const FEW = 12;

/** What is wrong with a key that a schema does not have, and which one was meant or where it belongs. */
function unknownKey(schema: z.ZodType<unknown>, path: readonly PropertyKey[], key: string): string {
  const [above] = keysAbove(schema, path, key);
  const known = keysAt(schema, path);
  const meant =
    above !== undefined
      ? `; it belongs under ${[...path, above].join('.')}`
      : didYouMean(key, known) ||
        (known.length > 0 && known.length <= FEW ? `; there are ${known.join(', ')}` : '');
  return `unknown key ${JSON.stringify(key.length > 100 ? `${key.slice(0, 100)}\u2026` : key)}${meant}`;
}

/** PyYAML, which reads YAML 1.1 where we do, takes `y` and `n` for texts; its other words for truth are the standard's. */
function asPyYaml(tags: Tags): Tags {
  return tags.map((tag): Tags[number] => {
    if (typeof tag !== 'object' || tag.tag !== 'tag:yaml.org,2002:bool' || !('test' in tag)) return tag;
    return { ...(tag as ScalarTag), test: new RegExp(`^(?![YyNn]$)(?:${tag.test?.source})`) };
  });
}

/** An alias in what it stands for, as in `&a [*a]`, if there is one: that is a value without an end. */
export function endlessAlias(document: Document): Alias | undefined {
  let found: Alias | undefined;
  visit(document, {
    Alias(_, alias, path) {
      const meant = alias.resolve(document);
      if (!path.some((parent) => parent === meant)) return undefined;
      found = alias;
      return visit.BREAK;
    },
  });
  return found;
}

/**
 * Reads a YAML text and checks it against a schema.
 * @returns the value, or every fault with its place
 */
export function readYaml<T>(
  text: string,
  schema: z.ZodType<T>,
): { readonly value: T } | { readonly faults: readonly Fault[] } {
  const read = readPlacedYaml(text, schema);
  return 'faults' in read ? read : { value: read.value };
}

/**
 * As `readYaml`, for what is checked further once the schema is fulfilled.
 * @param version of YAML, 1.2 unless given; in 1.1, as PyYAML reads it, `no` is a truth value and `2024-01-01` a date
 * @returns the value, and where in the text something of it stands; or every fault with its place
 */
export function readPlacedYaml<T>(
  text: string,
  schema: z.ZodType<T>,
  version: '1.1' | '1.2' = '1.2',
):
  | { readonly value: T; readonly placeOf: (path: readonly PropertyKey[]) => Place }
  | { readonly faults: readonly Fault[] } {
  const counter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: counter,
    prettyErrors: false,
    // What it would say goes to standard error, which holds our log.
    logLevel: 'error',
    version,
    customTags: version === '1.1' ? asPyYaml : null,
  });
  const at = (offset: number, message: string, path?: readonly PropertyKey[]): Fault => {
    const { line, col } = counter.linePos(offset);
    const place = { line: Math.max(1, line), column: Math.max(1, col), message };
    return path === undefined ? place : { ...place, path };
  };
  if (document.errors.length > 0)
    return { faults: document.errors.map((error) => at(error.pos[0], error.message)) };
  const endless = endlessAlias(document);
  if (endless !== undefined)
    return { faults: [at(endless.range?.[0] ?? 0, `*${endless.source} stands in what it stands for`)] };
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: ALIASES });
  } catch (error) {
    return { faults: [at(0, (error as Error).message)] };
  }
  const result = schema.safeParse(plain);
  /** Where a value stands, or the deepest one on the way to it that is there. */
  const offsetOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  };
  /** Where the key of a mapping stands. */
  const offsetOfKey = (path: readonly PropertyKey[], key: string): number => {
    const map = path.length === 0 ? document.contents : document.getIn(path, true);
    const pair = isMap(map)
      ? map.items.find((item) => isScalar(item.key) && item.key.value === key)
      : undefined;
    return isScalar(pair?.key) && pair.key.range ? pair.key.range[0] : offsetOf(path);
  };
  if (result.success)
    return {
      value: result.data,
      placeOf: (path) => {
        const last = path.at(-1);
        const isKey = typeof last === 'string';
        const { line, column } = at(isKey ? offsetOfKey(path.slice(0, -1), last) : offsetOf(path), '');
        return { line, column };
      },
    };
  const faultOf = (issue: z.core.$ZodIssue, key?: string): Fault => {
    const name = issue.path.map(String).join('.');
    const told = (message: string): string => (name === '' ? message : `${name}: ${message}`);
    if (key !== undefined)
      return at(offsetOfKey(issue.path, key), told(unknownKey(schema, issue.path, key)), [
        ...issue.path,
        key,
      ]);
    if (issue.code !== 'invalid_key') return at(offsetOf(issue.path), told(issue.message), issue.path);
    const offset = offsetOfKey(issue.path.slice(0, -1), String(issue.path.at(-1)));
    return at(offset, told(issue.issues.map(({ message }) => message).join(', ')), issue.path);
  };
  const faults = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.slice(0, MOST_KEYS).map((key) => faultOf(issue, key))
      : [faultOf(issue)],
  );
  return { faults: faults.sort((a, b) => a.line - b.line || a.column - b.column) };
}
