import { documentFaults } from '../generate/check.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { EXIT, UserError } from '../model/exit.ts';
import type { Published } from '../model/published.ts';
import type { Revision } from '../model/revision.ts';
import { documentDiff } from '../reconcile/changes.ts';
import { publishedDocuments } from '../reconcile/content-hash.ts';
import { plan } from '../reconcile/plan.ts';
import { refusal } from '../reconcile/refusal.ts';
import { previousRevision } from '../reconcile/revisions.ts';
import { rollbackIntent } from '../reconcile/rollback.ts';
import { type InputFlags, type Invocation, settingsOf } from './configuration.ts';
import { revisionNumbered } from './history.ts';
import { openCluster } from './pipeline.ts';
import { printDiff } from './print-diff.ts';
import { targetOf } from './target.ts';

export interface RollbackFlags extends InputFlags {
  readonly to?: number;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

/** More than may be kept. */
const MOST_KEPT = 1_000;

function chosen(
  revisions: readonly Revision[],
  live: Published | undefined,
  number: number | undefined,
): Revision {
  if (number !== undefined) return revisionNumbered(revisions, number);
  const before = previousRevision(revisions, publishedDocuments(live));
  if (before !== undefined) return before;
  throw new UserError(
    'there is no earlier revision to return to; see what there is with history',
    EXIT.usage,
  );
}

/**
 * `rollback`: publishes what an earlier revision held. It holds until the inputs give other documents than they do now.
 * @returns the exit code
 */
export async function rollbackCommand(flags: RollbackFlags, run: Invocation): Promise<number> {
  const settings = await settingsOf({ ...flags }, run);
  // What is kept is for serve to decide: nothing is let go here.
  const publisher = targetOf(await openCluster(flags, run), { ...settings, revisionHistoryLimit: MOST_KEPT });
  const [revisions, live] = await Promise.all([
    publisher.history.list(run.signal),
    publisher.read(run.signal),
  ]);
  const refused = refusal(live, flags.force === true);
  if (refused !== undefined)
    throw new UserError(`${publisher.target} is left as it is: ${refused}`, EXIT.findings);
  const to = chosen(revisions, live, flags.to);
  const faults = documentFaults(to.documents);
  if (faults.length > 0)
    throw new UserError(`revision ${to.number} cannot be used: ${faults.join('; ')}`, EXIT.findings);
  const intent = rollbackIntent(to, live, revisions);
  const decided = plan(intent, live, run.version);
  printDiff(documentDiff(live, decided.documents, 'published', `revision ${to.number}`), run);
  const { messages } = run.output;
  if (flags.dryRun === true) {
    messages.write(`${publisher.target} would return to revision ${to.number}; nothing was changed.\n`);
    return EXIT.ok;
  }
  await publisher.apply(decided, new Date(), run.signal);
  await publisher.history.record(
    { documents: to.documents, overrides: intent.overrides, rollback: intent.rollback },
    run.signal,
  );
  messages.write(
    intent.rollback === undefined
      ? `${publisher.target} is at revision ${to.number}, which is what the inputs give.\n`
      : `${publisher.target} is back at revision ${to.number}. serve keeps it until what it would publish changes; ${OVERRIDES_KEY} is as it was.\n`,
  );
  return EXIT.ok;
}
