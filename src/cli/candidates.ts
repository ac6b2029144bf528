import type { Argument, Command, Option } from 'commander';
import { SETTING_NAMES, SETTINGS } from '../config/setting-table.ts';
import { addSettings } from './options.ts';

/**
 * Completion directives, with the numbers of cobra, which kubectl expects from a plugin.
 * https://github.com/spf13/cobra/blob/main/site/content/completions/_index.md
 */
export const DIRECTIVE = { files: 0, nothing: 4, folders: 16 } as const;

/** The completions that fit at one place of a command line. */
export interface Candidates {
  readonly words: readonly (readonly [word: string, description: string])[];
  readonly directive: (typeof DIRECTIVE)[keyof typeof DIRECTIVE];
}

const NOTHING: Candidates = { words: [], directive: DIRECTIVE.nothing };

const oneOfWords = (words: readonly string[]): Candidates => ({
  words: words.map((word) => [word, '']),
  directive: DIRECTIVE.nothing,
});

/** The completions for a value, by its placeholder in the help. */
function byPlaceholder(placeholder: string): Candidates {
  if (placeholder === 'folder') return { words: [], directive: DIRECTIVE.folders };
  return ['file', 'files', 'path'].includes(placeholder)
    ? { words: [], directive: DIRECTIVE.files }
    : NOTHING;
}

/** A description without the variable and the default in brackets at its end. */
const withoutDetails = (description: string): string => description.replace(/ \(.*$/s, '');

function valuesOf(option: Option): Candidates {
  const setting = SETTING_NAMES.find((name) => SETTINGS[name].flag === option.long);
  const words = option.argChoices ?? (setting === undefined ? undefined : SETTINGS[setting].form.words);
  if (words !== undefined) return oneOfWords(words);
  return byPlaceholder(/[<[](.+?)[>\]]/.exec(option.flags)?.[1] ?? '');
}

function argumentOf(argument: Argument | undefined, program: Command): Candidates {
  if (argument === undefined) return NOTHING;
  if (argument.argChoices !== undefined) return oneOfWords(argument.argChoices);
  return argument.name() === 'command' ? commandsOf(program) : byPlaceholder(argument.name());
}

const commandsOf = (program: Command): Candidates => ({
  words: program
    .createHelp()
    .visibleCommands(program)
    .map((command) => [command.name(), command.summary() || command.description()]),
  directive: DIRECTIVE.nothing,
});

/** Rejoins flags and values: bash splits `--probe=direct` into three words, and `--probe=` into two. */
function joinFlagValues(words: readonly string[]): string[] {
  const result: string[] = [];
  for (const [index, word] of words.entries()) {
    const before = result.at(-1);
    if (before?.startsWith('--') && (word === '=' || (words[index - 1] === '=' && before.endsWith('='))))
      result[result.length - 1] = before + word;
    else result.push(word);
  }
  return result;
}

/**
 * The completions of the last word.
 * @param line the words after the program's name; the last one may be incomplete or empty
 */
export function candidatesOf(program: Command, line: readonly string[]): Candidates {
  const words = joinFlagValues(line);
  const current = words.pop() ?? '';
  const beginningWith = (begun: string, { words: all, directive }: Candidates): Candidates => ({
    words: all.filter(([word]) => word.startsWith(begun)),
    directive,
  });
  let command = program;
  let position = 0;
  let onlyArguments = false;
  let pendingOption: Option | undefined;
  const optionNamed = (word: string): Option | undefined =>
    command
      .createHelp()
      .visibleOptions(command)
      .find(({ long, short }) => long === word || short === word);
  for (const word of words) {
    if (pendingOption !== undefined) pendingOption = undefined;
    else if (word === '--') onlyArguments = true;
    else if (!onlyArguments && word.startsWith('-') && word !== '-') {
      const option = optionNamed(word);
      if (option?.required === true) pendingOption = option;
    } else {
      const named = command === program ? program.commands.find((each) => each.name() === word) : undefined;
      if (named !== undefined) {
        command = named;
        addSettings(command);
      } else position += 1;
    }
  }
  if (pendingOption !== undefined) return beginningWith(current, valuesOf(pendingOption));
  if (!onlyArguments && current.startsWith('-') && current !== '-') {
    const [flag = '', value] = current.split(/=(.*)/s, 2);
    const option = optionNamed(flag);
    if (value !== undefined) return option?.required ? beginningWith(value, valuesOf(option)) : NOTHING;
    const all = command
      .createHelp()
      .visibleOptions(command)
      .flatMap(({ long, short, description }) =>
        [long, short].flatMap((name) =>
          name === undefined ? [] : [[name, withoutDetails(description)] as const],
        ),
      );
    return beginningWith(current, { words: all, directive: DIRECTIVE.nothing });
  }
  if (command === program) return position === 0 ? beginningWith(current, commandsOf(program)) : NOTHING;
  const known = command.registeredArguments;
  const last = known.at(-1);
  return beginningWith(current, argumentOf(known[position] ?? (last?.variadic ? last : undefined), program));
}

/** Formats candidates as cobra does: one line each, a tab before the description, then `:` and the directive. */
export function candidatesText({ words, directive }: Candidates): string {
  const lines = words.map(([word, description]) => (description === '' ? word : `${word}\t${description}`));
  return [...lines, `:${directive}`, ''].join('\n');
}
