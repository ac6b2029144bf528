import { APPROVED_KINDS } from '../../model/overrides.ts';
import type { ApproveFlags } from '../approve.ts';
import { choice } from '../flags.ts';
import { withExamples } from '../help.ts';
import { notEmpty, withSettings } from '../options.ts';
import type { AddCommand } from './command.ts';

export const addApprove: AddCommand = ({ program, cli, setExitCode }) => {
  const approve = program
    .command('approve <services...>')
    .summary('allow MCP servers and annotated Services to be published')
    .description(
      'Approves Services, given as NAMESPACE/NAME, in overrides.yaml. An approved Service is published for as long as it keeps its detected type. Shows the tools of each server first, if it can be reached. MCP servers and annotated Services get the approval also in namespaces that serve trusts because NAMESPACES lists them by name; all other Services need none, and are left alone. Keeps comments, order and everything else in overrides.yaml.',
    )
    .option(
      '--file <file>',
      'edit this overrides.yaml instead of the one in the ConfigMap, or create it; - reads standard input and writes standard output',
      notEmpty,
    )
    .addOption(choice('--type <type>', 'type to approve, instead of the detected one', APPROVED_KINDS))
    .option('--revoke', 'refuse the Services: they are not published until you approve them')
    .option('--dry-run', 'show what would be written without writing it')
    .option('-q, --quiet', 'print only what is approved, and errors')
    .action(async (services: string[], flags: ApproveFlags) => {
      const { approveCommand } = await import('../approve.ts');
      setExitCode(await approveCommand(services, flags, cli));
    });
  withExamples(
    withSettings(approve),
    ['List the Services that wait for approval', 'dynamic-toolset discover -A -o wide'],
    ['Approve one of them', 'dynamic-toolset approve shop/orders-mcp'],
    [
      'Approve it in a file that a pipeline applies',
      'dynamic-toolset approve shop/orders-mcp --type mcp --file overrides.yaml',
    ],
  );
};
