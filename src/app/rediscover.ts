import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../controller/engine.ts';
import type { ReadModel } from '../controller/read-model.ts';
import type { Health } from '../model/discovery.ts';
import { partsOf } from '../model/key.ts';
import { keyOfService, type ServiceKey } from '../model/service.ts';
import type { DiscoverRequest } from '../server/api.ts';
import type { DiscoverResult } from '../server/jobs.ts';
import type { AppInstance } from './app-instance.ts';

/** A running app: the current instance and the engine. */
export interface RunningApp {
  readonly instance: AppInstance;
  readonly engine: Engine;
}

/** Maximum time to wait for a discovery, in milliseconds. */
const DISCOVERY_TIMEOUT = 120_000;

/** What one request means, and how many backends it had probed. */
interface Meaning {
  readonly includes: (namespace: string, type: string) => boolean;
  readonly isForAllTypes: boolean;
  /** Also healthy ones. */
  readonly force: boolean;
  asked: number;
}

function meaningOf({ namespaces, serviceTypes, force = true }: DiscoverRequest): Meaning {
  const [places, types] = [namespaces, serviceTypes].map((names) => names && new Set(names));
  return {
    includes: (namespace, type) => places?.has(namespace) !== false && types?.has(type) !== false,
    isForAllTypes: types === undefined,
    force,
    asked: 0,
  };
}

/**
 * Probes the backends of several requests again, together, and waits for the results.
 * @returns the result of each request
 * @throws Error after a timeout
 */
export async function rediscover(
  requests: readonly DiscoverRequest[],
  { instance: { prober }, engine }: RunningApp,
  readModel: ReadModel,
): Promise<readonly DiscoverResult[]> {
  const meanings = requests.map(meaningOf);
  const known = new Map(readModel.services.map((each) => [keyOfService(each.service), each]));
  const before = new Map<ServiceKey, Health>([...known].map(([key, { verdict }]) => [key, verdict.health]));
  prober.invalidateMatching((key) => {
    const backend = known.get(key);
    const { namespace } = partsOf(key);
    const asking = meanings.filter(({ includes, isForAllTypes, force }) =>
      backend === undefined
        ? isForAllTypes && includes(namespace, '')
        : includes(namespace, backend.type) && (force || backend.verdict.health !== 'healthy'),
    );
    for (const meaning of asking) meaning.asked++;
    return asking.length > 0;
  }, true);
  await nextPass(engine, readModel);
  // A pass does not wait for probes, but these requests do.
  await Promise.race([engine.idle, sleep(DISCOVERY_TIMEOUT, undefined, { ref: false })]);
  await nextPass(engine, readModel);
  const now = readModel.services.map((each) => ({
    namespace: each.service.namespace,
    type: each.type,
    health: readModel.healthNow(each),
    isOther: before.get(keyOfService(each.service)) !== each.verdict.health,
  }));
  return meanings.map(({ includes, asked }) => {
    const meant = now.filter(({ namespace, type }) => includes(namespace, type));
    const number = (health: Health): number => meant.filter((each) => each.health === health).length;
    return {
      services: now.length,
      asked,
      healthy: number('healthy'),
      unhealthy: number('unhealthy'),
      unknown: number('unknown'),
      changed: meant.filter(({ isOther }) => isOther).length,
    };
  });
}

/** Starts a pass, and waits until it ends. @throws Error after a timeout */
async function nextPass(engine: Engine, readModel: ReadModel): Promise<void> {
  const { cycle } = engine;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const forget = readModel.subscribe(() => {
    if (readModel.cycle > cycle) resolve();
  });
  const late = setTimeout(
    () => reject(new Error('the discovery is not complete yet; GET /ready shows what is wrong')),
    DISCOVERY_TIMEOUT,
  ).unref();
  engine.wake();
  try {
    await promise;
  } finally {
    clearTimeout(late);
    forget();
  }
}
