import { Writable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type { ServeFlags } from '../app/assembly.ts';
import type { InputFlags } from '../app/configuration.ts';
import type { Invocation } from '../app/invocation.ts';
import { ConfigError } from '../model/errors.ts';
import { didYouMean, nearest } from '../model/nearest.ts';
import { APPROVED_KINDS } from '../model/overrides.ts';
import type { ApproveFlags } from './approve.ts';
import { DOCUMENT_FORMATS, FILE_KINDS, FORMATS, SHELLS, type Shell } from './choices.ts';
import { type DiscoverFlags, discoverCommand } from './discover.ts';
import type { ExplainFlags } from './explain.ts';
import type { GenerateFlags } from './generate.ts';
import { styleHelp, withExamples } from './help.ts';
import type { HistoryFlags } from './history.ts';
import { addSettings, notEmpty, withSettings } from './options.ts';
import type { RollbackFlags } from './rollback.ts';
import type { ValidateFlags } from './validate.ts';

const revisionNumber = (value: string): number => {
  if (!/^[1-9]\d{0,15}$/.test(value)) throw new InvalidArgumentError('Not a revision number.');
  return Number(value);
};

/** A flag that takes one of some words. */
function choice(flags: string, description: string, words: readonly string[]): Option {
  const option = new Option(flags, description).choices(words);
  return option.argParser((word: string) => {
    if (words.includes(word)) return word;
    throw new InvalidArgumentError(`Allowed values: ${words.join(', ')}${didYouMean(word, words)}`);
  });
}

const output = (words: readonly string[], preset: string): Option =>
  choice('-o, --output <format>', 'output format', words).default(preset);

/** A flag that people know from other commands, and that this one does not take. */
const elsewhere = (flags: string, advice: string): Option =>
  new Option(flags).hideHelp().argParser(() => {
    throw new InvalidArgumentError(advice);
  });

const quiet = (): Option => new Option('-q, --quiet', 'print only the result and errors');

/** Takes what nobody wants to read. */
const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/** What each exit code means. */
export const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'success; unhealthy backends and denied namespaces are only warnings'],
  [
    '1',
    'findings: some manifests could not be read (the rest are used), validate found errors, diff found a difference or unusable overrides; serve --once published but could not write the history; or a bug in the program',
  ],
  ['2', 'wrong usage or configuration: an unknown flag, an invalid setting, a missing file'],
  ['3', 'the cluster is unreachable, or denied every request'],
  ['4', 'rollback changed the ConfigMap but could not write the history'],
  ['130, 143', 'stopped by SIGINT or SIGTERM before there was a result; serve exits with 0'],
];

/**
 * The command line: what there is to type, and which function does it.
 * @param ended is called with a command's exit code
 */
