import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { isWaiting, stoppedBy } from './parser-limits.ts';
import { PROBLEM_TYPE, ProblemError, problemBody } from './problem.ts';

/** Maximum size of a request's headers, in bytes. */
export const LONGEST_HEADERS = 16 * 1024;
/** How long a rejected connection stays, in milliseconds: the client reads the response meanwhile. */
const LINGER = 1_000;

/** A rejection outside of Fastify's requests. */
export interface Refusal {
  /** Address of the client; empty if it is no longer known. */
  readonly address: string;
  readonly status: number;
  /** The reason, for the log. */
  readonly why: string;
}

/** Called for each rejection. @returns whether to respond; if not, the connection is closed without a response */
export type Refused = (refusal: Refusal) => boolean;

const addressOf = (socket: Duplex): string =>
  (socket as Duplex & { readonly remoteAddress?: string }).remoteAddress ?? '';

/** The problem for an error of the parser. */
function problemOf({ code }: NodeJS.ErrnoException): ProblemError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ProblemError('request-timeout', 'The request did not arrive in time; send it again.');
    case 'HPE_HEADER_OVERFLOW':
      return new ProblemError(
        'headers-too-large',
        `The headers are over ${LONGEST_HEADERS} bytes; send less.`,
      );
    default:
      return new ProblemError('invalid-request', 'This is not a request of HTTP/1.1.');
  }
}

/** Responds on a bare connection and closes it, even if the client does not read the response. */
function close(socket: Duplex, problem: ProblemError): void {
  const body = JSON.stringify(problemBody(problem, '', randomUUID()));
  const headers = Object.entries({
    connection: 'close',
    'content-type': PROBLEM_TYPE,
    'content-length': String(Buffer.byteLength(body)),
    ...problem.headers,
  });
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${problem.status} Refused\r\n${lines}\r\n${body}`);
  // A client that never closes its side would keep the connection open.
  setTimeout(() => socket.destroy(), LINGER).unref();
}

/** Connections from which nothing more is read. */
const lingering = new WeakSet<Duplex>();

/** Reads nothing more of a connection, and closes it later. */
function linger(socket: Duplex): void {
  lingering.add(socket);
  socket.pause();
  setTimeout(() => socket.destroy(), LINGER).unref();
}

/** Responds to errors before there is a request: malformed or late ones, and tunnels. */
export function refuser(refused: Refused): (socket: Duplex, error: NodeJS.ErrnoException) => void {
  return (socket, error) => {
    // What was read already may cause further errors.
    if (lingering.has(socket)) return;
    const handshake = (socket as Partial<TLSSocket> & { readonly secureConnecting?: boolean })
      .secureConnecting;
    if (error.code === 'ECONNRESET' || !socket.writable || handshake === true) {
      socket.destroy();
      return;
    }
    const stop = stoppedBy(socket);
    const problem = stop ?? problemOf(error);
    const responds = refused({
      address: addressOf(socket),
      status: problem.status,
      why: stop?.kind ?? error.code ?? 'no request',
    });
    // If a complete request waits, the client would take this for the response to it.
    const isIncomplete = problem.kind === 'request-timeout';
    if (responds && (isIncomplete || !isWaiting(socket))) close(socket, problem);
    else if (stop === undefined) socket.destroy();
    // A client that floods us could connect again at once.
    if (stop !== undefined) linger(socket);
  };
}

/** Responds where Node.js would send no body, or nothing. */
export function refuseOddities(server: Server, allow: () => string, refused: Refused): void {
  server.on('checkExpectation', ({ socket, url = '' }: IncomingMessage, response: ServerResponse) => {
    const problem = new ProblemError(
      'expectation-failed',
      'Only Expect: 100-continue can be met; leave it out.',
    );
    if (!refused({ address: addressOf(socket), status: problem.status, why: 'unknown expectation' })) {
      socket.destroy();
      return;
    }
    const body = JSON.stringify(problemBody(problem, url, randomUUID()));
    response
      .writeHead(problem.status, {
        'content-type': PROBLEM_TYPE,
        'content-length': Buffer.byteLength(body),
        connection: 'close',
      })
      .end(body);
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => {});
    const problem = new ProblemError('method-not-allowed', 'CONNECT is not supported.', {
      headers: { allow: allow() },
    });
    if (refused({ address: addressOf(socket), status: problem.status, why: 'CONNECT' }))
      close(socket, problem);
    else socket.destroy();
  });
}
