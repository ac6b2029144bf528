import type { Configuration } from '../app/configuration.ts';
import { readCurrentState, withCurrentState } from '../app/current-state.ts';
import { type Input, openInput, stagesOf } from '../app/pipeline.ts';
import { idsOf } from '../controller/backend-ids.ts';
import { Catalog } from '../controller/catalog.ts';
import { discover, toolKinds } from '../controller/pass.ts';
import { countOf } from '../model/count-of.ts';
import { generate } from '../outputs/generate.ts';
import { isWatched } from '../planning/conditions/published.ts';
import { readOnce } from '../sources/source.ts';
import type { Format } from './choices.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';
import { type InputFlags, inputOf } from './input-flags.ts';
import { render, warn, writePainted } from './output.ts';
import { storedSettings } from './stored-settings.ts';
import { columnsOf, hasColours } from './terminal.ts';
import { withProgress } from './with-progress.ts';

export interface DiscoverFlags extends InputFlags {
  readonly output: Format;
}

/** Advice for the case that nothing was found. */
async function adviceFor(
  flags: InputFlags,
  { namespaces }: Configuration,
  input: Input,
  services: number,
  cli: CliContext,
): Promise<string> {
  if (input.kube !== undefined && flags.namespace !== undefined) {
    const { missingNamespaces } = await import('./not-found.ts');
    const missing = await missingNamespaces(namespaces, input, cli.signal);
    if (missing.length > 0) return missing.join('\n');
  }
  const name = cli.name ?? 'dynamic-toolset';
  const why = `${name} explain NAMESPACE/SERVICE shows why a Service is not a backend.`;
  if (input.kube === undefined && services === 0)
    return `No object of kind Service was read. Charts are rendered first: helm template my/chart | ${name} discover -f -`;
  if (input.kube === undefined || namespaces.includes('*')) return why;
  return services === 0
    ? 'Try all namespaces with -A, or name others with -n.'
    : `Try -A for all namespaces. ${why}`;
}

/** `discover`: lists the backends and their health. @returns the exit code */
export async function discoverCommand(flags: DiscoverFlags, cli: CliContext): Promise<number> {
  const { kube, settingsFor, policy, watched } = await storedSettings(flags, cli);
  const settings = await settingsFor(flags);
  const input = await openInput(inputOf(flags, cli), settings, false, kube);
  const { sync, state, kinds, found } = await withProgress(cli.output, cli.env, async (progress) => {
    progress?.show(`listing Services in ${input.where}`);
    const [read, state, stages] = await Promise.all([
      readOnce(input.source, cli.signal),
      readCurrentState(settings, input, watched, cli.signal),
      stagesOf(settings, input),
    ]);
    const stagesInUse = withCurrentState(progress?.watching(stages) ?? stages, state);
    return {
      sync: read,
      state,
      kinds: toolKinds(stages.rules),
      found: await discover(read.services, stagesInUse, cli.signal),
    };
  });
  const { overrides, published, publication, tools, groups } = state;
  // Trust and limits are those of serve. Backends that it does not watch take nothing from others.
  const searched = found.services.filter(({ service }) => isWatched(watched, service.namespace));
  const { limitNotes, cuts, omissions } = generate(searched, {
    ...policy,
    kinds,
    overrides,
    published,
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
      omissions,
    },
    new Date(),
  );
  const problems = [...sync.problems, ...found.problems, ...limitNotes];
  const { result, messages } = cli.output;
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
  warn(cli.output, problems);
  if (found.services.length === 0) {
    messages.write(
      `No backends found among ${countOf(sync.services.length, 'Service')} in ${input.where}.\n`,
    );
    messages.write(`${await adviceFor(flags, settings, input, sync.services.length, cli)}\n`);
  }
  return input.kube === undefined && sync.problems.length > 0 ? EXIT.findings : EXIT.ok;
}
