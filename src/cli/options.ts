import { type Command, InvalidArgumentError, Option } from 'commander';
import { INPUT_LOCATIONS } from '../config/input-locations.ts';
import { GROUPS, isSwitch, type Setting, type SettingGroup } from '../config/setting.ts';
import { SETTING_NAMES, SETTINGS } from '../config/setting-table.ts';
import { SOURCE_FLAGS } from './source-flags.ts';

/** Appends the value of a repeatable option. */
export const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

/** Rejects an empty value. */
export const notEmpty = (value: string): string => {
  if (value === '') throw new InvalidArgumentError('It must not be empty.');
  return value;
};

/** The help text of a setting, such as `probe timeout (HEALTH_CHECK_TIMEOUT; 100ms to 1m; default 5s)`. */
function settingText(setting: Setting<unknown>): string {
  const { form, defaultText, env, description } = setting;
  if (isSwitch(setting)) return `${description} (${env}=true)`;
  const values = form.words === undefined ? form.range : form.words.join(', ');
  const details = [
    env,
    values,
    defaultText === '' ? '' : `default ${defaultText}`,
    form.repeatable ? 'repeatable' : '',
  ];
  return `${description} (${details.filter((detail) => detail !== '').join('; ')})`;
}

function settingOption(setting: Setting<unknown>): Option {
  const { flag, letter, form } = setting;
  const name = letter === undefined ? flag : `${letter}, ${flag}`;
  const option = new Option(isSwitch(setting) ? name : `${name} <${form.placeholder}>`, settingText(setting));
  return form.repeatable === true ? option.argParser(collect) : option;
}

function locationOption(place: (typeof INPUT_LOCATIONS)[keyof typeof INPUT_LOCATIONS]): Option {
  const { flag, placeholder, description, defaultText } = place;
  const details = ['env' in place ? place.env : '', defaultText === '' ? '' : `default ${defaultText}`];
  const shown = details.filter((detail) => detail !== '').join('; ');
  const option = new Option(`${flag} <${placeholder}>`, `${description} (${shown})`);
  return place === INPUT_LOCATIONS.detectors ? option.argParser(collect) : option.argParser(notEmpty);
}

const commandsWithLazyOptions = new WeakSet<Command>();

/** Marks a command that has flags for settings. `addSettings` adds them when the command runs. */
export function withSettings(command: Command): Command {
  commandsWithLazyOptions.add(command);
  // `help COMMAND` prints the flags without running the command.
  return command.on('beforeHelp', () => addSettings(command));
}

/**
 * Adds the flags for settings, by group, and for input locations to a command. Only the command that runs gets them,
 * because adding them to every command slows down each start.
 */
export function addSettings(command: Command): void {
  if (!commandsWithLazyOptions.delete(command)) return;
  const name = command.name();
  const takes = (group: SettingGroup): boolean =>
    (GROUPS[group].commands as readonly string[]).includes(name);
  command.optionsGroup('Cluster:');
  for (const place of [INPUT_LOCATIONS.kubeconfig, INPUT_LOCATIONS.context])
    command.addOption(locationOption(place));
  for (const group of Object.keys(GROUPS) as SettingGroup[]) {
    if (!takes(group)) continue;
    command.optionsGroup(`${GROUPS[group].title}:`);
    if (group === 'input') {
      for (const { letter, flag, placeholder, description } of SOURCE_FLAGS)
        command.option(
          `${letter === undefined ? '' : `${letter}, `}${flag} <${placeholder}>`,
          description,
          collect,
        );
      command.option('-A, --all-namespaces', 'search all namespaces');
    }
    for (const setting of SETTING_NAMES)
      if (SETTINGS[setting].group === group) command.addOption(settingOption(SETTINGS[setting]));
  }
  command.optionsGroup('Configuration:').addOption(locationOption(INPUT_LOCATIONS.config));
  if (takes('input')) command.addOption(locationOption(INPUT_LOCATIONS.detectors));
}
