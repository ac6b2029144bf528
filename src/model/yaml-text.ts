import type * as z from 'zod';
import { didYouMean, nearest } from './nearest.ts';
import { pyYamlTags } from './pyyaml.ts';
import { keysAbove, keysAt } from './schema-keys.ts';
import { issueMessage } from './schema-words.ts';
import { isShortPath, pathText, shown, shownMessage } from './visible.ts';
import { FILE, readDocument, type YamlLimits } from './yaml-document.ts';
import { Places } from './yaml-places.ts';

/** An error at a position of a text. */
export interface Fault {
  /** Line and column, from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** The path of the value, if the error is in a value. */
  readonly path?: readonly PropertyKey[];
}

/** A position in a text: line and column, from 1. */
export type Place = Pick<Fault, 'line' | 'column'>;

/** The errors of a text. */
export interface Faults {
  /** In order of position, at most `MAX_FAULTS`. */
  readonly faults: readonly Fault[];
  /** Number of further errors. */
  readonly more: number;
}

/** Maximum reported errors per text. */
export const MAX_FAULTS = 50;

/** Maximum known keys to list after an unknown one. */
const MAX_LISTED_KEYS = 20;

/** Formats each error on its own line, followed by the number of further errors. */
export function faultLines({ faults, more }: Faults, line: (fault: Fault) => string): string[] {
  const lines = faults.map(line);
  return more === 0 ? lines : [...lines, `and ${more} more`];
}

/** White space before a key that YAML does not take for indentation, such as a non-breaking space that was copied from a chat. */
const ODD_SPACE = /^[^\S \t\r\n]/u;

/** A character as Unicode's charts write it, such as `U+00A0`. */
const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** The message for an unknown key, with a suggestion of the right key or the right place. */
function unknownKey(schema: z.ZodType<unknown>, path: readonly PropertyKey[], key: string): string {
  const [above] = keysAbove(schema, path, key);
  const known = keysAt(schema, path);
  const isMisplaced = above !== undefined && nearest(key, known, 1) === undefined;
  const meant = isMisplaced
    ? `; it belongs under ${pathText([...path, above])}`
    : didYouMean(key, known) ||
      (known.length > 0 && known.length <= MAX_LISTED_KEYS ? `; there are ${known.join(', ')}` : '');
  const odd = ODD_SPACE.exec(key)?.[0];
  return odd === undefined
    ? `unknown key "${shown(key)}"${meant}`
    : `unknown key "${shown(key.trim())}" with ${codePoint(odd)} before it, which is no indentation; use plain spaces`;
}

export interface ReadOptions {
  /** Limits of parsing. Default: those of a local file. */
  readonly limits?: YamlLimits;
  /** Version of YAML. Default: 1.2. In 1.1, as PyYAML parses it, `no` is a boolean, `y` a text and `2024-01-01` a date. */
  readonly version?: '1.1' | '1.2';
}

/** One schema issue. Unknown keys are separate issues. */
interface SingleIssue {
  readonly issue: z.core.$ZodIssue;
  readonly key?: string;
}

function* singleIssues(issues: readonly z.core.$ZodIssue[]): Generator<SingleIssue> {
  for (const issue of issues)
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) yield { issue, key };
    else yield { issue };
}

/**
 * Parses a YAML text and validates it against a schema, in linear time and within the limits.
 * @returns the value, or the errors with their positions
 */
export function readYaml<T>(
  text: string,
  schema: z.ZodType<T>,
  options?: ReadOptions,
): { readonly value: T } | Faults {
  const read = readPlacedYaml(text, schema, options);
  return 'faults' in read ? read : { value: read.value };
}

/** A value with a function that finds the positions of its parts in its text. */
export interface PlacedValue<T> {
  readonly value: T;
  readonly placeOf: (path: readonly PropertyKey[]) => Place;
  /** The position of a value, or of its deepest existing ancestor. `placeOf` has the key's, if there is one. */
  readonly valuePlace: (path: readonly PropertyKey[]) => Place;
}

/** A text that was parsed once, for several checks of its content. */
export interface ParsedYaml {
  /** Validates the content against a schema. */
  readonly check: <T>(schema: z.ZodType<T>) => PlacedValue<T> | Faults;
}

/**
 * Like `readYaml`, for texts with further checks after the schema.
 * @returns the value and a function that finds positions, or the errors with their positions
 */
export function readPlacedYaml<T>(
  text: string,
  schema: z.ZodType<T>,
  options?: ReadOptions,
): PlacedValue<T> | Faults {
  const parsed = parseYaml(text, options);
  return 'faults' in parsed ? parsed : parsed.check(schema);
}

/**
 * Parses a YAML text in linear time and within the limits. To parse takes most of the time, so a text with several
 * schemas is parsed once.
 * @returns the parsed text, or its syntax errors and the limits it exceeds, with their positions
 */
export function parseYaml(
  text: string,
  { limits = FILE, version = '1.2' }: ReadOptions = {},
): ParsedYaml | Faults {
  const read = readDocument(text, limits, { version, customTags: version === '1.1' ? pyYamlTags : null });
  const { document, lines } = read;
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (read.faults.length > 0) {
    const faults = read.faults
      .slice(0, MAX_FAULTS)
      .map(({ offset, message }) => ({ ...at(offset), message: shownMessage(message) }));
    return { faults, more: read.faults.length - faults.length };
  }
  const content: unknown = document.toJS({ maxAliasCount: -1 });
  const places = new Places(document);
  const placeOf = (path: readonly PropertyKey[]): Place =>
    at(typeof path.at(-1) === 'string' ? places.key(path) : places.value(path));
  const valuePlace = (path: readonly PropertyKey[]): Place => at(places.value(path));
  return {
    check: (schema) => {
      const result = schema.safeParse(content, { error: issueMessage });
      return result.success
        ? { value: result.data, placeOf, valuePlace }
        : schemaFaults(result.error, schema, places, at);
    },
  };
}

/** The issues of a schema as errors, with their positions. Only those that are reported are described. */
function schemaFaults(
  { issues: found }: z.ZodError,
  schema: z.ZodType<unknown>,
  places: Places,
  at: (offset: number) => Place,
): Faults {
  const faultOf = ({ issue, key }: SingleIssue): Fault => {
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
  const issues = [...singleIssues(found)];
  const faults = issues.slice(0, MAX_FAULTS).map(faultOf);
  return {
    faults: faults.sort((a, b) => a.line - b.line || a.column - b.column),
    more: issues.length - faults.length,
  };
}
