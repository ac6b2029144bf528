import { constants } from 'node:crypto';
import http, { type ClientRequest, type RequestOptions } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { readStart } from '../kubernetes/response.ts';
import type { CertificateFault, Endpoint } from '../model/discovery.ts';
import { displayNamespace } from '../model/key.ts';
import { createPacer } from '../model/pacer.ts';
import { oneLine } from '../model/text.ts';
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

/** Maximum bytes of headers, and maximum number of headers. */
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_HEADERS = 100;

/** Maximum informational responses (1xx) before the final one. */
const MAX_INFORMATIONAL = 3;

/** Bytes to receive for each byte of the body limit, which leaves room for headers, framing and a TLS handshake. */
const OVERHEAD_FACTOR = 2;

/**
 * TLS options of probes. Certificates are not verified, because few backends have one of a known authority, and probes
 * send no secrets. Finite-field Diffie-Hellman is disabled, because the server would choose how large the numbers are
 * that this process computes with. TLS 1.3 is disabled, because it encrypts the certificates, which must be checked before
 * OpenSSL reads them, and renegotiation, because it would bring new ones after the handshake.
 */
const TLS_OPTIONS = {
  rejectUnauthorized: false,
  ciphers: 'DEFAULT:!DHE',
  maxVersion: 'TLSv1.2' as const,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
};

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

/** The code with which Node.js reports each fault. @see https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE_CODES: Readonly<Record<string, CertificateFault>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown authority',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'for another host',
};

/**
 * The server's certificate, verified with the public authorities and those in `NODE_EXTRA_CA_CERTS`. Only the code of an
 * error counts, because its message has text from the certificate.
 */
function certificateOf({ authorized, authorizationError }: TLSSocket): 'trusted' | CertificateFault {
  return authorized ? 'trusted' : (CERTIFICATE_CODES[String(authorizationError)] ?? 'invalid');
}

/** Starts TLS on a connection. An IP address is not allowed as a server name (RFC 6066, section 3). */
function startTls(socket: Duplex, { host }: Endpoint): TLSSocket {
  const servername = isIP(host.replace(/^\[(.*)\]$/, '$1')) === 0 ? host : '';
  return connect({ ...TLS_OPTIONS, socket, servername });
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
 * sends no credentials, and checks the address that a name resolves to.
 */
export function directFetch(connectTo: ConnectTo, guard: AddressGuard = createGuard()): Fetch {
  return async ({ endpoint, service }, ask, signal, progress = {}) => {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<ProbeResponse>();
    const limit = bodyLimitOf(ask);
    let phase: Phase = 'resolving';
    const at = (now: Phase): void => {
      phase = now;
      recordPhase(progress, now);
    };
    const isSecure = endpoint.scheme === 'https';
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
      reject(signal.aborted ? signal.reason : toProbeFailure(error, phase));
      socket.destroy();
    };
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', fail);
    const tls = isSecure ? startTls(socket, endpoint) : undefined;
    tls?.on('error', fail).on('secureConnect', () => {
      socket.secured();
      progress.certificate = certificateOf(tls);
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
