import { styleText } from 'node:util';
import { discover, toolKinds } from '../engine/pass.ts';
import { generate } from '../generate/generate.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { EXIT } from '../model/exit.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import { documentDiff } from '../reconcile/changes.ts';
import { configMapPublisher } from '../reconcile/config-map-publisher.ts';
import { faultsLine, readOverrides } from '../reconcile/overrides.ts';
import { plan } from '../reconcile/plan.ts';
import { readOnce } from '../source/source.ts';
import { type InputFlags, type Invocation, settingsOf } from './configuration.ts';
import { warn } from './output.ts';
import { openCluster, openInput, stagesOf } from './pipeline.ts';

const STYLES = { removed: 'red', added: 'green', header: 'bold', context: 'reset' } as const;

/** `diff`: what `serve` would change in the cluster now. @returns the exit code: 1 if anything */
export async function diffCommand(flags: InputFlags, run: Invocation): Promise<number> {
  const settings = settingsOf({ ...flags }, run);
  const input = await openInput(flags, settings, run, false);
  const kube = input.kube ?? (await openCluster(flags, run));
  const target = { name: settings.configMapName, namespace: settings.configMapNamespace };
  const publisher = configMapPublisher(kube, target);
  const [sync, live, stages] = await Promise.all([
    readOnce(input.source, run.signal),
    publisher.read(run.signal),
    stagesOf(settings, input),
  ]);
  const overrides = readOverrides(live?.data[OVERRIDES_KEY]);
  const faults = 'faults' in overrides ? faultsLine(overrides.faults) : undefined;
  const found = await discover(sync.services, stages, run.signal);
  const generated = generate(found.services, {
    ...settings,
    overrides: 'value' in overrides ? overrides.value : NO_OVERRIDES,
    kinds: toolKinds(stages.rules),
  });
  const decided = plan(
    generated,
    live,
    run.version,
    faults === undefined ? undefined : { overrideError: faults },
  );
  warn(run.output, [
    ...sync.problems,
    ...found.problems,
    ...(faults === undefined
      ? []
      : [{ where: OVERRIDES_KEY, what: faults, fix: 'the last toolset stays until then' }]),
    ...generated.notes,
  ]);
  const { result, messages } = run.output;
  const colour = result.isTTY === true && run.env.NO_COLOR === undefined;
  for (const { kind, text } of documentDiff(live, decided.documents, publisher.target, 'now'))
    result.write(`${colour ? styleText(STYLES[kind], text, { validateStream: false }) : text}\n`);
  for (const change of decided.changes.filter((each) => !each.startsWith('data ')))
    messages.write(`${live === undefined ? 'would set' : 'would change'} ${change}\n`);
  if (decided.action === 'none') messages.write(`${publisher.target} is as it should be.\n`);
  return decided.action === 'none' ? EXIT.ok : EXIT.findings;
}
