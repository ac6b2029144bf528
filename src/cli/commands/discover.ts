import { FORMATS } from '../choices.ts';
import { type DiscoverFlags, discoverCommand } from '../discover.ts';
import { output, quiet } from '../flags.ts';
import { withExamples } from '../help.ts';
import { withSettings } from '../options.ts';
import { type AddCommand, withQuiet } from './command.ts';

export const addDiscover: AddCommand = ({ program, cli, setExitCode }) => {
  const discover = program
    .command('discover')
    .summary('list the backends and their health')
    .description(
      'Lists the backends in a cluster or in manifests, with their health and the evidence for them.',
    )
    .addOption(output(FORMATS, 'table'))
    .addOption(quiet())
    .action(async (flags: DiscoverFlags) => {
      setExitCode(await discoverCommand(flags, withQuiet(cli, flags)));
    });
  withExamples(
    withSettings(discover),
    [
      'Include the certainty, the evidence, the probe result, the approval and whether it is published',
      'dynamic-toolset discover -n monitoring -o wide',
    ],
    [
      'Print the endpoints in rendered manifests',
      "dynamic-toolset discover -f rendered.yaml -o json | jq '.services[].endpoint'",
    ],
  );
};
