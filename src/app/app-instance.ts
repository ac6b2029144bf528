import { isDeepStrictEqual } from 'node:util';
import { idleSettings } from '../config/idle-settings.ts';
import type { Engine, EngineOptions } from '../controller/engine.ts';
import type { EngineEvent } from '../controller/events.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import { problemLine } from '../model/discovery.ts';
import { OUTPUTS, type OutputSettings, TARGET_TYPES } from '../outputs/registry.ts';
import type { TargetType } from '../outputs/target-type.ts';
import { OutageProber } from '../probing/outage-prober.ts';
import { ScheduledProber } from '../probing/scheduled-prober.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createFollower } from './agent.ts';
import type { CertificateFiles } from './certificate-files.ts';
import type { Configuration } from './configuration.ts';
import { excludedBy } from './excluded.ts';
import type { Host } from './host.ts';
import { joinElection, type LeaderHandle, sameElection } from './leader.ts';
import { openOtherTargets } from './other-targets.ts';
import { OverridesPreloader } from './overrides-preloader.ts';
import { type InputOptions, openInput, type ReadinessListener, stagesOf } from './pipeline.ts';
import { searchedText } from './searched.ts';

/** The id of the ConfigMap or file that the settings name. */
const HOME_TARGET = 'home';

/** The options of `serve` on the command line. */
export interface ServeOptions {
  readonly input: InputOptions;
  /** Publish to this file instead of the cluster. */
  readonly out?: string | undefined;
  /** Exit after the first publication. */
  readonly once: boolean;
  /** Publish even what the guards hold back. */
  readonly force: boolean;
}

/** Everything that stays the same when the configuration changes. */
export interface RuntimeContext {
  readonly serveOptions: ServeOptions;
  readonly host: Host;
  /** Aborted when the app stops. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** The connection to the cluster, if the app reads from or publishes to one. */
  readonly cluster: KubeClient | undefined;
  /** The agents with a separate place; the built-in ones by default. */
  readonly targetTypes?: readonly TargetType<OutputSettings>[] | undefined;
  /** Receives all events. */
  readonly emit: (event: EngineEvent) => void;
}

/** The object graph built from one configuration: the engine's options, and what runs alongside the engine. */
export interface AppInstance {
  readonly settings: Configuration;
  readonly engine: EngineOptions;
  /** The input, for messages. */
  readonly where: string;
  /** The types of all enabled detectors. */
  readonly types: readonly string[];
  /** Starts what runs alongside the engine. */
  start(engine: Engine): void;
  /**
   * Ends the instance after pending writes.
   * @param successor the instance that replaces it, and keeps what both share
   */
  end(successor?: AppInstance): Promise<void>;
  readonly leader: LeaderHandle;
  readonly prober: ScheduledProber;
  /** The files that probes use for TLS, if they reach backends directly. */
  readonly certificates?: CertificateFiles | undefined;
}

/**
 * Builds an instance from a configuration. Nothing runs before it is started.
 * @param before the running instance, whose probe results are kept
 * @throws UserError if the configuration is unusable
 */
export async function createAppInstance(
  settings: Configuration,
  context: RuntimeContext,
  before?: AppInstance,
): Promise<AppInstance> {
  const { serveOptions, host, log, cluster, emit } = context;
  const { once, out } = serveOptions;
  const component = 'configuration';
  const stop = new AbortController();
  const input = await openInput(serveOptions.input, settings, !once, cluster, emit);
  const target = out === undefined ? cluster : undefined;
  const leader =
    before !== undefined && sameElection(before.settings, settings)
      ? before.leader
      : await joinElection(settings, once, host.env, target, log);
  const { kube, mayPublish } = leader;
  const { publishToCluster, publishToFile } = await import('./publishing.ts');
  const publishing =
    kube === undefined
      ? publishToFile(out ?? '', settings, log)
      : publishToCluster(kube, settings, { env: host.env, log, force: serveOptions.force });
  const overrides = new OverridesPreloader();
  const { follower, warning } = await createFollower(
    settings,
    host.env,
    kube,
    before?.engine.targets[0].follower?.room,
  );
  for (const each of [...idleSettings(settings), ...(warning === undefined ? [] : [warning])])
    log.warn({ component }, each);
  let changed: ReadinessListener['changed'] = () => {};
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const readiness: ReadinessListener = { changed: (service, ready) => changed(service, ready), signal };
  let certificates: CertificateFiles | undefined;
  const { prober: backendProber, ...stages } = await stagesOf(settings, input, {
    readiness: once ? undefined : readiness,
    emit,
    onCertificates: once
      ? undefined
      : (files) => {
          certificates = files;
        },
    certificatesBefore: before?.certificates,
  });
  const outageProber = new OutageProber(
    backendProber,
    () => prober.invalidateMatching(() => true, false),
    emit,
  );
  const prober: ScheduledProber = new ScheduledProber(
    outageProber,
    {
      refreshInterval: settings.discoveryInterval * 0.9,
      now: () => performance.now(),
      random: Math.random,
      emit,
    },
    before?.prober,
  );
  const probeAll = (): void => prober.invalidateMatching(() => true, true);
  // What is known of certificates is of other files.
  if (before !== undefined && !isDeepStrictEqual(before.settings.certificates, settings.certificates))
    probeAll();
  const homePublisher = overrides.publisher(publishing.publisher);
  const { targetTypes = TARGET_TYPES } = context;
  const others = await openOtherTargets(targetTypes, settings, kube, homePublisher);
  const policy = {
    generation:
      out === undefined ? settings : { ...settings, approvalPlace: { place: `overrides.yaml of ${out}` } },
    force: serveOptions.force,
    removalHold: settings.removalHold,
    excluded: excludedBy(stages.rules, input.namespaces),
  };
  return {
    settings,
    where: input.where,
    types: stages.rules.detectors.map(({ detector }) => detector.type),
    leader,
    prober,
    certificates,
    engine: {
      source: input.source,
      stages: { ...stages, prober },
      targets: [
        {
          id: HOME_TARGET,
          publisher: homePublisher,
          outputs: OUTPUTS,
          owner: publishing.owner,
          follower,
          searched: input.kube === undefined ? '' : searchedText(input.namespaces),
          ...policy,
        },
        ...others.map((other) => ({ ...other, ...policy })),
      ],
      version: host.version,
      now: () => new Date(),
      mayPublish,
      emit(event) {
        emit(event);
        // Kubernetes Events are about the ConfigMap.
        if (mayPublish() && event.targetId === undefined) publishing.onEvent?.(event);
      },
      once,
    },
    start(engine) {
      changed = (service, ready) => {
        prober.invalidate(service, ready);
        engine.wake();
      };
      leader.start(() => engine.onStartedLeading());
      certificates?.watch(
        {
          changed() {
            log.info(
              { component },
              'the files of the setting certificates changed, so all backends are probed again',
            );
            probeAll();
            engine.wake();
          },
          failed: (problem) => log.warn({ component }, problemLine(problem)),
        },
        signal,
      );
    },
    async end(successor) {
      stop.abort();
      await publishing.flush();
      await overrides.close();
      if (leader !== successor?.leader) await leader.resign();
    },
  };
}
