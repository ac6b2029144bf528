import { Engine } from '../engine/engine.ts';
import { EXIT, UserError } from '../model/exit.ts';
import { ScheduledProber } from '../probe/schedule.ts';
import type { Publisher } from '../reconcile/publisher.ts';
import { engineLog } from '../telemetry/engine-log.ts';
import { createLogger } from '../telemetry/logger.ts';
import { type InputFlags, type Invocation, settingsOf } from './configuration.ts';
import { openCluster, openInput, stagesOf } from './pipeline.ts';

export interface ServeFlags extends InputFlags {
  readonly out?: string;
  readonly once?: boolean;
  readonly force?: boolean;
}

/** `serve`: keeps what is published in step with what is there, until it is told to stop. @returns the exit code */
export async function serveCommand(flags: ServeFlags, run: Invocation): Promise<number> {
  const settings = settingsOf({ ...flags }, run);
  if (flags.filename?.includes('-') === true && flags.once !== true)
    throw new UserError(
      'standard input cannot be followed; give files or folders, or --once to publish what it holds and end',
      EXIT.usage,
    );
  const log = createLogger(settings, run.output.messages);
  const input = await openInput(flags, settings, run, flags.once !== true);
  const target = { name: settings.configMapName, namespace: settings.configMapNamespace };
  let publisher: Publisher;
  if (flags.out !== undefined) {
    const { filePublisher } = await import('../reconcile/file-publisher.ts');
    publisher = filePublisher(flags.out, target);
  } else {
    const kube = input.kube ?? (await openCluster(flags, run));
    const { configMapPublisher } = await import('../reconcile/config-map-publisher.ts');
    publisher = configMapPublisher(kube, target);
  }
  const { prober, ...stages } = await stagesOf(settings, input);
  const scheduled = new ScheduledProber(prober, {
    refresh: settings.discoveryInterval * 0.9,
    now: () => performance.now(),
    random: Math.random,
  });
  const detectors = stages.rules.detectors.map(({ detector }) => detector.type);
  log.info(
    { version: run.version, interval: settings.discoveryInterval / 1000, registered_detectors: detectors },
    `looking for backends in ${input.where}, publishing to ${publisher.target}`,
  );
  const engine = new Engine({
    source: input.source,
    stages: { ...stages, prober: scheduled },
    generation: settings,
    publisher,
    nextRetry: () => scheduled.nextRetry(),
    version: run.version,
    now: () => new Date(),
    tell: engineLog(log),
    force: flags.force === true,
    once: flags.once === true,
  });
  await engine.run(run.signal);
  log.info(run.signal.aborted ? 'stopped' : 'done');
  return EXIT.ok;
}
