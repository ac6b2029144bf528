import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { onTestFinished } from 'vitest';
import { createAccessPolicy } from '../../src/app/access-policy.ts';
import { createApiService } from '../../src/app/api-service.ts';
import { type AppInstance, createAppInstance } from '../../src/app/app-instance.ts';
import { chosenManifests } from '../../src/app/chosen-source.ts';
import { readConfiguration } from '../../src/app/configuration.ts';
import { LiveConfiguration } from '../../src/app/live-configuration.ts';
import { createServerFactory } from '../../src/app/server-factory.ts';
import { Engine } from '../../src/controller/engine.ts';
import type { EngineEvent } from '../../src/controller/events.ts';
import { ReadModel } from '../../src/controller/read-model.ts';
import type { TlsFiles } from '../../src/server/tls.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { waitUntil } from '../cluster/wait.ts';

/** The cluster of the demo: its backends, and what only looks like them. */
const MANIFESTS = join(import.meta.dirname, '../../demo/cluster');
const NO_METRICS = { contentType: 'text/plain', metrics: async () => '' };

/** The API as `serve` makes it, in this process, and what it tells of. */
export interface InProcess {
  readonly app: FastifyInstance;
  readonly readModel: ReadModel;
  /** The file that is published to. */
  readonly out: string;
}

/** The API of a `serve` that reads manifests and publishes to a file: all its parts are the real ones, and there is no cluster. */
export async function inProcess(tls?: TlsFiles): Promise<InProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'api-'));
  const stopped = new AbortController();
  const messages = new PassThrough().resume();
  const host = {
    env: {
      AUTH_ENABLED: 'false',
      DISCOVERY_INTERVAL: '10m',
      RATE_LIMIT: '100000',
      RATE_LIMIT_BURST: '100000',
    },
    version: '0.0.0',
  };
  const serveOptions = {
    input: {
      source: chosenManifests([MANIFESTS], process.stdin),
      onlyNamespaces: false,
      kubeconfig: undefined,
      origin: '',
      context: undefined,
    },
    out: join(folder, 'published.yaml'),
    once: false,
    force: false,
  };
  const sources = { texts: {}, env: host.env, file: undefined, detectorFolders: [] };
  const settings = await readConfiguration(sources);
  const { log } = createLogger({ logLevel: 'error', logFormat: 'json' }, messages);
  const readModel = new ReadModel({ now: () => new Date(), policy: () => settings });
  const emit = (event: EngineEvent): void => readModel.apply(event);
  const instance: AppInstance = await createAppInstance(settings, {
    serveOptions,
    host,
    signal: stopped.signal,
    log,
    cluster: undefined,
    emit,
  });
  const engine = new Engine(instance.engine);
  const configuration = new LiveConfiguration(sources, settings, undefined, () => {});
  const make = createServerFactory({
    service: createApiService(() => ({ instance, engine }), readModel, configuration, host.version),
    log,
    metrics: NO_METRICS,
    stopping: () => stopped.signal.aborted,
    settings: () => settings,
    accessPolicy: createAccessPolicy(undefined, stopped.signal),
    answered: () => {},
    authenticated: () => {},
    dropped: () => {},
  });
  const app = await make('api', { address: { host: '127.0.0.1', port: 0 }, tls });
  const running = engine.run(stopped.signal);
  onTestFinished(async () => {
    stopped.abort();
    await app.close();
    await running;
    await instance.end();
    await rm(folder, { recursive: true });
  });
  await waitUntil(
    'the first publication',
    () => readModel.counters.publications > 0 && readModel.published !== undefined,
  );
  await app.ready();
  return { app, readModel, out: serveOptions.out };
}
