import type { Engine, EngineOptions } from '../controller/engine.ts';
import type { EngineEvent } from '../controller/events.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { OutageProber } from '../probing/outage-prober.ts';
import { ScheduledProber } from '../probing/schedule.ts';
import type { Logger } from '../telemetry/logger.ts';
import { agentOf } from './agent.ts';
import type { Configuration } from './configuration.ts';
import { excludedBy } from './excluded.ts';
import type { Host } from './host.ts';
import { type Leader, leaderOf, sameElection } from './leader.ts';
import { OverridesAhead } from './overrides-ahead.ts';
import { type InputOptions, openInput, type Readiness, stagesOf } from './pipeline.ts';

/** What is kept in step, and how. */
export interface Work {
  readonly input: InputOptions;
  /** Publish into this file, and not into the cluster. */
  readonly out?: string | undefined;
  /** Publish once and end. */
  readonly once: boolean;
  /** Publish also what guards hold back. */
  readonly force: boolean;
}

/** What stays while the configuration changes. */
export interface Surroundings {
  readonly work: Work;
  readonly host: Host;
  /** Aborted when all is to end. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** The connection to the cluster, where one is read or published to. */
  readonly cluster: KubeClient | undefined;
  /** Told of all that happens. */
  readonly tell: (event: EngineEvent) => void;
}

/** All that one configuration comes to: what the engine works with, and what stands beside it. */
export interface Assembly {
  readonly settings: Configuration;
  readonly engine: EngineOptions;
  /** Where Services are looked for, for messages. */
  readonly where: string;
  /** Types of backends that are known. */
  readonly types: readonly string[];
  /** Begins what stands beside the engine. */
  start(engine: Engine): void;
  /**
   * Ends it, once all is written.
   * @param successor what goes on in its place: what both have in common is left to it
   */
  end(successor?: Assembly): Promise<void>;
  readonly leader: Leader;
  readonly prober: ScheduledProber;
}

/**
 * Puts together what a configuration asks for. Nothing of it works before it is started.
 * @param before what works now, whose memory it goes on with
 * @throws UserError where the configuration cannot be used
 */
export async function assemble(
  settings: Configuration,
  surroundings: Surroundings,
  before?: Assembly,
): Promise<Assembly> {
  const { work, host, log, cluster, tell } = surroundings;
  const { once, out } = work;
  const stop = new AbortController();
  const input = await openInput(work.input, settings, !once, cluster, tell);
  const target = out === undefined ? cluster : undefined;
  const leader =
    before !== undefined && sameElection(before.settings, settings)
      ? before.leader
      : await leaderOf(settings, once, host.env, target, log);
  const { kube, mayPublish } = leader;
  const { intoCluster, intoFile } = await import('./publishing.ts');
  const publishing =
    kube === undefined ? intoFile(out ?? '', settings) : intoCluster(kube, settings, host.env, log);
  const overrides = new OverridesAhead();
  const follower = await agentOf(settings, host.env, kube);
  let changed: Readiness['changed'] = () => {};
  const signal = AbortSignal.any([surroundings.signal, stop.signal]);
  const readiness: Readiness = { changed: (service, ready) => changed(service, ready), signal };
  const { prober: asking, ...stages } = await stagesOf(settings, input, once ? undefined : readiness, tell);
  const asked = new OutageProber(asking, () => prober.touchAll(() => true, false), tell);
  const prober: ScheduledProber = new ScheduledProber(
    asked,
    { refresh: settings.discoveryInterval * 0.9, now: () => performance.now(), random: Math.random, tell },
    before?.prober,
  );
  return {
    settings,
    where: input.where,
    types: stages.rules.detectors.map(({ detector }) => detector.type),
    leader,
    prober,
    engine: {
      source: input.source,
      stages: { ...stages, prober },
      generation: settings,
      publisher: overrides.publisher(publishing.publisher),
      version: host.version,
      now: () => new Date(),
      outputs: OUTPUTS,
      owner: publishing.owner,
      follower,
      mayPublish,
      tell(event) {
        tell(event);
        if (mayPublish()) publishing.listener?.(event);
      },
      force: work.force,
      removalHold: settings.removalHold,
      excluded: excludedBy(stages.rules, input.namespaces),
      once,
    },
    start(engine) {
      changed = (service, ready) => {
        prober.touch(service, ready);
        engine.wake();
      };
      leader.start(() => engine.onStartedLeading());
    },
    async end(successor) {
      stop.abort();
      await publishing.settled();
      overrides.close();
      if (leader !== successor?.leader) await leader.resign();
    },
  };
}
