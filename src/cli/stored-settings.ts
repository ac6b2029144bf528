import {
  type Configuration,
  type ConfigurationSources,
  readConfiguration,
  type StoredData,
} from '../app/configuration.ts';
import { openCluster, readsCluster } from '../app/pipeline.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import { UserError } from '../model/errors.ts';
import { numberedLines } from '../model/numbered-lines.ts';
import type { CliContext } from './cli-context.ts';
import { type InputFlags, inputOf, settingsOf, sourcesOf } from './input-flags.ts';
import { warn } from './output.ts';

/** The settings of a command that shows what `serve` does. */
export interface StoredSettings {
  /** The connection to the cluster; `undefined` if another source is read. */
  readonly kube: KubeClient | undefined;
  /** The settings for other flags, with those of the settings ConfigMap. @throws ConfigError; AbortError */
  readonly settingsFor: (flags: InputFlags) => Promise<Configuration>;
  /** The settings of `serve` as far as they are known, whatever namespaces the command searches. Otherwise those of the command. */
  readonly policy: Configuration;
  /** The namespaces that `serve` watches, or did when it published. `unknown` if nothing says so; `undefined` if another source is read. */
  readonly watched: readonly string[] | 'unknown' | undefined;
  /** Whether the settings ConfigMap could not be read or used, so that `serve` may use other settings. */
  readonly areSettingsUnknown: boolean;
}

/**
 * Reads the settings ConfigMap. `undefined` if it cannot be read or used, which is no failure of the command.
 * @param warns whether to warn if it cannot be read. Other commands say for each backend what is unknown
 */
async function readStored(
  kube: KubeClient,
  { configMapNamespace: namespace, settingsConfigMap: name }: Configuration,
  sources: ConfigurationSources,
  cli: CliContext,
  warns = false,
): Promise<StoredData | undefined> {
  const stored = await import('../kubernetes/stored-settings.ts');
  const event = await stored.readConfigData(kube, namespace, name, cli.signal);
  const where = `ConfigMap ${namespace}/${name}`;
  if (event.kind === 'denied' || event.kind === 'failure') {
    const what =
      'cannot be read, so the settings of serve are unknown here, and what it publishes may differ';
    if (warns) warn(cli.output, [{ where, what }]);
    return undefined;
  }
  const read = { data: event.kind === 'absent' ? {} : event.data, where };
  try {
    await readConfiguration(sources, read);
    return read;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const what = `has an error, so this command ignores it, and what serve uses is unknown here: it keeps its earlier settings until that is fixed: ${numberedLines(error.message)}`;
    warn(cli.output, [{ where, what }]);
    return undefined;
  }
}

/** The namespaces that `serve` recorded when it published. `undefined` if that cannot be read, which is no failure of the command. */
async function readSearched(
  kube: KubeClient,
  settings: Configuration,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const [{ targetOf }, { searchedByServe }, { observe }, { OUTPUTS }] = await Promise.all([
    import('../app/target.ts'),
    import('../app/searched.ts'),
    import('../planning/observed.ts'),
    import('../outputs/registry.ts'),
  ]);
  try {
    return searchedByServe(observe(await targetOf(kube, settings).read(signal), OUTPUTS));
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/**
 * The settings for flags, with those of the settings ConfigMap, for a command that does not need to know what is published.
 * @returns without a connection if another source than the cluster is read
 * @throws ConfigError; ClusterError; AbortError
 */
export async function settingsWithStored(
  flags: InputFlags,
  cli: CliContext,
): Promise<{ readonly settings: Configuration; readonly kube: KubeClient | undefined }> {
  const own = await settingsOf(flags, cli);
  const input = inputOf(flags, cli);
  if (!readsCluster(input)) return { settings: own, kube: undefined };
  const kube = await openCluster(input);
  const sources = sourcesOf({ ...flags }, cli);
  const stored = await readStored(kube, own, sources, cli, true);
  return { settings: await readConfiguration(sources, stored), kube };
}

/** Reads the settings of `serve` in the cluster that the flags choose. @throws ConfigError; ClusterError; AbortError */
export async function storedSettings(flags: InputFlags, cli: CliContext): Promise<StoredSettings> {
  const { namespace: _, allNamespaces: __, ...everywhere } = flags;
  const own = await settingsOf(flags, cli);
  const input = inputOf(flags, cli);
  if (!readsCluster(input))
    return {
      kube: undefined,
      settingsFor: (each) => settingsOf(each, cli),
      policy: own,
      watched: undefined,
      areSettingsUnknown: false,
    };
  const kube = await openCluster(input);
  const stored = await readStored(kube, own, sourcesOf({ ...everywhere }, cli), cli);
  const settingsFor = (each: InputFlags): Promise<Configuration> =>
    readConfiguration(sourcesOf({ ...each }, cli), stored);
  const serve = await settingsFor(everywhere);
  // Its own environment may say something else than the settings ConfigMap.
  const searched = await readSearched(kube, serve, cli.signal);
  const read = { kube, settingsFor, areSettingsUnknown: stored === undefined };
  if (searched !== undefined)
    return { ...read, policy: { ...serve, namespaces: searched }, watched: searched };
  return serve.given.namespaces === undefined
    ? { ...read, policy: await settingsFor(flags), watched: 'unknown' }
    : { ...read, policy: serve, watched: serve.namespaces };
}
