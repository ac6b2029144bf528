import { createHash } from 'node:crypto';
import { type Documents, namesOf } from '../model/documents.ts';

function hashOf(parts: readonly (string | undefined)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part === undefined ? '-' : `${Buffer.byteLength(part)}:${part}`);
  return hash.digest('hex');
}

/** By documents, which never change: each reconciliation compares those of all revisions. */
const known = new WeakMap<Documents, string>();

/** The hash of documents: `sha256:` and 64 hexadecimal digits. */
export function contentHash(documents: Documents): string {
  const before = known.get(documents);
  if (before !== undefined) return before;
  const made = `sha256:${hashOf(namesOf(documents).flatMap((name) => [name, documents[name]]))}`;
  known.set(documents, made);
  return made;
}

/** The hash of a revision's content, documents and overrides, in hexadecimal digits. */
export function revisionHash(documents: Documents, overrides: string | undefined): string {
  return hashOf([contentHash(documents), overrides]);
}
