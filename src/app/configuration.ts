import type { ConfigLayer } from '../config/file.ts';
import type { SettingName, Settings } from '../config/setting-table.ts';
import { type GivenSettings, givenSettings, readSettings } from '../config/settings.ts';
import type { UserDetectors } from '../config/user-detectors.ts';
import type { Credentials } from '../model/credentials.ts';
import type { DetectorsOptions } from '../model/detector-options.ts';
import type { Env } from './host.ts';

/** The sources of a configuration. */
export interface ConfigurationSources {
  /** Settings that override all other sources, such as flags. */
  readonly texts: Readonly<Partial<Record<SettingName, string>>>;
  readonly env: Env;
  /** Path of the configuration file. */
  readonly file: string | undefined;
  /** Folders with custom detectors. */
  readonly detectorFolders: readonly string[];
  /** Ends the reading of a file, which may be a FIFO without a writer. */
  readonly signal?: AbortSignal;
}

/** The settings, and the configuration of detectors. */
export interface Configuration extends Settings {
  /** The raw text of each setting, with its origin. */
  readonly given: GivenSettings;
  readonly detectors: DetectorsOptions;
  readonly credentials: Credentials;
  /** Types of disabled detectors. They may be unknown types. */
  readonly disabledDetectors: readonly string[];
  /** Custom detectors, by folder. */
  readonly userDetectors: readonly UserDetectors[];
}

/** Types of detectors that the environment disables, as `ENABLE_GRAFANA=false` does. */
function disabledDetectors(env: Env): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const type = /^ENABLE_([A-Z][A-Z0-9]*)$/.exec(name)?.[1]?.toLowerCase();
    return type !== undefined && value === 'false' ? [type] : [];
  });
}

async function readFolders(
  folders: readonly string[],
  signal: AbortSignal | undefined,
): Promise<UserDetectors[]> {
  if (folders.length === 0) return [];
  const { readDetectors } = await import('../config/user-detectors.ts');
  return Promise.all(folders.map((folder) => readDetectors(folder, signal)));
}

/**
 * Reads the configuration. Order of precedence: texts, environment, ConfigMap, file.
 * @param stored the content of the settings ConfigMap, if it was read
 * @throws ConfigError that names the invalid settings; AbortError
 */
export async function readConfiguration(
  { texts, env, file, detectorFolders, signal }: ConfigurationSources,
  stored?: ConfigLayer,
): Promise<Configuration> {
  const layers = [
    stored,
    file === undefined ? undefined : await (await import('../config/file.ts')).readConfigFile(file, signal),
  ].filter((layer) => layer !== undefined);
  const given = givenSettings(texts, env, layers);
  const merged = <K extends 'detectors' | 'credentials'>(what: K): ConfigLayer[K] =>
    Object.assign({}, ...layers.map((layer) => layer[what]).reverse());
  return {
    ...readSettings(given),
    given,
    detectors: merged('detectors'),
    credentials: merged('credentials'),
    disabledDetectors: disabledDetectors(env),
    userDetectors: await readFolders(detectorFolders, signal),
  };
}
