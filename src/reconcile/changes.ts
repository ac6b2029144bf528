import { structuredPatch } from 'diff';
import { DOCUMENT_KEYS, type Documents } from '../model/documents.ts';
import type { Published } from '../model/published.ts';

/** One line of a difference: taken away, added, or what stands around. */
export interface DiffLine {
  readonly kind: 'removed' | 'added' | 'context' | 'header';
  readonly text: string;
}

/**
 * What differs between the published documents and others, as lines of a unified diff.
 * @param before the name of the published side, for the headers
 */
export function documentDiff(
  live: Published | undefined,
  documents: Documents,
  before: string,
  after: string,
): DiffLine[] {
  const lines: DiffLine[] = [];
  for (const key of DOCUMENT_KEYS) {
    const old = live?.data[key] ?? '';
    if (old === documents[key]) continue;
    const { hunks } = structuredPatch(key, key, old, documents[key], '', '', { context: 3 });
    lines.push(
      { kind: 'header', text: `--- ${before} ${key}` },
      { kind: 'header', text: `+++ ${after} ${key}` },
    );
    for (const { oldStart, oldLines, newStart, newLines, lines: body } of hunks) {
      lines.push({ kind: 'header', text: `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@` });
      for (const text of body)
        lines.push({
          kind: text.startsWith('-') ? 'removed' : text.startsWith('+') ? 'added' : 'context',
          text,
        });
    }
  }
  return lines;
}
