import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Assembly, assemble, type ServeFlags } from '../app/assembly.ts';
import { backingOf } from '../app/backing.ts';
import { type Configuration, settingsOf } from '../app/configuration.ts';
import { checkGate, gates } from '../app/gate.ts';
import type { Invocation } from '../app/invocation.ts';
import { LiveConfiguration, type Reload } from '../app/live-configuration.ts';
import { openCluster, readsManifests } from '../app/pipeline.ts';
import { serverMaker } from '../app/server-maker.ts';
import { Servers } from '../app/servers.ts';
import { Engine } from '../controller/engine.ts';
import type { EngineEvent } from '../controller/events.ts';
import { View } from '../controller/view.ts';
import { problemLine } from '../model/discovery.ts';
import { ConfigError } from '../model/errors.ts';
import { ProblemError } from '../server/problem.ts';
import { apiMetrics } from '../telemetry/api-metrics.ts';
import { engineLog } from '../telemetry/engine-log.ts';
import { engineMetrics } from '../telemetry/engine-metrics.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { MetricSet } from '../telemetry/metric-set.ts';
import { stateMetrics } from '../telemetry/state-metrics.ts';
import { EXIT } from './exit.ts';

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
    throw new ConfigError(
      'standard input cannot be followed; give files or folders, or --once to publish what it holds and end',
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
  const view = new View(() => new Date());
  const configuration = new LiveConfiguration(flags, run, first, cluster, (problem, retryIn) => {
    const component = 'configuration';
    if (retryIn === undefined) {
      log.warn({ component }, problemLine(problem));
      return;
    }
    log.error({ component, retry_in: Math.round(retryIn / 100) / 10 }, problemLine(problem));
    view.waits(problem.what);
  });
  let works: { readonly assembly: Assembly; readonly engine: Engine } | undefined;
  const working = (): NonNullable<typeof works> => {
    if (works !== undefined) return works;
    throw new ProblemError('unavailable', 'It waits for the cluster; GET /ready tells what is wrong.', {
      headers: { 'retry-after': '5' },
    });
  };
  const metrics = new MetricSet();
  const { count } = engineMetrics(metrics, {
    known: (type) => works?.assembly.types.includes(type) === true,
  });
  stateMetrics(metrics, {
    version: run.version,
    leads: () => works?.assembly.leader.mayPublish() === true,
    ready: () => view.ready,
    interval: () => configuration.current.discoveryInterval,
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
  const servers = new Servers(
    serverMaker({
      backing: backingOf(working, view, configuration, run.version),
      log,
      metrics: metrics.registry,
      stopping: () => signal.aborted,
      settings: () => configuration.current,
      gate: gates(cluster, stopped.signal),
      ...apiMetrics(metrics),
    }),
    (settings) => checkGate(settings, cluster),
    cluster?.inCluster === true,
    log,
  );
  const closed = inOrder(signal, servers, () => configuration.current, log).finally(() => stopped.abort());
  try {
    // The Pod's probes are answered while the cluster is waited for.
    if (!single) await servers.use(configuration.current);
    await configuration[single ? 'openOnce' : 'open'](signal);
    if (signal.aborted) return;
    use(configuration.current);
    if (!single) await servers.use(configuration.current);
    const assembly = await assemble(configuration.current, surroundings);
    works = { assembly, engine: new Engine(assembly.engine) };
    await work();
  } finally {
    stopped.abort();
    await servers.close();
    if (signal.aborted) await closed;
  }

  /** Works with what was put together, and with what takes its place, until it is told to stop. */
  async function work(): Promise<void> {
    const { engine, assembly: begun } = working();
    const ending = new Set<Promise<void>>();
    const apply = async (next: Configuration): Promise<void> => {
      const { assembly: before } = working();
      const made = await assemble(next, surroundings, before);
      if (signal.aborted) return await made.end(before);
      try {
        await servers.use(next);
      } catch (error) {
        await made.end(before);
        throw error;
      }
      works = { assembly: made, engine };
      use(next);
      engine.reconfigure(made.engine);
      made.start(engine);
      const ended = before.end(made).finally(() => ending.delete(ended));
      ending.add(ended);
    };
    log.info(
      {
        version: run.version,
        interval: begun.settings.discoveryInterval / 1000,
        registered_detectors: begun.types,
        detectors_count: begun.types.length,
      },
      `looking for backends in ${begun.where}, publishing to ${begun.engine.publisher.target}`,
    );
    begun.start(engine);
    if (!single)
      configuration.follow(apply, (reload) => working().assembly.engine.tell(eventOf(reload)), signal);
    try {
      await engine.run(stopped.signal);
    } finally {
      stopped.abort();
      await servers.close();
      await Promise.all([...ending, working().assembly.end()]);
    }
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
  if ((await Promise.race([drained, late])) === 'late') {
    log.warn({ component: 'shutdown' }, 'not all requests were answered in time; their connections are cut');
    servers.cut();
  }
}
