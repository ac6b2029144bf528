import { setFlagsFromString } from 'node:v8';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ServeFlags } from './assembly.ts';
import { DOCUMENT_FORMATS, FILE_KINDS, FORMATS } from './choices.ts';
import type { InputFlags, Invocation } from './configuration.ts';
import { type DiscoverFlags, discoverCommand } from './discover.ts';
import type { ExplainFlags } from './explain.ts';
import type { GenerateFlags } from './generate.ts';
import type { HistoryFlags } from './history.ts';
import type { RollbackFlags } from './rollback.ts';
import type { ValidateFlags } from './validate.ts';

const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

const notEmpty = (value: string): string => {
  if (value === '') throw new InvalidArgumentError('It is empty.');
  return value;
};

const revisionNumber = (value: string): number => {
  if (!/^[1-9]\d{0,15}$/.test(value)) throw new InvalidArgumentError('It is not the number of a revision.');
  return Number(value);
};

/** Flags of a command that asks the cluster for what is published, and for nothing else. */
function withCluster(command: Command): Command {
  return command
    .optionsGroup('Cluster:')
    .option('--kubeconfig <file>', 'kubeconfig of the cluster (KUBECONFIG)', notEmpty)
    .option('--context <name>', 'context of the kubeconfig', notEmpty)
    .option('--config <file>', 'configuration file in YAML (CONFIG_FILE)', notEmpty);
}

function withInput(command: Command): Command {
  return command
    .optionsGroup('Input:')
    .option(
      '-f, --filename <path>',
      'manifests to read in place of a cluster: file, folder or - (repeatable)',
      collect,
    )
    .option('-n, --namespace <names>', 'namespaces, with commas between (NAMESPACES)', notEmpty)
    .option('-A, --all-namespaces', 'all namespaces')
    .option('--kubeconfig <file>', 'kubeconfig of the cluster (KUBECONFIG)', notEmpty)
    .option('--context <name>', 'context of the kubeconfig', notEmpty)
    .option('--cluster-domain <domain>', 'DNS domain of the cluster (CLUSTER_DOMAIN; default cluster.local)')
    .option('--detectors <folder>', 'a folder with detectors of your own (DETECTORS; repeatable)', collect)
    .option('--config <file>', 'configuration file in YAML (CONFIG_FILE)', notEmpty)
    .option(
      '--allowed-hosts <hosts>',
      'hosts that endpoint annotations may name beside their own Service (ALLOWED_HOSTS; * for any run)',
    )
    .option('--allow-external-names', 'look at Services of type ExternalName (ALLOW_EXTERNAL_NAMES=true)')
    .optionsGroup('Probing:')
    .option(
      '--probe <route>',
      'direct: ask the backends; apiserver-proxy: through the API server; none: health stays unknown (PROBE; default direct in a cluster or with --connect-to, apiserver-proxy outside, none for manifests)',
    )
    .option(
      '--health-check-timeout <duration>',
      'longest time for one probe (HEALTH_CHECK_TIMEOUT; default 5s)',
    )
    .option('--probe-concurrency <number>', 'most probes at a time (PROBE_CONCURRENCY; default 32)')
    .option(
      '--max-backends <number>',
      'most backends that are looked at, by turns of their namespaces (MAX_BACKENDS; default 1000)',
    )
    .option(
      '--connect-to <host:port:address:port>',
      "connect to this address in place of a backend's, as curl does; for port-forwards (repeatable)",
      collect,
    )
    .optionsGroup('Options:');
}

function withTarget(command: Command): Command {
  return command
    .option(
      '--holmesgpt-version <version>',
      'version of the agent for which custom_toolset.yaml is made (HOLMESGPT_VERSION; default the newest)',
    )
    .option(
      '--configmap-name <name>',
      'name of the ConfigMap (CONFIGMAP_NAME; default kubernaut-toolset-config)',
    )
    .option('--configmap-namespace <name>', 'its namespace (CONFIGMAP_NAMESPACE; default kubernaut-system)');
}

