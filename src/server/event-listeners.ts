import type { FastifyReply, FastifyRequest } from 'fastify';
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

/** One open stream. */
interface Listener {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly client: string;
  /** Its permission is being reviewed. */
  isInReview: boolean;
}

const later = (detail: string): ProblemError =>
  new ProblemError('unavailable', detail, { headers: { 'retry-after': '30' } });

/** The open event streams of all clients. */
export class EventListeners {
  readonly #limits: StreamLimits;
  readonly #open = new Set<Listener>();

  constructor(limits: StreamLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Makes room for another stream of a client. @throws ProblemError if it has too many, or if there is no room */
  makeRoom(client: string): void {
    const { listeners, perClient } = this.#limits;
    const own = [...this.#open].filter((each) => each.client === client).length;
    if (own >= perClient)
      throw later(`Your client (${client}) has ${perClient} event streams already; close one of them.`);
    if (this.#open.size >= listeners && !this.#endOneOfTheMost(own))
      throw later(`${listeners} event streams are open already; try again later.`);
  }

  /** Ends the oldest stream of a client with the most, unless that is as few as the new one's client will have. */
  #endOneOfTheMost(own: number): boolean {
    const [most = []] = [...Map.groupBy(this.#open, ({ client }) => client).values()].sort(
      (a, b) => b.length - a.length,
    );
    const [oldest] = most;
    if (oldest === undefined || most.length <= own + 1) return false;
    this.#open.delete(oldest);
    oldest.reply.raw.end();
    return true;
  }

  /** Adds a stream, whose headers are sent, and sends it a first text. */
  add(request: FastifyRequest, reply: FastifyReply, client: string, text: string): void {
    const listener: Listener = { request, reply, client, isInReview: false };
    this.#open.add(listener);
    reply.raw.on('close', () => this.#open.delete(listener)).on('error', () => {});
    // The server allows half-open connections, and nothing else would end the stream of a client that is gone.
    request.raw.socket.once('end', () => reply.raw.destroy());
    this.#send(listener, text);
  }

  send(text: string): void {
    for (const listener of this.#open) this.#send(listener, text);
  }

  #send({ reply: { raw } }: Listener, text: string): void {
    if (raw.writableLength > this.#limits.waiting) raw.destroy();
    else raw.write(text);
  }

  /** Ends the streams whose requests are no longer permitted, or whose permission cannot be reviewed. */
  review(permitted: (request: FastifyRequest) => Promise<boolean>): void {
    for (const listener of this.#open) if (!listener.isInReview) void this.#review(listener, permitted);
  }

  async #review(listener: Listener, permitted: (request: FastifyRequest) => Promise<boolean>): Promise<void> {
    listener.isInReview = true;
    const may = await permitted(listener.request).catch(() => false);
    listener.isInReview = false;
    if (!may) listener.reply.raw.end();
  }

  end(): void {
    for (const { reply } of this.#open) reply.raw.end();
  }
}
