import { Lexer } from 'yaml';
import * as z from 'zod';
import { shardName } from '../model/documents.ts';
import { isMapping } from '../model/mapping.ts';
import { jsonText, pathText } from '../model/visible.ts';
import { FILE } from '../model/yaml-document.ts';
import { readYaml } from '../model/yaml-text.ts';
import type { DocumentType } from '../outputs/output.ts';
import { ALL_OUTPUTS, OUTPUTS } from '../outputs/registry.ts';
import { plan } from '../planning/plan.ts';
import type { OwnedConfigMap } from '../publishers/config-map/config-map.ts';
import type { DocumentFormat } from './choices.ts';

/** The first line of a YAML file that `generate --out` writes, so that it never replaces one that a person wrote. */
const MARK =
  '# Written by dynamic-toolset generate, which replaces this file: keep your own content elsewhere.\n';

/** The type of an output's document. */
const typeOf = (id: string): DocumentType | undefined =>
  ALL_OUTPUTS.find((output) => output.id === id)?.documents[0];

/** JSON has no comments. */
const hasMark = (format: DocumentFormat): boolean =>
  format === 'configmap' || typeOf(format)?.mediaType === 'application/yaml';

/** The text for a file. */
export const fileText = (format: DocumentFormat, text: string): string =>
  hasMark(format) ? MARK + text : text;

/** The token of the YAML lexer before a scalar. */
const SCALAR = '\u001f';

/** Whether a YAML text has a comment. */
function hasComment(text: string): boolean {
  let before = '';
  for (const token of new Lexer().lex(text)) {
    if (token.startsWith('#') && before !== SCALAR) return true;
    before = token;
  }
  return false;
}

/** Why the comments of a YAML text are not those that `generate` writes; `undefined` if they are. */
function commentFault(text: string): string | undefined {
  const isMarked = text.startsWith(MARK);
  if (hasComment(isMarked ? text.slice(MARK.length) : text))
    return 'it has a comment, which generate does not write';
  return isMarked ? undefined : 'its first line does not say that generate wrote it';
}

/** Why a text is not the document of an output; `undefined` if it is. */
function documentFault(id: Exclude<DocumentFormat, 'configmap'>, text: string): string | undefined {
  const type = typeOf(id);
  const keys = type?.file?.keys ?? [];
  const read = readYaml(text, z.record(z.string(), z.unknown()));
  if (!('value' in read)) return 'it is not a mapping';
  const other = Object.keys(read.value).find((key) => !keys.includes(key));
  if (other !== undefined) return `it has keys other than ${keys.join(' and ')}`;
  const comments = hasMark(id) ? commentFault(text) : undefined;
  if (comments !== undefined) return comments;
  if (type?.mediaType === 'application/json' && text !== `${jsonText(read.value, 2)}\n`)
    return 'its JSON is not laid out as generate does';
  const fault = type?.check(text, FILE).faults.find(({ level }) => level === 'fault');
  return fault === undefined ? undefined : `line ${fault.line}, column ${fault.column}: ${fault.message}`;
}

/** The path of the first field that a pattern does not have. */
function otherField(value: unknown, pattern: unknown): readonly string[] | undefined {
  if (!isMapping(value) || !isMapping(pattern)) return undefined;
  for (const [key, part] of Object.entries(value)) {
    if (!Object.hasOwn(pattern, key)) return [key];
    const below = otherField(part, pattern[key]);
    if (below !== undefined) return [key, ...below];
  }
  return undefined;
}

/** ConfigMaps with all fields that `generate` writes: the main one, and a further one. */
async function patterns(): Promise<readonly [main: OwnedConfigMap, further: OwnedConfigMap]> {
  const { ownedConfigMap, shardConfigMap } = await import('../publishers/config-map/config-map.ts');
  const documents = Object.fromEntries(OUTPUTS.names.map((name) => [name, '']));
  const divided = Object.fromEntries(OUTPUTS.names.map((name) => [shardName(name, 2), '']));
  const planned = plan(
    { documents: { ...documents, ...divided }, tools: [], backendGroups: '{}' },
    undefined,
    '',
  );
  const target = { name: '', namespace: '' };
  return [
    ownedConfigMap(target, planned, undefined),
    shardConfigMap(target, 2, documents, planned, undefined),
  ];
}

/** Why a text is not the manifests of ConfigMaps as `generate` writes them; `undefined` if it is. */
async function manifestsFault(text: string): Promise<string | undefined> {
  const { documentsIn, manifestFault } = await import('../publishers/file/manifest.ts');
  const [main, further] = await patterns();
  for (const [index, document] of documentsIn(text).entries()) {
    const fault = manifestFault(document, text);
    if (fault !== undefined) return fault;
    const other = otherField(document.toJS(), index === 0 ? main : further);
    if (other !== undefined) return `it has ${pathText(other)}, which generate does not write`;
  }
  return commentFault(text);
}

/**
 * Why `generate` cannot have written a text, in one line without its values; `undefined` if it can. JSON files have no mark,
 * so one of the same kind that a program laid out in the same way cannot be told apart.
 */
export async function notGenerated(format: DocumentFormat, text: string): Promise<string | undefined> {
  if (text.trim() === '') return undefined;
  return format === 'configmap' ? await manifestsFault(text) : documentFault(format, text);
}
