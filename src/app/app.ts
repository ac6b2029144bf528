import { isDeepStrictEqual } from 'node:util';
import { Engine } from '../controller/engine.ts';
import type { EngineEvent } from '../controller/events.ts';
import { ReadModel } from '../controller/read-model.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import { problemLine } from '../model/discovery.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { ProblemError } from '../server/problem.ts';
import { apiMetrics } from '../telemetry/api-metrics.ts';
import { engineLog } from '../telemetry/engine-log.ts';
import { engineMetrics } from '../telemetry/engine-metrics.ts';
import type { createLogger } from '../telemetry/logger.ts';
import { MetricSet } from '../telemetry/metric-set.ts';
import { stateMetrics } from '../telemetry/state-metrics.ts';
import { checkAccessSettings, createAccessPolicy } from './access-policy.ts';
import { createApiService } from './api-service.ts';
import {
  type AppInstance,
  createAppInstance,
  type RuntimeContext,
  type ServeOptions,
} from './app-instance.ts';
import type { Configuration, ConfigurationSources } from './configuration.ts';
import { backendsElsewhere } from './elsewhere.ts';
import type { Host } from './host.ts';
import { LiveConfiguration, type ProblemReporter, type Reload } from './live-configuration.ts';
import { openCluster, readsCluster } from './pipeline.ts';
import type { RunningApp } from './rediscover.ts';
import { createServerFactory } from './server-factory.ts';
import { Servers } from './servers.ts';
import { shutDown } from './shutdown.ts';

export interface AppOptions {
  readonly serveOptions: ServeOptions;
  readonly host: Host;
  /** The configuration sources that are watched while the app runs. */
  readonly sources: ConfigurationSources;
  /** The configuration without the settings ConfigMap. It says where that ConfigMap is. */
  readonly configuration: Configuration;
  readonly logger: ReturnType<typeof createLogger>;
  /** The agents with a place of their own; those that the program has unless given. */
  readonly targetTypes?: RuntimeContext['targetTypes'];
  /** Registers a callback that reloads the configuration on request, for example on SIGHUP. */
  readonly onReload?: ((reload: () => void) => void) | undefined;
}

/** All of `serve`: sources, controller, outputs and servers. */
export interface App {
  /** The latest known state. */
  readonly readModel: ReadModel;
  /**
   * Keeps the published documents up to date until the signal is aborted. With `once`, ends after the first publication.
   * Call it once only.
   * @throws UserError if the app cannot start
   */
  run(signal: AbortSignal): Promise<void>;
}

/** Creates the app. It opens no connection and no port before `run`. */
export function createApp(options: AppOptions): App {
  let run: Run | undefined;
  const readModel = new ReadModel({
    now: () => new Date(),
    policy: () => run?.maybeRunning?.instance.engine.targets[0].generation,
    leads: () => run?.maybeRunning?.instance.leader.mayPublish() === true,
    removalHold: () => run?.maybeRunning?.instance.engine.targets[0].removalHold,
    outputs: OUTPUTS,
  });
  return {
    readModel,
    async run(signal) {
      const { input, out } = options.serveOptions;
      const cluster = out === undefined || readsCluster(input) ? await openCluster(input) : undefined;
      const ended = new AbortController();
      try {
        run = new Run(options, readModel, cluster, AbortSignal.any([signal, ended.signal]));
        await run.runToEnd();
      } finally {
        ended.abort();
      }
    },
  };
}

/** Converts the result of a reload to an event. */
function toEvent(reload: Reload): EngineEvent {
  switch (reload.kind) {
    case 'applied':
      return { kind: 'reconfigured', changes: reload.changes };
    case 'refused':
      return { kind: 'configuration-refused', error: reload.error };
    case 'unchanged':
      return { kind: 'configuration-mended' };
  }
}

/** One run of an app. */
class Run {
  readonly #options: AppOptions;
  readonly #readModel: ReadModel;
  /** Aborted when shutdown begins. */
  readonly #signal: AbortSignal;
  /** Aborted when the servers are closed. Publishing continues until then. */
  readonly #stopped = new AbortController();
  readonly #configuration: LiveConfiguration;
  readonly #context: RuntimeContext;
  readonly #servers: Servers;
  #maybeRunning: RunningApp | undefined;
  /** The searched namespaces when backends in others were counted last. */
  #countedBeside: readonly string[] | undefined;

