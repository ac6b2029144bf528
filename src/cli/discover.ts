import { discover } from '../engine/pass.ts';
import { EXIT } from '../model/exit.ts';
import { readOnce } from '../source/source.ts';
import type { Format } from './choices.ts';
import { type InputFlags, type Invocation, settingsOf } from './configuration.ts';
import { render, warn } from './output.ts';
import { openInput, stagesOf } from './pipeline.ts';

export interface DiscoverFlags extends InputFlags {
  readonly output: Format;
}

/** `discover`: what is there, and why. @returns the exit code */
export async function discoverCommand(flags: DiscoverFlags, run: Invocation): Promise<number> {
  const settings = await settingsOf({ ...flags }, run);
  const input = await openInput(flags, settings, run, false);
  const sync = await readOnce(input.source, run.signal);
  const found = await discover(sync.services, await stagesOf(settings, input), run.signal);
  const problems = [...sync.problems, ...found.problems];
  const { result, messages } = run.output;
  result.write(
    await render(
      found.services,
      problems,
      flags.output,
      result.isTTY === true && run.env.NO_COLOR === undefined,
    ),
  );
  warn(run.output, problems);
  if (found.services.length === 0)
    messages.write(`No backends found among ${sync.services.length} Services in ${input.where}.\n`);
  return input.kube === undefined && sync.problems.length > 0 ? EXIT.findings : EXIT.ok;
}
