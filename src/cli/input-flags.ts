import type { ChosenSource } from '../app/chosen-source.ts';
import { type Configuration, type ConfigurationSources, readConfiguration } from '../app/configuration.ts';
import type { InputOptions } from '../app/pipeline.ts';
import { SETTING_NAMES, SETTINGS, type SettingName } from '../config/setting-table.ts';
import { ConfigError } from '../model/errors.ts';
import type { CliContext } from './cli-context.ts';
import { SOURCE_FLAGS } from './source-flags.ts';

/** Flags that choose the input and how to probe it, as commander returns them. */
export interface InputFlags {
  readonly filename?: string[];
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly connectTo?: string[];
  readonly config?: string;
  readonly detectors?: string[];
  /** Print the result and errors only. */
  readonly quiet?: boolean;
}

/** The key under which commander returns a flag's value: `configmapName` for `--configmap-name`. */
const attributeOf = (flag: string): string =>
  flag.replace(/^--/, '').replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

function flagTexts(
  flags: InputFlags & Readonly<Record<string, unknown>>,
): Partial<Record<SettingName, string>> {
  const texts: Partial<Record<SettingName, string>> = {};
  for (const name of SETTING_NAMES) {
    const value = flags[attributeOf(SETTINGS[name].flag)];
    if (typeof value === 'string') texts[name] = value;
    else if (value === true) texts[name] = 'true';
  }
  if (flags.connectTo !== undefined) texts.connectTo = flags.connectTo.join(',');
  if (flags.namespace !== undefined) texts.namespaces = flags.namespace;
  if (flags.allNamespaces === true) {
    if (flags.namespace !== undefined)
      throw new ConfigError('--namespace and --all-namespaces exclude each other; give one of them');
    texts.namespaces = '*';
  }
  return texts;
}

/** The configuration sources that the flags and the environment name. @throws ConfigError */
export function sourcesOf(
  flags: InputFlags & Readonly<Record<string, unknown>>,
  { env, signal }: CliContext,
): ConfigurationSources {
  return {
    texts: flagTexts(flags),
    env,
    file: flags.config ?? (env.CONFIG_FILE === '' ? undefined : env.CONFIG_FILE),
    detectorFolders: flags.detectors ?? (env.DETECTORS ?? '').split(',').filter((folder) => folder !== ''),
    signal,
  };
}

/**
 * Reads the configuration from flags, environment and configuration file, in this order of precedence.
 * @throws ConfigError; AbortError
 */
export const settingsOf = (flags: InputFlags, cli: CliContext): Promise<Configuration> =>
  readConfiguration(sourcesOf({ ...flags }, cli));

/** The source that the flags choose instead of the cluster. @throws ConfigError if they choose several */
function sourceOf(flags: Readonly<Record<string, unknown>>, cli: CliContext): ChosenSource | undefined {
  const [first, second] = SOURCE_FLAGS.flatMap((each) => {
    const values = (flags[attributeOf(each.flag)] ?? []) as readonly string[];
    return values.length === 0 ? [] : [{ ...each, values }];
  });
  if (first !== undefined && second !== undefined)
    throw new ConfigError(`${first.flag} and ${second.flag} exclude each other; give one of them`);
  return first?.choose(first.values, cli);
}

/** The input that the flags and the environment choose. @throws ConfigError */
export function inputOf(flags: InputFlags, cli: CliContext): InputOptions {
  const { namespace, kubeconfig, context } = flags;
  return {
    source: sourceOf({ ...flags }, cli),
    onlyNamespaces: namespace !== undefined,
    kubeconfig,
    origin: kubeconfig ?? cli.env.KUBECONFIG ?? '~/.kube/config',
    context,
  };
}
