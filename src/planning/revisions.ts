import { compareText } from '../model/compare.ts';
import type { Documents } from '../model/documents.ts';
import type { Content, Revision, Rollback } from '../model/revision.ts';
import { contentHash, revisionHash } from './content-hash.ts';

/** What has to be done so that a content is the newest revision. `published` is RFC 3339. */
export type RecordStep =
  | { readonly do: 'nothing' }
  | { readonly do: 'create'; readonly name: string; readonly number: number; readonly published: string }
  /** The same content was published before: it gets the next number, as `kubectl rollout undo` does it. */
  | { readonly do: 'renumber'; readonly name: string; readonly number: number; readonly published: string };

const same = (a: Rollback | undefined, b: Rollback | undefined): boolean =>
  a?.to === b?.to && a?.from === b?.from;

/** When a revision was last published, in milliseconds since 1970; 0 where that is unknown. */
function publishedAt({ published, created }: Partial<Revision> = {}): number {
  const times = [published, created].map((text = '') => Date.parse(text));
  return times.find((time) => !Number.isNaN(time)) ?? 0;
}

/** Identities that were made: documents are large, and each publication compares all revisions. */
const identities = new WeakMap<Content, string>();

/** What tells revisions apart. */
function identityOf(content: Content): string {
  const known = identities.get(content);
  if (known !== undefined) return known;
  const identity = revisionHash(content.documents, content.overrides);
  identities.set(content, identity);
  return identity;
}

/**
 * Revisions from the oldest to the newest, each content once. Order goes by time and not by number: histories that
 * release 0.1.0 wrote have numbers that do not tell it.
 */
export function inOrder(revisions: readonly Revision[]): readonly Revision[] {
  const sorted = revisions.toSorted(
    (a, b) => publishedAt(a) - publishedAt(b) || a.number - b.number || compareText(a.name, b.name),
  );
  const newest = new Map(sorted.map((revision) => [identityOf(revision), revision]));
  return sorted.filter((revision) => newest.get(identityOf(revision)) === revision);
}

/**
 * Decides how a published content is remembered. Each content has one revision, named by what is in it, so recording it
 * twice, or by two processes, makes one.
 * @param revisions the oldest first
 * @param prefix how names of revisions begin
 * @param now the time of this publication; where a clock is behind, a millisecond after the newest revision counts
 */
export function recordStep(
  content: Content,
  revisions: readonly Revision[],
  prefix: string,
  now: Date,
): RecordStep {
  const identity = identityOf(content);
  const newest = revisions.at(-1);
  const known = revisions.findLast((revision) => identityOf(revision) === identity);
  const number = Math.max(0, ...revisions.map((revision) => revision.number)) + 1;
  const after = newest === undefined ? 0 : publishedAt(newest) + 1;
  const published = new Date(Math.max(now.getTime(), after)).toISOString();
  if (known === undefined)
    return { do: 'create', name: `${prefix}-${identity.slice(0, 12)}`, number, published };
  const { name } = known;
  if (known !== newest) return { do: 'renumber', name, number, published };
  return same(known.rollback, content.rollback)
    ? { do: 'nothing' }
    : { do: 'renumber', name, number: known.number, published };
}

/**
 * The revisions beyond those that are kept. The newest half of the limit stays, and the current content. Of the older
 * ones, those stay that were published for long, measured by how long ago that was: so a burst of changes pushes out its
 * own revisions, and not the toolset that was published for days before it.
 * @param revisions the oldest first
 */
export function revisionsToPrune(
  revisions: readonly Revision[],
  limit: number,
  current: Content | undefined,
): readonly Revision[] {
  const identity = current === undefined ? undefined : identityOf(current);
  const most = Math.max(1, limit);
  const now = publishedAt(revisions.at(-1));
  const worth = (index: number): number => {
    const until = publishedAt(revisions[index + 1]);
    return (until - publishedAt(revisions[index])) / (now - until + 1);
  };
  return revisions
    .slice(0, revisions.length - Math.ceil(most / 2))
    .map((revision, index) => ({ revision, worth: worth(index) }))
    .filter(({ revision }) => identityOf(revision) !== identity)
    .toSorted((a, b) => a.worth - b.worth)
    .slice(0, Math.max(0, revisions.length - most))
    .map(({ revision }) => revision);
}

/**
 * The revision to return to when none is named: the newest with other documents than those that are published.
 * @param usable leaves out what must not be published
 */
export function previousRevision<R extends Revision>(
  revisions: readonly R[],
  published: Documents | undefined,
  usable: (revision: R) => boolean = () => true,
): R | undefined {
  const hash = published === undefined ? undefined : contentHash(published);
  return revisions.findLast((revision) => contentHash(revision.documents) !== hash && usable(revision));
}
