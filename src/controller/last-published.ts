import { OVERRIDES_KEY } from '../model/documents.ts';
import { lastPublished } from '../planning/decide.ts';
import { type Observed, observe, observeRevisions, type Reader } from '../planning/observed.ts';
import { rollbackOf, SERVICES_IN_USE } from '../planning/plan.ts';
import { beforeRollback } from '../planning/rollback.ts';
import type { Publisher } from '../publishers/publisher.ts';

/**
 * The last state that was published from the inputs. If the target has been deleted or edited since, or a rollback holds, it
 * comes from the history, so that a process that starts then knows the same backends, names and overrides as one that was
 * already running.
 * @returns `undefined` if nothing was ever published
 * @throws as `Publisher.read`
 */
export async function readLastPublished(
  publisher: Pick<Publisher, 'read' | 'history'>,
  outputs: Reader,
  signal: AbortSignal,
): Promise<Observed | undefined> {
  return lastPublishedFrom(observe(await publisher.read(signal), outputs), publisher, outputs, signal);
}

/** The same for a target that has already been read. If the history cannot be read, the target's own state is used. */
export async function lastPublishedFrom(
  live: Observed | undefined,
  { history }: Pick<Publisher, 'history'>,
  outputs: Reader,
  signal: AbortSignal,
): Promise<Observed | undefined> {
  const alone = { live, own: undefined, overrides: undefined, revisions: [] };
  const isRolledBack = live !== undefined && rollbackOf(live.annotations) !== undefined;
  const isCurrent = live !== undefined && !isRolledBack && lastPublished(alone) !== undefined;
  if (history === undefined || isCurrent) return live;
  const listed = await history.list(signal).catch(() => []);
  signal.throwIfAborted();
  const revisions = observeRevisions(listed, outputs);
  const toolset = beforeRollback({ live, revisions }) ?? lastPublished({ ...alone, revisions });
  if (toolset === undefined) return live;
  const { overrides, servicesInUse } = revisions.at(-1) ?? {};
  const data = overrides === undefined ? {} : { [OVERRIDES_KEY]: overrides };
  const annotations = servicesInUse === undefined ? {} : { [SERVICES_IN_USE]: servicesInUse };
  const gone = { data, labels: {}, annotations, names: Object.keys(toolset.documents) };
  return { ...(live ?? gone), present: toolset, toolset };
}
