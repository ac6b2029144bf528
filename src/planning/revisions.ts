import { compareText } from '../model/compare.ts';
import type { Documents } from '../model/documents.ts';
import type { Content, Revision, Rollback } from '../model/revision.ts';
import { contentHash, revisionHash } from './content-hash.ts';

/** The step that makes a content the newest revision. `published` is RFC 3339. */
export type RecordStep =
  | { readonly do: 'nothing' }
  | { readonly do: 'create'; readonly name: string; readonly number: number; readonly published: string }
  /** The content was published before, and gets the next number, as with `kubectl rollout undo`. */
  | {
      readonly do: 'renumber';
      readonly name: string;
      readonly number: number;
      readonly published: string;
      /** For how long it was published before, in milliseconds. */
      readonly publishedBefore: number;
    };

const same = (a: Rollback | undefined, b: Rollback | undefined): boolean =>
  a?.to === b?.to && a?.from === b?.from && a?.inputs === b?.inputs;

/** When a revision was last published, in milliseconds since 1970. 0 if unknown. */
function publishedAt({ published, created }: Partial<Revision> = {}): number {
  const times = [published, created].map((text = '') => Date.parse(text));
  return times.find((time) => !Number.isNaN(time)) ?? 0;
}

/** For how long a revision was published in all, in milliseconds, if the last publication ended then. */
function publishedFor(revision: Revision, until: number): number {
  const since = publishedAt(revision);
  return (revision.publishedBefore ?? 0) + (since === 0 ? 0 : Math.max(0, until - since));
}

/** When the last publication of a revision ended, as recorded; `undefined` if there is no record that can be right. */
function recordedEnd(revision: Revision, newest: Revision | undefined): number | undefined {
  const until = Date.parse(revision.publishedUntil ?? '');
  return until >= publishedAt(revision) && until <= publishedAt(newest) ? until : undefined;
}

/** When the last publication of a revision ended, in milliseconds since 1970. Without a record, when the next one began. */
const endedAt = (revisions: readonly Revision[], revision: Revision, index: number): number =>
  recordedEnd(revision, revisions.at(-1)) ?? publishedAt(revisions[index + 1]);

/** Cache of identities, because documents are large, and each publication compares all revisions. */
const identities = new WeakMap<Content, string>();

/** The identity of a revision: the hash of its content. */
export function identityOf(content: Content): string {
  const known = content.identity ?? identities.get(content);
  if (known !== undefined) return known;
  const identity = revisionHash(content.documents, content.overrides);
  identities.set(content, identity);
  return identity;
}

/**
 * Sorts revisions from oldest to newest, and keeps each content once. Sorts by time, because numbers of release 0.1.0 may
 * be out of order.
 */
export function inOrder(revisions: readonly Revision[]): readonly Revision[] {
  const sorted = revisions.toSorted(
    (a, b) => publishedAt(a) - publishedAt(b) || a.number - b.number || compareText(a.name, b.name),
  );
  const newest = new Map(sorted.map((revision) => [identityOf(revision), revision]));
  return sorted.filter((revision) => newest.get(identityOf(revision)) === revision);
}

/**
 * Decides how to record a published content. Each content has one revision, named after its hash, so recording it twice,
 * or by two processes, is idempotent.
 * @param revisions oldest first
 * @param prefix prefix of revision names
 * @param now time of the publication; if the clock is behind, one millisecond after the newest revision is used
 */
export function recordStep(
  content: Content,
  revisions: readonly Revision[],
  prefix: string,
  now: Date,
): RecordStep {
  const identity = identityOf(content);
  const newest = revisions.at(-1);
  const index = revisions.findLastIndex((revision) => identityOf(revision) === identity);
  const known = revisions[index];
  const number = Math.max(0, ...revisions.map((revision) => revision.number)) + 1;
  const after = newest === undefined ? 0 : publishedAt(newest) + 1;
  const published = new Date(Math.max(now.getTime(), after)).toISOString();
  if (known === undefined)
    return { do: 'create', name: `${prefix}-${identity.slice(0, 12)}`, number, published };
  const { name } = known;
  const until = known === newest ? Date.parse(published) : endedAt(revisions, known, index);
  const publishedBefore = publishedFor(known, until);
  if (known !== newest) return { do: 'renumber', name, number, published, publishedBefore };
  return same(known.rollback, content.rollback)
    ? { do: 'nothing' }
    : { do: 'renumber', name, number: known.number, published, publishedBefore };
}

/**
 * The ends of publications to record, before a step is carried out: that of the newest revision, and those without a record.
 * Later, the revision that follows may be another, because the one that followed is pruned or published again.
 * @param revisions oldest first
 * @returns the revisions with their ends
 */
export function endsToRecord(
  revisions: readonly Revision[],
  step: Exclude<RecordStep, { do: 'nothing' }>,
): readonly { readonly name: string; readonly publishedUntil: string }[] {
  const newest = revisions.at(-1);
  return revisions.flatMap((revision, index) => {
    const { name } = revision;
    if (name === step.name) return [];
    if (revision === newest) return [{ name, publishedUntil: step.published }];
    if (recordedEnd(revision, newest) !== undefined) return [];
    return [{ name, publishedUntil: new Date(publishedAt(revisions[index + 1])).toISOString() }];
  });
}

/**
 * The revisions to prune. The newest half of the limit and the current content stay. Of the older ones, those stay that
 * were published longest in relation to their age, so a burst of changes prunes its own revisions, and not the toolset
 * that was published for days before. The newest revision with valid overrides stays, too, because it counts while those of
 * now are invalid, and so does the one from which a rollback began, to which its end returns.
 * @param revisions oldest first
 * @param isValid whether a text is valid as `overrides.yaml`
 */
export function revisionsToPrune(
  revisions: readonly Revision[],
  limit: number,
  current: Content | undefined,
  isValid: (overrides: string | undefined) => boolean,
): readonly Revision[] {
  if (revisions.length <= limit) return [];
  const from = current?.rollback?.from;
  const needed = [
    revisions.findLast(({ overrides }) => isValid(overrides)),
    from === undefined ? undefined : revisions.findLast((each) => contentHash(each.documents) === from),
  ];
  const identity = current === undefined ? undefined : identityOf(current);
  const most = Math.max(1, limit);
  const now = publishedAt(revisions.at(-1));
  const worth = (revision: Revision, index: number): number => {
    const until = endedAt(revisions, revision, index);
    return publishedFor(revision, until) / (now - until + 1);
  };
  return revisions
    .slice(0, revisions.length - Math.ceil(most / 2))
    .map((revision, index) => ({ revision, worth: worth(revision, index) }))
    .filter(({ revision }) => identityOf(revision) !== identity && !needed.includes(revision))
    .toSorted((a, b) => a.worth - b.worth)
    .slice(0, Math.max(0, revisions.length - most))
    .map(({ revision }) => revision);
}

/**
 * The default target of a rollback: the newest revision with other documents than the published ones.
 * @param usable excludes revisions that must not be published
 */
export function previousRevision<R extends Revision>(
  revisions: readonly R[],
  published: Documents | undefined,
  usable: (revision: R) => boolean = () => true,
): R | undefined {
  const hash = published === undefined ? undefined : contentHash(published);
  return revisions.findLast((revision) => contentHash(revision.documents) !== hash && usable(revision));
}
