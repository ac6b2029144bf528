/** The parts of docs/command-line.md that are generated from the program's help. */
import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { examplesOf } from '../src/cli/help.ts';
import { addSettings } from '../src/cli/options.ts';
import { createProgram, EXIT_CODES } from '../src/cli/program.ts';
import { INPUT_LOCATIONS } from '../src/config/input-locations.ts';
import { GROUPS } from '../src/config/setting.ts';
import { SETTINGS } from '../src/config/setting-table.ts';
import { code, table } from './markdown-text.ts';

const program = createProgram(
  {
    env: {},
    stdin: new PassThrough(),
    output: { result: new PassThrough(), messages: new PassThrough() },
    version: '',
    signal: new AbortController().signal,
  },
  () => {},
);

const escaped = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('*', '\\*').replaceAll('<', '\\<');

const IN_REFERENCE: ReadonlySet<string | undefined> = new Set(
  [...Object.values(SETTINGS), ...Object.values(INPUT_LOCATIONS)].map(({ flag }) => flag),
);

/** The flags of a single command, and links to its settings. */
function flagsOf(command: Command): string {
  addSettings(command);
  const help = command.createHelp();
  const own = help.visibleOptions(command).filter(({ long }) => !IN_REFERENCE.has(long));
  const flags = table(
    ['flag', 'meaning'],
    own.map((option) => [code(option.flags), escaped(help.optionDescription(option))]),
  );
  const groups = Object.values(GROUPS).filter(({ commands }) =>
    (commands as readonly string[]).includes(command.name()),
  );
  if (groups.length === 0) return flags;
  const locations = Object.values(INPUT_LOCATIONS)
    .filter(({ flag }) => command.options.some(({ long }) => long === flag))
    .map(({ flag }) => code(flag));
  const links = groups.map(
    ({ title }) => `[${title}](configuration.md#${title.toLowerCase().replaceAll(' ', '-')})`,
  );
  return `${flags}\n\nIt also accepts the flags of these settings: ${links.join(', ')}; and, under [Where it reads from](configuration.md#where-it-reads-from), ${locations.join(', ')}.`;
}

function examples(command: Command): string {
  const lines = examplesOf(command).map(([what, line]) => `# ${what}\n${line}`);
  return `<!-- needs: what it names -->\n\`\`\`sh\n${lines.join('\n\n')}\n\`\`\``;
}

const section = (command: Command): string =>
  [
    `### ${command.name()}`,
    escaped(command.description()),
    `\`\`\`text\n${command.createHelp().commandUsage(command)}\n\`\`\``,
    examples(command),
    flagsOf(command),
  ].join('\n\n');

export const commandParts: Readonly<Record<string, () => string>> = {
  examples: () => examples(program),
  commands: () => program.commands.map(section).join('\n\n'),
  exits: () =>
    table(
      ['code', 'meaning'],
      EXIT_CODES.map(([number, meaning]) => [number, meaning]),
    ),
};
