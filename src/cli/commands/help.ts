import { nearest } from '../../model/nearest.ts';
import { withExamples } from '../help.ts';
import type { AddCommand } from './command.ts';

export const addHelp: AddCommand = ({ program }) => {
  const help = program
    .command('help [command]')
    .summary('show help for a command')
    .description('Shows help for a command, or lists the commands.')
    .action((name: string | undefined) => {
      if (name === undefined) return program.help();
      const command = program.commands.find((each) => each.name() === name);
      if (command !== undefined) return command.help();
      const meant = nearest(
        name,
        program.commands.map((each) => each.name()),
      );
      return program.error(
        `error: unknown command '${name}'${meant === undefined ? '' : `\n(Did you mean ${meant}?)`}`,
      );
    });
  withExamples(help, ['Show the flags of a command', 'dynamic-toolset help discover']);
};