  constructor(
    options: AppOptions,
    readModel: ReadModel,
    cluster: KubeClient | undefined,
    signal: AbortSignal,
  ) {
    const { log } = options.logger;
    this.#options = options;
    this.#readModel = readModel;
    this.#signal = signal;
    this.#configuration = new LiveConfiguration(
      options.sources,
      options.configuration,
      cluster,
      (...report) => this.#reportConfigProblem(...report),
    );
    const metrics = new MetricSet();
    this.#context = {
      serveOptions: options.serveOptions,
      targetTypes: options.targetTypes,
      host: options.host,
      signal: this.#stopped.signal,
      log,
      cluster,
      emit: this.#createEventHandler(metrics),
    };
    this.#servers = this.#createServers(metrics);
  }

  /** The running instance. `undefined` while the app waits for the cluster. */
  get maybeRunning(): RunningApp | undefined {
    return this.#maybeRunning;
  }

  get #current(): Configuration {
    return this.#configuration.current;
  }

  /** Runs until the signal is aborted or, with `once`, until the first publication. */
  async runToEnd(): Promise<void> {
    const { once } = this.#options.serveOptions;
    const signal = this.#signal;
    const { log, use } = this.#options.logger;
    const closed = shutDown(signal, this.#servers, () => this.#current, log).finally(() =>
      this.#stopped.abort(),
    );
    try {
      // The kubelet's probes are answered while the app waits for the cluster.
      if (!once) await this.#servers.reconcile(this.#current);
      await this.#configuration[once ? 'openOnce' : 'open'](signal);
      if (signal.aborted) return;
      use(this.#current);
      if (!once) await this.#servers.reconcile(this.#current);
      const instance = await createAppInstance(this.#current, this.#context);
      this.#maybeRunning = { instance, engine: new Engine(instance.engine) };
      await this.#runInstances(this.#maybeRunning);
    } finally {
      this.#stopped.abort();
      await this.#servers.close();
      if (signal.aborted) await closed;
    }
  }

  /** Runs the first instance and all instances that replace it, until the app stops. */
  async #runInstances({ engine, instance }: RunningApp): Promise<void> {
    const ending = new Set<Promise<void>>();
    const retire = (before: AppInstance, next: AppInstance): void => {
      const ended = before.end(next).finally(() => ending.delete(ended));
      ending.add(ended);
    };
    this.#logStart(instance);
    instance.start(engine);
    if (!this.#options.serveOptions.once) this.#watchConfiguration(engine, retire);
    try {
      await engine.run(this.#stopped.signal);
    } finally {
      this.#stopped.abort();
      await this.#servers.close();
      await Promise.all([...ending, this.#running.instance.end()]);
    }
  }

  /** The running instance. @throws ProblemError while the app waits for the cluster */
  get #running(): RunningApp {
    if (this.#maybeRunning !== undefined) return this.#maybeRunning;
    throw new ProblemError('unavailable', 'Waiting for the cluster; GET /ready shows what is wrong.', {
      headers: { 'retry-after': '5' },
    });
  }

  #watchConfiguration(engine: Engine, retire: (before: AppInstance, next: AppInstance) => void): void {
    const reload = (): void => void this.#configuration.reload();
    this.#configuration.follow(
      (next) => this.#apply(next, engine, retire),
      (result) => this.#running.instance.engine.emit(toEvent(result)),
      this.#signal,
    );
    this.#options.onReload?.(reload);
  }

  /** Applies a configuration. The new instance and its servers are ready before the old ones end. */
  async #apply(
    next: Configuration,
    engine: Engine,
    retire: (before: AppInstance, next: AppInstance) => void,
  ): Promise<void> {
    const { instance: before } = this.#running;
    const instance = await createAppInstance(next, this.#context, before);
    if (this.#signal.aborted) return await instance.end(before);
    try {
      await this.#servers.reconcile(next);
    } catch (error) {
      await instance.end(before);
      throw error;
    }
    this.#maybeRunning = { instance, engine };
    this.#options.logger.use(next);
    engine.reconfigure(instance.engine);
    instance.start(engine);
    retire(before, instance);
  }

  #createServers(metrics: MetricSet): Servers {
    const { host, logger } = this.#options;
    const { cluster, log } = this.#context;
    const make = createServerFactory({
      service: createApiService(() => this.#running, this.#readModel, this.#configuration, host.version),
      log,
      metrics: metrics.registry,
      stopping: () => this.#signal.aborted,
      settings: () => this.#current,
      accessPolicy: createAccessPolicy(cluster, this.#stopped.signal),
      ...apiMetrics(metrics),
    });
    const check = (settings: Configuration): void => checkAccessSettings(settings, cluster);
    return new Servers(make, check, cluster?.inCluster === true, logger.log);
  }

  /** Creates the handler of all events: it logs and counts them, and updates the read model. */
  #createEventHandler(metrics: MetricSet): (event: EngineEvent) => void {
    const logged = engineLog(this.#options.logger.log);
    const { count } = engineMetrics(metrics, {
      known: (type) => this.#maybeRunning?.instance.types.includes(type) === true,
      documents: (targetId) => this.#documentsOf(targetId),
    });
    stateMetrics(metrics, {
      version: this.#options.host.version,
      leads: () => this.#maybeRunning?.instance.leader.mayPublish() === true,
      ready: () => this.#readModel.ready,
      interval: () => this.#current.discoveryInterval,
      backends: () => this.#readModel.backends.backends,
      disproven: () => this.#readModel.disproven,
    });
    return (event) => {
      logged(event);
      count(event);
      this.#readModel.apply(event);
      if (event.kind === 'pass' && event.full) void this.#countElsewhere();
    };
  }

  /** Logs how many likely backends other namespaces have, once for each choice of namespaces, if the Role allows to see them. */
  async #countElsewhere(): Promise<void> {
    const { cluster, log, signal, serveOptions } = this.#context;
    const settings = this.#current;
    if (cluster === undefined || !readsCluster(serveOptions.input)) return;
    if (isDeepStrictEqual(settings.namespaces, this.#countedBeside)) return;
    this.#countedBeside = settings.namespaces;
    try {
      const problem = await backendsElsewhere(settings, cluster, signal);
      if (problem !== undefined)
        log.info(
          { component: 'service_discovery' },
          problemLine({ ...problem, fix: 'add them to NAMESPACES to use them' }),
        );
    } catch (error) {
      log.debug(
        { component: 'service_discovery', error },
        'the backends of other namespaces were not counted',
      );
    }
  }

  /** Names of the documents of a target; before there are any, those of the home target. */
  #documentsOf(targetId: string | undefined): readonly string[] {
    const [home, ...others] = this.#maybeRunning?.instance.engine.targets ?? [];
    if (targetId === undefined) return (home?.outputs ?? OUTPUTS).names;
    return others.find(({ id }) => id === targetId)?.outputs.names ?? [];
  }

  /** Reports a problem with reading the configuration. */
  #reportConfigProblem(...[problem, { retryIn, hasEnded } = {}]: Parameters<ProblemReporter>): void {
    const { log } = this.#options.logger;
    const component = 'configuration';
    if (hasEnded === true) {
      const { where, what } = problem;
      log.info({ component }, `ended: ${problemLine({ where, what })}`);
      return;
    }
    if (retryIn === undefined) {
      log.warn({ component }, problemLine(problem));
      return;
    }
    log.error({ component, retry_in: Math.round(retryIn / 100) / 10 }, problemLine(problem));
    this.#readModel.sourceUnavailable(problem.what);
  }

  #logStart({ settings, types, where, engine }: AppInstance): void {
    const places = engine.targets.map(({ publisher }) => publisher.target).join(', ');
    this.#options.logger.log.info(
      {
        version: this.#options.host.version,
        interval: settings.discoveryInterval / 1000,
        registered_detectors: types,
        detectors_count: types.length,
      },
      `discovering backends in ${where}, publishing to ${places}`,
    );
  }
}
