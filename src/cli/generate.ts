import { discover } from '../engine/pass.ts';
import { generate } from '../generate/generate.ts';
import { EXIT } from '../model/exit.ts';
import { plan } from '../reconcile/plan.ts';
import { readOnce } from '../source/source.ts';
import { type InputFlags, type Invocation, settingsOf } from './configuration.ts';
import { warn } from './output.ts';
import { openInput, stagesOf } from './pipeline.ts';
import { writeResult } from './write-result.ts';

export const DOCUMENT_FORMATS = ['holmesgpt', 'toolset-json', 'configmap'] as const;

export interface GenerateFlags extends InputFlags {
  readonly format: (typeof DOCUMENT_FORMATS)[number];
  readonly out?: string;
}

/** `generate`: the documents, to standard output or a file. @returns the exit code */
export async function generateCommand(flags: GenerateFlags, run: Invocation): Promise<number> {
  const settings = settingsOf({ ...flags }, run);
  const input = await openInput(flags, settings, run, false);
  const sync = await readOnce(input.source, run.signal);
  const found = await discover(sync.services, await stagesOf(settings, input), run.signal);
  const generated = generate(found.services, settings);
  warn(run.output, [...sync.problems, ...found.problems, ...generated.notes]);
  let text: string;
  if (flags.format === 'configmap') {
    const { ownedConfigMap } = await import('../reconcile/config-map.ts');
    const { stringify } = await import('yaml');
    const target = { name: settings.configMapName, namespace: settings.configMapNamespace };
    const object = ownedConfigMap(target, plan(generated, undefined, run.version), undefined);
    text = stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
  } else text = generated.documents[flags.format === 'holmesgpt' ? 'custom_toolset.yaml' : 'toolset.json'];
  await writeResult(text, flags.out, run.output);
  return input.kube === undefined && sync.problems.length > 0 ? EXIT.findings : EXIT.ok;
}
