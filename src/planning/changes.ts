import { formatPatch, OMIT_HEADERS, structuredPatch } from 'diff';
import { type Documents, namesOf } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import { visible } from '../model/visible.ts';
import { redact } from './redact.ts';

/** One line of a diff. */
export interface DiffLine {
  readonly kind: 'removed' | 'added' | 'context' | 'header';
  readonly text: string;
}

/** Maximum length of a line, in characters. */
const MAX_LINE_LENGTH = 1_000;
/** Maximum edits to search for, because the search takes quadratic time. */
const MAX_EDITS = 2_000;

/** Maximum edits on the event loop, where 4,000 would block it for seconds. */
export const QUICK_EDITS = 500;

/** Makes a line safe for a terminal. */
function safeLine(line: string): string {
  return visible(
    line.length <= MAX_LINE_LENGTH
      ? line
      : `${line.slice(0, MAX_LINE_LENGTH)}… (${line.length - MAX_LINE_LENGTH} more characters)`,
  );
}

const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n');

const KINDS: Readonly<Record<string, DiffLine['kind']>> = { '-': 'removed', '+': 'added', '@': 'header' };

/** The lines of a unified diff of one document. */
function* difference(key: string, old: string, now: string, maxEditLength: number): Generator<DiffLine> {
  const patch = structuredPatch(key, key, old, now, '', '', { context: 3, maxEditLength });
  if (patch === undefined) {
    yield { kind: 'header', text: '@@ nearly all of it @@' };
    for (const line of linesOf(old)) yield { kind: 'removed', text: `-${line}` };
    for (const line of linesOf(now)) yield { kind: 'added', text: `+${line}` };
    return;
  }
  if (patch.hunks.length === 0) {
    yield { kind: 'header', text: '@@ a hidden value is written in another way @@' };
    return;
  }
  for (const text of linesOf(formatPatch(patch, OMIT_HEADERS)))
    yield { kind: KINDS[text.charAt(0)] ?? 'context', text };
}

/** The unified diff of two texts, with secrets redacted. */
export function textDiff(name: string, before: string, after: string): DiffLine[] {
  const [old = '', now = ''] = redact([before, after]);
  return [
    { kind: 'header', text: `--- ${name}` },
    { kind: 'header', text: `+++ ${name}` },
    ...Array.from(difference(name, old, now, MAX_EDITS), ({ kind, text }) => ({
      kind,
      text: visible(text),
    })),
  ];
}

/**
 * The unified diff between the published documents and others. Secrets are redacted (`redact`), and lines are safe for a
 * terminal.
 * @param before the name of the published side, for the headers
 * @param mostEdits maximum edits; beyond it, all lines of a document are shown as removed and added
 */
export function documentDiff(
  live: Published | undefined,
  documents: Documents,
  before: string,
  after: string,
  mostEdits: number = MAX_EDITS,
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
