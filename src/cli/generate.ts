import { withCurrentState } from '../app/current-state.ts';
import { discoverOnce } from '../app/discover-once.ts';
import { openInput, stagesOf } from '../app/pipeline.ts';
import { namingBy } from '../controller/naming.ts';
import { toolKinds } from '../controller/pass.ts';
import { publishedUse } from '../controller/published-use.ts';
import { NO_NAMING } from '../detection/names.ts';
import type { Generated } from '../model/documents.ts';
import { ConfigError, FindingsError } from '../model/errors.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import { faultLines } from '../model/yaml-text.ts';
import { generate } from '../outputs/generate.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { plan } from '../planning/plan.ts';
import { readOnce } from '../sources/source.ts';
import type { DocumentFormat } from './choices.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';
import { fileText, fileTypeOf, notGenerated } from './generated-file.ts';
import { type InputFlags, inputOf } from './input-flags.ts';
import { reportNothingFound } from './nothing-found.ts';
import { warn } from './output.ts';
import { readInput } from './read-input.ts';
import { elsewhereOf } from './searched-namespaces.ts';
import { settingsWithStored } from './stored-settings.ts';
import { unhealthyNotes } from './unhealthy-notes.ts';
import { withProgress } from './with-progress.ts';
import { writeResult } from './write-result.ts';
import { yamlText } from './yaml-output.ts';

export interface GenerateFlags extends InputFlags {
  readonly format: DocumentFormat;
  readonly out?: string;
  readonly overrides?: string;
}

/** Reads overrides from a file. @throws UserError that lists each fault with its line and column */
async function overridesFrom(path: string | undefined, cli: CliContext): Promise<Overrides> {
  if (path === undefined) return NO_OVERRIDES;
  const text = await readInput(
    path,
    { what: `the overrides ${path}`, fix: 'choose another file with --overrides', isStdin: false },
    cli,
  );
  const result = readOverrides(text);
  if ('value' in result) return result.value;
  throw new FindingsError(
    faultLines(result, ({ line, column, message }) => `${path}:${line}:${column}: ${message}`).join('\n'),
  );
}

/** The document of one output, whole. */
function documentOf(id: Exclude<DocumentFormat, 'configmap'>, { documents }: Generated): string {
  const [type] = OUTPUTS.all.find((output) => output.id === id)?.documents ?? [];
  const document = OUTPUTS.whole(documents)[type?.name ?? ''];
  if (document === undefined)
    throw new ConfigError(`${id} is published to a place of its own, and generate has no document for it`);
  return document;
}

/** `generate`: writes the documents to standard output or a file. @returns the exit code */
export async function generateCommand(flags: GenerateFlags, cli: CliContext): Promise<number> {
  const { settings, kube } = await settingsWithStored(flags, cli);
  const input = await openInput(inputOf(flags, cli), settings, false, kube);
  const overrides = await overridesFrom(flags.overrides, cli);
  const { sync, stages, found, elsewhere } = await withProgress(cli.output, cli.env, async (progress) => {
    progress?.show(`listing Services in ${input.where}`);
    const read = await readOnce(input.source, cli.signal);
    const stages = await stagesOf(settings, input);
    const naming = { ...NO_NAMING, ...namingBy(overrides, settings.credentials) };
    const state = { overrides, stageInputs: { naming, ...publishedUse(undefined) } };
    const backends = await discoverOnce(
      read.services,
      withCurrentState(progress?.watching(stages) ?? stages, state),
      cli.signal,
    );
    const elsewhere = await elsewhereOf(flags, settings, input, cli);
    return { sync: read, stages, found: backends, elsewhere };
  });
  const generated = generate(found.services, {
    ...settings,
    overrides,
    kinds: toolKinds(stages.rules),
    approvalPlace:
      flags.overrides === undefined
        ? { file: 'overrides.yaml', flag: '--overrides' }
        : { file: flags.overrides },
  });
  const leftOut = unhealthyNotes(generated, found.services);
  warn(cli.output, [...sync.problems, ...found.problems, ...generated.notes, ...leftOut, ...elsewhere]);
  const searched = { ...sync, backends: found.services.length };
  await reportNothingFound(flags, settings, input, searched, cli);
  let text: string;
  if (flags.format === 'configmap') {
    const { ownedConfigMaps } = await import('../publishers/config-map/config-map.ts');
    const target = { name: settings.configMapName, namespace: settings.configMapNamespace };
    const objects = ownedConfigMaps(target, plan(generated, undefined, cli.version), undefined);
    text = objects.map(yamlText).join('---\n');
  } else text = documentOf(flags.format, generated);
  const type = fileTypeOf(flags.format);
  if (flags.out !== undefined) text = fileText(type, text);
  await writeResult(text, flags.out, (before) => notGenerated(type, before), cli);
  return input.kube === undefined && sync.problems.length > 0 ? EXIT.findings : EXIT.ok;
}
