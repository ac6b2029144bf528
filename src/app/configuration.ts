import { readConfigData } from '../config/config-map.ts';
import { type DetectorTypes, detectorTypes } from '../config/detector-types.ts';
import type { ConfigLayer } from '../config/file.ts';
import type { SettingName, Settings } from '../config/setting-table.ts';
import { Fault, flag } from '../config/setting-texts.ts';
import { forMessages, type GivenSettings, givenSettings, readSettings } from '../config/settings.ts';
import type { UserDetectors } from '../config/user-detectors.ts';
import type { Certificates } from '../model/certificates.ts';
import type { Credentials } from '../model/credentials.ts';
import type { DetectorsOptions } from '../model/detector-options.ts';
import type { Tenants } from '../model/tenants.ts';
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

/** The content of the settings ConfigMap, and its name for messages. */
export interface StoredData {
  readonly data: Readonly<Record<string, string>>;
  readonly where: string;
}

/** The settings, and the configuration of detectors. */
export interface Configuration extends Settings {
  /** The raw text of each setting, with its origin. */
  readonly given: GivenSettings;
  readonly detectors: DetectorsOptions;
  readonly credentials: Credentials;
  readonly tenants: Tenants;
  readonly certificates: Certificates;
  /** Types of disabled detectors. They may be unknown types. */
  readonly disabledDetectors: readonly string[];
  /** Custom detectors, by folder. */
  readonly userDetectors: readonly UserDetectors[];
}

/**
 * Types of detectors that the environment disables, as `ENABLE_GRAFANA=false` does, and faults of such variables. A variable
 * of an unknown type may belong to another program, so only its `false` counts, which causes a warning.
 */
function disabledDetectors(env: Env, types: () => DetectorTypes): { disabled: string[]; faults: string[] } {
  const disabled: string[] = [];
  const faults: string[] = [];
  for (const [name, text = ''] of Object.entries(env)) {
    const type = /^ENABLE_([A-Z][A-Z0-9]*)$/.exec(name)?.[1]?.toLowerCase();
    if (type === undefined || text === '') continue;
    const isEnabled = flag.read(text);
    if (isEnabled === false) disabled.push(type);
    else if (isEnabled instanceof Fault && types().known.includes(type))
      faults.push(`${name}=${forMessages(text)} ${isEnabled.what}`);
  }
  return { disabled, faults };
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
 * @param stored the settings ConfigMap, if it was read
 * @throws ConfigError that names all faults of all sources; AbortError
 */
export async function readConfiguration(
  { texts, env, file, detectorFolders, signal }: ConfigurationSources,
  stored?: StoredData,
): Promise<Configuration> {
  const userDetectors = await readFolders(detectorFolders, signal);
  let known: DetectorTypes | undefined;
  const types = (): DetectorTypes => {
    known ??= detectorTypes(userDetectors);
    return known;
  };
  const layers = [
    stored === undefined ? undefined : readConfigData(stored.data, stored.where, types),
    file === undefined
      ? undefined
      : await (await import('../config/file.ts')).readConfigFile(file, types, signal),
  ].filter((layer) => layer !== undefined);
  const given = givenSettings(texts, env, layers);
  const merged = <K extends 'detectors' | 'credentials' | 'tenants' | 'certificates'>(
    what: K,
  ): ConfigLayer[K] => Object.assign({}, ...layers.map((layer) => layer[what]).reverse());
  const { disabled, faults } = disabledDetectors(env, types);
  return {
    ...readSettings(given, [...layers.flatMap((layer) => layer.faults), ...faults]),
    given,
    detectors: merged('detectors'),
    credentials: merged('credentials'),
    tenants: merged('tenants'),
    certificates: merged('certificates'),
    disabledDetectors: disabled,
    userDetectors,
  };
}
