import http, { type ClientRequest, type RequestOptions } from 'node:http';
import { readStart } from '../kubernetes/response.ts';
import type { Endpoint } from '../model/discovery.ts';
import { displayNamespace } from '../model/key.ts';
import { createPacer } from '../model/pacer.ts';
import { oneLine } from '../model/text.ts';
import { handshakeRefusal, responseRefusal } from './client-certificate.ts';
import { type AddressGuard, type ConnectTo, createGuard, openConnection } from './connect.ts';
import {
  bodyLimitOf,
  FAULT_BY_PHASE,
  type Fetch,
  type Phase,
  ProbeFailure,
  type ProbeRequest,
  type ProbeResponse,
  recordPhase,
} from './fetch.ts';
import { certificatesOf, startTls, type TlsFor } from './tls.ts';

/** Maximum bytes of headers, and maximum number of headers. */
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_HEADERS = 100;

/** Maximum informational responses (1xx) before the final one. */
const MAX_INFORMATIONAL = 3;

/** Bytes to receive for each byte of the body limit, which leaves room for headers, framing and a TLS handshake. */
const OVERHEAD_FACTOR = 2;

/** All TLS handshakes of this process, by namespace. */
const paceHandshake = createPacer();

const FAILURE_MESSAGES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed without an answer',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'no route to host',
  ETIMEDOUT: 'no connection in time',
  HPE_HEADER_OVERFLOW: 'its headers are larger than 16 KiB',
};

/** Converts a connection error to a failure with a readable message. */
export function toProbeFailure(error: unknown, phase: Phase): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (/alert protocol version/.test(message))
    return new ProbeFailure('it supports TLS 1.3 only, and probes use TLS 1.2', 'unreachable', {
      cause: error,
    });
  return new ProbeFailure(
    FAILURE_MESSAGES[code ?? ''] ?? oneLine(message ?? String(error), 160),
    FAULT_BY_PHASE[phase],
    {
      cause: error,
    },
  );
}

function optionsOf({ host, port }: Endpoint, ask: ProbeRequest): RequestOptions {
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
    maxHeaderSize: MAX_HEADER_BYTES,
  };
}

/** Fails on too many informational responses, and on a protocol upgrade. */
function rejectDetours(request: ClientRequest, fail: (failure: ProbeFailure) => void): void {
  let informational = 0;
  request.on('information', () => {
    informational++;
    if (informational > MAX_INFORMATIONAL)
      fail(
        new ProbeFailure(
          `it sent more than ${MAX_INFORMATIONAL} responses of status 1xx and no final one`,
          'protocol',
        ),
      );
  });
  request.on('upgrade', () => fail(new ProbeFailure('it asked for a protocol upgrade', 'protocol')));
}

/**
 * The route `direct`: connects to the backend itself. It follows no redirects, truncates bodies, never decompresses,
 * sends no credentials except a client certificate that is configured for the backend, and checks the address that a name
 * resolves to.
 */
export function directFetch(
  connectTo: ConnectTo,
  guard: AddressGuard = createGuard(),
  tlsFor: TlsFor = () => undefined,
): Fetch {
  return async (candidate, ask, signal, progress = {}) => {
    const { endpoint, service } = candidate;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<ProbeResponse>();
    const limit = bodyLimitOf(ask);
    let phase: Phase = 'resolving';
    const at = (now: Phase): void => {
      phase = now;
      recordPhase(progress, now);
    };
    const isSecure = endpoint.scheme === 'https';
    const given = isSecure ? tlsFor(candidate) : undefined;
    const socket = openConnection(endpoint, {
      connectTo,
      guard,
      isElsewhere: service.type === 'ExternalName',
      budget: OVERHEAD_FACTOR * limit,
      onPhase: at,
      progress,
      ...(isSecure ? { pace: (forward) => paceHandshake(displayNamespace(service), forward) } : {}),
    });
    const fail = (error: unknown): void => {
      const refused =
        phase === 'securing' && socket.asksForCertificate
          ? handshakeRefusal(error, candidate, given)
          : undefined;
      reject(signal.aborted ? signal.reason : (refused ?? toProbeFailure(error, phase)));
      socket.destroy();
    };
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', fail);
    const tls = isSecure ? startTls(socket, endpoint, given) : undefined;
    tls?.on('error', fail).on('secureConnect', () => {
      socket.secured();
      progress.certificate = certificatesOf(tls, socket, given);
      at('requesting');
    });
    const stream = tls ?? socket;
    const request = http.request({ ...optionsOf(endpoint, ask), createConnection: () => stream });
    request.maxHeadersCount = MAX_HEADERS;
    rejectDetours(request, fail);
    let answered = false;
    request.on('error', fail);
    request.on('close', () => {
      if (!answered) fail(new ProbeFailure(FAILURE_MESSAGES.ECONNRESET ?? '', FAULT_BY_PHASE[phase]));
    });
    request.on('response', (response) => {
      answered = true;
      readStart(response, limit, ask.enough)
        .then((body) => {
          const answer = { status: response.statusCode ?? 0, headers: response.headers, body };
          const refusal = socket.asksForCertificate ? responseRefusal(answer, candidate, given) : undefined;
          if (refusal === undefined) resolve(answer);
          else fail(refusal);
        })
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
