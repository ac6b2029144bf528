import { Engine } from '../controller/engine.ts';
import type { EngineEvent } from '../controller/events.ts';
import { ReadModel } from '../controller/read-model.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import { type Problem, problemLine } from '../model/discovery.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { ProblemError } from '../server/problem.ts';
import { apiMetrics } from '../telemetry/api-metrics.ts';
import { engineLog } from '../telemetry/engine-log.ts';
import { engineMetrics } from '../telemetry/engine-metrics.ts';
import type { createLogger } from '../telemetry/logger.ts';
import { MetricSet } from '../telemetry/metric-set.ts';
import { stateMetrics } from '../telemetry/state-metrics.ts';
import { checkAccessSettings, createAccessPolicy } from './access-policy.ts';
import { type Assembly, assemble, type Surroundings, type Work } from './assembly.ts';
import { backingOf, type Working } from './backing.ts';
import type { Configuration, ConfigurationSources } from './configuration.ts';
import type { Host } from './host.ts';
import { LiveConfiguration, type Reload } from './live-configuration.ts';
import { openCluster, readsManifests } from './pipeline.ts';
import { serverMaker } from './server-maker.ts';
import { Servers } from './servers.ts';
import { shutDown } from './shutdown.ts';

export interface AppOptions {
  readonly work: Work;
  readonly host: Host;
  /** Where the configuration comes from while the app runs. */
  readonly sources: ConfigurationSources;
  /** What the sources come to without the ConfigMap: it says where that is. */
  readonly configuration: Configuration;
  readonly logger: ReturnType<typeof createLogger>;
  /** Takes what reads the configuration again when a person asks for it. */
  readonly onReload?: ((reload: () => void) => void) | undefined;
}

/** All of `serve`: sources, controller, outputs and servers, put together. */
export interface App {
  /** What is known, for those who ask. */
  readonly readModel: ReadModel;
  /**
   * Keeps what is published in step with what is there until the signal is aborted; with `once`, until it is published.
   * To be called once.
   * @throws UserError where it cannot begin
   */
  run(signal: AbortSignal): Promise<void>;
}

/** Puts the app together. Nothing is opened before it runs. */
export function createApp(options: AppOptions): App {
  let run: Run | undefined;
  const readModel = new ReadModel({
    now: () => new Date(),
    policy: () => run?.working?.assembly.engine.generation,
    leads: () => run?.working?.assembly.leader.mayPublish() === true,
  });
  return {
    readModel,
    async run(signal) {
      const { input, out } = options.work;
      const cluster = readsManifests(input) && out !== undefined ? undefined : await openCluster(input);
      const over = new AbortController();
      try {
        run = new Run(options, readModel, cluster, AbortSignal.any([signal, over.signal]));
        await run.toEnd();
      } finally {
        over.abort();
      }
    },
  };
}

/** What came of a changed configuration, as an event. */
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

