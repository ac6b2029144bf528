/** What the YAML blocks of a page are. */
import { parseAllDocuments } from 'yaml';
import { configFileSchema } from '../../src/config/file.ts';
import type { Block } from './blocks.ts';

/** A kind of YAML: objects of Kubernetes, one of the kinds that `validate` knows, or a part of something. */
export type YamlKind = 'manifest' | 'overrides' | 'holmesgpt' | 'config' | 'detector' | 'part';

const KEYS: readonly (readonly [YamlKind, readonly string[]])[] = [
  ['overrides', ['tools', 'holmesgpt']],
  ['holmesgpt', ['toolsets', 'mcp_servers']],
  ['config', Object.keys(configFileSchema.shape)],
];

/** The documents of a YAML block. @throws YAMLParseError if it is none */
export function documentsOf(text: string): unknown[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS();
  });
}

/** Tells by its keys what a block is. */
export function kindOfYaml({ text }: Block): YamlKind {
  const kinds = documentsOf(text).map((document): YamlKind => {
    if (typeof document !== 'object' || document === null || Array.isArray(document)) return 'part';
    const keys = Object.keys(document);
    // A Kustomization is read by kubectl alone, and names files that are not there.
    if ('kind' in document && document.kind === 'Kustomization') return 'part';
    if (keys.includes('apiVersion') && keys.includes('kind')) return 'manifest';
    if (keys.includes('type') && keys.includes('probe')) return 'detector';
    return KEYS.find(([, known]) => keys.every((key) => known.includes(key)))?.[0] ?? 'part';
  });
  return kinds[0] ?? 'part';
}

/** The environment variables that a document sets for a container. */
export function variablesIn(document: unknown): string[] {
  if (Array.isArray(document)) return document.flatMap(variablesIn);
  if (typeof document !== 'object' || document === null) return [];
  const inside = Object.values(document).flatMap(variablesIn);
  const isVariable = 'name' in document && ('value' in document || 'valueFrom' in document);
  return isVariable ? [String(document.name), ...inside] : inside;
}
