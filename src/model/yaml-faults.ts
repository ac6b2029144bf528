import { CST, Parser } from 'yaml';

/** An error at an offset of a text. */
export interface RawFault {
  readonly offset: number;
  readonly message: string;
}

/** An error of the library. */
interface SyntaxError {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

const NO_COLON = 'a key without ": " behind it, or a text of several lines that is not in quotes';

/**
 * Replacements for messages of the library that are hard to understand, or that quote a part of a value: a password
 * without quotes may begin with `*`, `!` or `%`, and one in quotes may have a backslash. By code.
 */
const BY_CODE: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'an alias (*) that cannot be read; put a text that begins with * into quotes',
  BAD_DIRECTIVE: 'a line with a directive (%) that cannot be read; put a text that begins with % into quotes',
  BAD_DQ_ESCAPE:
    'a backslash in double quotes that YAML does not know; write two of them, or use single quotes',
  BAD_SCALAR_START: 'a text that begins with @, ` or %; put it into quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second key on one line, or a ": " in a text that is not in quotes',
  BLOCK_IN_FLOW: 'a comma before this is missing, or { } or [ ] around it',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters',
  MULTILINE_IMPLICIT_KEY: NO_COLON,
  RESOURCE_EXHAUSTION: 'nested too deep; nest less',
  MULTIPLE_DOCS: 'a second document begins here, and one is read; take out the line ---',
  TAB_AS_INDENT: 'a tab as indentation; use spaces',
  TAG_RESOLVE_FAILED: 'a tag (!) that means nothing here; put a text that begins with ! into quotes',
};

/** The same by the beginning of the message, which counts before the code. The first one that fits is used. */
const BY_MESSAGE: readonly (readonly [begins: string, words: string])[] = [
  ['= or << as a value', 'a value that is = or <<; put it into quotes'],
  ['A block sequence may not be', 'a list item that is not indented like those above it'],
  ['A node can have at most one', 'a second anchor (&) or tag (!) before one value; take it out'],
  ['All mapping items', 'a key that is not indented like those above it'],
  ['All sequence items', 'a list item that is not indented like those above it'],
  ['Block scalar lines', 'a line below | or > that is indented less than the first one'],
  ['Block scalars with', 'an empty line below | or > with more spaces than the text; remove the spaces'],
  ['Block scalar header', 'a text on the line of | or >; begin it on the next line'],
  ['Block scalar values', 'a text below | or > that is not indented; indent it more than its key'],
  ['Comments must be', 'a comment (#) without a space before it; add one, or put the whole text into quotes'],
  ['Implicit map keys need', NO_COLON],
  ['Missing , or :', 'a comma or a ": " before this is missing'],
  ['Missing ,', 'a comma before this is missing'],
  ['Missing space after :', 'a ":" without a space behind it'],
  ['Sequence item without', 'a line in a list that does not begin with "- "'],
  ['Unexpected ,', 'a comma without anything before it'],
  ['Unexpected block-seq-ind on', 'a list on the line of its key; begin it on the next line'],
  ['Unexpected flow-map-end', 'a } that closes no {'],
  ['Unexpected flow-seq-end', 'a ] that closes no ['],
  [
    'Tags and anchors',
    'a tag (!) or an anchor (&) without a space behind it; put a text that begins with it into quotes',
  ],
  ['Unexpected ', 'this cannot follow the text before it; check quotes and indentation'],
];

const KEY_BELOW_TEXT =
  'a text with a key indented below it; indent the key less, or put a text of several lines into quotes';

/** The sign that should close what a sign opens. */
const CLOSING: Readonly<Record<string, string>> = { '{': '}', '[': ']', '"': '"', "'": "'" };

