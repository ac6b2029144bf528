import { type Document, isMap, parseAllDocuments, parseDocument, stringify, visit } from 'yaml';
import * as z from 'zod';
import { issueMessage } from '../../model/schema-words.ts';
import { jsonText, pathText, shownMessage } from '../../model/visible.ts';
import { syntaxFaults } from '../../model/yaml-faults.ts';
import { FORMER_SHARD, LAST_UPDATED, SHARD_LABEL, staleAnnotations } from '../../planning/plan.ts';
import type { OwnedConfigMap } from '../config-map/config-map.ts';

const texts = z
  .record(z.string(), z.string())
  .nullish()
  .transform((map) => map ?? {});
const configMap = z.object({
  kind: z.literal('ConfigMap'),
  metadata: z.object({ labels: texts, annotations: texts }),
  data: texts,
  binaryData: texts,
});

/** The fields of a manifest that the publisher reads. */
export type ManifestConfigMap = z.infer<typeof configMap>;

const STYLE = { lineWidth: 0, aliasDuplicateObjects: false } as const;

export const isEmpty = (text: string): boolean => text.trim() === '';

/** Whether a text is JSON. A YAML mapping in braces is not: it may have comments. */
export function isJson(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Serializes a new manifest. */
export const newManifest = (object: OwnedConfigMap): string => stringify(object, STYLE);

/** Serializes a manifest. JSON stays JSON. */
export const textOf = (document: Document.Parsed, isInJson: boolean): string =>
  isInJson ? `${JSON.stringify(document.toJS(), null, 2)}\n` : document.toString(STYLE);

/** The documents of a YAML stream. */
export function documentsIn(text: string): readonly Document.Parsed[] {
  const options = { prettyErrors: false } as const;
  const all = parseAllDocuments(text, options);
  // A text with only comments is one document without content.
  return all.length === 0 ? [parseDocument(text, options)] : [...all];
}

/** The place of an offset in a text. */
function placeIn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  return `line ${before.split('\n').length}, column ${before.length - before.lastIndexOf('\n')}`;
}

/**
 * Why a manifest is not that of a ConfigMap, in one line without values; `undefined` if it is.
 * @param text the whole YAML stream that the document is in
 */
export function manifestFault(document: Document.Parsed, text: string): string | undefined {
  const [fault] = syntaxFaults(text, document.errors);
  if (fault !== undefined) return `${placeIn(text, fault.offset)}: ${shownMessage(fault.message)}`;
  if (!isMap(document.contents)) return 'it is not a mapping';
  let aliases = false;
  visit(document, {
    Alias: () => {
      aliases = true;
      return visit.BREAK;
    },
  });
  if (aliases) return 'it has aliases, and a change of one of our values could change one of yours';
  const issue = configMap.safeParse(document.toJS(), { error: issueMessage }).error?.issues[0];
  return issue === undefined ? undefined : `${pathText(issue.path)} ${issue.message}`;
}

/** Our values for the name and the namespace that replace others, such as `name a by b`. */
export function renamed(
  document: Document.Parsed | undefined,
  { metadata }: OwnedConfigMap,
): readonly string[] {
  return (['name', 'namespace'] as const).flatMap((field) => {
    const before = document?.getIn(['metadata', field]);
    const isOther = before !== undefined && before !== null && before !== metadata[field];
    return isOther ? [`${field} ${jsonText(before)} by ${jsonText(metadata[field])}`] : [];
  });
}

/** The ConfigMap in a valid manifest. */
export const configMapIn = (document: Document.Parsed): ManifestConfigMap => configMap.parse(document.toJS());

/** The number of the ConfigMap's shard, from its label or the annotation of a former shard; 1 for the main one. */
export const shardIn = ({ metadata: { labels, annotations } }: ManifestConfigMap): number =>
  Number(labels[SHARD_LABEL] ?? /-(\d+)$/.exec(annotations[FORMER_SHARD] ?? '')?.[1] ?? 1);

/** Removes our fields from the manifest of a shard that is no longer needed, and keeps all others. */
export function release(
  document: Document.Parsed,
  { labels, annotations }: Pick<OwnedConfigMap['metadata'], 'labels' | 'annotations'>,
  kept: readonly string[],
): void {
  const { metadata, data } = configMapIn(document);
  for (const [key, value] of Object.entries(labels))
    if (metadata.labels[key] === value) document.deleteIn(['metadata', 'labels', key]);
  document.deleteIn(['metadata', 'annotations', LAST_UPDATED]);
  for (const [key, value] of Object.entries(annotations))
    document.setIn(['metadata', 'annotations', key], value);
  for (const key of Object.keys(data)) if (!kept.includes(key)) document.deleteIn(['data', key]);
}

/** Sets our fields in a manifest, and keeps all others. */
export function merge(document: Document.Parsed, object: OwnedConfigMap): void {
  const { name, namespace, labels, annotations } = object.metadata;
  const put = (path: readonly string[], values: Readonly<Record<string, string>>): void => {
    if (!isMap(document.getIn(path, true))) document.setIn(path, document.createNode({}));
    for (const [key, value] of Object.entries(values)) document.setIn([...path, key], value);
  };
  const there = document.getIn(['metadata', 'annotations'], true);
  const stale = staleAnnotations(isMap(there) ? there.toJSON() : {}, annotations);
  put(['metadata'], { name, namespace });
  put(['metadata', 'labels'], labels);
  put(['metadata', 'annotations'], annotations);
  for (const key of stale) document.deleteIn(['metadata', 'annotations', key]);
  if (!Object.hasOwn(annotations, FORMER_SHARD)) document.deleteIn(['metadata', 'annotations', FORMER_SHARD]);
  put(['data'], object.data);
  if (isMap(document.getIn(['binaryData'], true)))
    for (const key of Object.keys(object.data)) document.deleteIn(['binaryData', key]);
}
