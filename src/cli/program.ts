import { Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import { addApprove } from './commands/approve.ts';
import type { AddCommand } from './commands/command.ts';
import { addCompletion } from './commands/completion.ts';
import { addDiff } from './commands/diff.ts';
import { addDiscover } from './commands/discover.ts';
import { addExplain } from './commands/explain.ts';
import { addGenerate } from './commands/generate.ts';
import { addHelp } from './commands/help.ts';
import { addHistory } from './commands/history.ts';
import { addRollback } from './commands/rollback.ts';
import { addServe } from './commands/serve.ts';
import { addValidate } from './commands/validate.ts';
import { addVersion } from './commands/version.ts';
import { refuseExcess } from './excess-arguments.ts';
import { styleHelp, withExamples } from './help.ts';
import { addSettings } from './options.ts';

/** The exit codes and their meaning, for the reference documentation. */
export const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'success; unhealthy backends and denied namespaces are only warnings'],
  [
    '1',
    'findings: some manifests could not be read (the rest are used), validate found errors, diff found a difference, diff or serve --once unusable overrides; a ConfigMap or file was left as it is because it belongs to others or cannot be changed; or a bug in the program',
  ],
  ['2', 'wrong usage or configuration: an unknown flag, an invalid setting, a missing file'],
  ['3', 'the cluster is unreachable, or denied every request'],
  ['4', 'rollback or serve --once changed the ConfigMap but could not write the history'],
  ['130, 143', 'stopped by SIGINT or SIGTERM before there was a result; serve exits with 0'],
];

/** The exit codes at the end of the help: the first clause of each meaning, which is its name. */
const exitCodeHelp = (): string =>
  [
    '',
    'Exit codes:',
    ...EXIT_CODES.map(([code, meaning]) => `  ${code.padEnd(8)}  ${meaning.split(/[:;]/)[0]}`),
  ].join('\n');

/** All commands, in the order of the help. */
const COMMANDS: readonly AddCommand[] = [
  addDiscover,
  addExplain,
  addApprove,
  addGenerate,
  addServe,
  addDiff,
  addHistory,
  addRollback,
  addValidate,
  addVersion,
  addCompletion,
  addHelp,
];

/**
 * Creates the command line parser with all commands.
 * @param setExitCode receives the exit code of the command
 */
export function createProgram(cli: CliContext, setExitCode: (exitCode: number) => void): Command {
  const program = styleHelp(new Command(cli.name ?? 'dynamic-toolset'), cli)
    .description(
      "Finds the observability backends of a Kubernetes cluster, checks that each is healthy, and keeps an AI agent's tool configuration (HolmesGPT) up to date.",
    )
    .version(cli.version, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .showHelpAfterError('Run with --help for usage.')
    .exitOverride()
    .hook('preSubcommand', (_, command) => addSettings(command.allowExcessArguments(true)))
    .hook('preAction', (_, command) => refuseExcess(command));
  withExamples(
    program,
    ['List the backends in the cluster of your kubeconfig', 'dynamic-toolset discover -A'],
    [
      'List the backends in a chart, without a cluster',
      'helm template my/chart | dynamic-toolset discover -f -',
    ],
    ['Show why a Service is, or is not, a backend', 'dynamic-toolset explain monitoring/loki-read'],
    [
      'Generate the file that HolmesGPT loads',
      'dynamic-toolset generate -f manifests/ > custom_toolset.yaml',
    ],
    ['Keep the ConfigMap up to date, as in a Pod', 'dynamic-toolset serve'],
  ).addHelpText('after', exitCodeHelp);
  for (const add of COMMANDS) add({ program, cli, setExitCode });
  return program;
}
