import { OVERRIDES_KEY } from '../model/documents.ts';
import type { Rollback } from '../model/revision.ts';
import { contentHash } from './content-hash.ts';
import type { Observed, ReadRevision } from './observed.ts';
import { CONTENT_HASH, type Intent, rollbackOf } from './plan.ts';

/** The rollback that holds, from the published state or the history. */
export const heldRollback = (
  live: Observed | undefined,
  newest: ReadRevision | undefined,
): Rollback | undefined => (live === undefined ? newest?.rollback : rollbackOf(live.annotations));

/** The hash of the documents that the inputs produce, from the published state or the history. */
function inputsHash(live: Observed | undefined, newest: ReadRevision | undefined): string | undefined {
  const earlier = heldRollback(live, newest);
  const recorded = newest === undefined ? undefined : contentHash(newest.documents);
  return earlier?.from ?? live?.annotations[CONTENT_HASH] ?? recorded;
}

/**
 * The desired state of a rollback. Overrides do not change. Pure. The rollback holds while the inputs produce the same
 * documents as now; there is no hold if the revision has exactly these.
 * @param revisions the history, oldest first
 */
export function rollbackIntent(
  to: ReadRevision,
  live: Observed | undefined,
  revisions: readonly ReadRevision[],
): Intent & { readonly rollback: Rollback | undefined; readonly overrides: string | undefined } {
  const newest = revisions.at(-1);
  const from = inputsHash(live, newest);
  return {
    ...to.toolset,
    rollback: from === undefined || from === contentHash(to.documents) ? undefined : { to: to.number, from },
    overrides: live === undefined ? newest?.overrides : live.data[OVERRIDES_KEY],
    owner: live?.ownOwner,
  };
}
