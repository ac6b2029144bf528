import { Option } from 'commander';
import { quiet, revisionNumber } from '../flags.ts';
import { withExamples } from '../help.ts';
import { withSettings } from '../options.ts';
import type { RollbackFlags } from '../rollback.ts';
import { type AddCommand, withQuiet } from './command.ts';

export const addRollback: AddCommand = ({ program, cli, setExitCode }) => {
  const rollback = program
    .command('rollback')
    .summary('publish an earlier revision again')
    .description(
      'Publishes the documents of an earlier revision again and shows the difference. serve keeps them until the documents that it would publish change, or until rollback --end. overrides.yaml stays as it is. Exits with 4 if it changed the ConfigMap but could not write the history.',
    )
    .option(
      '--to <number>',
      'revision to publish (default: the previous one; while a rollback holds, the one before it)',
      revisionNumber,
    )
    .addOption(
      new Option('--end', 'end the rollback that holds: publish the toolset from before it').conflicts('to'),
    )
    .option('--dry-run', 'show what would change without changing it')
    .option(
      '--allow-unapproved',
      'publish what people did not allow: MCP servers and annotated Services that are not approved, tools before which the agent would no longer ask, credentials that nobody sends there now, and what overrides.yaml or the settings switch off',
    )
    .option('--force', 'take over a ConfigMap that this program did not create')
    .addOption(quiet())
    .action(async (flags: RollbackFlags) => {
      const { rollbackCommand } = await import('../rollback.ts');
      setExitCode(await rollbackCommand(flags, withQuiet(cli, flags)));
    });
  withExamples(
    withSettings(rollback),
    ['Show what a rollback would change', 'dynamic-toolset rollback --dry-run'],
    ['Roll back to a revision that history lists', 'dynamic-toolset rollback --to 3'],
    ['Return to the toolset from before the rollback', 'dynamic-toolset rollback --end'],
  );
};
