import type { ScalarTag, Tags } from 'yaml';
import type * as z from 'zod';
import { didYouMean } from './nearest.ts';
import { keysAbove, keysAt } from './schema-keys.ts';
import { inWords } from './schema-words.ts';
import { isShortPath, pathText, shown, shownMessage } from './visible.ts';
import { FILE, readDocument, type YamlLimits } from './yaml-document.ts';
import { Places } from './yaml-places.ts';

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

/** What is wrong with a text. */
export interface Faults {
  /** In the order of the text, at most `MOST_FAULTS`. */
  readonly faults: readonly Fault[];
  /** How many more there are. */
  readonly more: number;
}

/** Most faults of one text that are described. */
export const MOST_FAULTS = 50;

/** Most keys that are named to one who wrote another. */
const FEW = 12;

/** Each fault as a line of its own, and at the end how many more there are. */
export function faultLines({ faults, more }: Faults, line: (fault: Fault) => string): string[] {
  const lines = faults.map(line);
  return more === 0 ? lines : [...lines, `and ${more} more`];
}

/** What is wrong with a key that a schema does not have, and which one was meant or where it belongs. */
function unknownKey(schema: z.ZodType<unknown>, path: readonly PropertyKey[], key: string): string {
  const [above] = keysAbove(schema, path, key);
  const known = keysAt(schema, path);
  const meant =
    above !== undefined
      ? `; it belongs under ${pathText([...path, above])}`
      : didYouMean(key, known) ||
        (known.length > 0 && known.length <= FEW ? `; there are ${known.join(', ')}` : '');
  return `unknown key "${shown(key)}"${meant}`;
}

/** PyYAML, which reads YAML 1.1 where we do, takes `y` and `n` for texts; its other words for truth are the standard's. */
function asPyYaml(tags: Tags): Tags {
  return tags.flatMap((tag): Tags => {
    if (typeof tag !== 'object') return [tag];
    // The library reads these in time that grows with their square.
    if (/:(omap|pairs|set)$/.test(tag.tag)) return [];
    if (tag.tag !== 'tag:yaml.org,2002:bool' || !('test' in tag)) return [tag];
    return [{ ...(tag as ScalarTag), test: new RegExp(`^(?![YyNn]$)(?:${tag.test?.source})`) }];
  });
}

export interface ReadOptions {
  /** What reading may cost; that of a file on one's own disk unless given. */
  readonly limits?: YamlLimits;
  /** Version of YAML, 1.2 unless given; in 1.1, as PyYAML reads it, `no` is a truth value and `2024-01-01` a date. */
  readonly version?: '1.1' | '1.2';
}

/** One thing that a schema says of a value; of keys that it does not know, each by itself. */
interface Said {
  readonly issue: z.core.$ZodIssue;
  readonly key?: string;
}

function* saidBy(issues: readonly z.core.$ZodIssue[]): Generator<Said> {
  for (const issue of issues)
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) yield { issue, key };
    else yield { issue };
}

/**
 * Reads a YAML text and checks it against a schema. Work is in proportion to the text, up to the limits.
 * @returns the value, or the faults with their places
 */
export function readYaml<T>(
  text: string,
  schema: z.ZodType<T>,
  options?: ReadOptions,
): { readonly value: T } | Faults {
  const read = readPlacedYaml(text, schema, options);
  return 'faults' in read ? read : { value: read.value };
}

/**
 * As `readYaml`, for what is checked further once the schema is fulfilled.
 * @returns the value, and where in the text something of it stands; or the faults with their places
 */
export function readPlacedYaml<T>(
  text: string,
  schema: z.ZodType<T>,
  { limits = FILE, version = '1.2' }: ReadOptions = {},
): { readonly value: T; readonly placeOf: (path: readonly PropertyKey[]) => Place } | Faults {
  const read = readDocument(text, limits, { version, customTags: version === '1.1' ? asPyYaml : null });
  const { document, lines } = read;
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (read.faults.length > 0) {
    const faults = read.faults
      .slice(0, MOST_FAULTS)
      .map(({ offset, message }) => ({ ...at(offset), message: shownMessage(message) }));
    return { faults, more: read.faults.length - faults.length };
  }
  const result = schema.safeParse(document.toJS({ maxAliasCount: -1 }), { error: inWords });
  const places = new Places(document);
  if (result.success)
    return {
      value: result.data,
      placeOf: (path) => at(typeof path.at(-1) === 'string' ? places.key(path) : places.value(path)),
    };
  const faultOf = ({ issue, key }: Said): Fault => {
    const path = key === undefined ? issue.path : [...issue.path, key];
    const isKey = key !== undefined || issue.code === 'invalid_key';
    const name = pathText(issue.path);
    const message =
      key !== undefined
        ? unknownKey(schema, issue.path, key)
        : issue.code === 'invalid_key'
          ? issue.issues.map((inner) => inner.message).join(', ')
          : issue.message;
    return {
      ...at(isKey ? places.key(path) : places.value(path)),
      message: name === '' ? message : `${name}: ${message}`,
      ...(isShortPath(path) ? { path } : {}),
    };
  };
  const said = [...saidBy(result.error.issues)];
  const faults = said.slice(0, MOST_FAULTS).map(faultOf);
  return {
    faults: faults.sort((a, b) => a.line - b.line || a.column - b.column),
    more: said.length - faults.length,
  };
}