/** One run of an app. */
class Run {
  readonly #options: AppOptions;
  readonly #readModel: ReadModel;
  /** Aborted when the end begins. */
  readonly #signal: AbortSignal;
  /** Aborted when the servers are closed, so that what is published stays in step until then. */
  readonly #stopped = new AbortController();
  readonly #configuration: LiveConfiguration;
  readonly #surroundings: Surroundings;
  readonly #servers: Servers;
  #working: Working | undefined;

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
      (problem, retryIn) => this.#note(problem, retryIn),
    );
    const metrics = new MetricSet();
    this.#surroundings = {
      work: options.work,
      host: options.host,
      signal: this.#stopped.signal,
      log,
      cluster,
      tell: this.#listener(metrics),
    };
    this.#servers = this.#serversWith(metrics);
  }

  /** What works now; undefined while the cluster is waited for. */
  get working(): Working | undefined {
    return this.#working;
  }

  get #current(): Configuration {
    return this.#configuration.current;
  }

  /** Runs until the signal is aborted or, with `once`, all is published. */
  async toEnd(): Promise<void> {
    const { once } = this.#options.work;
    const signal = this.#signal;
    const { log, use } = this.#options.logger;
    const closed = shutDown(signal, this.#servers, () => this.#current, log).finally(() =>
      this.#stopped.abort(),
    );
    try {
      // The Pod's probes are answered while the cluster is waited for.
      if (!once) await this.#servers.use(this.#current);
      await this.#configuration[once ? 'openOnce' : 'open'](signal);
      if (signal.aborted) return;
      use(this.#current);
      if (!once) await this.#servers.use(this.#current);
      const assembly = await assemble(this.#current, this.#surroundings);
      this.#working = { assembly, engine: new Engine(assembly.engine) };
      await this.#keepInStep(this.#working);
    } finally {
      this.#stopped.abort();
      await this.#servers.close();
      if (signal.aborted) await closed;
    }
  }

  /** Works with what was put together, and with what takes its place, until it is stopped. */
  async #keepInStep({ engine, assembly }: Working): Promise<void> {
    const ending = new Set<Promise<void>>();
    const retire = (before: Assembly, next: Assembly): void => {
      const ended = before.end(next).finally(() => ending.delete(ended));
      ending.add(ended);
    };
    this.#logBeginning(assembly);
    assembly.start(engine);
    if (!this.#options.work.once) this.#followConfiguration(engine, retire);
    try {
      await engine.run(this.#stopped.signal);
    } finally {
      this.#stopped.abort();
      await this.#servers.close();
      await Promise.all([...ending, this.#now.assembly.end()]);
    }
  }

  /** What works now. @throws ProblemError while the cluster is waited for */
  get #now(): Working {
    if (this.#working !== undefined) return this.#working;
    throw new ProblemError('unavailable', 'Waiting for the cluster; GET /ready shows what is wrong.', {
      headers: { 'retry-after': '5' },
    });
  }

  #followConfiguration(engine: Engine, retire: (before: Assembly, next: Assembly) => void): void {
    const look = (): void => void this.#configuration.reload();
    this.#configuration.follow(
      (next) => this.#apply(next, engine, retire),
      (reload) => this.#now.assembly.engine.tell(eventOf(reload)),
      this.#signal,
    );
    this.#options.onReload?.(look);
  }

  /** Brings a configuration into force: what is new is made and listens before what was there ends. */
  async #apply(
    next: Configuration,
    engine: Engine,
    retire: (before: Assembly, next: Assembly) => void,
  ): Promise<void> {
    const { assembly: before } = this.#now;
    const made = await assemble(next, this.#surroundings, before);
    if (this.#signal.aborted) return await made.end(before);
    try {
      await this.#servers.use(next);
    } catch (error) {
      await made.end(before);
      throw error;
    }
    this.#working = { assembly: made, engine };
    this.#options.logger.use(next);
    engine.reconfigure(made.engine);
    made.start(engine);
    retire(before, made);
  }

  #serversWith(metrics: MetricSet): Servers {
    const { host, logger } = this.#options;
    const { cluster, log } = this.#surroundings;
    const make = serverMaker({
      backing: backingOf(() => this.#now, this.#readModel, this.#configuration, host.version),
      log,
      metrics: metrics.registry,
      stopping: () => this.#signal.aborted,
      settings: () => this.#current,
      gate: createAccessPolicy(cluster, this.#stopped.signal),
      ...apiMetrics(metrics),
    });
    const check = (settings: Configuration): void => checkAccessSettings(settings, cluster);
    return new Servers(make, check, cluster?.inCluster === true, logger.log);
  }

  /** Takes all events: they are logged and counted, and become what the read model holds. */
  #listener(metrics: MetricSet): (event: EngineEvent) => void {
    const logged = engineLog(this.#options.logger.log);
    const { count } = engineMetrics(metrics, {
      known: (type) => this.#working?.assembly.types.includes(type) === true,
      documents: OUTPUTS.names,
    });
    stateMetrics(metrics, {
      version: this.#options.host.version,
      leads: () => this.#working?.assembly.leader.mayPublish() === true,
      ready: () => this.#readModel.ready,
      interval: () => this.#current.discoveryInterval,
      backends: () => this.#readModel.backends.backends,
    });
    return (event) => {
      logged(event);
      count(event);
      this.#readModel.apply(event);
    };
  }

  /** What a person should know about reading the configuration. */
  #note(problem: Problem, retryIn: number | undefined): void {
    const { log } = this.#options.logger;
    const component = 'configuration';
    if (retryIn === undefined) {
      log.warn({ component }, problemLine(problem));
      return;
    }
    log.error({ component, retry_in: Math.round(retryIn / 100) / 10 }, problemLine(problem));
    this.#readModel.sourceUnavailable(problem.what);
  }

  #logBeginning({ settings, types, where, engine }: Assembly): void {
    this.#options.logger.log.info(
      {
        version: this.#options.host.version,
        interval: settings.discoveryInterval / 1000,
        registered_detectors: types,
        detectors_count: types.length,
      },
      `discovering backends in ${where}, publishing to ${engine.publisher.target}`,
    );
  }
}
