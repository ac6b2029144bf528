import { toolKinds } from '../controller/pass.ts';
import type { ReadModel } from '../controller/read-model.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { isHost } from '../model/host-name.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import type { Service } from '../model/service.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import { approvalsOf } from '../planning/admission.ts';
import type { Backing, GenerateService } from '../server/api.ts';
import { ProblemError } from '../server/problem.ts';
import type { AppInstance } from './app-instance.ts';
import { ClientWorker, TaskRejected } from './client-worker.ts';
import type { Cooldown } from './cooldown.ts';
import { type DescribedServices, type GenerateTask, packRules, packServices } from './generate-in-worker.ts';
import type { LiveConfiguration } from './live-configuration.ts';
import { type RunningApp, rediscover } from './rediscover.ts';
import { RequestedDiscoveries } from './requested-discoveries.ts';

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
  cooldown?: Cooldown,
): Backing {
  const discoveries = new RequestedDiscoveries(
    async (requests) => rediscover(requests, running(), readModel),
    cooldown,
  );
  /** The response about the known backends of a revision of the read model, which all requests share. */
  let shared:
    | { readonly instance: AppInstance; readonly revision: number; readonly generated: Promise<Uint8Array> }
    | undefined;
  return {
    readModel,
    version,
    now: () => new Date(),
    types: () => [...running().instance.types].sort(),
    leads: () => running().instance.leader.mayPublish(),
    mustBeFirst(client) {
      try {
        worker.mustBeFirst(client);
      } catch (error) {
        throw toProblem(error, 'The request was not read', '');
      }
    },
    async generate(services, client) {
      const { instance } = running();
      const { targets, stages } = instance.engine;
      const [{ generation }] = targets;
      const { revision } = readModel;
      if (services === undefined && shared?.revision === revision && shared.instance === instance) {
        // If the request of another client was refused, this one may not be.
        const generated = await shared.generated.catch(() => undefined);
        if (generated !== undefined) return generated;
      }
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
        const generated = worker.generate(createTask, client, services?.length ?? readModel.services.length);
        if (services === undefined) shared = { instance, revision, generated };
        return await generated;
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
    discover(request, client) {
      // Throws now if the app is not running, so that the request is answered at once.
      running();
      return discoveries.add(request, client);
    },
    reload: () => configuration.reload(),
  };
}
