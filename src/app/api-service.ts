import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../controller/engine.ts';
import { toolKinds } from '../controller/pass.ts';
import type { ReadModel } from '../controller/read-model.ts';
import type { DiscoveredService, Health } from '../model/discovery.ts';
import { type Generated, OVERRIDES_KEY } from '../model/documents.ts';
import { isHost } from '../model/host-name.ts';
import { HOME_CLUSTER, partsOf } from '../model/key.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import { approvalsOf } from '../planning/admission.ts';
import type { Backing, DiscoverRequest, GenerateService } from '../server/api.ts';
import type { DiscoverResult } from '../server/jobs.ts';
import { ProblemError } from '../server/problem.ts';
import type { AppInstance } from './app-instance.ts';
import { ClientWorker, TaskRejected } from './client-worker.ts';
import { Cooldown } from './cooldown.ts';
import { type DescribedServices, type GenerateTask, packRules, packServices } from './generate-in-worker.ts';
import type { LiveConfiguration } from './live-configuration.ts';

/** Converts a service from a request to a Service with the annotations that declare its type and endpoint. */
function toAnnotatedService({ name, namespace, type, endpoint }: GenerateService): Service | undefined {
  const url = URL.parse(endpoint);
  const port = url?.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url?.port);
  if (url === null || port === 0 || !isHost(url.hostname.replace(/\.$/, ''))) return undefined;
  return {
    cluster: HOME_CLUSTER,
    name,
    namespace,
    labels: {},
    annotations: {
      'kubernaut.io/toolset': 'true',
      'kubernaut.io/toolset-type': type,
      'kubernaut.io/toolset-endpoint': endpoint,
    },
    selector: {},
    ports: [{ port, protocol: 'TCP' }],
    type: 'ClusterIP',
    headless: false,
  };
}

/**
 * Converts the services of a request to input for detection.
 * @throws ProblemError if an endpoint is not a usable URL
 */
function toDescribedServices(
  services: readonly GenerateService[],
  { engine }: AppInstance,
): DescribedServices {
  const { rules, detection } = engine.stages;
  const read = services.map(toAnnotatedService);
  const errors = read.flatMap((service, index) =>
    service === undefined
      ? [
          {
            pointer: `/services/${index}/endpoint`,
            detail: 'is not a URL with a host and a port from 1 to 65535',
          },
        ]
      : [],
  );
  if (errors.length > 0)
    throw new ProblemError('invalid-request', 'The endpoint of a service cannot be called.', { errors });
  return {
    services: read.filter((service) => service !== undefined),
    rules: packRules(rules),
    detection: { ...detection, allowedHosts: ['*'] },
  };
}

const PROBLEM_TYPES = {
  client: 'too-many-requests',
  busy: 'unavailable',
  costly: 'document-too-costly',
} as const;

/**
 * Converts a rejection by the worker to a problem response.
 * @param failed such as `The document was not checked`
 * @param command does the same without the limits
 */
function toProblem(error: unknown, failed: string, command: string): unknown {
  if (!(error instanceof TaskRejected)) return error;
  const { reason, message } = error;
  const advice = reason === 'costly' ? `; the command ${command} has no such limit` : '';
  return new ProblemError(PROBLEM_TYPES[reason], `${failed}: ${message}${advice}.`, {
    headers: reason === 'costly' ? {} : { 'retry-after': '1' },
  });
}

/** Parses overrides. Invalid overrides count as none. */
function overridesIn(text: string | undefined): Overrides {
  const read = readOverrides(text);
  return 'value' in read ? read.value : NO_OVERRIDES;
}

/** A running app: the current instance and the engine. */
export interface RunningApp {
  readonly instance: AppInstance;
  readonly engine: Engine;
}

/** Maximum time to wait for a discovery, in milliseconds. */
const DISCOVERY_TIMEOUT = 120_000;

/** Minimum time between requested discoveries, in milliseconds. Without it, a client could have backends probed all the time. */
const DISCOVERY_INTERVAL = 5_000;

const healthByService = (readModel: ReadModel): ReadonlyMap<ServiceKey, Health> =>
  new Map(readModel.services.map(({ service, verdict }) => [serviceKey(service), verdict.health]));

