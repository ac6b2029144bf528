import { sameDocuments } from '../model/documents.ts';
import { FindingsError } from '../model/errors.ts';
import type { Plan } from '../model/published.ts';
import type { Outputs } from '../outputs/outputs.ts';
import type { OutputSettings } from '../outputs/registry.ts';
import { contentHash } from '../planning/content-hash.ts';
import { type Observed, observe, type ReadRevision } from '../planning/observed.ts';
import { type Intent, plan } from '../planning/plan.ts';
import { previousRevision } from '../planning/revisions.ts';
import type { Publisher } from '../publishers/publisher.ts';
import type { Unwanted } from './unwanted.ts';

/** The dependencies of a publication. */
export interface Publication {
  readonly publisher: Publisher;
  readonly version: string;
  readonly now: () => Date;
  readonly outputs: Outputs<OutputSettings>;
}

/** Decides which revisions may replace a publication. */
export interface RollbackCheck {
  /** What a revision would publish although it is not approved, switched off or excluded now. */
  readonly unwantedIn: (to: ReadRevision) => readonly Unwanted[];
}

/** The result of a publication. */
export interface PublishResult {
  readonly plan: Plan;
  /** The stored state. */
  readonly live: Observed | undefined;
  /** Set if the published documents were invalid: their faults, and the revision that was published instead. */
  readonly rolledBack?: { readonly to: ReadRevision; readonly faults: readonly string[] };
}

/** The faults of the stored state. Documents were checked when they were generated, unless they are from the history. */
function faultsIn(
  { documents, rollback }: Intent,
  live: Observed | undefined,
  faultsOf: Outputs['faultsOf'],
): readonly string[] {
  if (live === undefined) return [];
  if (live.toolset === undefined) return ['a document is missing'];
  const isAsGenerated = rollback === undefined && sameDocuments(live.toolset.documents, documents);
  return isAsGenerated ? [] : faultsOf(live.toolset.documents);
}

/** The newest usable revision with nothing unwanted, and why others are not chosen. */
function replacement(
  { documents }: Intent,
  revisions: readonly ReadRevision[],
  faultsOf: Outputs['faultsOf'],
  unwantedIn: RollbackCheck['unwantedIn'],
): { readonly to: ReadRevision | undefined; readonly skipped: string } {
  let skipped = '';
  const to = previousRevision(revisions, documents, (each) => {
    if (faultsOf(each.documents).length > 0) return false;
    const [first] = unwantedIn(each);
    if (first === undefined) return true;
    if (skipped === '')
      skipped = ` by itself: revision ${each.number} has what is ${first.is} now (${first.where}: ${first.what})`;
    return false;
  });
  return { to, skipped };
}

/**
 * Publishes, verifies the stored state, and rolls back to an earlier revision if it is invalid: an admission webhook, for
 * example, may have changed it. A revision that would publish what is not approved, switched off or
 * excluded now is skipped. Later external changes are drift, which the next reconciliation handles.
 * @throws as `Publisher.apply`; UserError if there is no revision to return to
 */
export async function publish(
  intent: Intent,
  live: Observed | undefined,
  revisions: readonly ReadRevision[],
  { publisher, version, now, outputs, unwantedIn }: Publication & RollbackCheck,
  signal: AbortSignal,
): Promise<PublishResult> {
  const { faultsOf } = outputs;
  const applyPlan = async (what: Intent, before: Observed | undefined): Promise<PublishResult> => {
    const decided = plan(what, before, version);
    if (decided.action === 'none') return { plan: decided, live: before };
    return { plan: decided, live: observe(await publisher.apply(decided, now(), signal), outputs) };
  };
  const first = await applyPlan(intent, live);
  // An unchanged state was verified when it was published.
  if (first.plan.action === 'none') return first;
  const faults = faultsIn(intent, first.live, faultsOf);
  if (faults.length === 0) return first;
  const what = `what was published to ${publisher.target} cannot be used as it was read back (${faults.join('; ')})`;
  const remedy = 'look for what changes ConfigMaps on their way in, such as admission webhooks';
  const { to, skipped } = replacement(intent, revisions, faultsOf, unwantedIn);
  if (to === undefined)
    throw new FindingsError(`${what}, and there is no revision to return to${skipped}; ${remedy}`);
  const rollback = { to: to.number, from: contentHash(intent.documents), inputs: intent.inputs };
  const instead = { ...intent, ...to.toolset, rollback };
  const second = await applyPlan(instead, first.live);
  if (faultsIn(instead, second.live, faultsOf).length > 0)
    throw new FindingsError(`${what}, and so is revision ${to.number}; ${remedy}`);
  return { ...second, rolledBack: { to, faults } };
}
