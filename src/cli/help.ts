import { styleText } from 'node:util';
import type { Command, Help } from 'commander';
import { visible } from '../model/visible.ts';
import type { CliContext } from './cli-context.ts';
import { writePainted } from './output.ts';
import { columnsOf, hasColours } from './terminal.ts';

/** An example: a description, and the command line. */
export type Example = readonly [what: string, line: string];

const EXAMPLES = new WeakMap<Command, readonly Example[]>();

/** Minimum columns for a description beside its flag. On a narrower terminal it goes below the flag. */
const MIN_DESCRIPTION_WIDTH = 44;

const paint = (style: 'bold' | 'cyan' | 'dim', text: string): string =>
  styleText(style, text, { validateStream: false });

/** The examples of a command. */
export const examplesOf = (command: Command): readonly Example[] => EXAMPLES.get(command) ?? [];

/** The name under which the program was started. */
const programName = (command: Command): string =>
  command.parent === null ? command.name() : programName(command.parent);

/** Adds examples to the end of a command's help, with the name under which the program was started. */
export function withExamples(command: Command, ...examples: readonly Example[]): Command {
  EXAMPLES.set(command, examples);
  return command.addHelpText('after', () => {
    const name = programName(command);
    const lines = examples.flatMap(([what, line]) => [
      '',
      `  ${paint('dim', `# ${what}`)}`,
      `  ${line.replaceAll(/\bdynamic-toolset(?= )/g, name)}`,
    ]);
    return ['', paint('bold', 'Examples:'), ...lines.slice(1)].join('\n');
  });
}

function formatItem(this: Help, term: string, termWidth: number, description: string, helper: Help): string {
  const width = this.helpWidth ?? 80;
  if (description === '') return `  ${term}`;
  const indent = (text: string, by: number): string => text.replaceAll('\n', `\n${' '.repeat(by)}`);
  const beside = width - termWidth - 4;
  if (beside < MIN_DESCRIPTION_WIDTH)
    return `  ${term}\n${' '.repeat(6)}${indent(helper.boxWrap(description, Math.max(width - 6, 20)), 6)}`;
  const padding = ' '.repeat(termWidth - helper.displayWidth(term) + 2);
  return `  ${term}${padding}${indent(helper.boxWrap(description, beside), termWidth + 4)}`;
}

/** Fits the help to the width of the terminal, with colours if the terminal supports them. */
export function styleHelp(program: Command, { env, output }: CliContext): Command {
  const { result, messages } = output;
  return program
    .configureOutput({
      // Help contains no untrusted text. An error may repeat the user's input, so it is escaped and has no colours.
      writeOut: (text) => writePainted(result, text),
      writeErr: (text) => writePainted(messages, text),
      outputError: (text, write) => write(visible(text)),
      getOutHelpWidth: () => columnsOf(result, env) ?? 80,
      getErrHelpWidth: () => columnsOf(messages, env) ?? 80,
      getOutHasColors: () => hasColours(result, env),
      getErrHasColors: () => hasColours(messages, env),
    })
    .configureHelp({
      minWidthToWrap: 20,
      formatItem,
      styleTitle: (text) => paint('bold', text),
      styleOptionTerm: (text) => paint('cyan', text),
      styleSubcommandTerm: (text) => paint('cyan', text),
    });
}
