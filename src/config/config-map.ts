import type * as z from 'zod';
import { encodingFault } from '../model/binary-text.ts';
import { type Certificates, certificatesByBackend } from '../model/certificates.ts';
import { type Credentials, credentialsByBackend } from '../model/credentials.ts';
import type { DetectorsOptions } from '../model/detector-options.ts';
import { didYouMean } from '../model/nearest.ts';
import { type Tenants, tenantsByBackend } from '../model/tenants.ts';
import { oneLine } from '../model/text.ts';
import { SMALL, type YamlLimits } from '../model/yaml-document.ts';
import { readYaml } from '../model/yaml-text.ts';
import { type DetectorTypes, optionsFor } from './detector-types.ts';
import type { ConfigLayer } from './file.ts';
import { SETTING_NAMES, SETTINGS, type SettingName } from './setting-table.ts';

/** The key of a setting in the ConfigMap: `discovery-interval` of `DISCOVERY_INTERVAL`. */
export const keyOf = (name: SettingName): string => SETTINGS[name].env.toLowerCase().replaceAll('_', '-');

const NAMES = new Map(SETTING_NAMES.map((name) => [keyOf(name), name]));

/** A key is parsed on the event loop: this many tokens take less than 100 ms, and are enough for over 100 detectors. */
const LIMITS: YamlLimits = { ...SMALL, tokens: 25_000 };

/** The end of the message about a key that is like no other. All keys would hide the other faults of a line. */
const EXAMPLE =
  '; a key is the name of a variable in lower case with dashes, such as max-backends for MAX_BACKENDS';

/** The keys with YAML, as in a configuration file. */
const DOCUMENTS = ['detectors', 'credentials', 'tenants', 'certificates'];

/** All keys that may stand in it. */
const KEYS = [
  ...[...NAMES].flatMap(([key, name]) => (SETTINGS[name].bootstrapOnly === true ? [] : [key])),
  ...DOCUMENTS,
].sort();

/**
 * Reads the configuration in the data of a ConfigMap: settings by key, with texts as in environment variables, and
 * `detectors`, `credentials`, `tenants` and `certificates` in YAML. An empty text counts as absent.
 * The faults name every key that is not a setting, and every fault in YAML.
 * @param where the ConfigMap, for messages
 * @param types the types that `detectors` may name
 */
export function readConfigData(
  data: Readonly<Record<string, string>>,
  where: string,
  types: () => DetectorTypes,
): ConfigLayer {
  const texts: Partial<Record<SettingName, string>> = {};
  const wrong: string[] = [];
  /** Reads a key whose text is YAML, as under the same key of a configuration file. */
  const document = <T extends object>(key: string, schema: z.ZodType<T>): T | undefined => {
    const text = Object.hasOwn(data, key) ? (data[key] ?? '') : '';
    if (text.trim() === '') return undefined;
    const unreadable = encodingFault(text);
    const result =
      unreadable === undefined
        ? readYaml(text, schema, { limits: LIMITS })
        : { faults: [unreadable], more: 0 };
    if ('value' in result) return result.value;
    const at = `${where}: ${key}:`;
    for (const { line, column, message } of result.faults) wrong.push(`${at}${line}:${column}: ${message}`);
    if (result.more > 0) wrong.push(`${at} and ${result.more} more`);
    return undefined;
  };
  const detectors: DetectorsOptions = document('detectors', optionsFor(types)) ?? {};
  const credentials: Credentials = document('credentials', credentialsByBackend) ?? {};
  const tenants: Tenants = document('tenants', tenantsByBackend) ?? {};
  const certificates: Certificates = document('certificates', certificatesByBackend) ?? {};
  for (const [key, text] of Object.entries(data)) {
    const name = NAMES.get(key);
    if (text.trim() === '' || DOCUMENTS.includes(key)) continue;
    if (name === undefined)
      wrong.push(`${where}: "${oneLine(key, 80)}" is not a setting${didYouMean(key, KEYS) || EXAMPLE}`);
    else if (SETTINGS[name].bootstrapOnly === true)
      wrong.push(
        `${where}: ${key} says where this ConfigMap is, so it cannot be set in it; set ${SETTINGS[name].env} or ${SETTINGS[name].flag}`,
      );
    else if (encodingFault(text) !== undefined)
      wrong.push(`${where}: ${key}: ${encodingFault(text)?.message}`);
    else texts[name] = text.trim();
  }
  return {
    texts,
    detectors,
    credentials,
    tenants,
    certificates,
    faults: wrong,
    origin: (name) => `${where}: ${keyOf(name)}`,
  };
}
