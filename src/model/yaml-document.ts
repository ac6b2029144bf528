import {
  Composer,
  CST,
  type Document,
  type DocumentOptions,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type ParseOptions,
  Parser,
  type SchemaOptions,
  type YAMLMap,
} from 'yaml';
import { type RawFault, syntaxFaults } from './yaml-faults.ts';

/** Limits of parsing a text. Time and memory are proportional to these. */
export interface YamlLimits {
  readonly bytes: number;
  /** Maximum lexer tokens: words, signs such as `-` and `:`, comments, spaces and line breaks. */
  readonly tokens: number;
}

/** For texts from the network, and for files that people write by hand: overrides, configuration, detectors. */
export const SMALL: YamlLimits = { bytes: 256 * 1024, tokens: 100_000 };

/** For documents in a ConfigMap, which may have 1 MiB. */
export const LARGE: YamlLimits = { bytes: 1024 * 1024, tokens: 400_000 };

/** For local files of the user. */
export const FILE: YamlLimits = { bytes: 16 * 1024 * 1024, tokens: 4_000_000 };

/** Maximum nesting. */
export const DEPTH = 100;

/** Maximum aliases in a text, and maximum values after their expansion. */
export const ALIASES = 100;
export const ALIASED = 5_000;

export interface BoundedDocument {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  /** Errors. Unless empty, the document has no value. */
  readonly faults: readonly RawFault[];
}

type Options = ParseOptions & DocumentOptions & SchemaOptions;

class Refused extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Parses a text to a syntax tree, without recursion.
 * @throws Refused as soon as it exceeds a limit
 */
function syntaxOf(text: string, { bytes, tokens: most }: YamlLimits, lines: LineCounter): CST.Token[] {
  if (text.length > bytes || Buffer.byteLength(text) > bytes)
    throw new Refused(0, `longer than ${bytes / 1024} KiB, the limit; shorten it`);
  const parser = new Parser(lines.addNewLine);
  const found: CST.Token[] = [];
  let count = 0;
  let aliases = 0;
  let before = '';
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    count += 1;
    if (count > most)
      throw new Refused(
        parser.offset,
        `more than ${most} tokens (words, signs, line breaks), the limit; shorten it`,
      );
    // The text of a scalar may begin with an asterisk, and follows the token for a scalar.
    if (before !== CST.SCALAR && CST.tokenType(lexeme) === 'alias') aliases += 1;
    if (aliases > ALIASES) throw new Refused(parser.offset, TOO_MANY_ALIASES);
    before = lexeme;
    for (const token of parser.next(lexeme)) found.push(token);
    if (parser.stack.length > DEPTH + 2) throw new Refused(parser.offset, TOO_DEEP);
  }
  for (const token of parser.end()) found.push(token);
  return found;
}

const TOO_MANY_ALIASES = `more than ${ALIASES} aliases, the limit; write the values of some instead`;

const TOO_DEEP = `nested more than ${DEPTH} deep, the limit; nest less`;

/** Whether a tag is unknown, such as a password that begins with `!`. The library would parse it as an empty text. */
const isUnreadTag = ({ code, message }: { readonly code: string; readonly message: string }): boolean =>
  code === 'TAG_RESOLVE_FAILED' && !message.includes('tag:yaml.org,2002:');

