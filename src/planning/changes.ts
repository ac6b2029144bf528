import { structuredPatch } from 'diff';
import { type Documents, namesOf } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import { visible } from '../model/visible.ts';
import { redact } from './redact.ts';

/** One line of a difference: taken away, added, or what stands around. */
export interface DiffLine {
  readonly kind: 'removed' | 'added' | 'context' | 'header';
  readonly text: string;
}

/** Longest line that is shown, in characters. */
const WIDEST = 1_000;
/** Most lines that may differ before looking for those that stayed is given up: it takes time by their square. */
const MOST_EDITS = 2_000;

/** The same where nothing else can happen meanwhile: 4,000 take seconds. */
export const QUICK_EDITS = 500;

/** A line as a terminal may get it. */
function safeLine(line: string): string {
  return visible(
    line.length <= WIDEST ? line : `${line.slice(0, WIDEST)}… (${line.length - WIDEST} more characters)`,
  );
}

const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n');

const KINDS: Readonly<Record<string, DiffLine['kind']>> = { '-': 'removed', '+': 'added' };

/** The lines of a unified diff of one document. */
function* difference(key: string, old: string, now: string, maxEditLength: number): Generator<DiffLine> {
  const patch = structuredPatch(key, key, old, now, '', '', { context: 3, maxEditLength });
  if (patch === undefined) {
    yield { kind: 'header', text: '@@ nearly all of it @@' };
    for (const line of linesOf(old)) yield { kind: 'removed', text: `-${line}` };
    for (const line of linesOf(now)) yield { kind: 'added', text: `+${line}` };
    return;
  }
  if (patch.hunks.length === 0)
    yield { kind: 'header', text: '@@ a hidden value is written in another way @@' };
  for (const { oldStart, oldLines, newStart, newLines, lines } of patch.hunks) {
    yield { kind: 'header', text: `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@` };
    for (const text of lines) yield { kind: KINDS[text.charAt(0)] ?? 'context', text };
  }
}

/** What differs between two texts, as lines of a unified diff, with secrets hidden as below. */
export function textDiff(name: string, before: string, after: string): DiffLine[] {
  const [old = '', now = ''] = redact([before, after]);
  return [
    { kind: 'header', text: `--- ${name}` },
    { kind: 'header', text: `+++ ${name}` },
    ...Array.from(difference(name, old, now, MOST_EDITS), ({ kind, text }) => ({
      kind,
      text: visible(text),
    })),
  ];
}

/**
 * What differs between the published documents and others, as lines of a unified diff. Secrets in them are hidden
 * (`redact`), and no line can steer a terminal.
 * @param before the name of the published side, for the headers
 * @param mostEdits where more lines differ, all of a document is told as taken away and added
 */
export function documentDiff(
  live: Published | undefined,
  documents: Documents,
  before: string,
  after: string,
  mostEdits: number = MOST_EDITS,
): DiffLine[] {
  const keys = namesOf(documents).filter((key) => (live?.data[key] ?? '') !== documents[key]);
  const shown = redact(keys.flatMap((key) => [live?.data[key] ?? '', documents[key] ?? '']));
  return keys.flatMap((key, number) => {
    const [old = '', now = ''] = shown.slice(number * 2);
    return [
      { kind: 'header' as const, text: `--- ${before} ${key}` },
      { kind: 'header' as const, text: `+++ ${after} ${key}` },
      ...Array.from(difference(key, old, now, mostEdits), ({ kind, text }) => ({
        kind,
        text: safeLine(text),
      })),
    ];
  });
}
