import { createHash } from 'node:crypto';
import * as z from 'zod';
import { jsonText } from '../model/visible.ts';
import { FILE } from '../model/yaml-document.ts';
import { readYaml } from '../model/yaml-text.ts';
import type { DocumentType } from '../outputs/output.ts';
import { ALL_OUTPUTS } from '../outputs/registry.ts';
import type { DocumentFormat } from './choices.ts';

/** A YAML text with the first line that `generate --out` writes, so that it never replaces what a person wrote. */
const marked = (content: string): string =>
  `# Written by dynamic-toolset generate (content ${hashOf(MARK_END + content)})${MARK_END}${content}`;
/** What follows the hash in the first line. The hash includes it, so that a note in this line is a change too. */
const MARK_END = ', which replaces this file: keep your own content elsewhere.\n';
const MARK =
  /^# Written by dynamic-toolset generate \(content (?<hash>[\da-f]+)\)(?=, which replaces this file: )/;

/** Hexadecimal digits of the hash in the first line. */
const HASH_DIGITS = 16;

/** The hash of a text. It ignores what editors and version control change: the kind of line breaks, and the last one. */
function hashOf(content: string): string {
  const text = content.replaceAll('\r\n', '\n');
  const whole = text.endsWith('\n') ? text : `${text}\n`;
  return createHash('sha256').update(whole).digest('hex').slice(0, HASH_DIGITS);
}

/** The type of an output's document. */
const typeOf = (id: string): DocumentType | undefined =>
  ALL_OUTPUTS.find((output) => output.id === id)?.documents[0];

/** JSON has no comments. */
const hasMark = (format: DocumentFormat): boolean =>
  format === 'configmap' || typeOf(format)?.mediaType === 'application/yaml';

/** The text for a file. */
export const fileText = (format: DocumentFormat, text: string): string =>
  hasMark(format) ? marked(text) : text;

/** Why a YAML text is not what `generate` wrote; `undefined` if it is. */
function yamlFault(text: string): string | undefined {
  const [mark, hash] = MARK.exec(text) ?? [];
  if (mark === undefined) return 'its first line does not say that generate wrote it';
  if (hashOf(text.slice(mark.length)) === hash) return undefined;
  return 'it was changed since generate wrote it; overrides.yaml is the place for changes';
}

/** Why a text is not the JSON document of an output; `undefined` if it is. */
function jsonFault(type: DocumentType | undefined, text: string): string | undefined {
  const keys = type?.file?.keys ?? [];
  const read = readYaml(text, z.record(z.string(), z.unknown()));
  if (!('value' in read)) {
    const [first] = read.faults;
    return first === undefined
      ? 'it is not a JSON object'
      : `line ${first.line}, column ${first.column}: ${first.message}`;
  }
  const other = Object.keys(read.value).find((key) => !keys.includes(key));
  if (other !== undefined) return `it has keys other than ${keys.join(' and ')}`;
  if (text !== `${jsonText(read.value, 2)}\n`) return 'its JSON is not laid out as generate does';
  const fault = type?.check(text, FILE).faults.find(({ level }) => level === 'fault');
  return fault === undefined ? undefined : `line ${fault.line}, column ${fault.column}: ${fault.message}`;
}

/**
 * Why `generate` did not write a text, in one line without its values; `undefined` if it did. JSON files have no mark, so one
 * of the same kind that a program laid out in the same way cannot be told apart.
 */
export function notGenerated(format: DocumentFormat, text: string): string | undefined {
  if (text.trim() === '') return undefined;
  return hasMark(format) ? yamlFault(text) : jsonFault(typeOf(format), text);
}
