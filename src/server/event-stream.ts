import type { FastifyInstance, FastifyReply } from 'fastify';
import type { View } from '../engine/view.ts';
import { problems } from './described.ts';
import { ProblemError } from './problem.ts';

/** Most clients that listen at a time. */
const MOST_LISTENERS = 50;
/** How often something is sent though nothing happens, so that nothing between us takes the connection for dead. */
const HEARTBEAT = 15_000;
/** Most bytes that wait for a client that does not read; beyond that it has to come again. */
const MOST_WAITING = 64 * 1024;

/** What is told when something changed: enough to know what to ask for. */
function stateOf({ services, published, lastDiscovery, counters }: View): string {
  return JSON.stringify({
    cycle: counters.cycles,
    backends: services.length,
    healthy: services.filter(({ verdict }) => verdict.health === 'healthy').length,
    configMapVersion: published?.version ?? null,
    lastDiscovery: lastDiscovery?.toISOString() ?? null,
  });
}

/**
 * Server-sent events: `state` at once, and whenever discovery or what is published changed.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function eventStream(path: string, view: View): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    const listeners = new Set<FastifyReply>();
    let id = 0;
    let last = '';
    const send = ({ raw }: FastifyReply, text: string): void => {
      if (raw.writableLength > MOST_WAITING) raw.destroy();
      else raw.write(text);
    };
    const frame = (): string => `id: ${id}\nevent: state\ndata: ${last}\n\n`;
    const look = (): void => {
      const state = stateOf(view);
      if (state === last) return;
      last = state;
      id++;
      for (const listener of listeners) send(listener, frame());
    };
    const forget = view.listen(look);
    const heartbeat = setInterval(() => {
      for (const listener of listeners) send(listener, ': still here\n\n');
    }, HEARTBEAT).unref();
    app.addHook('preClose', async () => {
      forget();
      clearInterval(heartbeat);
      for (const { raw } of listeners) raw.end();
    });
    app.get(path, {
      config: { access: { resource: 'events', verb: 'get' } },
      schema: {
        operationId: 'followEvents',
        summary: 'Server-sent events of what changes',
        tags: ['operation'],
        response: {
          200: {
            description: 'Events until one side ends it.',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          ...problems(401, 403, 406, 429, 503),
        },
      },
      handler(request, reply) {
        if (request.accepts().type(['text/event-stream']) === false)
          throw new ProblemError(
            'not-acceptable',
            'Events are text/event-stream; send Accept: text/event-stream.',
          );
        if (listeners.size >= MOST_LISTENERS)
          throw new ProblemError(
            'unavailable',
            `${MOST_LISTENERS} clients listen already; try again later.`,
            {
              headers: { 'retry-after': '30' },
            },
          );
        look();
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
        listeners.add(reply);
        reply.raw.on('close', () => listeners.delete(reply)).on('error', () => {});
        send(reply, frame());
        return reply;
      },
    });
  };
}