export function createProgram(run: Invocation, ended: (exitCode: number) => void): Command {
  const program = styleHelp(new Command(run.name ?? 'dynamic-toolset'), run)
    .description(
      "Finds the observability backends of a Kubernetes cluster, checks that each is healthy, and keeps an AI agent's tool configuration (HolmesGPT) up to date.",
    )
    .version(run.version, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .showHelpAfterError('Run with --help for usage.')
    .exitOverride()
    .hook('preSubcommand', (_, command) => addSettings(command));
  const withQuiet = (flags: { readonly quiet?: boolean }): Invocation =>
    flags.quiet === true ? { ...run, output: { ...run.output, messages: nowhere() } } : run;

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
  ).addHelpText(
    'after',
    '\nExit codes: 0 success; 1 findings; 2 wrong usage or configuration;\n3 the cluster is unreachable, or denied every request',
  );

  const discover = program
    .command('discover')
    .summary('list the backends and their health')
    .description(
      'Lists the backends of a cluster or of manifests, with their health and the evidence for them.',
    )
    .addOption(output(FORMATS, 'table'))
    .addOption(quiet())
    .action(async (flags: DiscoverFlags) => {
      ended(await discoverCommand(flags, withQuiet(flags)));
    });
  withExamples(
    withSettings(discover),
    [
      'Include the certainty, the evidence and the probe result',
      'dynamic-toolset discover -n monitoring -o wide',
    ],
    [
      'Print the endpoints in rendered manifests',
      "dynamic-toolset discover -f rendered.yaml -o json | jq '.services[].endpoint'",
    ],
  );

  const explain = program
    .command('explain <service>')
    .summary('show why a Service is, or is not, a backend')
    .description(
      'Shows for one Service what each detector found, which port was chosen and why, which Services lead to the same backend, and how the backend answered.',
    )
    .addOption(output(['text', 'json'], 'text'))
    .addOption(quiet())
    .action(async (service: string, flags: ExplainFlags) => {
      const { explainCommand } = await import('./explain.ts');
      ended(await explainCommand(service, flags, withQuiet(flags)));
    });
  withExamples(
    withSettings(explain),
    ['Explain a Service of the cluster', 'dynamic-toolset explain monitoring/prometheus-server'],
    [
      'Explain a Service in rendered manifests, as JSON',
      'dynamic-toolset explain logging/loki-ingester -f rendered.yaml -o json',
    ],
  );

  const approve = program
    .command('approve <services...>')
    .summary('allow MCP servers and annotated Services to be published')
    .description(
      'Approves Services, given as NAMESPACE/NAME, in overrides.yaml. An approved Service is published for as long as it keeps its detected type. Shows the tools of each server first, if it can be reached. Keeps comments, order and everything else in overrides.yaml.',
    )
    .option(
      '--file <file>',
      'edit this overrides.yaml instead of the one in the ConfigMap; - reads standard input and writes standard output',
      notEmpty,
    )
    .addOption(choice('--type <type>', 'type to approve, instead of the detected one', APPROVED_KINDS))
    .option('--revoke', 'revoke the approval')
    .option('--dry-run', 'show what would be written without writing it')
    .addOption(quiet())
    .action(async (services: string[], flags: ApproveFlags) => {
      const { approveCommand } = await import('./approve.ts');
      ended(await approveCommand(services, flags, withQuiet(flags)));
    });
  withExamples(
    withSettings(approve),
    ['List the Services that wait for approval', 'dynamic-toolset discover -A -o wide'],
    ['Approve one of them', 'dynamic-toolset approve shop/orders-mcp'],
    [
      'Approve it in a file that a pipeline applies',
      'dynamic-toolset approve shop/orders-mcp --type mcp --file overrides.yaml',
    ],
  );

  const generate = program
    .command('generate')
    .summary('print the documents that an agent loads')
    .description(
      'Prints the documents that an agent loads for the discovered backends. Leaves unhealthy backends out.',
    )
    .addOption(
      choice(
        '--format <format>',
        "document to print: HolmesGPT's custom_toolset.yaml, toolset.json, or a ConfigMap with both",
        DOCUMENT_FORMATS,
      ).default('holmesgpt'),
    )
    .option(
      '--overrides <file>',
      'overrides.yaml to apply, as serve applies the one in the ConfigMap',
      notEmpty,
    )
    .option('--out <file>', 'write to a file instead of standard output', notEmpty)
    .addOption(
      elsewhere(
        '-o, --output <format>',
        'Use --format to choose the document, and --out to choose the file.',
      ),
    )
    .addOption(quiet())
    .action(async (flags: GenerateFlags) => {
      const { generateCommand } = await import('./generate.ts');
      ended(await generateCommand(flags, withQuiet(flags)));
    });
  withExamples(
    withSettings(generate),
    ['Generate the file that HolmesGPT loads', 'dynamic-toolset generate -A > custom_toolset.yaml'],
    [
      'Generate the ConfigMap from rendered manifests, and apply it once',
      'dynamic-toolset generate -f rendered/ --format configmap | kubectl apply -f -',
    ],
  );

  const serve = program
    .command('serve')
    .summary('keep the ConfigMap up to date until stopped')
    .description(
      'Discovers backends at once, on every change and at every interval, and publishes the documents to a ConfigMap when they change. Keeps the key overrides.yaml and everything else that others wrote there.',
    )
    .option(
      '--out <file>',
      "publish to a file with the ConfigMap's manifest instead of the cluster",
      notEmpty,
    )
    .option('--force', 'remove held tools at once; take over a ConfigMap that others created')
    .option('--once', 'exit after publishing once; for a CronJob or CI')
    .action(async (flags: ServeFlags) => {
      // It runs for long in little memory: code for size costs some speed, and saves a third of the memory.
      setFlagsFromString('--optimize-for-size');
      const { serveCommand } = await import('./serve.ts');
      ended(await serveCommand(flags, run));
    });
  withExamples(
    withSettings(serve),
    ['Watch all namespaces', "NAMESPACES='*' dynamic-toolset serve"],
    [
      'Without a cluster: read manifests, write a manifest',
      'dynamic-toolset serve -f manifests/ --out configmap.yaml --log-format pretty',
    ],
  );

  const diff = program
    .command('diff')
    .summary('print what serve would change in the cluster now')
    .description(
      'Compares the published documents with what serve would publish now, and prints the difference. Exits with 1 if there is a difference, or if overrides.yaml is unusable.',
    )
    .addOption(quiet())
    .action(async (flags: InputFlags) => {
      const { diffCommand } = await import('./diff.ts');
      ended(await diffCommand(flags, withQuiet(flags)));
    });
  withExamples(
    withSettings(diff),
    ['Print what serve would change', 'dynamic-toolset diff -n monitoring'],
    [
      'Print what rendered manifests would change',
      "dynamic-toolset diff -f rendered/ || echo 'this change would change the toolset'",
    ],
  );

  const history = program
    .command('history')
    .summary('list the published revisions')
    .description(
      'Lists the kept revisions of the published documents, newest last. With --revision, prints the documents of one revision and the overrides.yaml of that time.',
    )
    .option('--revision <number>', 'print the content of this revision', revisionNumber)
    .addOption(output(['table', 'json', 'yaml'], 'table'))
    .addOption(quiet())
    .action(async (flags: HistoryFlags) => {
      const { historyCommand } = await import('./history.ts');
      ended(await historyCommand(flags, withQuiet(flags)));
    });
  withExamples(
    withSettings(history),
    ['List the revisions', 'dynamic-toolset history'],
    ['Print one of them', 'dynamic-toolset history --revision 3'],
  );

  const rollback = program
    .command('rollback')
    .summary('publish an earlier revision again')
    .description(
      'Publishes the documents of an earlier revision again and shows the difference. serve keeps them until the documents that it would publish change. overrides.yaml stays as it is.',
    )
    .option('--to <number>', 'revision to publish (default: the previous one)', revisionNumber)
    .option('--dry-run', 'show what would change without changing it')
    .option('--force', 'take over a ConfigMap that others created')
    .addOption(quiet())
    .action(async (flags: RollbackFlags) => {
      const { rollbackCommand } = await import('./rollback.ts');
      ended(await rollbackCommand(flags, withQuiet(flags)));
    });
  withExamples(
    withSettings(rollback),
    ['Show what a rollback would change', 'dynamic-toolset rollback --dry-run'],
    ['Roll back to a revision that history lists', 'dynamic-toolset rollback --to 3'],
  );

  const validate = program
    .command('validate <files...>')
    .summary('check overrides, configuration, detectors and toolsets')
    .description(
      'Checks overrides, configuration files, detectors, toolset.json and custom_toolset.yaml, and reports every error with its line and column. Use - for standard input.',
    )
    .addOption(choice('--kind <kind>', 'kind of the files, if their names do not show it', FILE_KINDS))
    .addOption(quiet())
    .action(async (files: string[], flags: ValidateFlags) => {
      const { validateCommand } = await import('./validate.ts');
      ended(await validateCommand(files, flags, withQuiet(flags)));
    });
  withExamples(
    validate,
    ['Check a file', 'dynamic-toolset validate overrides.yaml'],
    [
      'Check the overrides in the cluster',
      "kubectl get configmap kubernaut-toolset-config -n kubernaut-system -o jsonpath='{.data.overrides\\.yaml}' | dynamic-toolset validate --kind overrides -",
    ],
  );

  const version = program
    .command('version')
    .summary('print the version')
    .description('Prints the version of the program and its runtime.')
    .addOption(output(['text', 'json'], 'text'))
    .action(async (flags: { output: string }) => {
      const { versionCommand } = await import('../app/version.ts');
      versionCommand(flags.output, run);
      ended(0);
    });
  const completion = program
    .command('completion')
    .summary('print a shell completion script')
    .description('Prints a script that completes commands, flags and values in your shell.')
    .addArgument(new Argument('[shell]', 'shell to complete for').choices(SHELLS))
    .action(async (shell: Shell | undefined) => {
      if (shell === undefined)
        throw new ConfigError(
          `name a shell (${SHELLS.join(', ')}), for example: ${program.name()} completion bash`,
        );
      const { completionCommand } = await import('./completion.ts');
      ended(completionCommand(shell, run));
    });
  withExamples(
    completion,
    ['bash, in ~/.bashrc', 'source <(dynamic-toolset completion bash)'],
    ['zsh, in ~/.zshrc after compinit', 'source <(dynamic-toolset completion zsh)'],
    ['fish, once', 'dynamic-toolset completion fish > ~/.config/fish/completions/dynamic-toolset.fish'],
  );

  const help = program
    .command('help [command]')
    .summary('show help for a command')
    .description('Shows help for a command, or lists the commands.')
    .action((name: string | undefined) => {
      if (name === undefined) return program.help();
      const command = program.commands.find((each) => each.name() === name);
      if (command !== undefined) return command.help();
      const meant = nearest(
        name,
        program.commands.map((each) => each.name()),
      );
      return program.error(
        `error: unknown command '${name}'${meant === undefined ? '' : `\n(Did you mean ${meant}?)`}`,
      );
    });

  withExamples(help, ['Show the flags of a command', 'dynamic-toolset help discover']);
  withExamples(version, ['Print the version for a bug report', 'dynamic-toolset version']);
  return program;
}
