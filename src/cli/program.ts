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
  if (!/^[1-9]\d{0,15}$/.test(value)) throw new InvalidArgumentError('It is not the number of a revision.');
  return Number(value);
};

/** A flag that takes one of some words. */
function choice(flags: string, description: string, words: readonly string[]): Option {
  const option = new Option(flags, description).choices(words);
  return option.argParser((word: string) => {
    if (words.includes(word)) return word;
    throw new InvalidArgumentError(`Allowed are ${words.join(', ')}${didYouMean(word, words)}`);
  });
}

const output = (words: readonly string[], preset: string): Option =>
  choice('-o, --output <format>', 'how to print it', words).default(preset);

/** A flag that people know from other commands, and that this one does not take. */
const elsewhere = (flags: string, advice: string): Option =>
  new Option(flags).hideHelp().argParser(() => {
    throw new InvalidArgumentError(advice);
  });

const quiet = (): Option =>
  new Option('-q, --quiet', 'print the result and errors, and no warnings, notes and progress');

/** Takes what nobody wants to read. */
const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/** What each exit code means. */
export const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'fine; also where backends are unhealthy or a namespace was denied, which are warnings'],
  [
    '1',
    'findings: a part of the manifests could not be read (the rest counts), validate found faults, diff a difference or overrides that cannot be used; serve --once published and could not write the history; or a bug in the program',
  ],
  ['2', 'usage or configuration: an unknown flag, a wrong setting, a file that is not there'],
  ['3', 'the cluster is unreachable, or denied all that was asked'],
  ['4', 'rollback changed the ConfigMap, and the history could not be written'],
  ['130, 143', 'stopped by SIGINT or SIGTERM before there was a result; serve ends with 0'],
];

/**
 * The command line: what there is to type, and which function does it.
 * @param ended is called with a command's exit code
 */
