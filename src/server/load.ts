import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';

/** Longest time that the event loop may be late, in milliseconds: requests that come then are sent away. */
const MAX_DELAY = 1_000;

/** Answers 503 while there is more to do than can be done, so that what was begun gets done. Probes are answered. */
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
