import { openCluster } from '../app/pipeline.ts';
import { type Target, targetOf } from '../app/target.ts';
import { countOf, isOrAre } from '../model/count-of.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { ConfigError, FindingsError, IncompleteError } from '../model/errors.ts';
import type { Rollback } from '../model/revision.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { documentDiff } from '../planning/changes.ts';
import { contentHash } from '../planning/content-hash.ts';
import { observe, observeRevisions, type ReadRevision } from '../planning/observed.ts';
import { plan, ROLLBACK_ANNOTATIONS } from '../planning/plan.ts';
import { refusal } from '../planning/refusal.ts';
import { previousRevision } from '../planning/revisions.ts';
import { earlierRevisions, heldRollback, rollbackIntent } from '../planning/rollback.ts';
import { retryConflicts } from '../publishers/conflicts.ts';
import { PublishConflict } from '../publishers/publisher.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';
import { findRevision, noSuchTarget } from './history.ts';
import { inputOf, settingsOf } from './input-flags.ts';
import { printDiff } from './print-diff.ts';
import { type ApprovalFlags, checkApprovals, type PublishedState } from './rollback-approvals.ts';

export interface RollbackFlags extends ApprovalFlags {
  readonly to?: number;
  /** Return to the toolset from before the rollback. */
  readonly end?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

/** More revisions than the setting allows. */
const UNLIMITED_HISTORY = 1_000;

/** The revision to return to. A revision without tools must be named, because it removes all tools from the agent. */
function chooseRevision({ live, revisions }: PublishedState, number: number | undefined): ReadRevision {
  if (number !== undefined) {
    const named = findRevision(revisions, number);
    const faults = OUTPUTS.faultsOf(named.documents);
    if (faults.length === 0) return named;
    throw new FindingsError(`revision ${number} cannot be used: ${faults.join('; ')}`);
  }
  const published = live?.toolset?.documents;
  const isUsable = ({ documents }: ReadRevision): boolean => OUTPUTS.faultsOf(documents).length === 0;
  const earlier = earlierRevisions(live, revisions);
  const before = previousRevision(
    earlier,
    published,
    (each) => each.toolset.tools.length > 0 && isUsable(each),
  );
  if (before !== undefined) return before;
  const empty = previousRevision(earlier, published, isUsable);
  if (empty !== undefined)
    throw new ConfigError(
      `the earlier revisions have no tools; to return to one anyway, use --to ${empty.number}`,
    );
  const held = heldRollback(live, revisions.at(-1));
  throw new ConfigError(
    held === undefined
      ? 'there is no earlier revision to return to; history lists the revisions'
      : `the rollback to revision ${held.to} holds, and there is no earlier revision to return to; nothing was changed. To return to the toolset from before the rollback, use rollback --end; for another revision, use --to`,
  );
}

/** The revision from before a rollback. @throws FindingsError if the history does not have it */
function revisionBefore({ from }: Rollback, revisions: readonly ReadRevision[]): ReadRevision {
  const before = revisions.findLast(({ documents }) => contentHash(documents) === from);
  if (before !== undefined) return before;
  throw new FindingsError(
    `the toolset from before the rollback is no longer in the history; the rollback ends when the inputs change, or when you remove these annotations of the ConfigMap: ${ROLLBACK_ANNOTATIONS.join(', ')}`,
  );
}

/** Whether the documents of a revision are published. */
const isPublished = (live: PublishedState['live'], { documents }: ReadRevision): boolean =>
  live?.toolset !== undefined && contentHash(live.toolset.documents) === contentHash(documents);

/** Why there is nothing to do. `undefined` if there is. */
function idleNote(
  { live, revisions }: PublishedState,
  to: ReadRevision | undefined,
  target: string,
  isEnd: boolean,
): string | undefined {
  const held = heldRollback(live, revisions.at(-1));
  if (to === undefined) return `No rollback is in effect for ${target}; nothing was changed.`;
  if (isEnd || !isPublished(live, to)) return undefined;
  if (held !== undefined)
    return `${target} is at revision ${to.number} already, and the rollback to revision ${held.to} holds; nothing was changed. To end it, use rollback --end.`;
  return rollbackIntent(to, live, revisions).rollback === undefined
    ? `${target} has the documents of revision ${to.number} already, and the inputs give the same; nothing was changed.`
    : undefined;
}

/** Notes about the revision to return to. */
function notesOn({ live, revisions }: PublishedState, to: ReadRevision, isNamed: boolean): string[] {
  const published = live?.toolset?.documents;
  const hash = published === undefined ? undefined : contentHash(published);
  const earlier = earlierRevisions(live, revisions);
  const newer = isNamed ? [] : earlier.slice(earlier.indexOf(to) + 1);
  const held = isNamed || published === undefined ? undefined : heldRollback(live, revisions.at(-1));
  const empty = newer.filter(
    (each) => each.toolset.tools.length === 0 && contentHash(each.documents) !== hash,
  );
  const before = live?.toolset?.tools.length ?? 0;
  const after = to.toolset.tools.length;
  return [
    ...(live === undefined
      ? [
          'the ConfigMap does not exist and is created again. The history does not have the namespaces that serve searched: until serve runs again, name them with --namespace for diff',
        ]
      : []),
    ...(held === undefined
      ? []
      : [
          `the rollback to revision ${held.to} holds, so this goes further back; to return to the toolset from before the rollback, use rollback --end`,
        ]),
    ...empty.map(
      ({ number }) => `revision ${number} has no tools and is skipped; --to ${number} returns to it`,
    ),
    ...(after * 2 < before
      ? [
          `revision ${to.number} has ${countOf(after, 'tool')}, and ${before} ${isOrAre(before)} published: more than half of them would be removed`,
        ]
      : []),
  ];
}

async function readState(target: Target, force: boolean, signal: AbortSignal): Promise<PublishedState> {
  const [listed, published] = await Promise.all([target.history.list(signal), target.read(signal)]);
  const revisions = observeRevisions(listed, OUTPUTS);
  const live = observe(published, OUTPUTS);
  const refused = refusal(live, force);
  if (live === undefined && revisions.length === 0) throw new ConfigError(noSuchTarget(target.target));
  if (refused === undefined) return { revisions, live };
  throw new FindingsError(`${target.target} is left as it is: ${refused}`);
}

/** Publishes a revision, and retries if a running `serve` writes at the same time. @param accepted what the user accepted although it is unwanted @returns what was published */
async function publishRevision(
  to: ReadRevision,
  first: PublishedState,
  flags: RollbackFlags,
  target: Target,
  cli: CliContext,
  accepted: string | undefined,
) {
  let there: PublishedState | undefined = first;
  try {
    return await retryConflicts(async () => {
      const state = there ?? (await readState(target, flags.force === true, cli.signal));
      // Others may have withdrawn an approval.
      if (there === undefined && flags.allowUnapproved !== true)
        await checkApprovals(to, state, target.target, flags, cli);
      there = undefined;
      const { live, revisions } = state;
      const intent = rollbackIntent(to, live, revisions, accepted, flags.end);
      await target.apply(plan(intent, live, cli.version), new Date(), cli.signal);
      return intent;
    }, cli.signal);
  } catch (error) {
    if (!(error instanceof PublishConflict)) throw error;
    throw new FindingsError(
      `${target.target} was not changed: others kept writing it; find out who in its metadata.managedFields, and try again`,
      { cause: error },
    );
  }
}

/**
 * `rollback`: publishes an earlier revision again. It stays until the inputs produce different documents.
 * @returns the exit code
 */
export async function rollbackCommand(flags: RollbackFlags, cli: CliContext): Promise<number> {
  const settings = await settingsOf(flags, cli);
  // Only serve prunes the history, because only serve knows the limit.
  const target = targetOf(
    await openCluster(inputOf(flags, cli)),
    { ...settings, revisionHistoryLimit: UNLIMITED_HISTORY },
    { force: flags.force === true },
  );
  const there = await readState(target, flags.force === true, cli.signal);
  const held = heldRollback(there.live, there.revisions.at(-1));
  const isEnd = flags.end === true;
  const before = isEnd && held !== undefined ? revisionBefore(held, there.revisions) : undefined;
  const to = isEnd ? before : chooseRevision(there, flags.to);
  const idle = idleNote(there, to, target.target, isEnd);
  if (to === undefined || idle !== undefined) {
    cli.output.messages.write(`${idle}\n`);
    return EXIT.ok;
  }
  printDiff(documentDiff(there.live, to.documents, 'published', `revision ${to.number}`), cli);
  const { messages } = cli.output;
  for (const remark of notesOn(there, to, isEnd || flags.to !== undefined))
    messages.write(`note: ${remark}\n`);
  const accepted = await checkApprovals(to, there, target.target, flags, cli);
  const stays = isPublished(there.live, to);
  if (flags.dryRun === true) {
    const would = stays ? 'stay at' : 'return to';
    messages.write(`${target.target} would ${would} revision ${to.number}; nothing was changed.\n`);
    return EXIT.ok;
  }
  const { documents, overrides, rollback } = await publishRevision(to, there, flags, target, cli, accepted);
  let now = to.number;
  try {
    const recorded = await target.history.record({ documents, overrides, rollback }, new Date(), cli.signal);
    now = recorded.at(-1)?.number ?? to.number;
  } catch (error) {
    cli.signal.throwIfAborted();
    throw new IncompleteError(
      `${target.target} is back at revision ${to.number}, but the history could not be written: ${(error as Error).message}`,
      { cause: error },
    );
  }
  const numbers = now === to.number ? `${now}` : `${to.number} (${now} in history now)`;
  messages.write(
    rollback === undefined
      ? `${target.target} is at revision ${numbers}${held === undefined ? ', and the inputs give the same' : `; the rollback to revision ${held.to} has ended`}.\n`
      : `${target.target} ${stays ? 'stays' : 'is back'} at revision ${numbers}. serve keeps it until the documents that it would publish change, or until rollback --end; ${OVERRIDES_KEY} did not change.\n`,
  );
  return EXIT.ok;
}
