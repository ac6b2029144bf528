import { DOCUMENT_FORMATS } from '../choices.ts';
import { choice, quiet, unsupportedFlag } from '../flags.ts';
import type { GenerateFlags } from '../generate.ts';
import { withExamples } from '../help.ts';
import { notEmpty, withSettings } from '../options.ts';
import { type AddCommand, withQuiet } from './command.ts';

export const addGenerate: AddCommand = ({ program, cli, setExitCode }) => {
  const generate = program
    .command('generate')
    .summary('print the documents that an agent loads')
    .description(
      'Prints the documents that an agent loads, generated from the discovered backends. Unhealthy backends are left out.',
    )
    .addOption(
      choice(
        '--format <format>',
        'output whose document to print, or configmap for a ConfigMap with all documents',
        DOCUMENT_FORMATS,
      ).default('holmesgpt'),
    )
    .option(
      '--overrides <file>',
      'overrides.yaml to apply, as serve applies the one in the ConfigMap',
      notEmpty,
    )
    .option(
      '--out <file>',
      'write to a file instead of standard output; replaces only a file that generate wrote, and a YAML file only if nobody changed it since',
      notEmpty,
    )
    .addOption(
      unsupportedFlag(
        '-o, --output <format>',
        'Use --format to choose the document, and --out to choose the file.',
      ),
    )
    .addOption(quiet())
    .action(async (flags: GenerateFlags) => {
      const { generateCommand } = await import('../generate.ts');
      setExitCode(await generateCommand(flags, withQuiet(cli, flags)));
    });
  withExamples(
    withSettings(generate),
    ['Generate the file that HolmesGPT loads', 'dynamic-toolset generate -A > custom_toolset.yaml'],
    [
      'Generate the ConfigMap from rendered manifests, and apply it once',
      'dynamic-toolset generate -f rendered/ --format configmap | kubectl apply -f -',
    ],
  );
};
