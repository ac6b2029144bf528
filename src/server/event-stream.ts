import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ReadModel } from '../controller/read-model.ts';
import type { Access } from './access.ts';
import { clientOf } from './client.ts';
import { problems } from './described.ts';
import { ProblemError } from './problem.ts';

export interface StreamLimits {
  /** Maximum number of streams. A new one of a client with fewer replaces one of the client with the most. */
  readonly listeners: number;
  /** Maximum per client. */
  readonly perClient: number;
  /**
   * Interval between checks of the permission of each client, in milliseconds. Reviewed tokens are cached for up to ten
   * seconds, so this costs one request per token and ten seconds.
   */
  readonly review: number;
  /** Interval between heartbeats, in milliseconds. They keep proxies from closing an idle connection. */
  readonly heartbeat: number;
  /** Maximum number of bytes that are buffered for a slow client, which is disconnected beyond that. */
  readonly waiting: number;
}

export const LIMITS: StreamLimits = {
  listeners: 50,
  perClient: 5,
  review: 1_000,
  heartbeat: 15_000,
  waiting: 64 * 1024,
};

/** The permission to connect. */
const ACCESS: Access = { resource: 'events', verb: 'get' };

interface Listener {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly client: string;
  /** Its permission is being reviewed. */
  reviewed: boolean;
}

const later = (detail: string): ProblemError =>
  new ProblemError('unavailable', detail, { headers: { 'retry-after': '30' } });

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
    const listeners = new Set<Listener>();
    let id = 0;
    let last = '';
    const send = ({ reply: { raw } }: Listener, text: string): void => {
      if (raw.writableLength > limits.waiting) raw.destroy();
      else raw.write(text);
    };
    const streamsOf = (client: string): Listener[] => [...listeners].filter((each) => each.client === client);
    /** Ends the oldest stream of a client with the most, unless that is as few as the new one's client will have. */
    const makeRoom = (own: number): boolean => {
      const [most = []] = [...Map.groupBy(listeners, ({ client }) => client).values()].sort(
        (a, b) => b.length - a.length,
      );
      const [oldest] = most;
      if (oldest === undefined || most.length <= own + 1) return false;
      listeners.delete(oldest);
      oldest.reply.raw.end();
      return true;
    };
    const frame = (): string => `id: ${id}\nevent: state\ndata: ${last}\n\n`;
    const look = (): void => {
      const state = stateOf(readModel);
      if (state === last) return;
      last = state;
      id++;
      for (const listener of listeners) send(listener, frame());
    };
    const forget = readModel.subscribe(() => {
      if (listeners.size > 0) look();
    });
    const heartbeat = setInterval(() => {
      for (const listener of listeners) send(listener, ': still here\n\n');
    }, limits.heartbeat).unref();
    const review = async (listener: Listener): Promise<void> => {
      listener.reviewed = true;
      const may = await permitted(listener.request, ACCESS).catch(() => false);
      listener.reviewed = false;
      if (!may) listener.reply.raw.end();
    };
    const reviews = setInterval(() => {
      for (const listener of listeners) if (!listener.reviewed) void review(listener);
    }, limits.review).unref();
    app.addHook('preClose', async () => {
      forget();
      clearInterval(heartbeat);
      clearInterval(reviews);
      for (const { reply } of listeners) reply.raw.end();
    });
    app.get(path, {
      config: { access: ACCESS },
      schema: {
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
      },
      handler(request, reply) {
        if (request.accepts().type(['text/event-stream']) === false)
          throw new ProblemError(
            'not-acceptable',
            'Events are text/event-stream; send Accept: text/event-stream.',
          );
        const client = clientOf(request);
        if (streamsOf(client).length >= limits.perClient)
          throw later(
            `Your client (${client}) has ${limits.perClient} event streams already; close one of them.`,
          );
        if (listeners.size >= limits.listeners && !makeRoom(streamsOf(client).length))
          throw later(`${limits.listeners} event streams are open already; try again later.`);
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
        const listener: Listener = { request, reply, client, reviewed: false };
        listeners.add(listener);
        reply.raw.on('close', () => listeners.delete(listener)).on('error', () => {});
        // The server allows half-open connections, and a stream never ends by itself.
        request.raw.socket.once('end', () => reply.raw.destroy());
        send(listener, frame());
        return reply;
      },
    });
  };
}
