import type { Documents } from '../model/documents.ts';
import type { Content, Revision, Rollback } from '../model/revision.ts';
import { contentHash, revisionHash } from './content-hash.ts';

/** What has to be done so that a content is the newest revision. */
export type RecordStep =
  | { readonly do: 'nothing' }
  | { readonly do: 'create'; readonly name: string; readonly number: number }
  /** The same content was published before: it gets the next number, as `kubectl rollout undo` does it. */
  | { readonly do: 'renumber'; readonly name: string; readonly number: number };

const same = (a: Rollback | undefined, b: Rollback | undefined): boolean =>
  a?.to === b?.to && a?.from === b?.from;

/**
 * Decides how a published content is remembered. Each content has one revision, named by what is in it, so recording it
 * twice, or by two processes, makes one.
 * @param prefix how names of revisions begin
 */
export function recordStep(content: Content, revisions: readonly Revision[], prefix: string): RecordStep {
  const name = `${prefix}-${revisionHash(content.documents, content.overrides).slice(0, 12)}`;
  const newest = revisions.at(-1);
  const known = revisions.find((revision) => revision.name === name);
  const next = (newest?.number ?? 0) + 1;
  if (known === undefined) return { do: 'create', name, number: next };
  if (known !== newest) return { do: 'renumber', name, number: next };
  return same(known.rollback, content.rollback)
    ? { do: 'nothing' }
    : { do: 'renumber', name, number: known.number };
}

/** The oldest revisions beyond those that are kept; the newest is always kept. */
export function surplus(revisions: readonly Revision[], limit: number): readonly Revision[] {
  return revisions.slice(0, Math.max(0, revisions.length - Math.max(1, limit)));
}

/**
 * The revision to return to when none is named: the newest with other documents than those that are published.
 * @param usable leaves out what must not be published
 */
export function previousRevision(
  revisions: readonly Revision[],
  published: Documents | undefined,
  usable: (revision: Revision) => boolean = () => true,
): Revision | undefined {
  const hash = published === undefined ? undefined : contentHash(published);
  return revisions.findLast((revision) => contentHash(revision.documents) !== hash && usable(revision));
}
