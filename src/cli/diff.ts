import type { Configuration } from '../app/configuration.ts';
import { currentStateOf, withCurrentState } from '../app/current-state.ts';
import { discoverOnce } from '../app/discover-once.ts';
import { excludedBy } from '../app/excluded.ts';
import { LiveConfiguration } from '../app/live-configuration.ts';
import { type InputOptions, openCluster, openInput, readsCluster, stagesOf } from '../app/pipeline.ts';
import { searchedByServe, searchedText } from '../app/searched.ts';
import { targetOf } from '../app/target.ts';
import { assess, situationOf } from '../controller/assess.ts';
import { heldNote } from '../controller/held-note.ts';
import { toolKinds } from '../controller/pass.ts';
import { withinUsableShards } from '../controller/usable-shards.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { FindingsError } from '../model/errors.ts';
import { unusableOverrides } from '../model/what-stays.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { documentDiff } from '../planning/changes.ts';
import { type Observed, observe, observeRevisions } from '../planning/observed.ts';
import { plan } from '../planning/plan.ts';
import { refusal } from '../planning/refusal.ts';
import type { History } from '../publishers/publisher.ts';
import { readOnce } from '../sources/source.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';
import { type InputFlags, inputOf, settingsOf, sourcesOf } from './input-flags.ts';
import { warn } from './output.ts';
import { printDiff } from './print-diff.ts';
import { withProgress } from './with-progress.ts';

/**
 * The settings with the namespaces that `serve` searches, unless a person chose others. Says what it does.
 * @param live the published state, which has the namespaces
 * @param isPublished whether something was published, now or according to the history
 */
function searchAsServe(
  settings: Configuration,
  live: Observed | undefined,
  isPublished: boolean,
  options: InputOptions,
  { output }: CliContext,
): Configuration {
  const searched = searchedByServe(live);
  if (!readsCluster(options)) return settings;
  if (searched === undefined) {
    if (isPublished && settings.given.namespaces === undefined)
      warn(output, [
        {
          where: 'namespaces',
          what: `it is unknown which ones serve searched, and this command searches ${searchedText(settings.namespaces)}: the difference may be wrong`,
          fix: 'name those that serve searches with --namespace',
        },
      ]);
    return settings;
  }
  const [theirs, ours] = [searchedText(searched), searchedText(settings.namespaces)];
  if (theirs === ours) return settings;
  if (settings.given.namespaces === undefined) {
    output.messages.write(`note: searching the namespaces that serve searched: ${theirs}\n`);
    return { ...settings, namespaces: searched };
  }
  warn(output, [
    {
      where: 'namespaces',
      what: `serve searched ${theirs}, and this command searches ${ours}: what it finds only in other namespaces is shown as a difference, and overrides for Services in namespaces that are not searched match none`,
      fix: `use --namespace '${theirs}' to compare as serve did`,
    },
  ]);
  return settings;
}

/**
 * The history, if it matters: without the ConfigMap it says what would be restored, and with invalid overrides which ones
 * count instead. Reading it is optional, because it may be denied.
 */
async function historyFor(
  live: Observed | undefined,
  { history, target }: ReturnType<typeof targetOf>,
  { output, signal }: CliContext,
): ReturnType<History['list']> {
  const isInvalid = live !== undefined && 'faults' in readOverrides(live.data[OVERRIDES_KEY]);
  if (live !== undefined && !isInvalid) return [];
  try {
    return await history.list(signal);
  } catch (error) {
    signal.throwIfAborted();
    if (isInvalid)
      warn(output, [
        {
          where: target,
          what: `its history cannot be read, so this command does not know the valid overrides that serve uses meanwhile: ${(error as Error).message}`,
        },
      ]);
    return [];
  }
}

/**
 * `diff`: prints what `serve` would change in the cluster now.
 * @returns the exit code: 1 if there is a difference
 * @throws UserError if the overrides in the cluster are unusable
 */
export async function diffCommand(flags: InputFlags, cli: CliContext): Promise<number> {
  const first = await settingsOf(flags, cli);
  const options = inputOf(flags, cli);
  const kube = await openCluster(options);
  const stored = new LiveConfiguration(sourcesOf({ ...flags }, cli), first, kube, (problem) =>
    warn(cli.output, [problem]),
  );
  await stored.openOnce(cli.signal);
  const publisher = targetOf(kube, stored.current);
  const live = observe(await publisher.read(cli.signal), OUTPUTS);
  const revisions = await historyFor(live, publisher, cli);
  const isPublished = live?.toolset !== undefined || revisions.length > 0;
  const settings = searchAsServe(stored.current, live, isPublished, options, cli);
  const input = await openInput(options, settings, false, kube);
  const { sync, stages, found } = await withProgress(cli.output, cli.env, async (progress) => {
    progress?.show(`listing Services in ${input.where}`);
    const [read, baseStages] = await Promise.all([
      readOnce(input.source, cli.signal),
      stagesOf(settings, input),
    ]);
    const asking = withCurrentState(
      progress?.watching(baseStages) ?? baseStages,
      currentStateOf(live, settings),
    );
    const backends = await discoverOnce(read.services, asking, cli.signal);
    return { sync: read, stages: baseStages, found: backends };
  });
  const generation = { ...settings, kinds: toolKinds(stages.rules) };
  const excluded = excludedBy(stages.rules, input.namespaces);
  const findings = {
    found: found.services,
    contradicted: found.contradicted,
    outputs: OUTPUTS,
    // As `serve` does it, which goes on with the hold that it published.
    removal: { hold: settings.removalHold, once: false, excluded },
    now: Date.now(),
  };
  const situation = situationOf(live, observeRevisions(revisions, OUTPUTS), {});
  const { proposal, notes: shardNotes } = await withinUsableShards(
    publisher,
    generation,
    (within) => {
      const assessed = assess({ ...findings, generation: within }, situation, {});
      const decided = plan(assessed.decision.intent, live, cli.version);
      const documents = decided.action === 'none' ? {} : decided.documents;
      return { ...assessed, decided, documents, cuts: assessed.generated.cuts };
    },
    cli.signal,
  );
  const { decision, decided, faults, notes } = proposal;
  const refused = refusal(live, false);
  const { rollback } = decision.intent;
  const held = heldNote(decision.held, publisher.target);
  warn(cli.output, [
    ...sync.problems,
    ...found.problems,
    ...(refused === undefined
      ? []
      : [{ where: publisher.target, what: `serve leaves it alone: ${refused}` }]),
    ...(rollback === undefined
      ? []
      : [
          {
            where: publisher.target,
            what: `the rollback to revision ${rollback.to} holds until the inputs change, or until rollback --end`,
          },
        ]),
    ...(held === undefined ? [] : [held]),
    ...notes,
    ...shardNotes,
  ]);
  printDiff(documentDiff(live, decided.documents, publisher.target, 'now'), cli);
  for (const change of decided.changes.filter((each) => !each.startsWith('data ')))
    cli.output.messages.write(`${live === undefined ? 'would set' : 'would change'} ${change}\n`);
  if (decided.restore !== undefined)
    cli.output.messages.write(`would restore ${OVERRIDES_KEY} from the last revision\n`);
  if (faults !== undefined)
    throw new FindingsError(unusableOverrides(publisher.target, faults, decision.intent.tools.length));
  if (decided.action === 'none') cli.output.messages.write(`${publisher.target} is up to date.\n`);
  return decided.action === 'none' ? EXIT.ok : EXIT.findings;
}
