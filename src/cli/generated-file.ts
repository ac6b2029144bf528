import { createHash } from 'node:crypto';
import * as z from 'zod';
import { jsonText } from '../model/visible.ts';
import { FILE } from '../model/yaml-document.ts';
import { readYaml } from '../model/yaml-text.ts';
import { asFaults } from '../outputs/faults.ts';
import type { DocumentType } from '../outputs/output.ts';
import { ALL_OUTPUTS } from '../outputs/registry.ts';
import type { DocumentFormat } from './choices.ts';

/** What follows the hash in the first line. The hash includes it, so that a note in this line is a change too. */
const MARK_END = ', which replaces this file: keep your own content elsewhere.\n';
/** The first line after the sign of a comment. */
const MARK =
  /^ Written by dynamic-toolset generate \(content (?<hash>[\da-f]+)\)(?=, which replaces this file: )/;

/** Hexadecimal digits of the hash in the first line. */
const HASH_DIGITS = 16;

/** The hash of a text. It ignores what editors and version control change: the kind of line breaks, and the last one. */
function hashOf(content: string): string {
  const text = content.replaceAll('\r\n', '\n');
  const whole = text.endsWith('\n') ? text : `${text}\n`;
  return createHash('sha256').update(whole).digest('hex').slice(0, HASH_DIGITS);
}

/** What tells a file that `generate` wrote from others. */
type FileType = Pick<DocumentType, 'comment' | 'check'>;

/** The type of a file in a format. */
export function fileTypeOf(format: DocumentFormat): FileType {
  const type = ALL_OUTPUTS.find(({ id }) => id === format)?.documents[0];
  return type ?? { comment: '#', check: () => asFaults({}) };
}

/** The text for a file: with a first line that says who wrote it, if the type has comments. */
export const fileText = ({ comment }: FileType, text: string): string =>
  comment === undefined
    ? text
    : `${comment} Written by dynamic-toolset generate (content ${hashOf(MARK_END + text)})${MARK_END}${text}`;

/** Why a text is not what `generate` wrote below its first line; `undefined` if it is. */
function markFault(comment: string, text: string): string | undefined {
  const [mark, hash] = text.startsWith(comment) ? (MARK.exec(text.slice(comment.length)) ?? []) : [];
  if (mark === undefined) return 'its first line does not say that generate wrote it';
  if (hashOf(text.slice(comment.length + mark.length)) === hash) return undefined;
  return 'it was changed since generate wrote it; overrides.yaml is the place for changes';
}

/** Why a text is not the JSON document of an output; `undefined` if it is. */
function jsonFault({ check }: FileType, text: string): string | undefined {
  const fault = check(text, FILE).faults.find(({ level }) => level === 'fault');
  if (fault !== undefined) return `line ${fault.line}, column ${fault.column}: ${fault.message}`;
  const read = readYaml(text, z.unknown());
  const isOurs = 'value' in read && text === `${jsonText(read.value, 2)}\n`;
  return isOurs ? undefined : 'its JSON is not laid out as generate does';
}

/**
 * Why `generate` did not write a text, in one line without its values; `undefined` if it did. A file without a first line of
 * ours, of the same kind, that another program laid out in the same way cannot be told apart.
 */
export function notGenerated(type: FileType, text: string): string | undefined {
  if (text.trim() === '') return undefined;
  return type.comment === undefined ? jsonFault(type, text) : markFault(type.comment, text);
}
