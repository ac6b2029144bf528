import { output } from '../flags.ts';
import { withExamples } from '../help.ts';
import type { AddCommand } from './command.ts';

export const addVersion: AddCommand = ({ program, cli, setExitCode }) => {
  const version = program
    .command('version')
    .summary('print the version')
    .description('Prints the version of the program and its runtime.')
    .addOption(output(['text', 'json'], 'text'))
    .action(async (flags: { output: string }) => {
      const { versionCommand } = await import('../version.ts');
      versionCommand(flags.output, cli);
      setExitCode(0);
    });
  withExamples(version, ['Print the version for a bug report', 'dynamic-toolset version']);
};
