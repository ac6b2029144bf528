import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineOptions } from '../controller/engine.ts';
import type { EngineTarget } from '../controller/target.ts';
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

/** A publisher, and what depends on where it publishes. */
export interface Publishing extends Pick<EngineTarget, 'publisher' | 'owner'> {
  /** Receives the events of the engine. */
  readonly onEvent?: EngineOptions['emit'];
  /** Resolves when pending Kubernetes Events are written, or after a timeout. */
  flush(): Promise<void>;
}

/** Maximum time to wait for pending Events at shutdown, in milliseconds. */
const FLUSH_TIMEOUT = 3_000;

/** Publishes to a file. */
export function publishToFile(
  path: string,
  { configMapName, configMapNamespace }: Configuration,
  log: Logger,
): Publishing {
  return {
    publisher: filePublisher(path, { name: configMapName, namespace: configMapNamespace }, (line) =>
      log.info({ component: 'reconciliation' }, line),
    ),
    owner: async () => undefined,
    flush: async () => {},
  };
}

/** Publishes to a ConfigMap, with Kubernetes Events about it and an owner reference to our own Deployment. */
export function publishToCluster(
  kube: KubeClient,
  settings: Configuration,
  { env, log, force }: { readonly env: Env; readonly log: Logger; readonly force: boolean },
): Publishing {
  const { configMapName: name, configMapNamespace: namespace } = settings;
  const publisher = targetOf(kube, settings, {
    lookFor: settings.maxShards,
    force,
    onKept: (line) => log.info({ component: 'reconciliation' }, line),
    onDenied: (line) => log.warn({ component: 'reconciliation' }, line),
  });
  const stop = new AbortController();
  const recorder = eventRecorder(kube, {
    regarding: { name, namespace, uid: publisher.uid },
    instance: env.POD_NAME ?? hostname(),
    now: () => new Date(),
    onProblem: (problem) => log.warn({ component: 'reconciliation' }, problemLine(problem)),
    // Not the signal of the app: pending Events are still written at shutdown, see `settled`.
    signal: stop.signal,
  });
  return {
    publisher,
    owner: ownDeployment(kube, env, namespace, (why) =>
      log.warn({ component: 'reconciliation' }, `the ConfigMap gets no owner reference: ${why}`),
    ),
    onEvent: engineEvents(recorder.record),
    async flush() {
      await Promise.race([recorder.flush(), sleep(FLUSH_TIMEOUT, undefined, { signal: stop.signal })]);
      stop.abort();
    },
  };
}
