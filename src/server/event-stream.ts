import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ReadModel } from '../controller/read-model.ts';
import type { Access } from './access.ts';
import { clientOf } from './client.ts';
import { problems } from './described.ts';
import { EventListeners, type StreamLimits } from './event-listeners.ts';
import { ProblemError } from './problem.ts';

export const LIMITS: StreamLimits = {
  listeners: 50,
  perClient: 5,
  review: 1_000,
  heartbeat: 15_000,
  waiting: 64 * 1024,
};

/** The permission to connect. */
const ACCESS: Access = { resource: 'events', verb: 'get' };

const SCHEMA = {
  operationId: 'followEvents',
  summary: 'Stream changes as server-sent events',
  tags: ['operation'],
  response: {
    200: {
      description:
        'A stream of `state` events: one at once, then one after each change of discovery or of the published documents.',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    },
    ...problems(401, 403, 406, 429, 503),
  },
};

/** The content of an event: enough to decide what to request again. */
function stateOf({ services, published, lastDiscovery, counters }: ReadModel): string {
  return JSON.stringify({
    cycle: counters.cycles,
    backends: services.length,
    healthy: services.filter(({ verdict }) => verdict.health === 'healthy').length,
    configMapVersion: published?.version ?? null,
    lastDiscovery: lastDiscovery?.toISOString() ?? null,
  });
}

/**
 * Server-sent events: `state` at once, and after each change of the discovery or publication. A stream ends with its
 * permission: when the token expires or is revoked, or can no longer be verified.
 * @param permitted whether the request currently has a permission
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function eventStream(
  path: string,
  readModel: ReadModel,
  permitted: (request: FastifyRequest, access: Access) => Promise<boolean>,
  limits: StreamLimits = LIMITS,
): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    const listeners = new EventListeners(limits);
    let id = 0;
    let last = '';
    const frame = (): string => `id: ${id}\nevent: state\ndata: ${last}\n\n`;
    const sendChange = (): void => {
      const state = stateOf(readModel);
      if (state === last) return;
      last = state;
      id++;
      listeners.send(frame());
    };
    const forget = readModel.subscribe(() => {
      if (listeners.size > 0) sendChange();
    });
    const heartbeat = setInterval(() => listeners.send(': still here\n\n'), limits.heartbeat).unref();
    const reviews = setInterval(
      () => listeners.review((request) => permitted(request, ACCESS)),
      limits.review,
    ).unref();
    app.addHook('preClose', async () => {
      forget();
      clearInterval(heartbeat);
      clearInterval(reviews);
      listeners.end();
    });
    app.get(path, {
      config: { access: ACCESS },
      schema: SCHEMA,
      handler(request, reply) {
        if (request.accepts().type(['text/event-stream']) === false)
          throw new ProblemError(
            'not-acceptable',
            'Events are text/event-stream; send Accept: text/event-stream.',
          );
        const client = clientOf(request);
        listeners.makeRoom(client);
        sendChange();
        reply.hijack();
        reply.raw.writeHead(200, {
          ...(reply.getHeaders() as Record<string, string>),
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          connection: 'keep-alive',
        });
        if (request.method === 'HEAD') {
          reply.raw.end();
          return reply;
        }
        listeners.add(request, reply, client, frame());
        return reply;
      },
    });
  };
}
