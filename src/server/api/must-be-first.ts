import type { FastifyRequest } from 'fastify';
import { clientOf } from '../client.ts';
import type { ApiService } from './api-service.ts';

/** Bodies below this size are read in any case, in bytes: a request without services may have an answer that all share. */
const SMALL_BODY_BYTES = 1_024;

/**
 * Rejects the request of a client that has another one in progress, before its body is read.
 * @throws ProblemError
 */
export function mustBeFirst(service: Pick<ApiService, 'mustBeFirst'>, request: FastifyRequest): void {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  if (encoding !== undefined || Number(length) > SMALL_BODY_BYTES) service.mustBeFirst(clientOf(request));
}
