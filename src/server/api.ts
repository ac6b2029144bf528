import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from '../telemetry/logger.ts';
import type { Access } from './access.ts';
import type { ApiService } from './api/api-service.ts';
import { discoveryRoutes } from './api/discoveries.ts';
import { generateRoutes } from './api/generate.ts';
import { reloadRoutes } from './api/reload.ts';
import { type ApiContext, PATH } from './api/route.ts';
import { serviceRoutes } from './api/services.ts';
import { statisticsRoutes } from './api/statistics.ts';
import { toolsetRoutes } from './api/toolsets.ts';
import { validateRoutes } from './api/validate.ts';
import { eventStream } from './event-stream.ts';
import { mustAcceptJson, ResponseCache } from './response-cache.ts';
import { Toolsets } from './toolsets.ts';

export type { ApiService as Backing } from './api/api-service.ts';
export type { DiscoverRequest } from './api/discovery-schemas.ts';
export type { GenerateAnswer, GenerateService } from './api/generate-schemas.ts';

/** The groups of routes with JSON responses, in the order of the API's description. */
const GROUPS = [
  toolsetRoutes,
  serviceRoutes,
  generateRoutes,
  validateRoutes,
  discoveryRoutes,
  statisticsRoutes,
  reloadRoutes,
];

/**
 * The API: reads from the in-memory read model, and starts actions. Its caller adds authentication.
 * @param permitted whether a request currently has a permission
 */
export function api(
  service: ApiService,
  log: Logger,
  permitted: (request: FastifyRequest, access: Access) => Promise<boolean>,
): (app: FastifyInstance) => Promise<void> {
  const { readModel } = service;
  const context: ApiContext = {
    service,
    log,
    ready: new ResponseCache(() => readModel.revision),
    toolsets: new Toolsets(readModel),
  };
  return async (app) => {
    await app.register(async (json) => {
      json.addHook('preHandler', async (request) => mustAcceptJson(request));
      for (const addRoutes of GROUPS) addRoutes(json, context);
    });
    await app.register(eventStream(`${PATH}/events`, readModel, permitted));
  };
}