/** Probes backends again, and waits for the results. */
async function rediscover(
  { namespaces, serviceTypes, force = true }: DiscoverRequest,
  { instance: { prober }, engine }: RunningApp,
  readModel: ReadModel,
): Promise<DiscoverResult> {
  const isMeant = ({ namespace }: { readonly namespace: string }, type: string): boolean =>
    (namespaces === undefined || namespaces.includes(namespace)) &&
    (serviceTypes === undefined || serviceTypes.includes(type));
  const matchingServices = (): readonly DiscoveredService[] =>
    readModel.services.filter(({ service, type }) => isMeant(service, type));
  const before = healthByService(readModel);
  const cached = new Map(readModel.services.map((each) => [serviceKey(each.service), each]));
  let asked = 0;
  prober.invalidateMatching((key) => {
    const backend = cached.get(key);
    const wanted =
      backend === undefined
        ? serviceTypes === undefined && isMeant({ namespace: partsOf(key).namespace }, '')
        : isMeant(backend.service, backend.type) && (force || backend.verdict.health !== 'healthy');
    if (wanted) asked++;
    return wanted;
  }, true);
  await nextPass(engine, readModel);
  // A pass does not wait for probes, but this request does.
  await Promise.race([engine.idle, sleep(DISCOVERY_TIMEOUT, undefined, { ref: false })]);
  await nextPass(engine, readModel);
  const now = matchingServices();
  const number = (health: Health): number =>
    now.filter((each) => readModel.healthNow(each) === health).length;
  const changed = now.filter(({ service, verdict }) => before.get(serviceKey(service)) !== verdict.health);
  return {
    services: readModel.services.length,
    asked,
    healthy: number('healthy'),
    unhealthy: number('unhealthy'),
    unknown: number('unknown'),
    changed: changed.length,
  };
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

/**
 * Implements the API on top of the running app.
 * @param running throws ProblemError while the app waits for the cluster
 */
export function createApiService(
  running: () => RunningApp,
  readModel: ReadModel,
  configuration: LiveConfiguration,
  version: string,
  worker: ClientWorker = new ClientWorker(),
  cooldown: Cooldown = new Cooldown(DISCOVERY_INTERVAL),
): Backing {
  /** The documents for the known backends, cached per revision of the read model. */
  let cached:
    | { readonly instance: AppInstance; readonly revision: number; readonly generated: Generated }
    | undefined;
  return {
    readModel,
    version,
    now: () => new Date(),
    types: () => [...running().instance.types].sort(),
    leads: () => running().instance.leader.mayPublish(),
    async generate(services, client) {
      const { instance } = running();
      const { targets, stages } = instance.engine;
      const [{ generation }] = targets;
      const { revision } = readModel;
      if (services === undefined && cached?.revision === revision && cached.instance === instance)
        return cached.generated;
      const options = {
        ...generation,
        // The caller described these services, so MCP servers among them need no approval.
        ...(services === undefined ? {} : ({ mcpPolicy: 'publish' } as const)),
        kinds: toolKinds(stages.rules),
        overrides: approvalsOf(overridesIn(readModel.published?.data[OVERRIDES_KEY])),
      };
      const createTask = async (): Promise<GenerateTask> => ({
        kind: 'generate',
        from:
          services === undefined
            ? await packServices(readModel.services)
            : toDescribedServices(services, instance),
        options,
      });
      try {
        const generated = await worker.generate(createTask, client);
        if (services === undefined) cached = { instance, revision, generated };
        return generated;
      } catch (error) {
        throw toProblem(error, 'The documents were not generated', 'dynamic-toolset generate');
      }
    },
    async check(kind, content, client) {
      try {
        return await worker.check(kind, content, client);
      } catch (error) {
        throw toProblem(error, 'The document was not checked', 'dynamic-toolset validate');
      }
    },
    discover(request) {
      // Throws now if the app is not running, so that the request is answered at once.
      running();
      return cooldown.turn().then(() => rediscover(request, running(), readModel));
    },
    reload: () => configuration.reload(),
  };
}
