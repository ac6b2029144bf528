import type { Documents } from '../model/documents.ts';
import { FindingsError } from '../model/errors.ts';
import type { Plan, Published } from '../model/published.ts';
import type { Revision } from '../model/revision.ts';
import { contentHash, publishedDocuments } from '../planning/content-hash.ts';
import { type Intent, plan } from '../planning/plan.ts';
import { previousRevision } from '../planning/revisions.ts';
import type { Publisher } from '../publishers/publisher.ts';

/** What a publication needs beside what shall be published. */
export interface Publication {
  readonly publisher: Publisher;
  readonly version: string;
  readonly now: () => Date;
  /** What is wrong with documents that were read back; empty if an agent can use them. */
  readonly faultsOf: (documents: Documents) => readonly string[];
}

/** How a publication ended. */
export interface Ended {
  readonly plan: Plan;
  /** What was stored. */
  readonly live: Published | undefined;
  /** Where what was published could not be used: what was wrong, and the revision that was published in its place. */
  readonly rolledBack?: { readonly to: Revision; readonly faults: readonly string[] };
}

/** What is wrong with what is there now. Documents of somebody else are no fault of this publication's. */
function faultsIn(live: Published | undefined, faultsOf: Publication['faultsOf']): readonly string[] {
  if (live === undefined) return [];
  const documents = publishedDocuments(live);
  return documents === undefined ? ['a document is missing'] : faultsOf(documents);
}

/**
 * Publishes, looks at what was stored, and returns to an earlier revision when that cannot be used: something on the way,
 * such as an admission webhook, may have changed it. What somebody writes afterwards is drift, and the next pass's business.
 * @throws as `Publisher.apply`; UserError when there is nothing to return to
 */
export async function publish(
  intent: Intent,
  live: Published | undefined,
  revisions: readonly Revision[],
  { publisher, version, now, faultsOf }: Publication,
  signal: AbortSignal,
): Promise<Ended> {
  const carryOut = async (what: Intent, before: Published | undefined): Promise<Ended> => {
    const decided = plan(what, before, version);
    if (decided.action === 'none') return { plan: decided, live: before };
    return { plan: decided, live: await publisher.apply(decided, now(), signal) };
  };
  const first = await carryOut(intent, live);
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
  const second = await carryOut({ ...intent, documents: to.documents, rollback }, first.live);
  if (faultsIn(second.live, faultsOf).length > 0)
    throw new FindingsError(`${what}, and so is revision ${to.number}; ${remedy}`);
  return { ...second, rolledBack: { to, faults } };
}
