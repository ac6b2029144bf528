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
    .describe('the last error, while it fails; only for a client whose token may get statistics'),
});

const readyAnswer = z.object({
  status: z.enum(['ready', 'not_ready', 'stopping']),
  checks: z.object({ kubernetes: dependency, configmap: dependency, discovery: dependency }),
});

const healthAnswer = z.object({ status: z.literal('ok') });

/** What a stranger may know of a dependency: its errors name addresses and objects of the cluster. */
const withoutError = ({ status, since }: Dependency): Dependency => ({ status, since });

/**
 * Probes, for everybody: whether the process lives, and whether it is of use. `/healthz` and `/readyz` are the same.
 * @param mayKnow whether a client may know the last error of each check
 */
export function health(
  readModel: ReadModel,
  stopping: () => boolean,
  mayKnow: (request: FastifyRequest) => Promise<boolean>,
): (app: FastifyInstance) => void {
  return (app) => {
    for (const url of ['/health', '/healthz'])
      app.get(url, {
        config: { probe: true },
        schema: {
          operationId: url === '/health' ? 'getHealth' : 'getHealthz',
          summary: 'Whether the process lives',
          tags: ['operation'],
          security: [],
          response: { 200: answer('It lives.', healthAnswer) },
        },
        handler: async (_, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }),
      });
    for (const url of ['/ready', '/readyz'])
      app.get(url, {
        config: { probe: true },
        schema: {
          operationId: url === '/ready' ? 'getReady' : 'getReadyz',
          summary:
            'Whether it is of use: the API server and the ConfigMap can be reached, and a discovery is complete',
          tags: ['operation'],
          security: [],
          response: {
            200: answer('It is of use.', readyAnswer),
            503: answer('It is of no use now; the checks say why.', readyAnswer),
          },
        },
        handler: async (request, reply) => {
          const told = (await mayKnow(request)) ? (check: Dependency) => check : withoutError;
          const checks = Object.entries(readModel.dependencies);
          const ready = Object.values(readModel.ready).every((passed) => passed);
          const status = stopping() ? 'stopping' : ready ? 'ready' : 'not_ready';
          return reply
            .code(status === 'ready' ? 200 : 503)
            .header('cache-control', 'no-store')
            .send({
              status,
              checks: Object.fromEntries(
                checks.map(([name, check]) => [name, { ...told(check), since: check.since.toISOString() }]),
              ),
            });
        },
      });
  };
}
