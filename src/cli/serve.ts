import { Engine } from '../engine/engine.ts';
import type { EngineEvent } from '../engine/events.ts';
import { problemLine } from '../model/discovery.ts';
import { EXIT, UserError } from '../model/exit.ts';
import { engineLog } from '../telemetry/engine-log.ts';
import { engineMetrics } from '../telemetry/engine-metrics.ts';
import { createLogger } from '../telemetry/logger.ts';
import { type Assembly, assemble, type ServeFlags } from './assembly.ts';
import { type Configuration, type Invocation, settingsOf } from './configuration.ts';
import { LiveConfiguration, type Reload } from './live-configuration.ts';
import { openCluster, readsManifests } from './pipeline.ts';

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

/** `serve`: keeps what is published in step with what is there, until it is told to stop. @returns the exit code */
export async function serveCommand(flags: ServeFlags, run: Invocation): Promise<number> {
  const first = await settingsOf({ ...flags }, run);
  if (flags.filename?.includes('-') === true && flags.once !== true)
    throw new UserError(
      'standard input cannot be followed; give files or folders, or --once to publish what it holds and end',
      EXIT.usage,
    );
  const logger = createLogger(first, run.output.messages);
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
  const once = flags.once === true;
  const cluster =
    readsManifests(flags) && flags.out !== undefined ? undefined : await openCluster(flags, run);
  const configuration = new LiveConfiguration(flags, run, first, cluster, (problem, retryIn) => {
    const component = 'configuration';
    if (retryIn === undefined) log.warn({ component }, problemLine(problem));
    else log.error({ component, retry_in: Math.round(retryIn / 100) / 10 }, problemLine(problem));
  });
  await configuration[once ? 'openOnce' : 'open'](signal);
  if (signal.aborted) return;
  use(configuration.current);
  const { registry, count } = engineMetrics(run.version, (type) => assembly.types.includes(type));
  const logged = engineLog(log);
  const surroundings = {
    flags,
    run,
    log,
    cluster,
    metrics: registry,
    tell(event: EngineEvent) {
      logged(event);
      count(event);
    },
  };
  let assembly: Assembly = await assemble(configuration.current, surroundings);
  log.info(
    {
      version: run.version,
      interval: assembly.settings.discoveryInterval / 1000,
      registered_detectors: assembly.types,
    },
    `looking for backends in ${assembly.where}, publishing to ${assembly.engine.publisher.target}`,
  );
  const engine = new Engine(assembly.engine);
  assembly.start(engine);
  const ending = new Set<Promise<void>>();
  const apply = async (next: Configuration): Promise<void> => {
    const before = assembly;
    const made = await assemble(next, surroundings, before);
    if (signal.aborted) return await made.end(before);
    assembly = made;
    use(next);
    engine.reconfigure(assembly.engine);
    assembly.start(engine);
    const ended = before.end(assembly).finally(() => ending.delete(ended));
    ending.add(ended);
  };
  if (!once) configuration.follow(apply, (reload) => assembly.engine.tell(eventOf(reload)), signal);
  try {
    await engine.run(signal);
  } finally {
    await Promise.all([...ending, assembly.end()]);
  }
}
