import type { ExplainFlags } from '../explain/input.ts';
import { output, quiet } from '../flags.ts';
import { withExamples } from '../help.ts';
import { withSettings } from '../options.ts';
import { type AddCommand, withQuiet } from './command.ts';

export const addExplain: AddCommand = ({ program, cli, setExitCode }) => {
  const explain = program
    .command('explain <service>')
    .summary('show why a Service is, or is not, a backend')
    .description(
      'For one Service, shows what each detector found, which port was chosen and why, which Services lead to the same backend, and how the backend responded.',
    )
    .addOption(output(['text', 'json'], 'text'))
    .addOption(quiet())
    .action(async (service: string, flags: ExplainFlags) => {
      const { explainCommand } = await import('../explain.ts');
      setExitCode(await explainCommand(service, flags, withQuiet(cli, flags)));
    });
  withExamples(
    withSettings(explain),
    ['Explain a Service of the cluster', 'dynamic-toolset explain monitoring/prometheus-server'],
    [
      'Explain a Service in rendered manifests, as JSON',
      'dynamic-toolset explain logging/loki-ingester -f rendered.yaml -o json',
    ],
  );
};
