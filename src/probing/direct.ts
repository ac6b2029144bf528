import http, { type ClientRequest, type RequestOptions } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { readStart } from '../kubernetes/response.ts';
import type { Endpoint } from '../model/discovery.ts';
import { oneLine } from '../model/text.ts';
import { type ConnectTo, createGuard, type Guard, openConnection } from './connect.ts';
import {
  type Answer,
  type Ask,
  FAULT_AT,
  type Fetch,
  limitOf,
  type Phase,
  ProbeFailure,
  reached,
} from './fetch.ts';

/** Most bytes of headers that are read, and most headers. */
const HEADER_LIMIT = 16 * 1024;
const HEADER_COUNT = 100;

/** Most answers of status 1xx before the answer itself: a server that needs more never comes to the point. */
const INFORMATIONAL = 3;

/** How many bytes may come for each byte that is read of a body: headers, framing and a TLS handshake fit in that. */
const OVERHEAD = 2;

/**
 * TLS as probes speak it. A backend's certificate is seldom signed by an authority this process knows, and nothing secret
 * is sent, so it is not verified. Key exchange over finite fields is left out: there the server says how large the numbers
 * are that this process computes with.
 */
const TLS = { rejectUnauthorized: false, ciphers: 'DEFAULT:!DHE' };

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed without an answer',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to it',
  ETIMEDOUT: 'no connection in time',
  HPE_HEADER_OVERFLOW: 'its headers are larger than 16 KiB',
};

/** A failed connection in words for a person. */
export function failureOf(error: unknown, phase: Phase): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new ProbeFailure(WORDS[code ?? ''] ?? oneLine(message ?? String(error), 160), FAULT_AT[phase], {
    cause: error,
  });
}

/** Speaks TLS on a connection. An address is no server name (RFC 6066, section 3). */
function secured(socket: Duplex, { host }: Endpoint): TLSSocket {
  const servername = isIP(host.replace(/^\[(.*)\]$/, '$1')) === 0 ? host : '';
  return connect({ ...TLS, socket, servername });
}

function optionsOf({ host, port }: Endpoint, ask: Ask): RequestOptions {
  return {
    path: ask.path,
    method: ask.method ?? 'GET',
    headers: {
      host: `${host}:${port}`,
      accept: '*/*',
      'accept-encoding': 'identity',
      'user-agent': 'dynamic-toolset',
      ...ask.headers,
      ...(ask.body === undefined ? {} : { 'content-length': Buffer.byteLength(ask.body) }),
    },
    maxHeaderSize: HEADER_LIMIT,
  };
}

/** Gives up a server that sends one answer of 1xx after the other, and one that would rather speak another protocol. */
function refuseDetours(request: ClientRequest, fail: (failure: ProbeFailure) => void): void {
  let informational = 0;
  request.on('information', () => {
    informational++;
    if (informational > INFORMATIONAL)
      fail(new ProbeFailure(`it sent more than ${INFORMATIONAL} answers of 1xx and no other`, 'protocol'));
  });
  request.on('upgrade', () => fail(new ProbeFailure('it wants to speak another protocol', 'protocol')));
}

/**
 * The route `direct`: connects to the backend itself. Redirects are not followed, bodies are cut and never
 * decompressed, no credentials are sent, and an address that a name resolves to is checked before it is used.
 */
export function directFetch(connectTo: ConnectTo, guard: Guard = createGuard()): Fetch {
  return async ({ endpoint }, ask, signal, progress = {}) => {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const limit = limitOf(ask);
    let phase: Phase = 'resolving';
    const at = (now: Phase): void => {
      phase = now;
      reached(progress, now);
    };
    const socket = openConnection(endpoint, connectTo, guard, OVERHEAD * limit, at, progress);
    const fail = (error: unknown): void => {
      reject(signal.aborted ? signal.reason : failureOf(error, phase));
      socket.destroy();
    };
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', fail);
    const stream =
      endpoint.scheme === 'https'
        ? secured(socket, endpoint)
            .on('error', fail)
            .on('secureConnect', () => at('asking'))
        : socket;
    const request = http.request({ ...optionsOf(endpoint, ask), createConnection: () => stream });
    request.maxHeadersCount = HEADER_COUNT;
    refuseDetours(request, fail);
    let answered = false;
    request.on('error', fail);
    request.on('close', () => {
      if (!answered) fail(new ProbeFailure(WORDS.ECONNRESET ?? '', FAULT_AT[phase]));
    });
    request.on('response', (response) => {
      answered = true;
      readStart(response, limit, ask.enough)
        .then((body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
        .catch(fail)
        .finally(() => socket.destroy());
    });
    request.end(ask.body);
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  };
}
