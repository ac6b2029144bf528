import { randomUUID } from 'node:crypto';
import { isMapping, type Mapping } from '../model/mapping.ts';

/** What Node.js has, and TypeScript's library for ES2024 does not describe. */
const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON(text: string): object;
  isRawJSON(value: unknown): boolean;
};

/**
 * Begins what may be a number that a double does not hold: one of 16 digits or more, or with a large exponent. Fewer digits
 * are always held. It may also be in a text.
 */
const MAY_BE_ROUNDED = /[\d.]{16}|\d[eE][-+]?\d{3}/g;

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/;

/** The only key of a mapping that stands for a number. Nobody outside of this process can write it. */
const MARK = `number ${randomUUID()}`;

/** Significant digits and exponent of a number, without its sign: `12e-1` for `-1.20`. */
function decimalOf(number: string): string {
  const [mantissa = '', exponent = '0'] = number.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = whole + fraction;
  let start = 0;
  while (digits[start] === '0') start++;
  let end = digits.length;
  while (end > start && digits[end - 1] === '0') end--;
  if (start === end) return '0';
  return `${digits.slice(start, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}

/** Whether a double has exactly the value that JavaScript and a decimal text of it share. */
const isHeld = (source: string): boolean =>
  Number.isFinite(Number(source)) && decimalOf(source) === decimalOf(String(Number(source)));

/** The offset behind the text in quotes that begins at an offset. */
function endOfText(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); quote >= 0; quote = json.indexOf('"', quote + 1)) {
    let escapes = 0;
    while (json[quote - 1 - escapes] === '\\') escapes++;
    if (escapes % 2 === 0) return quote + 1;
  }
  return json.length;
}

const isOfNumber = (character: string | undefined): boolean =>
  character !== undefined && /[-+.\deE]/.test(character);

/** A JSON text in which a mapping stands for each number that a double does not hold. Takes linear time. */
function withMarks(json: string): string {
  const parts: string[] = [];
  let copied = 0;
  /** An offset outside of texts, and the next text behind it. */
  let outside = 0;
  let quote = json.indexOf('"');
  const found = new RegExp(MAY_BE_ROUNDED);
  for (let match = found.exec(json); match !== null; match = found.exec(json)) {
    while (quote >= 0 && quote < match.index) {
      outside = endOfText(json, quote);
      quote = json.indexOf('"', outside);
    }
    if (outside > match.index) {
      found.lastIndex = outside;
      continue;
    }
    let start = match.index;
    while (start > copied && isOfNumber(json[start - 1])) start--;
    let end = found.lastIndex;
    while (isOfNumber(json[end])) end++;
    found.lastIndex = end;
    const number = json.slice(start, end);
    if (!NUMBER.test(number) || isHeld(number)) continue;
    parts.push(json.slice(copied, start), `{"${MARK}":"${number}"}`);
    copied = end;
  }
  return copied === 0 ? json : parts.join('') + json.slice(copied);
}

/** Replaces the marks in a value, in place. */
function withNumbers(value: unknown): unknown {
  if (Array.isArray(value)) for (const [index, item] of value.entries()) value[index] = withNumbers(item);
  if (!isMapping(value)) return value;
  if (Object.hasOwn(value, MARK)) return rawJSON(String(value[MARK]));
  for (const key of Object.keys(value)) {
    const inner = value[key];
    if (typeof inner === 'object' && inner !== null)
      Object.defineProperty(value, key, { value: withNumbers(inner) });
  }
  return value as Mapping;
}

/**
 * Parses JSON like `JSON.parse`, but a number that a double does not hold is not rounded: `JSON.stringify` writes it as it
 * was. Agents in Python read large integers exactly, so two that differ must not look the same. A reviver of `JSON.parse`
 * would take ten times as long.
 * @throws SyntaxError; RangeError if a text with such a number is nested too deep
 */
export function parseExactly(json: string): unknown {
  const marked = withMarks(json);
  const value: unknown = JSON.parse(marked);
  return marked === json ? value : withNumbers(value);
}

/** Whether a value is a number of `parseExactly` that a double does not hold. */
export const isExactNumber = (value: unknown): boolean => isRawJSON(value);
