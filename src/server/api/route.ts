/** Shared parts of the API's routes. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from '../../telemetry/logger.ts';
import { problems } from '../described.ts';
import type { ResponseCache } from '../response-cache.ts';
import type { Toolsets } from '../toolsets.ts';
import type { ApiService } from './api-service.ts';

/** The dependencies of routes. */
export interface ApiContext {
  readonly service: ApiService;
  readonly log: Logger;
  /** Responses that are computed once per state of the read model. */
  readonly ready: ResponseCache;
  readonly toolsets: Toolsets;
}

/** Adds a group of routes. */
export type Routes = (app: FastifyInstance, context: ApiContext) => void;

/** Path prefix of all routes. */
export const PATH = '/api/v1';

/** Problems of any request. */
export const COMMON_PROBLEMS = problems(400, 401, 403, 406, 429, 503);

/** Further problems of requests with a body. */
export const BODY_PROBLEMS = problems(413, 415);

export const queryOf = (request: FastifyRequest): Record<string, string> =>
  request.query as Record<string, string>;

export const iso = (time: Date | undefined): string | null => time?.toISOString() ?? null;
