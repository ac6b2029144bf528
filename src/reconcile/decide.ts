import { DOCUMENT_KEYS, type Documents } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import type { Revision } from '../model/revision.ts';
import { contentHash, publishedDocuments } from './content-hash.ts';
import { massRemoval } from './guards.ts';
import { CONTENT_HASH, type Intent, isOurs, rollbackOf } from './plan.ts';

/** All that a decision depends on. */
export interface Situation {
  /** What the inputs give. */
  readonly generated: Documents;
  /** What is wrong with the overrides, if something is: then they are not in what was generated. */
  readonly overrideError: string | undefined;
  /** What is published now, if anything. */
  readonly live: Published | undefined;
  /** What this process published last, if it did. */
  readonly own: Documents | undefined;
  /** The text of `overrides.yaml` when it was last seen. */
  readonly overrides: string | undefined;
  /** What was published before, in the order of their numbers. */
  readonly revisions: readonly Revision[];
  /** Names of the tools whose backends are unhealthy. */
  readonly unhealthy: ReadonlySet<string>;
  /** Many tools may go at once: a person said so, or they were held long enough. */
  readonly mayShrink: boolean;
}

/** What shall be published, and what is to be told of how that came. */
export interface Decision {
  readonly intent: Intent;
  /** The generated keys that somebody else changed since they were published, and what they were. */
  readonly drift: { readonly keys: readonly string[]; readonly published: Documents | undefined } | undefined;
  /** Tools that go all at once for reasons of health; they are kept unless it may shrink. */
  readonly lost: readonly string[];
  /** A rollback that keeps what is published, or did until now. */
  readonly rollback: 'holds' | 'ended' | undefined;
}

/** What was published last: what is there, if nobody touched it since; else what is remembered of it. */
function lastPublished({ live, own, revisions }: Situation): Documents | undefined {
  const recorded = revisions.map(({ documents }) => documents).reverse();
  const remembered = [...(own === undefined ? [] : [own]), ...recorded];
  if (live === undefined) {
    // Another process may have published since: a second serve, or a rollback. Only what could not be recorded is newer.
    const isRecorded = own === undefined || recorded.some((each) => contentHash(each) === contentHash(own));
    return isRecorded ? recorded[0] : own;
  }
  const pointer = live.annotations[CONTENT_HASH];
  if (pointer === undefined) return isOurs(live) ? remembered[0] : undefined;
  const there = publishedDocuments(live);
  if (there !== undefined && contentHash(there) === pointer) return there;
  return remembered.find((documents) => contentHash(documents) === pointer);
}

function driftOf(live: Published | undefined, published: Documents | undefined): Decision['drift'] {
  if (live === undefined || !isOurs(live)) return undefined;
  const there = publishedDocuments(live);
  if (there !== undefined && contentHash(there) === live.annotations[CONTENT_HASH]) return undefined;
  const keys = DOCUMENT_KEYS.filter((key) => published === undefined || live.data[key] !== published[key]);
  return keys.length === 0 ? undefined : { keys, published };
}

/**
 * Decides which documents shall be published. Pure. What the inputs give is published, unless there is a reason to
 * keep what is: overrides that cannot be read, a rollback, or many tools that would go at once.
 */
export function decide(situation: Situation): Decision {
  const { generated, overrideError, live, revisions, overrides } = situation;
  const published = lastPublished(situation);
  const drift = driftOf(live, published);
  const kept = published ?? publishedDocuments(live);
  const rollback = live === undefined ? revisions.at(-1)?.rollback : rollbackOf(live.annotations);
  if (overrideError !== undefined)
    return {
      intent: { documents: kept ?? generated, overrideError, rollback, overrides },
      drift,
      lost: [],
      rollback: undefined,
    };
  if (kept !== undefined && rollback !== undefined && rollback.from === contentHash(generated))
    return { intent: { documents: kept, rollback, overrides }, drift, lost: [], rollback: 'holds' };
  const ended = rollback === undefined ? undefined : 'ended';
  const lost = massRemoval(published, generated, situation.unhealthy);
  const keep = lost.length > 0 && !situation.mayShrink;
  return {
    intent: { documents: keep ? (kept ?? generated) : generated, overrides },
    drift,
    lost,
    rollback: ended,
  };
}
