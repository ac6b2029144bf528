import { DOCUMENT_KEYS, type Documents } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import { toolNames } from '../model/published-tools.ts';
import type { Revision } from '../model/revision.ts';
import { contentHash, publishedDocuments } from './content-hash.ts';
import {
  ALLOW_REMOVAL,
  CONTENT_HASH,
  type Intent,
  isOurs,
  OVERRIDE_ERROR,
  REMOVAL_HELD,
  rollbackOf,
} from './plan.ts';
import {
  countsOf,
  type FoundTools,
  type Gone,
  type Loss,
  losses,
  type RemovalOptions,
  type Removals,
  removals,
} from './removals.ts';

/** What was published before, and what people wrote there. */
export interface Situation {
  /** What is published now, if anything. */
  readonly live: Published | undefined;
  /** What this process published last, if it did. */
  readonly own: Documents | undefined;
  /** The text of `overrides.yaml` when it was last seen. */
  readonly overrides: string | undefined;
  /** What was published before, the oldest first. */
  readonly revisions: readonly Revision[];
}

/** What the inputs give, and what else a decision depends on. */
export interface Inputs {
  /** The documents that the inputs give. */
  readonly generated: Documents;
  /** What is wrong with the overrides, if something is: then they are not in what was generated. */
  readonly overrideError: string | undefined;
  readonly found: FoundTools;
  /** Without: many tools may go at once, because a person said so. */
  readonly removal: RemovalOptions | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Tools that went before. */
  readonly gone?: readonly Gone[];
  /**
   * The documents that the inputs give, with tools of what was published; nothing where these cannot be made anew, and
   * all that was published stays as it is.
   */
  readonly withHeld: (held: readonly string[], published: Documents) => Documents | undefined;
}

/** What shall be published, and what is to be told of how that came. */
export interface Decision {
  readonly intent: Intent;
  /** The generated keys that somebody else changed since they were published, and what they were. */
  readonly drift: { readonly keys: readonly string[]; readonly published: Documents | undefined } | undefined;
  /** Tools that stay for now, though the inputs do not give them. */
  readonly held: Pick<Removals, 'held' | 'until' | 'due'>;
  /** Tools that go with this. */
  readonly released: readonly Loss[];
  /** A rollback that keeps what is published, or did until now. */
  readonly rollback: 'holds' | 'ended' | undefined;
}

const NOTHING_HELD = { held: [], until: undefined, due: undefined };
const NOTHING_RELEASED: readonly Loss[] = [];

/** What was published and is remembered, the newest first. */
const remembered = ({ own, revisions }: Situation): Documents[] => [
  ...(own === undefined ? [] : [own]),
  ...revisions.map(({ documents }) => documents).reverse(),
];

/** What was published last: what is there, if nobody touched it since; else what is remembered of it. */
export function lastPublished(situation: Situation): Documents | undefined {
  const { live, own, revisions } = situation;
  const known = remembered(situation);
  if (live === undefined) {
    // Another process may have published since: a second serve, or a rollback. Only what could not be recorded is newer.
    const recorded = revisions.map(({ documents }) => documents).reverse();
    const isRecorded = own === undefined || recorded.some((each) => contentHash(each) === contentHash(own));
    return isRecorded ? recorded[0] : own;
  }
  const pointer = live.annotations[CONTENT_HASH];
  if (pointer === undefined) return isOurs(live) ? known[0] : undefined;
  const there = publishedDocuments(live);
  if (there !== undefined && contentHash(there) === pointer) return there;
  return known.find((documents) => contentHash(documents) === pointer);
}

function driftOf(live: Published | undefined, published: Documents | undefined): Decision['drift'] {
  if (live === undefined || !isOurs(live)) return undefined;
  const there = publishedDocuments(live);
  if (there !== undefined && contentHash(there) === live.annotations[CONTENT_HASH]) return undefined;
  const keys = DOCUMENT_KEYS.filter((key) => published === undefined || live.data[key] !== published[key]);
  return keys.length === 0 ? undefined : { keys, published };
}