/** The sign that a message says is not closed. */
function unclosedSign(message: string): string | undefined {
  const [, quote, closing] = /^Missing closing (["'])quote| end with a ([}\]])$/.exec(message) ?? [];
  if (closing !== undefined) return closing === '}' ? '{' : '[';
  return quote;
}

function unclosedMessage(sign: string, isIndented: boolean): string {
  const closing = CLOSING[sign] ?? sign;
  const fix = closing === sign ? 'add a second one' : `add a ${closing}`;
  return `this ${sign} is not closed; ${fix}${isIndented ? ', and indent the lines up to it with spaces' : ''}`;
}

/** A bracket or quote that is not closed. */
interface Opening {
  readonly offset: number;
  readonly sign: string;
}

/** The opening that a token has if it is not closed, as the library decides it. */
function openingOf(token: CST.Token): Opening | undefined {
  if (token.type === 'flow-collection') {
    const { offset, source } = token.start;
    return token.end[0]?.source === CLOSING[source] ? undefined : { offset, sign: source };
  }
  if (token.type !== 'double-quoted-scalar' && token.type !== 'single-quoted-scalar') return undefined;
  const { offset, source } = token;
  const sign = source.charAt(0);
  return source.length > 1 && source.endsWith(sign) ? undefined : { offset, sign };
}

/** The tokens directly below a token. */
function tokensBelow(token: CST.Token): (CST.Token | null | undefined)[] {
  if (token.type === 'document') return [token.value];
  return CST.isCollection(token)
    ? token.items.flatMap((item) => ['key' in item ? item.key : undefined, item.value])
    : [];
}

/** The brackets and quotes in a text that are not closed, in their order. Without recursion, as nothing limits the nesting. */
function openingsIn(text: string): Opening[] {
  const found: Opening[] = [];
  const waiting: (CST.Token | null | undefined)[] = [...new Parser().parse(text)];
  while (waiting.length > 0) {
    const token = waiting.pop();
    if (token === null || token === undefined) continue;
    const opening = openingOf(token);
    if (opening !== undefined) found.push(opening);
    for (const below of tokensBelow(token)) waiting.push(below);
  }
  return found.sort((a, b) => a.offset - b.offset);
}

/** Finds what is not closed before an error: each time the last one of a sign that was not found before. */
class Openings {
  readonly #all: readonly Opening[];
  readonly #before = new Map<string, number[]>();
  #next = 0;

  constructor(text: string) {
    this.#all = openingsIn(text);
  }

  /** @param offset that of the error, in the order in which the library reports them */
  take(sign: string, offset: number): number | undefined {
    for (; (this.#all[this.#next]?.offset ?? offset) < offset; this.#next++) {
      const opening = this.#all[this.#next];
      if (opening === undefined) break;
      const same = this.#before.get(opening.sign) ?? [];
      this.#before.set(opening.sign, same);
      same.push(opening.offset);
    }
    return this.#before.get(sign)?.pop();
  }
}

/** The first fault of each line: others usually follow from it. */
function firstOfLines(faults: readonly RawFault[], text: string): RawFault[] {
  const kept: RawFault[] = [];
  let lineEnd = -1;
  for (const fault of faults.toSorted((a, b) => a.offset - b.offset)) {
    if (fault.offset <= lineEnd) continue;
    kept.push(fault);
    const end = text.indexOf('\n', fault.offset);
    lineEnd = end === -1 ? text.length : end;
  }
  return kept;
}

/**
 * The errors of the library in plain words, without text of the document. What is not closed has the place where it is
 * opened, and what is missing at the end that of the last word.
 * @param errors in the order in which the library reports them
 */
export function syntaxFaults(text: string, errors: readonly SyntaxError[]): RawFault[] {
  if (errors.length === 0) return [];
  const openings = new Openings(text);
  const end = text.trimEnd().length;
  const multiline = new Set(
    errors.flatMap(({ code, pos }) => (code === 'MULTILINE_IMPLICIT_KEY' ? [pos[0]] : [])),
  );
  const faults = errors.map(({ code, message, pos: [offset] }) => {
    const sign = unclosedSign(message);
    if (sign !== undefined)
      return {
        offset: openings.take(sign, offset) ?? Math.min(offset, end),
        message: unclosedMessage(sign, code === 'BAD_INDENT'),
      };
    const isBelow = message.startsWith('Nested mappings') && multiline.has(offset);
    return { offset: Math.min(offset, end), message: isBelow ? KEY_BELOW_TEXT : words(code, message) };
  });
  return firstOfLines(faults, text);
}

const words = (code: string, message: string): string =>
  BY_MESSAGE.find(([begins]) => message.startsWith(begins))?.[1] ??
  BY_CODE[code] ??
  'this is not YAML; check quotes and indentation';
