import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { GROUPS, isSwitch } from '../config/setting.ts';
import { SETTING_NAMES, SETTINGS } from '../config/setting-table.ts';
import { givenSettings, readSettings } from '../config/settings.ts';
import { addSettings } from './options.ts';
import { createProgram } from './program.ts';

const program = createProgram(
  {
    env: {},
    stdin: new PassThrough(),
    output: { result: new PassThrough(), messages: new PassThrough() },
    version: '0.0.0',
    signal: new AbortController().signal,
  },
  () => {},
);

function commandOf(name: string): Command {
  const command = program.commands.find((each) => each.name() === name);
  if (command === undefined) throw new Error(`there is no command ${name}`);
  addSettings(command);
  return command;
}

const reference = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
const words = (text: string): string => text.replace(/\s+/g, ' ');

describe.each(SETTING_NAMES)('the setting %s', (name) => {
  const setting = SETTINGS[name];

  test('has its flag in the help of the commands that accept it, and of no others', () => {
    for (const command of program.commands.map((each) => commandOf(each.name()))) {
      const takes = (GROUPS[setting.group].commands as readonly string[]).includes(command.name());
      const long = command.options.some((option) => option.long === setting.flag);
      expect([command.name(), long]).toEqual([command.name(), takes]);
    }
    const help = words(commandOf('serve').helpInformation());
    expect(help).toContain(`${setting.flag} `);
    expect(help).toContain(words(setting.description));
    expect(help).toContain(`(${setting.env}`);
  });

  test('is in the reference', () => {
    const row = reference.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
    expect(row).toContain(`\`${setting.flag}\``);
    expect(row).toContain(`\`${setting.env}\``);
    const saysHowSeveral = row?.includes('repeat the flag, or separate them with commas in the variable');
    expect(saysHowSeveral).toBe(setting.form.repeatable === true);
  });

  test('has the documented default', () => {
    const { defaultText, defaultValue, form } = setting;
    if (defaultValue === undefined) {
      // What it is then is decided where it is used, so it is told in words, which nobody can give.
      if (defaultText !== '') expect(defaultText).toContain(' ');
    } else {
      const given = { [name]: { text: defaultText, origin: 'as shown' } };
      expect(readSettings(given)[name]).toEqual(defaultValue);
      expect(readSettings({})[name]).toEqual(defaultValue);
    }
    if (isSwitch(setting)) expect(defaultValue).toBe(false);
    expect(form.placeholder).toMatch(/^[a-z:/]+$/);
  });

  test('is read from its variable', () => {
    const text = setting.form.words?.at(-1) ?? 'some text';
    expect(givenSettings({}, { [setting.env]: text })[name]).toEqual({ text, origin: setting.env });
  });
});

test('another shell has no completion, and none is guessed', async () => {
  await expect(program.parseAsync(['completion', 'tcsh'], { from: 'user' })).rejects.toThrow(
    /^there is no completion for tcsh; there is one for bash, zsh, fish$/,
  );
});
