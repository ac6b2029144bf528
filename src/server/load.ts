import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';

/** Maximum delay of the event loop, in milliseconds. Beyond it, requests are rejected. */
const MAX_DELAY = 1_000;

/** Responds with 503 while the event loop is overloaded, so that running requests complete. Probes are exempt. */
export async function shedLoad(app: FastifyInstance): Promise<void> {
  await app.register(underPressure, {
    maxEventLoopDelay: MAX_DELAY,
    retryAfter: 5,
    exposeStatusRoute: false,
    pressureHandler: (request, _reply, type, value) => {
      if (request.routeOptions.config.probe === true) return;
      throw Object.assign(new Error(`under pressure: ${type} ${value ?? ''}`), { statusCode: 503 });
    },
  });
}
