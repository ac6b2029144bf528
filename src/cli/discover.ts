import { readCurrentState, withCurrentState } from '../app/current-state.ts';
import { discoverOnce } from '../app/discover-once.ts';
import { openInput, stagesOf } from '../app/pipeline.ts';
import { idsOf } from '../controller/backend-ids.ts';
import { Catalog } from '../controller/catalog.ts';
import { sinceOf } from '../controller/company.ts';
import { toolKinds } from '../controller/pass.ts';
import { generate } from '../outputs/generate.ts';
import { isWatched } from '../planning/conditions/published.ts';
import { readOnce } from '../sources/source.ts';
import type { Format } from './choices.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';
import { type InputFlags, inputOf } from './input-flags.ts';
import { reportNothingFound } from './nothing-found.ts';
import { render, warn, writePainted } from './output.ts';
import { elsewhereOf, widened } from './searched-namespaces.ts';
import { storedSettings } from './stored-settings.ts';
import { columnsOf, hasColours } from './terminal.ts';
import { warnOfUnknownState, whyApprovalsUnknown } from './unknown-state.ts';
import { withProgress } from './with-progress.ts';

export interface DiscoverFlags extends InputFlags {
  readonly output: Format;
}

/** `discover`: lists the backends and their health. @returns the exit code */
export async function discoverCommand(flags: DiscoverFlags, cli: CliContext): Promise<number> {
  const stored = await storedSettings(flags, cli);
  const { kube, settingsFor, policy: configured, watched } = stored;
  const settings = await widened(await settingsFor(flags), kube, cli.signal);
  const input = await openInput(inputOf(flags, cli), settings, false, kube);
  const { sync, state, kinds, found, elsewhere } = await withProgress(
    cli.output,
    cli.env,
    async (progress) => {
      progress?.show(`listing Services in ${input.where}`);
      const [read, state, stages] = await Promise.all([
        readOnce(input.source, cli.signal),
        readCurrentState(settings, input, stored, cli.signal),
        stagesOf(settings, input),
      ]);
      const stagesInUse = withCurrentState(progress?.watching(stages) ?? stages, state);
      return {
        sync: read,
        state,
        kinds: toolKinds(stages.rules),
        found: await discoverOnce(read.services, stagesInUse, cli.signal),
        elsewhere: await elsewhereOf(flags, settings, input, cli),
      };
    },
  );
  const { overrides, publication, tools, leftOutOf, inForce, groups } = state;
  const policy = {
    ...configured,
    approvalsUnknown: whyApprovalsUnknown(state),
    ...(kube === undefined ? { approvalPlace: { place: 'overrides.yaml' } } : {}),
  };
  // Trust and limits are those of serve. Backends that it does not watch take nothing from others.
  const searched = found.services.filter(({ service }) => isWatched(watched, service.namespace));
  const { limitNotes, cuts, omissions } = generate(searched, {
    ...policy,
    kinds,
    overrides,
    inUseSince: sinceOf(found),
  });
  const catalog = new Catalog();
  catalog.update(
    {
      found: found.services,
      ids: idsOf(found.services, groups),
      tools,
      overrides,
      policy,
      publication,
      cuts,
      omissions: [...omissions, ...inForce.leftOut],
      leftOutOf,
    },
    new Date(),
  );
  // Without what overrides decide, the list is the same.
  const { backends } = catalog;
  if (state.fault === undefined || backends.some(({ approval }) => approval.state === 'unknown'))
    warnOfUnknownState(state, settings, cli);
  const problems = [...sync.problems, ...found.problems, ...limitNotes];
  const { result } = cli.output;
  writePainted(
    result,
    await render(
      catalog.backends,
      problems,
      flags.output,
      { colour: hasColours(result, cli.env), width: columnsOf(result, cli.env) },
      publication.isKnown,
    ),
  );
  warn(cli.output, [...problems, ...elsewhere]);
  const searchedServices = { ...sync, backends: found.services.length };
  await reportNothingFound(flags, settings, input, searchedServices, cli);
  return input.kube === undefined && sync.problems.length > 0 ? EXIT.findings : EXIT.ok;
}
