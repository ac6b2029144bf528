import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineOptions } from '../controller/engine.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import { eventRecorder } from '../kubernetes/events.ts';
import { problemLine } from '../model/discovery.ts';
import { filePublisher } from '../publishers/file/file-publisher.ts';
import { engineEvents } from '../telemetry/engine-events.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Configuration } from './configuration.ts';
import type { Env } from './host.ts';
import { ownDeployment } from './own-deployment.ts';
import { targetOf } from './target.ts';

/** A place to publish to, and what belongs to it. */
export interface Publishing extends Pick<EngineOptions, 'publisher' | 'owner'> {
  /** Told of what the engine does. */
  readonly listener?: EngineOptions['tell'];
  /** Resolves when all that is to be written beside the toolset is written or given up. */
  settled(): Promise<void>;
}

/** Longest time that Events are waited for at the end, in milliseconds. */
const FLUSH_TIMEOUT = 3_000;

/** Publishes into a file. */
export function intoFile(path: string, { configMapName, configMapNamespace }: Configuration): Publishing {
  return {
    publisher: filePublisher(path, { name: configMapName, namespace: configMapNamespace }),
    owner: async () => undefined,
    settled: async () => {},
  };
}

/** Publishes into the ConfigMap of a cluster, with Events about it, and as a part of the Deployment that runs us. */
export function intoCluster(kube: KubeClient, settings: Configuration, env: Env, log: Logger): Publishing {
  const { configMapName: name, configMapNamespace: namespace } = settings;
  const publisher = targetOf(kube, settings);
  const stop = new AbortController();
  const recorder = eventRecorder(kube, {
    regarding: { name, namespace, uid: publisher.uid },
    instance: env.POD_NAME ?? hostname(),
    now: () => new Date(),
    onProblem: (problem) => log.warn({ component: 'reconciliation' }, problemLine(problem)),
    // Not the program's own end: what was told before it is written still, see `settled`.
    signal: stop.signal,
  });
  return {
    publisher,
    owner: ownDeployment(kube, env, namespace, (why) =>
      log.warn({ component: 'reconciliation' }, `the ConfigMap gets no owner reference: ${why}`),
    ),
    listener: engineEvents(recorder.record),
    async settled() {
      await Promise.race([recorder.flush(), sleep(FLUSH_TIMEOUT, undefined, { signal: stop.signal })]);
      stop.abort();
    },
  };
}
