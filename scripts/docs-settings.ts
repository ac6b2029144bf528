/** The parts of docs/configuration.md that are generated from the table of settings. */
import { INPUT_LOCATIONS } from '../src/config/input-locations.ts';
import { GROUPS, type SettingGroup } from '../src/config/setting.ts';
import { SETTING_NAMES, SETTINGS } from '../src/config/setting-table.ts';
import { code, codes, table } from './markdown-text.ts';

/** Formats a default: a literal value as code, a description as text. */
const shown = (preset: string): string => (preset === '' ? '' : preset.includes(' ') ? preset : code(preset));

function groupTable(group: SettingGroup): string {
  const names = SETTING_NAMES.filter((name) => SETTINGS[name].group === group);
  const rows = names.map((name) => {
    const { flag, letter, env, form, defaultText: preset, description: says } = SETTINGS[name];
    const flags = [...(letter === undefined ? [] : [letter]), flag].map(code).join(', ');
    const values = form.words === undefined ? form.range : codes(form.words);
    const several =
      form.repeatable === true
        ? '; for several, repeat the flag, or separate them with commas in the variable'
        : '';
    return [
      code(name),
      flags,
      code(env),
      values || form.placeholder,
      shown(preset),
      `${says.replaceAll('*', '\\*')}${several}`,
    ];
  });
  const { title, commands } = GROUPS[group];
  return `### ${title}\n\nFor ${codes(commands)}.\n\n${table(['name', 'flag', 'environment', 'values', 'default', 'meaning'], rows)}`;
}

export const settingsParts: Readonly<Record<string, () => string>> = {
  settings: () => (Object.keys(GROUPS) as SettingGroup[]).map(groupTable).join('\n\n'),
  places: () =>
    table(
      ['flag', 'environment', 'default', 'meaning'],
      Object.values(INPUT_LOCATIONS).map((place) => [
        code(place.flag),
        'env' in place ? code(place.env) : '',
        place.defaultText,
        place.description,
      ]),
    ),
};
