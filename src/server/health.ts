import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { Dependency, ReadModel } from '../controller/read-model.ts';
import { answer } from './described.ts';
import { time } from './schema-parts.ts';

const dependency = z.object({
  status: z.enum(['ok', 'failing', 'waiting']),
  since: time,
  error: z
    .string()
    .optional()
    .describe('The last error, while the check fails; only for clients with permission to get statistics.'),
});

const readyAnswer = z.object({
  status: z.enum(['ready', 'not_ready', 'stopping']),
  checks: z.object({ kubernetes: dependency, configmap: dependency, discovery: dependency }),
});

const healthAnswer = z.object({ status: z.literal('ok') });

/** Hides the error from unauthenticated clients: it names addresses and objects of the cluster. */
const withoutError = ({ status, since }: Dependency): Dependency => ({ status, since });

/**
 * Public probes for liveness and readiness. `/healthz` and `/readyz` are the same.
 * @param maySeeErrors whether a client may see the last error of each check
 */
export function health(
  readModel: ReadModel,
  stopping: () => boolean,
  maySeeErrors: (request: FastifyRequest) => Promise<boolean>,
): (app: FastifyInstance) => void {
  return (app) => {
    for (const url of ['/health', '/healthz'])
      app.get(url, {
        config: { probe: true },
        schema: {
          operationId: url === '/health' ? 'getHealth' : 'getHealthz',
          summary: 'Liveness probe',
          tags: ['operation'],
          security: [],
          response: { 200: answer('The process is alive.', healthAnswer) },
        },
        handler: async (_, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }),
      });
    for (const url of ['/ready', '/readyz'])
      app.get(url, {
        config: { probe: true },
        schema: {
          operationId: url === '/ready' ? 'getReady' : 'getReadyz',
          summary: 'Readiness probe',
          tags: ['operation'],
          security: [],
          response: {
            200: answer(
              'Ready: the API server and the ConfigMap are reachable, and a discovery is complete.',
              readyAnswer,
            ),
            503: answer('Not ready; the checks show why.', readyAnswer),
          },
        },
        handler: async (request, reply) => {
          const visible = (await maySeeErrors(request)) ? (check: Dependency) => check : withoutError;
          const checks = Object.entries(readModel.dependencies);
          const ready = Object.values(readModel.ready).every((passed) => passed);
          const status = stopping() ? 'stopping' : ready ? 'ready' : 'not_ready';
          return reply
            .code(status === 'ready' ? 200 : 503)
            .header('cache-control', 'no-store')
            .send({
              status,
              checks: Object.fromEntries(
                checks.map(([name, check]) => [
                  name,
                  { ...visible(check), since: check.since.toISOString() },
                ]),
              ),
            });
        },
      });
  };
}
