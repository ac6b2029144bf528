import { Argument } from 'commander';
import { ConfigError } from '../../model/errors.ts';
import { SHELLS, type Shell } from '../choices.ts';
import { withExamples } from '../help.ts';
import type { AddCommand } from './command.ts';

function shellOf(word: string): Shell {
  const shell = SHELLS.find((each) => each === word);
  if (shell !== undefined) return shell;
  throw new ConfigError(`there is no completion for ${word}; there is one for ${SHELLS.join(', ')}`);
}

export const addCompletion: AddCommand = ({ program, cli, setExitCode }) => {
  const completion = program
    .command('completion')
    .summary('print a shell completion script')
    .description('Prints a script that completes commands, flags and values in your shell.')
    .addArgument(new Argument('[shell]', 'shell to complete for').choices(SHELLS).argParser(shellOf))
    .action(async (shell: Shell | undefined) => {
      if (shell === undefined)
        throw new ConfigError(
          `name a shell (${SHELLS.join(', ')}), for example: ${program.name()} completion bash`,
        );
      const { completionCommand } = await import('../completion.ts');
      setExitCode(completionCommand(shell, cli));
    });
  withExamples(
    completion,
    ['bash, in ~/.bashrc', 'source <(dynamic-toolset completion bash)'],
    ['zsh, in ~/.zshrc after compinit', 'source <(dynamic-toolset completion zsh)'],
    ['fish, once', 'dynamic-toolset completion fish > ~/.config/fish/completions/dynamic-toolset.fish'],
  );
};
