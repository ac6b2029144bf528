import { FindingsError } from '../model/errors.ts';
import type { Plan } from '../model/published.ts';
import type { Outputs } from '../outputs/outputs.ts';
import type { OutputSettings } from '../outputs/registry.ts';
import { contentHash } from '../planning/content-hash.ts';
import { type Observed, observe, type ReadRevision } from '../planning/observed.ts';
import { type Intent, plan } from '../planning/plan.ts';
import { previousRevision } from '../planning/revisions.ts';
import type { Publisher } from '../publishers/publisher.ts';

/** What a publication needs beside what shall be published. */
export interface Publication {
  readonly publisher: Publisher;
  readonly version: string;
  readonly now: () => Date;
  readonly outputs: Outputs<OutputSettings>;
}

/** The result of a publication. */
export interface PublishResult {
  readonly plan: Plan;
  /** What was stored. */
  readonly live: Observed | undefined;
  /** Where what was published could not be used: what was wrong, and the revision that was published in its place. */
  readonly rolledBack?: { readonly to: ReadRevision; readonly faults: readonly string[] };
}

/** What is wrong with what is there now. */
function faultsIn(live: Observed | undefined, faultsOf: Outputs['faultsOf']): readonly string[] {
  if (live === undefined) return [];
  return live.toolset === undefined ? ['a document is missing'] : faultsOf(live.toolset.documents);
}

/**
 * Publishes, looks at what was stored, and returns to an earlier revision when that cannot be used: something on the way,
 * such as an admission webhook, may have changed it. What somebody writes afterwards is drift, and the next pass's business.
 * @throws as `Publisher.apply`; UserError when there is nothing to return to
 */
export async function publish(
  intent: Intent,
  live: Observed | undefined,
  revisions: readonly ReadRevision[],
  { publisher, version, now, outputs }: Publication,
  signal: AbortSignal,
): Promise<PublishResult> {
  const { faultsOf } = outputs;
  const applyPlan = async (what: Intent, before: Observed | undefined): Promise<PublishResult> => {
    const decided = plan(what, before, version);
    if (decided.action === 'none') return { plan: decided, live: before };
    return { plan: decided, live: observe(await publisher.apply(decided, now(), signal), outputs) };
  };
  const first = await applyPlan(intent, live);
  // What is there already was read back when it was published.
  if (first.plan.action === 'none') return first;
  const faults = faultsIn(first.live, faultsOf);
  if (faults.length === 0) return first;
  const to = previousRevision(
    revisions,
    intent.documents,
    ({ documents }) => faultsOf(documents).length === 0,
  );
  const what = `what was published to ${publisher.target} cannot be used as it was read back (${faults.join('; ')})`;
  const remedy = 'look for what changes ConfigMaps on their way in, such as admission webhooks';
  if (to === undefined) throw new FindingsError(`${what}, and there is no revision to return to; ${remedy}`);
  const rollback = { to: to.number, from: contentHash(intent.documents) };
  const second = await applyPlan({ ...intent, ...to.toolset, rollback }, first.live);
  if (faultsIn(second.live, faultsOf).length > 0)
    throw new FindingsError(`${what}, and so is revision ${to.number}; ${remedy}`);
  return { ...second, rolledBack: { to, faults } };
}