/** Composes a document from its syntax tree. */
function composed(tokens: readonly CST.Token[], end: number, options: Options): Document.Parsed {
  // The library creates an Error for each fault, and their stacks would dominate the cost.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const [document, second] = firstTwo(new Composer(options).compose(tokens, true, end));
    if (second !== undefined)
      document.errors.push({ code: 'MULTIPLE_DOCS', message: '', pos: second.range.slice(0, 2) } as never);
    return document;
  } catch (error) {
    if (error instanceof RangeError) throw new Refused(0, TOO_DEEP);
    throw error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function firstTwo(documents: Iterable<Document.Parsed>): [Document.Parsed, Document.Parsed | undefined] {
  let first: Document.Parsed | undefined;
  for (const document of documents) {
    if (first !== undefined) return [first, document];
    first = document;
  }
  if (first === undefined) throw new Error('a text without a document');
  return [first, undefined];
}

/** A node with an anchor, and its number of values once it was visited completely. */
interface Anchored {
  readonly node: Node;
  size?: number;
}

/**
 * Checks that the library lacks, or does in quadratic time: undefined, recursive and too many aliases; duplicate keys, and
 * keys that are not texts. Visits each node once.
 */
class Inspection {
  readonly faults: RawFault[] = [];
  readonly #anchors = new Map<string, Anchored>();
  /** Number of values that all aliases so far expand to. */
  #aliased = 0;

  /** @returns the number of values of the node */
  visit(node: unknown): number {
    if (isAlias(node)) return this.#alias(node.source, node.range?.[0] ?? 0);
    const anchored: Anchored = { node: node as Node };
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined)
      this.#anchors.set(node.anchor, anchored);
    let size = 1;
    if (isSeq(node)) for (const item of node.items) size += this.visit(item);
    else if (isMap(node)) size += this.#map(node);
    anchored.size = size;
    return size;
  }

  #alias(name: string, offset: number): number {
    const anchored = this.#anchors.get(name);
    if (anchored === undefined)
      throw new Refused(
        offset,
        'an alias (*) without an anchor (&) of this name before it; put a text that begins with * into quotes',
      );
    if (anchored.size === undefined) throw new Refused(offset, 'an alias (*) that is in its own anchor (&)');
    this.#aliased += anchored.size;
    if (this.#aliased > ALIASED)
      throw new Refused(
        offset,
        `its aliases stand for more than ${ALIASED} values, the limit; use fewer of them`,
      );
    return anchored.size;
  }

  #map({ items }: YAMLMap): number {
    const keys = new Set<unknown>();
    let size = 0;
    for (const { key, value } of items) {
      size += this.visit(key) + this.visit(value);
      const meant = this.#meant(key);
      const offset = ((key ?? value) as Node | null)?.range?.[0] ?? 0;
      if (!isScalar(meant)) {
        if (meant !== null) this.#add(offset, 'a key is a string, and this is a list or a mapping');
        continue;
      }
      if (typeof meant.value === 'symbol' && !this.#isMergeable(value))
        this.#add(offset, '<< takes a mapping or a list of mappings, and this is something else');
      if (keys.has(meant.value)) this.#add(offset, 'duplicate key; remove one');
      if (meant.value === '__proto__') this.#add(offset, '__proto__ is not allowed as a key');
      keys.add(meant.value);
    }
    return size;
  }

  /** The node that a node or an alias stands for. */
  #meant(node: unknown): unknown {
    return isAlias(node) ? this.#anchors.get(node.source)?.node : node;
  }

  /** Whether a value can stand at `<<`. The library would throw. */
  #isMergeable(value: unknown): boolean {
    const meant = this.#meant(value);
    return isMap(meant) || (isSeq(meant) && meant.items.every((item) => isMap(this.#meant(item))));
  }

  #add(offset: number, message: string): void {
    this.faults.push({ offset, message });
  }
}

/**
 * Parses an untrusted YAML text in linear time and memory, within limits.
 * @param options further options of the library
 */
export function readDocument(text: string, limits: YamlLimits, options: Options = {}): BoundedDocument {
  const lines = new LineCounter();
  let document: Document.Parsed | undefined;
  let faults: RawFault[];
  try {
    const bounded: Options = {
      ...options,
      uniqueKeys: false,
      resolveKnownTags: false,
      prettyErrors: false,
      // Keep library warnings off standard error, where our log goes.
      logLevel: 'error',
    };
    document = composed(syntaxOf(text, limits, lines), text.length, bounded);
    const unread = document.warnings.filter(isUnreadTag);
    faults = syntaxFaults(text, [...document.errors, ...unread]);
    if (faults.length === 0) {
      const inspection = new Inspection();
      inspection.visit(document.contents);
      faults = inspection.faults;
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    faults = [error];
  }
  document ??= composed([], 0, {});
  return { document, lines, faults };
}
