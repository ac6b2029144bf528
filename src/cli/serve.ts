import { Engine } from '../engine/engine.ts';
import { documentFaults } from '../generate/check.ts';
import { EXIT, UserError } from '../model/exit.ts';
import type { ServiceKey } from '../model/service.ts';
import { ScheduledProber } from '../probe/schedule.ts';
import { engineLog } from '../telemetry/engine-log.ts';
import { createLogger } from '../telemetry/logger.ts';
import { agentOf } from './agent.ts';
import { type InputFlags, type Invocation, settingsOf } from './configuration.ts';
import { leaderOf } from './leader.ts';
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
  const cluster = flags.out === undefined ? (input.kube ?? (await openCluster(flags, run))) : undefined;
  const leader = await leaderOf(settings, flags, run, cluster, log);
  const { kube, mayPublish } = leader;
  const { intoCluster, intoFile } = await import('./publishing.ts');
  const publishing =
    kube === undefined ? intoFile(flags.out ?? '', settings) : intoCluster(kube, settings, run, log);
  const agent = await agentOf(settings, run.env, kube);
  let readinessChanged = (_: ServiceKey): void => {};
  const readiness = { changed: (service: ServiceKey) => readinessChanged(service), signal: run.signal };
  const { prober, ...stages } = await stagesOf(settings, input, flags.once === true ? undefined : readiness);
  const scheduled = new ScheduledProber(prober, {
    refresh: settings.discoveryInterval * 0.9,
    now: () => performance.now(),
    random: Math.random,
  });
  const detectors = stages.rules.detectors.map(({ detector }) => detector.type);
  log.info(
    { version: run.version, interval: settings.discoveryInterval / 1000, registered_detectors: detectors },
    `looking for backends in ${input.where}, publishing to ${publishing.publisher.target}`,
  );
  const listeners = [engineLog(log)];
  const { listener } = publishing;
  if (listener !== undefined) listeners.push((event) => mayPublish() && listener(event));
  if (settings.metricsAddress !== undefined && flags.once !== true) {
    const { engineMetrics } = await import('../telemetry/engine-metrics.ts');
    const { serveMetrics } = await import('../server/metrics.ts');
    const { registry, count } = engineMetrics(run.version, new Set(detectors));
    listeners.push(count);
    const port = await serveMetrics(settings.metricsAddress, registry, run.signal);
    log.info({ component: 'metrics_server', port }, 'metrics are served at /metrics');
  }
  const engine = new Engine({
    source: input.source,
    stages: { ...stages, prober: scheduled },
    generation: settings,
    publisher: publishing.publisher,
    nextRetry: () => scheduled.nextRetry(),
    version: run.version,
    now: () => new Date(),
    faultsOf: documentFaults,
    owner: publishing.owner,
    agent,
    mayPublish,
    tell: (event) => {
      for (const listener of listeners) listener(event);
    },
    force: flags.force === true,
    once: flags.once === true,
  });
  readinessChanged = (service) => {
    scheduled.touch(service);
    engine.wake();
  };
  const resign = leader.start(() => engine.takeOver());
  try {
    await engine.run(run.signal);
    await publishing.settled();
  } finally {
    await resign();
  }
  log.info(run.signal.aborted ? 'stopped' : 'done');
  return EXIT.ok;
}
