import { setFlagsFromString } from 'node:v8';
import { withExamples } from '../help.ts';
import { notEmpty, withSettings } from '../options.ts';
import type { ServeFlags } from '../serve.ts';
import type { AddCommand } from './command.ts';

export const addServe: AddCommand = ({ program, cli, setExitCode }) => {
  const serve = program
    .command('serve')
    .summary('keep the ConfigMap up to date until stopped')
    .description(
      'Discovers backends at once, on every change and at every interval, and publishes the documents to a ConfigMap when they change. Does not change overrides.yaml, or anything else that others wrote into the ConfigMap.',
    )
    .option(
      '--out <file>',
      "publish to a file with the ConfigMap's manifest instead of the cluster",
      notEmpty,
    )
    .option('--force', 'remove held tools at once; take over a ConfigMap that this program did not create')
    .option('--once', 'exit after publishing once; for a CronJob or CI')
    .action(async (flags: ServeFlags) => {
      // serve runs for a long time: optimizing for size costs some speed, and saves a third of the memory.
      setFlagsFromString('--optimize-for-size');
      // A burst of work must not enlarge the young generation, which takes up to 32 MiB otherwise. The image sets its size.
      setFlagsFromString('--semi-space-growth-factor=1');
      // While the garbage collector marks, the young generation grows by up to 27 MiB unless it is collected meanwhile.
      setFlagsFromString('--no-separate-gc-phases');
      // Maglev, the compiler between the fastest and the best one, compiles many functions at once, in up to 12 MiB.
      setFlagsFromString('--no-maglev');
      const { serveCommand } = await import('../serve.ts');
      setExitCode(await serveCommand(flags, cli));
    });
  withExamples(
    withSettings(serve),
    ['Watch all namespaces', "NAMESPACES='*' dynamic-toolset serve"],
    [
      'Without a cluster: read manifests, write a manifest',
      'dynamic-toolset serve -f manifests/ --out configmap.yaml --log-format pretty',
    ],
  );
};
