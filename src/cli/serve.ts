import { createApp } from '../app/app.ts';
import type { Work } from '../app/assembly.ts';
import { ConfigError } from '../model/errors.ts';
import { createLogger } from '../telemetry/logger.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';
import { type InputFlags, inputOf, settingsOf, sourcesOf } from './given.ts';

export interface ServeFlags extends InputFlags {
  readonly out?: string;
  readonly once?: boolean;
  readonly force?: boolean;
}

/** Secrets that the environment holds. */
const secretsOf = ({ env }: CliContext): string[] =>
  env.HOLMESGPT_API_KEY === undefined ? [] : [env.HOLMESGPT_API_KEY];

/** `serve`: keeps what is published in step with what is there, until it is told to stop. @returns the exit code */
export async function serveCommand(flags: ServeFlags, run: CliContext): Promise<number> {
  const configuration = await settingsOf(flags, run);
  if (flags.filename?.includes('-') === true && flags.once !== true)
    throw new ConfigError(
      'standard input cannot be watched; use files or folders, or --once to publish its content and exit',
    );
  const logger = createLogger(configuration, run.output.messages, secretsOf(run));
  const { out, once = false, force = false } = flags;
  const work: Work = { input: inputOf(flags, run), out, once, force };
  const sources = sourcesOf({ ...flags }, run);
  await createApp({ work, host: run, sources, configuration, logger, onReload: run.onReload }).run(
    run.signal,
  );
  logger.log.info(run.signal.aborted ? 'stopped' : 'done');
  return EXIT.ok;
}
