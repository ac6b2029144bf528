import { createApp } from '../app/app.ts';
import type { ServeOptions } from '../app/app-instance.ts';
import { ConfigError } from '../model/errors.ts';
import { createLogger } from '../telemetry/logger.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';
import { type InputFlags, inputOf, settingsOf, sourcesOf } from './input-flags.ts';

export interface ServeFlags extends InputFlags {
  readonly out?: string;
  readonly once?: boolean;
  readonly force?: boolean;
}

/** Secrets in the environment, which logs must not contain. */
const secretsOf = ({ env }: CliContext): string[] =>
  env.HOLMESGPT_API_KEY === undefined ? [] : [env.HOLMESGPT_API_KEY];

/** `serve`: keeps the published documents up to date until it is stopped. @returns the exit code */
export async function serveCommand(flags: ServeFlags, cli: CliContext): Promise<number> {
  const configuration = await settingsOf(flags, cli);
  const input = inputOf(flags, cli);
  if (input.source?.readsStdin === true && flags.once !== true)
    throw new ConfigError(
      'standard input cannot be watched; use files or folders, or --once to publish its content and exit',
    );
  const logger = createLogger(configuration, cli.output.messages, secretsOf(cli));
  const { out, once = false, force = false } = flags;
  const serveOptions: ServeOptions = { input, out, once, force };
  const sources = sourcesOf({ ...flags }, cli);
  process.once('exit', logger.flush);
  try {
    await createApp({ serveOptions, host: cli, sources, configuration, logger, onReload: cli.onReload }).run(
      cli.signal,
    );
    logger.log.info(cli.signal.aborted ? 'stopped' : 'done');
    return EXIT.ok;
  } finally {
    process.off('exit', logger.flush);
    logger.flush();
  }
}
