import type { ConfigLayer } from '../config/file.ts';
import type { SettingName, Settings } from '../config/setting-table.ts';
import { type GivenSettings, givenSettings, readSettings } from '../config/settings.ts';
import type { UserDetectors } from '../config/user-detectors.ts';
import type { Credentials } from '../model/credentials.ts';
import type { DetectorsOptions } from '../model/detector-options.ts';
import type { Env } from './host.ts';

/** Where a configuration comes from. */
export interface ConfigurationSources {
  /** Texts of settings that win over all other sources, as from flags. */
  readonly texts: Readonly<Partial<Record<SettingName, string>>>;
  readonly env: Env;
  /** Path of the configuration file, if there is one. */
  readonly file: string | undefined;
  /** Folders with detectors of the user's own. */
  readonly detectorFolders: readonly string[];
}

/** Settings, and what was set and added for detectors. */
export interface Configuration extends Settings {
  /** The settings' texts, and where they were given. */
  readonly given: GivenSettings;
  readonly detectors: DetectorsOptions;
  readonly credentials: Credentials;
  /** Types of detectors that are switched off, whether or not there are such. */
  readonly disabledDetectors: readonly string[];
  /** Detectors of the user's own, by folder. */
  readonly userDetectors: readonly UserDetectors[];
}

/** Types of detectors that the environment switches off, as `ENABLE_GRAFANA=false` does. */
function disabledDetectors(env: Env): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const type = /^ENABLE_([A-Z][A-Z0-9]*)$/.exec(name)?.[1]?.toLowerCase();
    return type !== undefined && value === 'false' ? [type] : [];
  });
}

async function readFolders(folders: readonly string[]): Promise<UserDetectors[]> {
  if (folders.length === 0) return [];
  const { readDetectors } = await import('../config/user-detectors.ts');
  return folders.map(readDetectors);
}

/**
 * The configuration that the sources come to. Texts win over the environment, that over the ConfigMap, and that over the file.
 * @param stored what the ConfigMap configures, if that was read
 * @throws ConfigError naming what is wrong with them
 */
export async function readConfiguration(
  { texts, env, file, detectorFolders }: ConfigurationSources,
  stored?: ConfigLayer,
): Promise<Configuration> {
  const layers = [
    stored,
    file === undefined ? undefined : (await import('../config/file.ts')).readConfigFile(file),
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
    userDetectors: await readFolders(detectorFolders),
  };
}
