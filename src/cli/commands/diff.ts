import { quiet } from '../flags.ts';
import { withExamples } from '../help.ts';
import type { InputFlags } from '../input-flags.ts';
import { withSettings } from '../options.ts';
import { type AddCommand, withQuiet } from './command.ts';

export const addDiff: AddCommand = ({ program, cli, setExitCode }) => {
  const diff = program
    .command('diff')
    .summary('print what serve would change in the cluster now')
    .description(
      'Compares the published documents with what serve would publish now, and prints the difference. Without other namespaces, it searches those that serve searched. Exits with 1 if there is a difference, or if overrides.yaml is unusable.',
    )
    .addOption(quiet())
    .action(async (flags: InputFlags) => {
      const { diffCommand } = await import('../diff.ts');
      setExitCode(await diffCommand(flags, withQuiet(cli, flags)));
    });
  withExamples(
    withSettings(diff),
    ['Print what serve would change', 'dynamic-toolset diff -n monitoring'],
    [
      'Print what rendered manifests would change',
      "dynamic-toolset diff -f rendered/ || echo 'this change would change the toolset'",
    ],
  );
};
