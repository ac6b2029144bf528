import { readConfigFile } from '../config/file.ts';
import { ORIGINS, readSettings, type SettingName, type Settings } from '../config/settings.ts';
import type { Credentials } from '../model/credentials.ts';
import type { DetectorsOptions } from '../model/detector-options.ts';
import { EXIT, UserError } from '../model/exit.ts';
import type { Output } from './output.ts';

/** What the command line gives to a command. */
export interface Invocation {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadableStream;
  readonly output: Output;
  readonly version: string;
  readonly signal: AbortSignal;
}

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
}

/** Settings, and what was set and added for detectors. */
export interface Configuration extends Settings {
  readonly detectors: DetectorsOptions;
  readonly credentials: Credentials;
  /** Types of detectors that are switched off, whether or not there are such. */
  readonly switchedOff: readonly string[];
  /** Folders with detectors of the user's own. */
  readonly detectorFolders: readonly string[];
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

const NO_FILE = { detectors: {}, credentials: {} };

/** Settings from flags, environment and configuration file. @throws UserError naming what is wrong with them */
export function settingsOf(
  flags: InputFlags & Readonly<Record<string, unknown>>,
  run: Invocation,
): Configuration {
  const texts: Partial<Record<SettingName, string>> = {};
  for (const name of Object.keys(ORIGINS) as SettingName[]) {
    const value = flags[attributeOf(ORIGINS[name].flag)];
    if (typeof value === 'string') texts[name] = value;
    else if (value === true) texts[name] = 'true';
  }
  if (flags.connectTo !== undefined) texts.connectTo = flags.connectTo.join(',');
  if (flags.namespace !== undefined) texts.namespaces = flags.namespace;
  if (flags.allNamespaces === true) {
    if (flags.namespace !== undefined)
      throw new UserError(
        '--namespace and --all-namespaces exclude each other; give one of them',
        EXIT.usage,
      );
    texts.namespaces = '*';
  }
  const path = flags.config ?? run.env.CONFIG_FILE;
  const file = path === undefined ? NO_FILE : readConfigFile(path);
  const { detectors, credentials, ...fileTexts } = file;
  const present = Object.fromEntries(Object.entries(fileTexts).filter(([, value]) => value !== undefined));
  const folders = flags.detectors ?? (run.env.DETECTORS ?? '').split(',').filter((folder) => folder !== '');
  return {
    ...readSettings(texts, run.env, { name: path ?? '', texts: present }),
    detectors,
    credentials,
    switchedOff: switchedOff(run.env),
    detectorFolders: folders,
  };
}
