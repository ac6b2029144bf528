import { decidedBy, deciding } from '../app/decided.ts';
import { LiveConfiguration } from '../app/live-configuration.ts';
import { openCluster, openInput, stagesOf } from '../app/pipeline.ts';
import { targetOf } from '../app/target.ts';
import { assess, situationOf } from '../controller/assess.ts';
import { discover, toolKinds } from '../controller/pass.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { FindingsError } from '../model/errors.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { documentDiff } from '../planning/changes.ts';
import { observe, observeRevisions } from '../planning/observed.ts';
import { plan } from '../planning/plan.ts';
import { refusal } from '../planning/refusal.ts';
import { readOnce } from '../sources/source.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';
import { type InputFlags, inputOf, settingsOf, sourcesOf } from './given.ts';
import { warn } from './output.ts';
import { printDiff } from './print-diff.ts';
import { withProgress } from './with-progress.ts';

/**
 * `diff`: what `serve` would change in the cluster now.
 * @returns the exit code: 1 if anything
 * @throws UserError where the overrides in the cluster do not count
 */
export async function diffCommand(flags: InputFlags, run: CliContext): Promise<number> {
  const first = await settingsOf(flags, run);
  const kube = await openCluster(inputOf(flags, run));
  const stored = new LiveConfiguration(sourcesOf({ ...flags }, run), first, kube, (problem) =>
    warn(run.output, [problem]),
  );
  await stored.openOnce(run.signal);
  const settings = stored.current;
  const input = await openInput(inputOf(flags, run), settings, false, kube);
  const publisher = targetOf(kube, settings);
  const { sync, live, stages, found } = await withProgress(run.output, run.env, async (progress) => {
    progress?.show(`listing Services in ${input.where}`);
    const [read, stored, made] = await Promise.all([
      readOnce(input.source, run.signal),
      publisher.read(run.signal),
      stagesOf(settings, input),
    ]);
    const published = observe(stored, OUTPUTS);
    const asking = deciding(progress?.watching(made) ?? made, decidedBy(published, settings));
    const backends = await discover(read.services, asking, run.signal);
    return { sync: read, live: published, stages: made, found: backends };
  });
  // Without the ConfigMap the history tells what would come back with it; who may not read that gets the rest.
  const revisions = live === undefined ? await publisher.history.list(run.signal).catch(() => []) : [];
  const generation = { ...settings, kinds: toolKinds(stages.rules) };
  const findings = {
    found: found.services,
    contradicted: found.contradicted,
    generation,
    outputs: OUTPUTS,
    removal: undefined,
    now: Date.now(),
  };
  const { decision, faults, notes } = assess(
    findings,
    situationOf(live, observeRevisions(revisions, OUTPUTS), {}),
    {},
  );
  const decided = plan(decision.intent, live, run.version);
  const refused = refusal(live, false);
  const { rollback } = decision.intent;
  warn(run.output, [
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
            what: `the rollback to revision ${rollback.to} holds until the inputs change`,
          },
        ]),
    ...notes,
  ]);
  printDiff(documentDiff(live, decided.documents, publisher.target, 'now'), run);
  for (const change of decided.changes.filter((each) => !each.startsWith('data ')))
    run.output.messages.write(`${live === undefined ? 'would set' : 'would change'} ${change}\n`);
  if (decided.restore !== undefined)
    run.output.messages.write(`would restore ${OVERRIDES_KEY} from the last revision\n`);
  if (faults !== undefined)
    throw new FindingsError(
      `${OVERRIDES_KEY} of ${publisher.target} cannot be used: ${faults}; the last toolset stays until it is fixed`,
    );
  if (decided.action === 'none') run.output.messages.write(`${publisher.target} is up to date.\n`);
  return decided.action === 'none' ? EXIT.ok : EXIT.findings;
}
