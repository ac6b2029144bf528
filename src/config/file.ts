import * as z from 'zod';
import { readText } from '../files/read-text.ts';
import { type Credentials, credentialsByBackend } from '../model/credentials.ts';
import { type DetectorsOptions, detectorsOptions } from '../model/detector-options.ts';
import { ConfigError } from '../model/errors.ts';
import { unreadable } from '../model/unreadable.ts';
import { FILE } from '../model/yaml-document.ts';
import { faultLines, readYaml } from '../model/yaml-text.ts';
import { SETTING_NAMES, type SettingName } from './setting-table.ts';
import type { Layer } from './settings.ts';

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const texts = z.union([text, z.array(z.string()).transform((list) => list.join(','))]);

const settings = Object.fromEntries(SETTING_NAMES.map((name) => [name, texts.optional()])) as Record<
  SettingName,
  z.ZodOptional<typeof texts>
>;

/** The schema of a configuration file: the settings by name, options of detectors by type, credentials by backend. */
export const configFileSchema = z.strictObject({
  ...settings,
  detectors: detectorsOptions.default({}),
  credentials: credentialsByBackend.default({}),
});

/** The configuration from a source other than flags and environment variables. */
export interface ConfigLayer extends Layer {
  readonly detectors: DetectorsOptions;
  readonly credentials: Credentials;
}

/**
 * Reads a configuration file.
 * @throws UserError that names each fault with its line and column; AbortError
 */
export async function readConfigFile(path: string, signal?: AbortSignal): Promise<ConfigLayer> {
  let content: string;
  try {
    content = await readText(path, FILE.bytes, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw new ConfigError(
      `cannot read the configuration ${path}: ${unreadable(error)}; name another with --config`,
      { cause: error },
    );
  }
  const result = readYaml(content.trim() === '' ? '{}' : content, configFileSchema);
  if ('value' in result) {
    const { detectors, credentials, ...texts } = result.value;
    return { texts, detectors, credentials, origin: (name) => `${path}: ${name}` };
  }
  throw new ConfigError(
    faultLines(result, ({ line, column, message }) => `${path}:${line}:${column}: ${message}`).join('\n'),
  );
}
