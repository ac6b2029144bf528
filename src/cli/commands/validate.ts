import { FILE_KINDS } from '../choices.ts';
import { choice, quiet } from '../flags.ts';
import { withExamples } from '../help.ts';
import type { ValidateFlags } from '../validate.ts';
import { type AddCommand, withQuiet } from './command.ts';

export const addValidate: AddCommand = ({ program, cli, setExitCode }) => {
  const validate = program
    .command('validate <files...>')
    .summary('check overrides, configuration, detectors and toolsets')
    .description(
      'Checks overrides, configuration files, detectors, toolset.json and custom_toolset.yaml, and reports every error with its line and column. Use - for standard input.',
    )
    .addOption(
      choice('--kind <kind>', 'kind of the files, if neither their names nor their keys show it', FILE_KINDS),
    )
    .addOption(quiet())
    .action(async (files: string[], flags: ValidateFlags) => {
      const { validateCommand } = await import('../validate.ts');
      setExitCode(await validateCommand(files, flags, withQuiet(cli, flags)));
    });
  withExamples(
    validate,
    ['Check a file', 'dynamic-toolset validate overrides.yaml'],
    [
      'Check the overrides in the cluster',
      "kubectl get configmap kubernaut-toolset-config -n kubernaut-system -o jsonpath='{.data.overrides\\.yaml}' | dynamic-toolset validate --kind overrides -",
    ],
  );
};
