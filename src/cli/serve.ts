import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Engine } from '../engine/engine.ts';
import type { EngineEvent } from '../engine/events.ts';
import { View } from '../engine/view.ts';
import { problemLine } from '../model/discovery.ts';
import { EXIT, UserError } from '../model/exit.ts';
import { apiMetrics } from '../telemetry/api-metrics.ts';
import { engineLog } from '../telemetry/engine-log.ts';
import { engineMetrics } from '../telemetry/engine-metrics.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { MetricSet } from '../telemetry/metric-set.ts';
import { type Assembly, assemble, type ServeFlags } from './assembly.ts';
import { backingOf } from './backing.ts';
import { type Configuration, type Invocation, settingsOf } from './configuration.ts';
import { checkGate, gates } from './gate.ts';
import { LiveConfiguration, type Reload } from './live-configuration.ts';
import { openCluster, readsManifests } from './pipeline.ts';
import { serverMaker } from './server-maker.ts';
import { Servers } from './servers.ts';

/** What came of a changed configuration, as it is told. */
function eventOf(reload: Reload): EngineEvent {
  switch (reload.kind) {
    case 'applied':
      return { kind: 'reconfigured', changes: reload.changes };
    case 'refused':
      return { kind: 'configuration-refused', error: reload.error };
    case 'unchanged':
      return { kind: 'configuration-mended' };
  }
}

/** Secrets that the environment holds. */
const secretsOf = ({ env }: Invocation): string[] =>
  env.HOLMESGPT_API_KEY === undefined ? [] : [env.HOLMESGPT_API_KEY];

/** `serve`: keeps what is published in step with what is there, until it is told to stop. @returns the exit code */
export async function serveCommand(flags: ServeFlags, run: Invocation): Promise<number> {
  const first = await settingsOf({ ...flags }, run);
  if (flags.filename?.includes('-') === true && flags.once !== true)
    throw new UserError(
      'standard input cannot be followed; give files or folders, or --once to publish what it holds and end',
      EXIT.usage,
    );
  const logger = createLogger(first, run.output.messages, secretsOf(run));
  const over = new AbortController();
  const signal = AbortSignal.any([run.signal, over.signal]);
  try {
    await keepInStep(flags, { ...run, signal }, first, logger);
  } finally {
    over.abort();
  }
  logger.log.info(run.signal.aborted ? 'stopped' : 'done');
  return EXIT.ok;
}

/** Ends when the signal is aborted; with `--once`, after the first publication. */
async function keepInStep(
  flags: ServeFlags,
  run: Invocation,
  first: Configuration,
  { log, use }: ReturnType<typeof createLogger>,
): Promise<void> {
  const { signal } = run;
  const single = flags.once === true;
  const cluster =
    readsManifests(flags) && flags.out !== undefined ? undefined : await openCluster(flags, run);
  const configuration = new LiveConfiguration(flags, run, first, cluster, (problem, retryIn) => {
    const component = 'configuration';
    if (retryIn === undefined) log.warn({ component }, problemLine(problem));
    else log.error({ component, retry_in: Math.round(retryIn / 100) / 10 }, problemLine(problem));
  });
  await configuration[single ? 'openOnce' : 'open'](signal);
  if (signal.aborted) return;
  use(configuration.current);
  const view = new View(() => new Date());
  const metrics = new MetricSet();
  const { count } = engineMetrics(metrics, {
    version: run.version,
    known: (type) => assembly.types.includes(type),
    leads: () => assembly.leader.mayPublish(),
  });
  const logged = engineLog(log);
  const stopped = new AbortController();
  const surroundings = {
    flags,
    run: { ...run, signal: stopped.signal },
    log,
    cluster,
    tell(event: EngineEvent) {
      logged(event);
      count(event);
      view.take(event);
    },
  };
  let assembly: Assembly = await assemble(configuration.current, surroundings);
  const engine = new Engine(assembly.engine);
  const backing = backingOf(() => assembly, engine, view, configuration, run.version);
  const servers = new Servers(
    serverMaker({
      backing,
      log,
      metrics: metrics.registry,
      stopping: () => signal.aborted,
      settings: () => assembly.settings,
      gate: gates(cluster, stopped.signal),
      ...apiMetrics(metrics),
    }),
    (settings) => checkGate(settings, cluster),
    cluster?.inCluster === true,
    log,
  );
  const ending = new Set<Promise<void>>();
  const apply = async (next: Configuration): Promise<void> => {
    const before = assembly;
    const made = await assemble(next, surroundings, before);
    if (signal.aborted) return await made.end(before);
    try {
      await servers.use(next);
    } catch (error) {
      await made.end(before);
      throw error;
    }
    assembly = made;
    use(next);
    engine.reconfigure(assembly.engine);
    assembly.start(engine);
    const ended = before.end(assembly).finally(() => ending.delete(ended));
    ending.add(ended);
  };
  if (!single) await servers.use(configuration.current);
  log.info(
    {
      version: run.version,
      interval: assembly.settings.discoveryInterval / 1000,
      registered_detectors: assembly.types,
      detectors_count: assembly.types.length,
    },
    `looking for backends in ${assembly.where}, publishing to ${assembly.engine.publisher.target}`,
  );
  assembly.start(engine);
  if (!single) configuration.follow(apply, (reload) => assembly.engine.tell(eventOf(reload)), signal);
  const closed = inOrder(signal, servers, () => assembly.settings, log).finally(() => stopped.abort());
  try {
    await engine.run(stopped.signal);
  } finally {
    stopped.abort();
    await servers.close();
    await Promise.all([...ending, assembly.end()]);
    if (signal.aborted) await closed;
  }
}

/**
 * Waits for the signal, and then ends the servers in order: they say that they are not ready, so that no more requests are
 * sent here, and are closed some time later, when that has got around and all is answered.
 */
async function inOrder(
  signal: AbortSignal,
  servers: Servers,
  settings: () => Configuration,
  log: Logger,
): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
  if (!servers.any) return;
  const { shutdownDelay, shutdownTimeout } = settings();
  log.info({ component: 'shutdown', delay: shutdownDelay / 1000 }, 'stopping: not ready any more');
  const late = sleep(shutdownTimeout, 'late', { ref: false });
  const drained = sleep(shutdownDelay).then(() => servers.close());
  if ((await Promise.race([drained, late])) === 'late')
    log.warn({ component: 'shutdown' }, 'not all requests were answered in time');
}
