import { OVERRIDES_KEY, type Toolset } from '../model/documents.ts';
import type { Rollback } from '../model/revision.ts';
import { contentHash } from './content-hash.ts';
import type { Observed, ReadRevision } from './observed.ts';
import { CONTENT_HASH, INPUTS_HASH, type Intent, REMOVAL_HELD, rollbackOf } from './plan.ts';

/** The rollback that holds, from the published state or the history. */
export const heldRollback = (
  live: Observed | undefined,
  newest: ReadRevision | undefined,
): Rollback | undefined => (live === undefined ? newest?.rollback : rollbackOf(live.annotations));

/**
 * Toolsets, newest first, with the one from before a rollback at the beginning.
 * @param from the hash of what the inputs had last
 */
function inputsFirst(known: readonly Toolset[], from: string | undefined): readonly Toolset[] {
  const decided = known.find(({ documents }) => contentHash(documents) === from);
  return decided === undefined ? known : [decided, ...known.filter((each) => each !== decided)];
}

const newestFirst = (revisions: readonly ReadRevision[]): readonly Toolset[] =>
  revisions.map(({ toolset }) => toolset).reverse();

/**
 * What was published last as the inputs had it, newest first: from before a rollback that holds, or else the live toolset,
 * and then the history.
 * @param revisions oldest first
 */
export function standingToolsets(
  live: Observed | undefined,
  revisions: readonly ReadRevision[],
): readonly Toolset[] {
  const from = heldRollback(live, revisions.at(-1))?.from ?? live?.annotations[CONTENT_HASH];
  const published = live?.toolset === undefined ? [] : [live.toolset];
  return inputsFirst([...published, ...newestFirst(revisions)], from);
}

/**
 * The toolset from before a rollback that holds. Discovery and generation treat it as the published one: otherwise a rollback
 * would change what is generated, and thereby end itself.
 */
export function beforeRollback({
  live,
  revisions,
}: {
  readonly live: Observed | undefined;
  readonly revisions: readonly ReadRevision[];
}): Toolset | undefined {
  const from = heldRollback(live, revisions.at(-1))?.from;
  if (from === undefined) return undefined;
  return revisions.find(({ documents }) => contentHash(documents) === from)?.toolset;
}

/** As `standingToolsets`, where this is about to be published. */
export const standingWith = (intent: Intent, revisions: readonly ReadRevision[]): readonly Toolset[] =>
  inputsFirst([intent, ...newestFirst(revisions)], intent.rollback?.from);

/** What a rollback from this state is from: the last documents that were no rollback, and what the inputs produce. */
function startOf(
  live: Observed | undefined,
  newest: ReadRevision | undefined,
): Pick<Rollback, 'from' | 'inputs'> | undefined {
  const earlier = heldRollback(live, newest);
  if (earlier !== undefined) return { from: earlier.from, inputs: earlier.inputs };
  const recorded = newest === undefined ? undefined : contentHash(newest.documents);
  const from = live?.annotations[CONTENT_HASH] ?? recorded;
  return from === undefined ? undefined : { from, inputs: live?.annotations[INPUTS_HASH] };
}

/** The hash of the documents that the inputs produced when a rollback began. It holds while they produce the same. */
export const inputsOf = ({ from, inputs = from }: Omit<Rollback, 'to'>): string => inputs;

/**
 * The revisions that `rollback` may choose on its own. While a rollback holds, these are only the ones from before all that it
 * was at, without the documents that it was from or at: repeated, it goes further back, and never to what people rolled back.
 * @param revisions oldest first
 */
export function earlierRevisions(
  live: Observed | undefined,
  revisions: readonly ReadRevision[],
): readonly ReadRevision[] {
  // What holds is not published: it is the first thing to return to.
  if (live?.toolset === undefined) return revisions;
  const held = rollbackOf(live.annotations);
  if (held === undefined) return revisions;
  const hashOf = ({ documents }: Toolset | ReadRevision): string => contentHash(documents);
  const start = revisions.findLastIndex((each) => hashOf(each) === held.from);
  const stops = revisions.slice(start + 1).filter(({ rollback }) => rollback?.from === held.from);
  const oldest = Math.min(held.to, ...stops.map(({ rollback }) => rollback?.to ?? held.to));
  const passed = new Set([held.from, inputsOf(held), hashOf(live.toolset), ...stops.map(hashOf)]);
  return revisions.filter((each) => each.number < oldest && !passed.has(hashOf(each)));
}

/**
 * The desired state of a rollback. Overrides do not change. Pure. The rollback holds while the inputs produce the same
 * documents as now. It does not hold if the revision has exactly these, or is published again to end an earlier rollback.
 * While removals are held, the inputs produce fewer tools than are published, so a rollback to what is published keeps it.
 * @param revisions the history, oldest first
 * @param accepted what a person accepted although it is unwanted now
 * @param isEnd whether to end the rollback that holds
 */
export function rollbackIntent(
  to: ReadRevision,
  live: Observed | undefined,
  revisions: readonly ReadRevision[],
  accepted?: string,
  isEnd = false,
): Intent & { readonly rollback: Rollback | undefined; readonly overrides: string | undefined } {
  const newest = revisions.at(-1);
  const start = startOf(live, newest);
  const holds = !isEnd && start !== undefined && inputsOf(start) !== contentHash(to.documents);
  return {
    ...to.toolset,
    rollback: holds ? { ...start, to: to.number, accepted } : undefined,
    // These stay known for another rollback, and for the end of this one, until serve decides again.
    inputs: start?.inputs,
    removalHeld: live?.annotations[REMOVAL_HELD],
    overrides: live === undefined ? newest?.overrides : live.data[OVERRIDES_KEY],
    owner: live?.ownOwner,
  };
}