export function createProgram(run: Invocation, ended: (exitCode: number) => void): Command {
  const program = styleHelp(new Command(run.name ?? 'dynamic-toolset'), run)
    .description(
      "Finds the observability backends of a Kubernetes cluster, asks each whether it is alive, and keeps an AI agent's tool configuration (HolmesGPT) in step with them.",
    )
    .version(run.version, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'explain the program or a command')
    .helpCommand(false)
    .showHelpAfterError('Run with --help for usage.')
    .exitOverride()
    .hook('preSubcommand', (_, command) => addSettings(command));
  const withQuiet = (flags: { readonly quiet?: boolean }): Invocation =>
    flags.quiet === true ? { ...run, output: { ...run.output, messages: nowhere() } } : run;

  withExamples(
    program,
    ['What is in the cluster of your kubeconfig', 'dynamic-toolset discover -A'],
    ['The same of a chart, with no cluster', 'helm template my/chart | dynamic-toolset discover -f -'],
    ['Why a Service is a backend, or is none', 'dynamic-toolset explain monitoring/loki-read'],
    ['The file that HolmesGPT loads', 'dynamic-toolset generate -f manifests/ > custom_toolset.yaml'],
    ['Keep the ConfigMap in step, as in a Pod', 'dynamic-toolset serve'],
  ).addHelpText(
    'after',
    '\nExit codes: 0 fine; 1 findings; 2 usage or configuration;\n3 the cluster is unreachable, or denied all that was asked',
  );

  const discover = program
    .command('discover')
    .summary('what is there, and why')
    .description(
      'Lists the backends of a cluster or of manifests, with their health and what gave them away.',
    )
    .addOption(output(FORMATS, 'table'))
    .addOption(quiet())
    .action(async (flags: DiscoverFlags) => {
      ended(await discoverCommand(flags, withQuiet(flags)));
    });
  withExamples(
    withSettings(discover),
    ['With certainty, reason and what the probe heard', 'dynamic-toolset discover -n monitoring -o wide'],
    [
      'The endpoints in rendered manifests',
      "dynamic-toolset discover -f rendered.yaml -o json | jq '.services[].endpoint'",
    ],
  );

  const explain = program
    .command('explain <service>')
    .summary("each detector's verdict on one Service, with the evidence")
    .description(
      'Tells for one Service what each detector saw, which port was chosen and why, which Services lead to the same backend, and what it answered.',
    )
    .addOption(output(['text', 'json'], 'text'))
    .addOption(quiet())
    .action(async (service: string, flags: ExplainFlags) => {
      const { explainCommand } = await import('./explain.ts');
      ended(await explainCommand(service, flags, withQuiet(flags)));
    });
  withExamples(
    withSettings(explain),
    ['A Service of the cluster', 'dynamic-toolset explain monitoring/prometheus-server'],
    [
      'One of rendered manifests, for a program',
      'dynamic-toolset explain logging/loki-ingester -f rendered.yaml -o json',
    ],
  );

  const approve = program
    .command('approve <services...>')
    .summary('let MCP servers and annotated Services be published')
    .description(
      'Approves Services, each as NAMESPACE/NAME, in overrides.yaml: those that wait are published then, as long as they are of the type that they are found to be. Shows the tools of each first, where it can be asked from here. Comments, order and all else in overrides.yaml stay.',
    )
    .option(
      '--file <file>',
      'edit this overrides.yaml in place of the one in the ConfigMap; - reads standard input and writes standard output',
      notEmpty,
    )
    .addOption(
      choice(
        '--type <type>',
        'what they are approved as, in place of what they are found to be',
        APPROVED_KINDS,
      ),
    )
    .option('--revoke', 'take the approval back')
    .option('--dry-run', 'show what would be written, and write nothing')
    .addOption(quiet())
    .action(async (services: string[], flags: ApproveFlags) => {
      const { approveCommand } = await import('./approve.ts');
      ended(await approveCommand(services, flags, withQuiet(flags)));
    });
  withExamples(
    withSettings(approve),
    ['What waits', 'dynamic-toolset discover -A -o wide'],
    ['One of these', 'dynamic-toolset approve shop/orders-mcp'],
    [
      'In a file that a pipeline applies',
      'dynamic-toolset approve shop/orders-mcp --type mcp --file overrides.yaml',
    ],
  );

  const generate = program
    .command('generate')
    .summary('the documents, to standard output or a file')
    .description(
      'Writes the documents that an agent loads, for what is discovered; unhealthy backends are left out.',
    )
    .addOption(
      choice(
        '--format <format>',
        "HolmesGPT's custom_toolset.yaml, toolset.json, or a ConfigMap with both",
        DOCUMENT_FORMATS,
      ).default('holmesgpt'),
    )
    .option(
      '--overrides <file>',
      'an overrides.yaml to apply, as serve does with the one in the ConfigMap',
      notEmpty,
    )
    .option('--out <file>', 'write to a file in place of standard output', notEmpty)
    .addOption(
      elsewhere('-o, --output <format>', 'The document is chosen with --format, and the file with --out.'),
    )
    .addOption(quiet())
    .action(async (flags: GenerateFlags) => {
      const { generateCommand } = await import('./generate.ts');
      ended(await generateCommand(flags, withQuiet(flags)));
    });
  withExamples(
    withSettings(generate),
    ['The file that HolmesGPT loads', 'dynamic-toolset generate -A > custom_toolset.yaml'],
    [
      'The ConfigMap of rendered manifests, applied once',
      'dynamic-toolset generate -f rendered/ --format configmap | kubectl apply -f -',
    ],
  );

  const serve = program
    .command('serve')
    .summary('keep the ConfigMap in step, until stopped')
    .description(
      'Discovers at once and then each interval, and publishes the documents to a ConfigMap whenever they changed. The key overrides.yaml and everything else that others wrote there is left alone.',
    )
    .option(
      '--out <file>',
      "publish to a file with the ConfigMap's manifest in place of the cluster",
      notEmpty,
    )
    .option('--force', 'let tools go at once that would be held; take over a ConfigMap that others made')
    .option('--once', 'end after one pass that was published; for a CronJob or CI')
    .action(async (flags: ServeFlags) => {
      // It runs for long in little memory: code for size costs some speed, and saves a third of the memory.
      setFlagsFromString('--optimize-for-size');
      const { serveCommand } = await import('./serve.ts');
      ended(await serveCommand(flags, run));
    });
  withExamples(
    withSettings(serve),
    ['All namespaces', "NAMESPACES='*' dynamic-toolset serve"],
    [
      'Without a cluster: manifests in, a manifest out',
      'dynamic-toolset serve -f manifests/ --out configmap.yaml --log-format pretty',
    ],
  );

  const diff = program
    .command('diff')
    .summary('what serve would change in the cluster now')
    .description(
      'Compares what is published with what would be, and prints the difference. Ends with 1 if there is any, or if overrides.yaml cannot be used.',
    )
    .addOption(quiet())
    .action(async (flags: InputFlags) => {
      const { diffCommand } = await import('./diff.ts');
      ended(await diffCommand(flags, withQuiet(flags)));
    });
  withExamples(
    withSettings(diff),
    ['What a start of serve would change', 'dynamic-toolset diff -n monitoring'],
    [
      'What rendered manifests would change',
      "dynamic-toolset diff -f rendered/ || echo 'this change would change the toolset'",
    ],
  );

  const history = program
    .command('history')
    .summary('what was published and can be returned to')
    .description(
      'Lists the revisions that are kept of what was published, the newest last; with --revision, prints the documents of one, and the overrides.yaml of that time.',
    )
    .option('--revision <number>', 'print what this revision holds', revisionNumber)
    .addOption(output(['table', 'json', 'yaml'], 'table'))
    .addOption(quiet())
    .action(async (flags: HistoryFlags) => {
      const { historyCommand } = await import('./history.ts');
      ended(await historyCommand(flags, withQuiet(flags)));
    });
  withExamples(
    withSettings(history),
    ['The revisions', 'dynamic-toolset history'],
    ['What one of them holds', 'dynamic-toolset history --revision 3'],
  );

  const rollback = program
    .command('rollback')
    .summary('publish an earlier revision again')
    .description(
      'Returns to the documents of an earlier revision and shows what that changes. serve keeps them until what it would publish changes. overrides.yaml stays as it is.',
    )
    .option('--to <number>', 'the revision; the one before without it', revisionNumber)
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--force', 'take over a ConfigMap that others made')
    .addOption(quiet())
    .action(async (flags: RollbackFlags) => {
      const { rollbackCommand } = await import('./rollback.ts');
      ended(await rollbackCommand(flags, withQuiet(flags)));
    });
  withExamples(
    withSettings(rollback),
    ['What it would change', 'dynamic-toolset rollback --dry-run'],
    ['To a revision that history lists', 'dynamic-toolset rollback --to 3'],
  );

  const validate = program
    .command('validate <files...>')
    .summary('what is wrong in files that people write or agents read')
    .description(
      'Checks overrides, configuration files, detectors, toolset.json and custom_toolset.yaml, and tells each fault with its line and column. - is standard input.',
    )
    .addOption(choice('--kind <kind>', 'what the files are, where their names do not tell', FILE_KINDS))
    .addOption(quiet())
    .action(async (files: string[], flags: ValidateFlags) => {
      const { validateCommand } = await import('./validate.ts');
      ended(await validateCommand(files, flags, withQuiet(flags)));
    });
  withExamples(
    validate,
    ['A file', 'dynamic-toolset validate overrides.yaml'],
    [
      'What is in the cluster',
      "kubectl get configmap kubernaut-toolset-config -n kubernaut-system -o jsonpath='{.data.overrides\\.yaml}' | dynamic-toolset validate --kind overrides -",
    ],
  );

  const version = program
    .command('version')
    .summary('the version of the program and its runtime')
    .description('Prints the version of the program and its runtime.')
    .addOption(output(['text', 'json'], 'text'))
    .action(async (flags: { output: string }) => {
      const { versionCommand } = await import('../app/version.ts');
      versionCommand(flags.output, run);
      ended(0);
    });
  const completion = program
    .command('completion')
    .summary('completion of command lines for a shell')
    .description(
      'Prints a script that makes a shell complete the commands, flags and values of this program.',
    )
    .addArgument(new Argument('[shell]', 'whose script').choices(SHELLS))
    .action(async (shell: Shell | undefined) => {
      if (shell === undefined)
        throw new ConfigError(
          `name the shell, one of ${SHELLS.join(', ')}: ${program.name()} completion bash`,
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
    .summary('explain a command')
    .description('Explains a command, or tells what there is to type.')
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

  withExamples(help, ['The flags of a command', 'dynamic-toolset help discover']);
  withExamples(version, ['For a report of a bug', 'dynamic-toolset version']);
  return program;
}
