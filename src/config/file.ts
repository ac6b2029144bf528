import * as z from 'zod';
import { readText } from '../files/read-text.ts';
import { type Certificates, certificatesByBackend } from '../model/certificates.ts';
import { type Credentials, credentialsByBackend } from '../model/credentials.ts';
import { type DetectorsOptions, detectorsOptions } from '../model/detector-options.ts';
import { ConfigError } from '../model/errors.ts';
import { type Tenants, tenantsByBackend } from '../model/tenants.ts';
import { unreadable } from '../model/unreadable.ts';
import { FILE, SMALL } from '../model/yaml-document.ts';
import { faultLines, parseYaml } from '../model/yaml-text.ts';
import { type DetectorTypes, optionsFor } from './detector-types.ts';
import { SETTING_NAMES, type SettingName } from './setting-table.ts';
import type { Layer } from './settings.ts';

const texts = z.union([
  z.string(),
  z.number().transform(String),
  z.boolean().transform(String),
  z.array(z.string()).transform((list) => list.join(',')),
]);

const settings = Object.fromEntries(SETTING_NAMES.map((name) => [name, texts.optional()])) as Record<
  SettingName,
  z.ZodOptional<typeof texts>
>;

/** The texts of the settings in a file, which may have other faults. */
export function settingTexts(content: Readonly<Record<string, unknown>>): ConfigLayer['texts'] {
  return Object.fromEntries(SETTING_NAMES.map((name) => [name, texts.safeParse(content[name]).data]));
}

/** The schema of a configuration file: the settings by name, options of detectors by type, credentials, tenants and certificates by backend. */
export const configFileSchema = z.strictObject({
  ...settings,
  detectors: detectorsOptions.default({}),
  credentials: credentialsByBackend.default({}),
  tenants: tenantsByBackend.default({}),
  certificates: certificatesByBackend.default({}),
});

/** The configuration from a source other than flags and environment variables. */
export interface ConfigLayer extends Layer {
  readonly detectors: DetectorsOptions;
  readonly credentials: Credentials;
  readonly tenants: Tenants;
  readonly certificates: Certificates;
  /** What is wrong with it, except for values of settings. */
  readonly faults: readonly string[];
}

/**
 * Reads a configuration file. If it has faults, which are named with line and column, the settings in it are still read, so
 * that all faults can be reported together.
 * @param types the types that `detectors` may name
 * @throws UserError if it cannot be read; AbortError
 */
export async function readConfigFile(
  path: string,
  types: () => DetectorTypes,
  signal?: AbortSignal,
): Promise<ConfigLayer> {
  let content: string;
  try {
    content = await readText(path, FILE.bytes, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw new ConfigError(
      `cannot read the configuration ${path}: ${unreadable(error, 'choose another file with --config')}`,
      { cause: error },
    );
  }
  const parsed = parseYaml(content.trim() === '' ? '{}' : content, { limits: SMALL });
  const result =
    'faults' in parsed
      ? parsed
      : parsed.check(configFileSchema.extend({ detectors: optionsFor(types).default({}) }));
  const loose = 'faults' in parsed ? parsed : parsed.check(z.record(z.string(), z.unknown()));
  const origin = (name: SettingName): string => {
    if (!('value' in loose)) return `${path}: ${name}`;
    const { line, column } = loose.valuePlace([name]);
    return `${path}:${line}:${column}: ${name}`;
  };
  if ('value' in result) {
    const { detectors, credentials, tenants, certificates, ...texts } = result.value;
    return { texts, detectors, credentials, tenants, certificates, faults: [], origin };
  }
  const faults = faultLines(result, ({ line, column, message }) => `${path}:${line}:${column}: ${message}`);
  const texts = 'value' in loose ? settingTexts(loose.value) : {};
  return { texts, detectors: {}, credentials: {}, tenants: {}, certificates: {}, faults, origin };
}