/** The last good documents, what somebody else changed of them, and the rollback that they may belong to. */
function standing(situation: Situation) {
  const { live, revisions } = situation;
  const published = lastPublished(situation);
  const drift = driftOf(live, published);
  // What somebody edited is never what is kept: older documents of ours are better.
  const kept = published ?? (drift === undefined ? publishedDocuments(live) : remembered(situation)[0]);
  const rollback = live === undefined ? revisions.at(-1)?.rollback : rollbackOf(live.annotations);
  return { published, drift, kept, rollback };
}

/**
 * Decides which documents shall be published. Pure. What the inputs give is published, unless there is a reason to
 * keep what is: overrides that cannot be read, a rollback, or many tools that would go at once. Of those only they stay.
 */
export function decide(situation: Situation & Inputs): Decision {
  const { overrides, live, generated, overrideError } = situation;
  const { published, drift, kept, rollback } = standing(situation);
  const removalHeld = live?.annotations[REMOVAL_HELD];
  if (overrideError !== undefined)
    return {
      intent: { documents: kept ?? generated, overrideError, rollback, overrides, removalHeld },
      drift,
      held: NOTHING_HELD,
      released: NOTHING_RELEASED,
      rollback: undefined,
    };
  if (kept !== undefined && rollback !== undefined && rollback.from === contentHash(generated))
    return {
      intent: { documents: kept, rollback, overrides },
      drift,
      held: NOTHING_HELD,
      released: NOTHING_RELEASED,
      rollback: 'holds',
    };
  const ended = rollback === undefined ? undefined : 'ended';
  const { note, noteOfAll, released, ...held } = heldOf(published, situation);
  if (published === undefined || held.held.length === 0)
    return {
      intent: { documents: generated, overrides },
      drift,
      held: NOTHING_HELD,
      released,
      rollback: ended,
    };
  const documents = situation.withHeld(held.held, published);
  const isApart = documents !== undefined;
  return {
    intent: { documents: documents ?? published, overrides, removalHeld: isApart ? note : noteOfAll },
    drift,
    held: without(held, documents ?? published),
    released: isApart ? released : NOTHING_RELEASED,
    rollback: ended,
  };
}

/** The hold without the tools that overrides or policies remove from the documents. */
function without(held: Decision['held'], documents: Documents): Decision['held'] {
  const there = new Set(toolNames(documents['toolset.json']));
  const stay = held.held.filter((tool) => there.has(tool));
  return stay.length === 0 ? NOTHING_HELD : { ...held, held: stay };
}

/** Which published tools stay though the inputs do not give them. */
function heldOf(
  published: Documents | undefined,
  { live, generated, found, removal, now, gone = [] }: Situation & Inputs,
): Removals {
  const isAllowed = live?.annotations[ALLOW_REMOVAL] === 'true';
  if (published === undefined || removal === undefined || isAllowed)
    return { ...NOTHING_HELD, released: NOTHING_RELEASED, note: undefined, noteOfAll: undefined };
  const lost = losses(published, generated, found, removal.excluded);
  const note = live?.annotations[REMOVAL_HELD];
  const there = new Set(toolNames(published['toolset.json']));
  const away = gone.filter(({ tool }) => !there.has(tool));
  return removals(lost, countsOf(published, removal.excluded), note, now, removal, away);
}

/**
 * Decides what stands when there are no new documents that could be published: the last good ones, so that a hand edit
 * is reverted and a deleted ConfigMap comes back all the same. Pure.
 * @returns nothing where no good documents are known
 */
export function decideToKeep(situation: Situation): Decision | undefined {
  const { drift, kept, rollback } = standing(situation);
  if (kept === undefined) return undefined;
  const { overrides, live } = situation;
  const removalHeld = live?.annotations[REMOVAL_HELD];
  const overrideError = live?.annotations[OVERRIDE_ERROR];
  return {
    intent: { documents: kept, rollback, overrides, overrideError, removalHeld },
    drift,
    held: NOTHING_HELD,
    released: NOTHING_RELEASED,
    rollback: undefined,
  };
}
