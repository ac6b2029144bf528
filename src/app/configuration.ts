import type { ConfigLayer } from '../config/file.ts';
import { SETTING_NAMES, SETTINGS, type SettingName, type Settings } from '../config/setting-table.ts';
import { type GivenSettings, givenSettings, readSettings } from '../config/settings.ts';
import type { UserDetectors } from '../config/user-detectors.ts';
import type { Credentials } from '../model/credentials.ts';
import type { DetectorsOptions } from '../model/detector-options.ts';
import { ConfigError } from '../model/errors.ts';
import type { Invocation } from './invocation.ts';

/** Flags that choose the input and how it is probed, as the parser of the command line gives them. */
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

/** Settings, and what was set and added for detectors. */
export interface Configuration extends Settings {
  /** The settings' texts, and where they were given. */
  readonly given: GivenSettings;
  readonly detectors: DetectorsOptions;
  readonly credentials: Credentials;
  /** Types of detectors that are switched off, whether or not there are such. */
  readonly switchedOff: readonly string[];
  /** Detectors of the user's own, by folder. */
  readonly userDetectors: readonly UserDetectors[];
}

/** The name under which the parser of the command line gives a flag's value: `configmapName` of `--configmap-name`. */
const attributeOf = (flag: string): string =>
  flag.replace(/^--/, '').replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Types of detectors that the environment switches off, as `ENABLE_GRAFANA=false` does. */
function switchedOff(env: Invocation['env']): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const type = /^ENABLE_([A-Z][A-Z0-9]*)$/.exec(name)?.[1]?.toLowerCase();
    return type !== undefined && value === 'false' ? [type] : [];
  });
}

/** The configuration file that flags and environment name, if they name one. */
export const configPath = (flags: InputFlags, run: Invocation): string | undefined =>
  flags.config ?? (run.env.CONFIG_FILE === '' ? undefined : run.env.CONFIG_FILE);

/** The folders with detectors of the user's own that flags and environment name. */
export const detectorFolders = (flags: InputFlags, run: Invocation): readonly string[] =>
  flags.detectors ?? (run.env.DETECTORS ?? '').split(',').filter((folder) => folder !== '');

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

async function readFolders(folders: readonly string[]): Promise<UserDetectors[]> {
  if (folders.length === 0) return [];
  const { readDetectors } = await import('../config/user-detectors.ts');
  return folders.map(readDetectors);
}

/**
 * The configuration that flags, environment, a ConfigMap and the configuration file come to, in this order.
 * @param stored what the ConfigMap configures, if that was read
 * @throws UserError naming what is wrong with them
 */
export async function settingsOf(
  flags: InputFlags & Readonly<Record<string, unknown>>,
  run: Invocation,
  stored?: ConfigLayer,
): Promise<Configuration> {
  const path = configPath(flags, run);
  const layers = [
    stored,
    path === undefined ? undefined : (await import('../config/file.ts')).readConfigFile(path),
  ].filter((layer) => layer !== undefined);
  const given = givenSettings(flagTexts(flags), run.env, layers);
  const merged = <K extends 'detectors' | 'credentials'>(what: K): ConfigLayer[K] =>
    Object.assign({}, ...layers.map((layer) => layer[what]).reverse());
  return {
    ...readSettings(given),
    given,
    detectors: merged('detectors'),
    credentials: merged('credentials'),
    switchedOff: switchedOff(run.env),
    userDetectors: await readFolders(detectorFolders(flags, run)),
  };
}
