import type { FastifyInstance } from 'fastify';
import type { View } from '../engine/view.ts';
import { answer } from './described.ts';
import * as schemas from './schemas.ts';

/** Probes, for everybody: whether the process lives, and whether it is of use. `/healthz` and `/readyz` are the same. */
export function health(view: View, stopping: () => boolean): (app: FastifyInstance) => void {
  return (app) => {
    for (const url of ['/health', '/healthz'])
      app.get(url, {
        config: { probe: true },
        schema: {
          operationId: url === '/health' ? 'getHealth' : 'getHealthz',
          summary: 'Whether the process lives',
          tags: ['operation'],
          security: [],
          response: { 200: answer('It lives.', schemas.healthAnswer) },
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
            200: answer('It is of use.', schemas.readyAnswer),
            503: answer('It is of no use now; the checks say why.', schemas.readyAnswer),
          },
        },
        handler: async (_, reply) => {
          const checks = Object.entries(view.dependencies);
          const ready = Object.values(view.ready).every((passed) => passed);
          const status = stopping() ? 'stopping' : ready ? 'ready' : 'not_ready';
          return reply
            .code(status === 'ready' ? 200 : 503)
            .header('cache-control', 'no-store')
            .send({
              status,
              checks: Object.fromEntries(
                checks.map(([name, check]) => [name, { ...check, since: check.since.toISOString() }]),
              ),
            });
        },
      });
  };
}
