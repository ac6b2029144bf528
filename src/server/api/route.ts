/** What the routes of the API have in common. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from '../../telemetry/logger.ts';
import { problems } from '../described.ts';
import type { ResponseCache } from '../response-cache.ts';
import type { Toolsets } from '../toolsets.ts';
import type { ApiService } from './api-service.ts';

/** All that routes answer from. */
export interface ApiContext {
  readonly service: ApiService;
  readonly log: Logger;
  /** Answers that are made once for each state of the read model. */
  readonly ready: ResponseCache;
  readonly toolsets: Toolsets;
}

/** Adds a group of routes. */
export type Routes = (app: FastifyInstance, context: ApiContext) => void;

/** Path of the API; each route is below it. */
export const PATH = '/api/v1';

/** Problems that every request may meet. */
export const ASKED = problems(400, 401, 403, 406, 429, 503);

/** Problems that a request with a body may meet as well. */
export const SENT = problems(413, 415);

export const queryOf = (request: FastifyRequest): Record<string, string> =>
  request.query as Record<string, string>;

/** Who sends the request, where each client has one at a time. */
export const clientOf = ({ caller, ip }: FastifyRequest): string => caller?.username ?? ip;

export const iso = (time: Date | undefined): string | null => time?.toISOString() ?? null;
