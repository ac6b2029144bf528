import { ConfigError } from '../model/errors.ts';
import { hideSecrets } from '../model/redact-text.ts';
import { jsonText } from '../model/visible.ts';
import { SETTING_NAMES, SETTINGS, type SettingName, type Settings } from './setting-table.ts';
import { Fault } from './setting-texts.ts';

/** A setting's text, and where it was given, for messages. */
export interface Given {
  readonly text: string;
  readonly origin: string;
}

/** The given settings; all others have their defaults. */
export type GivenSettings = Readonly<Partial<Record<SettingName, Given>>>;

/** Texts of settings from one source with lower precedence than flags and environment. */
export interface Layer {
  readonly texts: Readonly<Partial<Record<SettingName, string | undefined>>>;
  /** The place of a setting's text in it, for messages. */
  readonly origin: (name: SettingName) => string;
}

/** Maximum length of a setting's text in a message, in characters. */
const SHOWN = 200;

/** Formats a setting's text for messages: truncated, and without anything that looks like a secret. */
export function forMessages(text: string): string {
  const hidden = hideSecrets(text);
  return jsonText(hidden.length > SHOWN ? `${hidden.slice(0, SHOWN)}…` : hidden);
}

/**
 * Collects the given text of each setting: from a flag, else from the environment, else from the first layer that has it.
 * @param flags texts of the flags that were given
 * @param env an empty variable counts as absent
 */
export function givenSettings(
  flags: Readonly<Partial<Record<SettingName, string>>>,
  env: Readonly<Record<string, string | undefined>>,
  layers: readonly Layer[] = [],
): GivenSettings {
  const result: Partial<Record<SettingName, Given>> = {};
  for (const name of SETTING_NAMES) {
    const { env: variable, flag } = SETTINGS[name];
    const fromEnv = env[variable];
    const candidates = [
      { text: flags[name], origin: flag },
      { text: fromEnv === '' ? undefined : fromEnv, origin: variable },
      ...layers
        .filter(({ texts }) => texts[name] !== undefined)
        .map(({ texts, origin }) => ({ text: texts[name], origin: origin(name) })),
    ];
    const chosen = candidates.find(({ text }) => text !== undefined);
    if (chosen?.text !== undefined) result[name] = { text: chosen.text, origin: chosen.origin };
  }
  return result;
}

/** A setting as it was given, for messages; what looks like a secret is not shown. */
export function shownSetting(name: SettingName, given: Given | undefined): string {
  return given === undefined
    ? `${name}: unset, so its default applies`
    : `${name}: ${forMessages(given.text)} (${given.origin})`;
}

/**
 * Settings of what is given.
 * @param other other faults of the configuration, to report together
 * @throws UserError that names every wrong setting, where it came from, and what it may be
 */
export function readSettings(given: GivenSettings, other: readonly string[] = []): Settings {
  const faults = [...other];
  const values = SETTING_NAMES.map((name) => {
    const { form, defaultValue } = SETTINGS[name];
    const what = given[name];
    const value = what === undefined ? defaultValue : form.read(what.text);
    if (what !== undefined && value instanceof Fault)
      faults.push(`${what.origin}=${forMessages(what.text)} ${value.what}`);
    return [name, value] as const;
  });
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
  return Object.fromEntries(values) as unknown as Settings;
}
