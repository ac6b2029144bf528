import { setFlagsFromString } from 'node:v8';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ServeFlags } from './assembly.ts';
import { DOCUMENT_FORMATS, FILE_KINDS, FORMATS } from './choices.ts';
import type { InputFlags, Invocation } from './configuration.ts';
import { type DiscoverFlags, discoverCommand } from './discover.ts';
import type { ExplainFlags } from './explain.ts';
import type { GenerateFlags } from './generate.ts';
import type { HistoryFlags } from './history.ts';
import { notEmpty, withSettings } from './options.ts';
import type { RollbackFlags } from './rollback.ts';
import type { ValidateFlags } from './validate.ts';

const revisionNumber = (value: string): number => {
  if (!/^[1-9]\d{0,15}$/.test(value)) throw new InvalidArgumentError('It is not the number of a revision.');
  return Number(value);
};

/**
 * The command line: what there is to type, and which function does it.
 * @param ended is called with a command's exit code
 */
export function createProgram(run: Invocation, ended: (exitCode: number) => void): Command {
  const program = new Command('dynamic-toolset')
    .description(
      "Finds the observability backends of a Kubernetes cluster, asks each whether it is alive, and keeps an AI agent's tool configuration (HolmesGPT) in step with them.",
    )
    .version(run.version, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'explain the program or a command')
    .helpCommand('help [command]', 'explain a command')
    .showHelpAfterError('Run it with --help to see what there is to type.')
    .configureOutput({
      writeOut: (text) => void run.output.result.write(text),
      writeErr: (text) => void run.output.messages.write(text),
    })
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  dynamic-toolset discover -A                                   what is in the cluster of your kubeconfig
  helm template my-release my/chart | dynamic-toolset discover -f -   the same of a chart, with no cluster
  dynamic-toolset explain monitoring/loki-read                  why a Service is a backend, or is none
  dynamic-toolset generate -f manifests/ > custom_toolset.yaml  the file that HolmesGPT loads
  dynamic-toolset serve                                         keep the ConfigMap in step, as in a Pod

Exit codes: 0 fine, 1 findings (a broken manifest), 2 usage or configuration, 3 cluster unreachable or denied`,
    );

  withSettings(
    program
      .command('discover')
      .summary('what is there, and why')
      .description(
        'Lists the backends of a cluster or of manifests, with their health and what gave them away.',
      )
      .addOption(new Option('-o, --output <format>', 'how to print it').choices(FORMATS).default('table')),
  )
    .addHelpText(
      'after',
      `
Examples:
  dynamic-toolset discover -n monitoring -o wide    with certainty, reason and what the probe heard
  dynamic-toolset discover -f rendered.yaml -o json | jq '.services[].endpoint'`,
    )
    .action(async (flags: DiscoverFlags) => {
      ended(await discoverCommand(flags, run));
    });

  withSettings(
    program
      .command('explain <service>')
      .summary("each detector's verdict on one Service, with the evidence")
      .description(
        'Tells for one Service what each detector saw, which port was chosen and why, which Services lead to the same backend, and what it answered.',
      )
      .addOption(
        new Option('-o, --output <format>', 'how to print it').choices(['text', 'json']).default('text'),
      ),
  )
    .addHelpText(
      'after',
      `
Examples:
  dynamic-toolset explain monitoring/prometheus-server
  dynamic-toolset explain logging/loki-ingester -f rendered.yaml -o json`,
    )
    .action(async (service: string, flags: ExplainFlags) => {
      const { explainCommand } = await import('./explain.ts');
      ended(await explainCommand(service, flags, run));
    });

  withSettings(
    program
      .command('generate')
      .summary('the documents, to standard output or a file')
      .description(
        'Writes the documents that an agent loads, for what is discovered; unhealthy backends are left out.',
      )
      .addOption(
        new Option(
          '--format <format>',
          "HolmesGPT's custom_toolset.yaml, toolset.json, or a ConfigMap with both",
        )
          .choices(DOCUMENT_FORMATS)
          .default('holmesgpt'),
      )
      .option(
        '--overrides <file>',
        'an overrides.yaml to apply, as serve does with the one in the ConfigMap',
        notEmpty,
      )
      .option('--out <file>', 'write to a file in place of standard output', notEmpty),
  )
    .addHelpText(
      'after',
      `
Examples:
  dynamic-toolset generate -A > custom_toolset.yaml
  dynamic-toolset generate -f rendered/ --format configmap | kubectl apply -f -`,
    )
    .action(async (flags: GenerateFlags) => {
      const { generateCommand } = await import('./generate.ts');
      ended(await generateCommand(flags, run));
    });

  withSettings(
    program
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
      .option(
        '--force',
        'take many unhealthy tools out at once, without waiting for one more cycle; take over a ConfigMap that others made',
      )
      .option('--once', 'end after one pass that was published; for a CronJob or CI'),
  )
    .addHelpText(
      'after',
      `
Examples:
  NAMESPACES='*' dynamic-toolset serve
  dynamic-toolset serve -f manifests/ --out configmap.yaml --log-format pretty`,
    )
    .action(async (flags: ServeFlags) => {
      // It runs for long in little memory: code for size costs some speed, and saves a third of the memory.
      setFlagsFromString('--optimize-for-size');
      const { serveCommand } = await import('./serve.ts');
      ended(await serveCommand(flags, run));
    });

  withSettings(
    program
      .command('diff')
      .summary('what serve would change in the cluster now')
      .description(
        'Compares what is published with what would be, and prints the difference. Ends with 1 if there is any.',
      ),
  )
    .addHelpText(
      'after',
      `
Examples:
  dynamic-toolset diff -n monitoring
  dynamic-toolset diff -f rendered/ || echo 'this change would change the toolset'`,
    )
    .action(async (flags: InputFlags) => {
      const { diffCommand } = await import('./diff.ts');
      ended(await diffCommand(flags, run));
    });

  withSettings(
    program
      .command('history')
      .summary('what was published and can be returned to')
      .description(
        'Lists the revisions that are kept of what was published, the newest last; with --revision, prints the documents of one, and the overrides.yaml of that time.',
      )
      .option('--revision <number>', 'print what this revision holds', revisionNumber)
      .addOption(
        new Option('-o, --output <format>', 'how to print it')
          .choices(['table', 'json', 'yaml'])
          .default('table'),
      ),
  )
    .addHelpText(
      'after',
      `
Examples:
  dynamic-toolset history
  dynamic-toolset history --revision 3`,
    )
    .action(async (flags: HistoryFlags) => {
      const { historyCommand } = await import('./history.ts');
      ended(await historyCommand(flags, run));
    });

  withSettings(
    program
      .command('rollback')
      .summary('publish an earlier revision again')
      .description(
        'Returns to the documents of an earlier revision and shows what that changes. serve keeps them until what it would publish changes. overrides.yaml stays as it is.',
      )
      .option('--to <number>', 'the revision; the one before without it', revisionNumber)
      .option('--dry-run', 'show what would change, and change nothing')
      .option('--force', 'take over a ConfigMap that others made'),
  )
    .addHelpText(
      'after',
      `
Examples:
  dynamic-toolset rollback --dry-run
  dynamic-toolset rollback --to 3`,
    )
    .action(async (flags: RollbackFlags) => {
      const { rollbackCommand } = await import('./rollback.ts');
      ended(await rollbackCommand(flags, run));
    });

  program
    .command('validate <files...>')
    .summary('what is wrong in files that people write or agents read')
    .description(
      'Checks overrides, configuration files, detectors, toolset.json and custom_toolset.yaml, and tells each fault with its line and column.',
    )
    .addOption(
      new Option('--kind <kind>', 'what the files are, where their names do not tell').choices(FILE_KINDS),
    )
    .addHelpText(
      'after',
      `
Examples:
  dynamic-toolset validate overrides.yaml
  kubectl get configmap kubernaut-toolset-config -o jsonpath='{.data.overrides\\.yaml}' | dynamic-toolset validate --kind overrides -`,
    )
    .action(async (files: string[], flags: ValidateFlags) => {
      const { validateCommand } = await import('./validate.ts');
      ended(await validateCommand(files, flags, run));
    });

  program
    .command('version')
    .description('Prints the version of the program and its runtime.')
    .addOption(
      new Option('-o, --output <format>', 'how to print it').choices(['text', 'json']).default('text'),
    )
    .action(async ({ output }: { output: string }) => {
      const { versionCommand } = await import('./version.ts');
      versionCommand(output, run);
      ended(0);
    });
  return program;
}
