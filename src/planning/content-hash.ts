import { createHash } from 'node:crypto';
import { DOCUMENT_KEYS, type Documents } from '../model/documents.ts';
import type { Published } from '../model/published.ts';

function hashOf(parts: readonly (string | undefined)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part === undefined ? '-' : `${Buffer.byteLength(part)}:${part}`);
  return hash.digest('hex');
}

/** What tells documents from others: `sha256:` and 64 hexadecimal digits. */
export function contentHash(documents: Documents): string {
  return `sha256:${hashOf(DOCUMENT_KEYS.flatMap((key) => [key, documents[key]]))}`;
}

/** What tells a revision's content from that of others: documents and overrides together, in hexadecimal digits. */
export function revisionHash(documents: Documents, overrides: string | undefined): string {
  return hashOf([contentHash(documents), overrides]);
}

/** The documents in a published toolset, if all of them are there. */
export function publishedDocuments(live: Published | undefined): Documents | undefined {
  const [json, yaml] = DOCUMENT_KEYS.map((key) => live?.data[key]);
  return json === undefined || yaml === undefined
    ? undefined
    : { 'toolset.json': json, 'custom_toolset.yaml': yaml };
}
