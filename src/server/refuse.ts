import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { PROBLEM_TYPE, ProblemError, problemBody } from './problem.ts';

/** Most bytes of a request's headers. */
export const LONGEST_HEADERS = 16 * 1024;
/** How long a peer that was refused has to take the answer, in milliseconds. */
const LINGER = 1_000;

/** One refusal that no request of Fastify stands for. */
export interface Refusal {
  /** As the peer's socket names it; empty where that is not known any more. */
  readonly address: string;
  readonly status: number;
  /** What was wrong, for the log. */
  readonly why: string;
}

/** Called for each refusal. @returns whether it is answered; if not, the connection is closed without a word */
export type Refused = (refusal: Refusal) => boolean;

const addressOf = (socket: Duplex): string =>
  (socket as Duplex & { readonly remoteAddress?: string }).remoteAddress ?? '';

/** The problem that an error of the parser stands for. */
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

/** Answers on a bare connection and closes it, whether the peer takes the answer or not. */
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
  // A peer that never closes its side would keep its place for good.
  setTimeout(() => socket.destroy(), LINGER).unref();
}

/** Answers what Node.js refuses before there is a request: texts that are none, late ones, tunnels. */
export function refuser(refused: Refused): (socket: Duplex, error: NodeJS.ErrnoException) => void {
  return (socket, error) => {
    const handshake = (socket as Partial<TLSSocket> & { readonly secureConnecting?: boolean })
      .secureConnecting;
    if (error.code === 'ECONNRESET' || !socket.writable || handshake === true) {
      socket.destroy();
      return;
    }
    const problem = problemOf(error);
    const told = refused({
      address: addressOf(socket),
      status: problem.status,
      why: error.code ?? 'no request',
    });
    if (told) close(socket, problem);
    else socket.destroy();
  };
}

/** Answers what Node.js would answer without a body, or not at all. */
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
    const problem = new ProblemError('method-not-allowed', 'CONNECT is not taken here.', {
      headers: { allow: allow() },
    });
    if (refused({ address: addressOf(socket), status: problem.status, why: 'CONNECT' }))
      close(socket, problem);
    else socket.destroy();
  });
}
