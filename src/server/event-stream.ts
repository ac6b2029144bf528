import type { FastifyInstance, FastifyReply } from 'fastify';
import type { View } from '../engine/view.ts';
import { problems } from './described.ts';
import { ProblemError } from './problem.ts';

export interface StreamLimits {
  /** Most clients that listen at a time. */
  readonly listeners: number;
  /** How often something is sent though nothing happens, so that nothing between us takes the connection for dead, in milliseconds. */
  readonly heartbeat: number;
  /** Most bytes that wait for a client that does not read; beyond that it has to come again. */
  readonly waiting: number;
}

export const LIMITS: StreamLimits = { listeners: 50, heartbeat: 15_000, waiting: 64 * 1024 };

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
export function eventStream(
  path: string,
  view: View,
  limits: StreamLimits = LIMITS,
): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    const listeners = new Set<FastifyReply>();
    let id = 0;
    let last = '';
    const send = ({ raw }: FastifyReply, text: string): void => {
      if (raw.writableLength > limits.waiting) raw.destroy();
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
    const forget = view.listen(() => {
      if (listeners.size > 0) look();
    });
    const heartbeat = setInterval(() => {
      for (const listener of listeners) send(listener, ': still here\n\n');
    }, limits.heartbeat).unref();
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
        if (listeners.size >= limits.listeners)
          throw new ProblemError(
            'unavailable',
            `${limits.listeners} clients listen already; try again later.`,
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
