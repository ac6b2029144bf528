import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../controller/engine.ts';
import { toolKinds } from '../controller/pass.ts';
import type { ReadModel } from '../controller/read-model.ts';
import type { DiscoveredService, Health } from '../model/discovery.ts';
import { type Generated, OVERRIDES_KEY } from '../model/documents.ts';
import { HOME_CLUSTER, partsOf } from '../model/key.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import { approvalsOf } from '../planning/admission.ts';
import { readOverrides } from '../planning/overrides.ts';
import type { Backing, DiscoverRequest, GenerateService } from '../server/api.ts';
import type { DiscoverResult } from '../server/jobs.ts';
import { ProblemError } from '../server/problem.ts';
import type { Assembly } from './assembly.ts';
import { type DescribedServices, type GenerateQuestion, packRules, packServices } from './generate-apart.ts';
import type { LiveConfiguration } from './live-configuration.ts';
import { CheckRefused, TextChecks } from './text-checks.ts';

/** A Service whose owner says what it is: what a client describes counts as that. */
function annotated({ name, namespace, type, endpoint }: GenerateService): Service | undefined {
  const url = URL.parse(endpoint);
  const port = url?.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url?.port ?? 0);
  if (port === 0) return undefined;
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
 * The Services that a client describes, ready to be detected.
 * @throws ProblemError where an endpoint is no URL that anybody could call
 */
function described(services: readonly GenerateService[], { engine }: Assembly): DescribedServices {
  const { rules, detection } = engine.stages;
  const read = services.map(annotated);
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

const REFUSALS = { client: 'too-many-requests', busy: 'unavailable', costly: 'document-too-costly' } as const;

/** What the worker did not do, as the answer tells it. @param failed such as `The document was not checked` */
function refusedWork(error: unknown, failed: string): unknown {
  if (!(error instanceof CheckRefused)) return error;
  const { reason, message } = error;
  return new ProblemError(REFUSALS[reason], `${failed}: ${message}.`, {
    headers: reason === 'costly' ? {} : { 'retry-after': '1' },
  });
}

/** What people wrote; nothing where that cannot be read. */
function overridesIn(text: string | undefined): Overrides {
  const read = readOverrides(text);
  return 'value' in read ? read.value : NO_OVERRIDES;
}

/** What works now. */
export interface Working {
  readonly assembly: Assembly;
  readonly engine: Engine;
}

/** Longest time that a discovery is waited for, in milliseconds. */
const LONGEST_DISCOVERY = 120_000;

const healths = (readModel: ReadModel): ReadonlyMap<ServiceKey, Health> =>
  new Map(readModel.services.map(({ service, verdict }) => [serviceKey(service), verdict.health]));

/** Asks backends anew, and waits for the pass that does. */
async function rediscover(
  { namespaces, serviceTypes, force = true }: DiscoverRequest,
  { assembly: { prober }, engine }: Working,
  readModel: ReadModel,
): Promise<DiscoverResult> {
  const isMeant = ({ namespace }: { readonly namespace: string }, type: string): boolean =>
    (namespaces === undefined || namespaces.includes(namespace)) &&
    (serviceTypes === undefined || serviceTypes.includes(type));
  const meant = (): readonly DiscoveredService[] =>
    readModel.services.filter(({ service, type }) => isMeant(service, type));
  const before = healths(readModel);
  const known = new Map(readModel.services.map((each) => [serviceKey(each.service), each]));
  let asked = 0;
  prober.touchAll((key) => {
    const backend = known.get(key);
    const wanted =
      backend === undefined
        ? serviceTypes === undefined && isMeant({ namespace: partsOf(key).namespace }, '')
        : isMeant(backend.service, backend.type) && (force || backend.verdict.health !== 'healthy');
    if (wanted) asked++;
    return wanted;
  }, true);
  await nextPass(engine, readModel);
  // A discovery run waits for no probe; who asks for all of them does.
  await Promise.race([engine.idle, sleep(LONGEST_DISCOVERY, undefined, { ref: false })]);
  await nextPass(engine, readModel);
  const now = meant();
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

/** Begins a pass, and waits for its end. @throws Error where that takes too long */
async function nextPass(engine: Engine, readModel: ReadModel): Promise<void> {
  const { cycle } = engine;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const forget = readModel.subscribe(() => {
    if (readModel.cycle > cycle) resolve();
  });
  const late = setTimeout(
    () => reject(new Error('the discovery is not complete yet; GET /ready shows what is wrong')),
    LONGEST_DISCOVERY,
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
 * What the API has done, by the parts that work now.
 * @param working throws ProblemError while there are none
 */
export function backingOf(
  working: () => Working,
  readModel: ReadModel,
  configuration: LiveConfiguration,
  version: string,
  checks: TextChecks = new TextChecks(),
): Backing {
  /** The documents for the backends that are known, made once for each state of the read model. */
  let known:
    | { readonly assembly: Assembly; readonly revision: number; readonly generated: Generated }
    | undefined;
  return {
    readModel,
    version,
    now: () => new Date(),
    types: () => [...working().assembly.types].sort(),
    leads: () => working().assembly.leader.mayPublish(),
    async generate(services, client) {
      const { assembly } = working();
      const { generation, stages } = assembly.engine;
      const { revision } = readModel;
      if (services === undefined && known?.revision === revision && known.assembly === assembly)
        return known.generated;
      const options = {
        ...generation,
        // Who describes Services vouches for them.
        ...(services === undefined ? {} : ({ mcpPolicy: 'publish' } as const)),
        kinds: toolKinds(stages.rules),
        overrides: approvalsOf(overridesIn(readModel.published?.data[OVERRIDES_KEY])),
      };
      const question = async (): Promise<GenerateQuestion> => ({
        kind: 'generate',
        from: services === undefined ? await packServices(readModel.services) : described(services, assembly),
        options,
      });
      try {
        const generated = await checks.generate(question, client);
        if (services === undefined) known = { assembly, revision, generated };
        return generated;
      } catch (error) {
        throw refusedWork(error, 'The documents were not generated');
      }
    },
    async check(kind, content, client) {
      try {
        return await checks.check(kind, content, client);
      } catch (error) {
        throw refusedWork(error, 'The document was not checked');
      }
    },
    discover: (request) => rediscover(request, working(), readModel),
    reload: () => configuration.reload(),
  };
}