/** The ConfigMap with settings, for what does as `serve` does. */
function withSettings(command: Command): Command {
  return command.option(
    '--settings-configmap <name>',
    'a ConfigMap with settings, beside the published one (SETTINGS_CONFIGMAP; default dynamic-toolset-config)',
  );
}

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

  withInput(program.command('discover'))
    .summary('what is there, and why')
    .description(
      'Lists the backends of a cluster or of manifests, with their health and what gave them away.',
    )
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(FORMATS).default('table'))
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

  withInput(program.command('explain <service>'))
    .summary("each detector's verdict on one Service, with the evidence")
    .description(
      'Tells for one Service what each detector saw, which port was chosen and why, which Services lead to the same backend, and what it answered.',
    )
    .addOption(
      new Option('-o, --output <format>', 'how to print it').choices(['text', 'json']).default('text'),
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

  withTarget(withInput(program.command('generate')))
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
    .option('--out <file>', 'write to a file in place of standard output', notEmpty)
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

  withSettings(withTarget(withInput(program.command('serve'))))
    .summary('keep the ConfigMap in step, until stopped')
    .description(
      'Discovers at once and then each interval, and publishes the documents to a ConfigMap whenever they changed. The key overrides.yaml and everything else that others wrote there is left alone.',
    )
    .option(
      '--discovery-interval <duration>',
      'time between two full passes (DISCOVERY_INTERVAL; default 5m)',
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
    .option(
      '--revision-history-limit <number>',
      'how many published toolsets are kept to return to, 1 to 100 (REVISION_HISTORY_LIMIT; default 10)',
    )
    .option(
      '--leader-elect',
      'write only while this is the leader, so that two replicas can run (LEADER_ELECTION=true)',
    )
    .option(
      '--lease-name <name>',
      'the Lease by which the leader is found, beside the ConfigMap (LEASE_NAME; default dynamic-toolset)',
    )
    .option(
      '--api-address <address>',
      'HOST:PORT of the API and the probes, or none (API_ADDRESS; default :8080 in a Pod, none elsewhere)',
    )
    .option(
      '--metrics-address <address>',
      'HOST:PORT of the metrics, or none (METRICS_ADDRESS; default :9090 in a Pod, none elsewhere)',
    )
    .option(
      '--auth-enabled <boolean>',
      'false: the API asks for no token, and whoever reaches it may use it (AUTH_ENABLED; default true)',
    )
    .option(
      '--auth-audiences <names>',
      "audiences one of which a token must be for, with commas between (AUTH_AUDIENCES; default the API server's)",
    )
    .option(
      '--authorization-enabled',
      'ask the API server for each caller whether it may do this (AUTHORIZATION_ENABLED=true)',
    )
    .option(
      '--metrics-auth-enabled <boolean>',
      'false: metrics are for everybody (METRICS_AUTH_ENABLED; default true)',
    )
    .option('--rate-limit <number>', 'requests a second of one client (RATE_LIMIT; default 100)')
    .option('--rate-limit-burst <number>', 'requests of one client at once (RATE_LIMIT_BURST; default 150)')
    .option('--tls-cert-file <file>', 'certificate of both servers, in PEM (TLS_CERT_FILE)', notEmpty)
    .option('--tls-key-file <file>', 'its key (TLS_KEY_FILE)', notEmpty)
    .option(
      '--tls-client-ca-file <file>',
      'clients must have a certificate of one of these authorities (TLS_CLIENT_CA_FILE)',
      notEmpty,
    )
    .option(
      '--shutdown-delay <duration>',
      'time between "not ready" and the end of the servers (SHUTDOWN_DELAY; default 5s)',
    )
    .option('--shutdown-timeout <duration>', 'longest time of an orderly end (SHUTDOWN_TIMEOUT; default 20s)')
    .option('--once', 'end after one pass that was published; for a CronJob or CI')
    .option(
      '--holmesgpt-deployment <namespace/name>',
      "HolmesGPT's Deployment, for the next two (HOLMESGPT_DEPLOYMENT)",
    )
    .option(
      '--holmesgpt-configmap',
      'write custom_toolset.yaml into the ConfigMap that its Deployment mounts, too (HOLMESGPT_CONFIGMAP=true)',
    )
    .option(
      '--holmesgpt-reload <how>',
      'none, restart or endpoint: make HolmesGPT read a changed file (HOLMESGPT_RELOAD; default none)',
    )
    .option(
      '--holmesgpt-reload-interval <duration>',
      'shortest time between two reloads (HOLMESGPT_RELOAD_INTERVAL; default 5m)',
    )
    .option('--holmesgpt-url <url>', 'where HolmesGPT listens, for endpoint (HOLMESGPT_URL)')
    .option('--log-level <level>', 'error, warn, info or debug (LOG_LEVEL; default info)')
    .option('--log-format <format>', 'json, or pretty for people (LOG_FORMAT; default json)')
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

  withSettings(withTarget(withInput(program.command('diff'))))
    .summary('what serve would change in the cluster now')
    .description(
      'Compares what is published with what would be, and prints the difference. Ends with 1 if there is any.',
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

  withTarget(withCluster(program.command('history')))
    .summary('what was published and can be returned to')
    .description(
      'Lists the revisions that are kept of what was published, the newest last; with --revision, prints the documents of one, and the overrides.yaml of that time.',
    )
    .option('--revision <number>', 'print what this revision holds', revisionNumber)
    .addOption(
      new Option('-o, --output <format>', 'how to print it')
        .choices(['table', 'json', 'yaml'])
        .default('table'),
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

  withTarget(withCluster(program.command('rollback')))
    .summary('publish an earlier revision again')
    .description(
      'Returns to the documents of an earlier revision and shows what that changes. serve keeps them until what it would publish changes. overrides.yaml stays as it is.',
    )
    .option('--to <number>', 'the revision; the one before without it', revisionNumber)
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--force', 'take over a ConfigMap that others made')
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
