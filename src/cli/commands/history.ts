import { output, quiet, revisionNumber } from '../flags.ts';
import { withExamples } from '../help.ts';
import type { HistoryFlags } from '../history.ts';
import { withSettings } from '../options.ts';
import { type AddCommand, withQuiet } from './command.ts';

export const addHistory: AddCommand = ({ program, cli, setExitCode }) => {
  const history = program
    .command('history')
    .summary('list the published revisions')
    .description(
      'Lists the stored revisions of the published documents, newest last. With --revision, prints the documents of one revision, and overrides.yaml as it was then.',
    )
    .option('--revision <number>', 'print the content of this revision', revisionNumber)
    .addOption(output(['table', 'json', 'yaml'], 'table'))
    .addOption(quiet())
    .action(async (flags: HistoryFlags) => {
      const { historyCommand } = await import('../history.ts');
      setExitCode(await historyCommand(flags, withQuiet(cli, flags)));
    });
  withExamples(
    withSettings(history),
    ['List the revisions', 'dynamic-toolset history'],
    ['Print one of them', 'dynamic-toolset history --revision 3'],
  );
};
