/**
 * Limits on what Node.js parses. It reads 64 KiB of a connection at once, and would handle the thousands of requests, or of
 * chunks of a body, that fit into them in one turn of the event loop.
 */
import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ProblemError } from './problem.ts';

/**
 * Maximum number of requests on a connection that wait for a response. Clients send one at a time; with TLS, the next one
 * may arrive just before Node.js notices that the response is sent.
 */
export const MAX_PIPELINED = 2;

/**
 * Makes the parser ignore the rest of what it has read. With an error instead, Node.js would copy these up to 64 KiB into it.
 * Source: https://github.com/nodejs/llhttp, return values of `on_headers_complete`
 */
const IGNORE_REST = 2;

/** The parser of a connection, which Node.js does not document. A test fails if it changes. */
interface Parser {
  onIncoming: (request: IncomingMessage, shouldKeepAlive: boolean) => number;
}

/** Number of requests per connection that wait for a response, or got it in this turn of the event loop. */
const waiting = new WeakMap<Duplex, number>();

/** Whether requests of a connection wait for a response. */
export const isWaiting = (socket: Duplex): boolean => (waiting.get(socket) ?? 0) > 0;

/**
 * A response that counts its request while it waits, and until the next turn of the event loop: between requests that arrive
 * together, Node.js runs other callbacks, so each may have its response before the next one is parsed.
 */
export class CountedResponse<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {
  constructor(...options: ConstructorParameters<typeof ServerResponse<R>>) {
    super(...options);
    const [{ socket }] = options;
    waiting.set(socket, (waiting.get(socket) ?? 0) + 1);
    const answered = (): void => void waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
    this.once('close', () => setImmediate(answered));
  }
}

/** Why the parser of a connection was stopped. */
const stopped = new WeakMap<Duplex, ProblemError>();

/** The reason for which a connection was stopped; `undefined` if it was not. */
export const stoppedBy = (socket: Duplex): ProblemError | undefined => stopped.get(socket);

function problemOf({ headers }: IncomingMessage, socket: Socket): ProblemError | undefined {
  if ((waiting.get(socket) ?? 0) >= MAX_PIPELINED)
    return new ProblemError(
      'too-many-requests',
      `More than ${MAX_PIPELINED} requests of the connection wait for a response; send one at a time.`,
    );
  if (headers['transfer-encoding'] !== undefined)
    return new ProblemError(
      'length-required',
      'The body comes in chunks; send it whole, with its Content-Length.',
    );
  return undefined;
}

/**
 * Limits how many requests of a connection wait for a response, and allows no bodies in chunks.
 * @param server creates `CountedResponse`
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-6.3 on the required length
 */
export function limitParsing(server: Server): void {
  const limit = (socket: Socket & { readonly parser?: Parser | null }): void => {
    const { parser } = socket;
    if (parser == null) return;
    const { onIncoming } = parser;
    parser.onIncoming = (request, shouldKeepAlive) => {
      const problem = problemOf(request, socket);
      if (problem === undefined) return onIncoming(request, shouldKeepAlive);
      stopped.set(socket, problem);
      process.nextTick(() => server.emit('clientError', problem, socket));
      return IGNORE_REST;
    };
  };
  server.on('connection', limit).on('secureConnection', limit);
}
