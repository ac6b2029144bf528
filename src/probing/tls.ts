import { constants, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  connect,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { Candidate, CertificateFault, Endpoint } from '../model/discovery.ts';
import type { CertificateVerdict } from './fetch.ts';

/**
 * TLS options of probes. Certificates are verified after the handshake, whatever the result, because few backends have one
 * of a known authority, and probes send no secrets. Finite-field Diffie-Hellman is disabled, because the server would choose
 * how large the numbers are that this process computes with. TLS 1.3 is disabled, because it encrypts the certificates, which
 * must be checked before OpenSSL reads them, and renegotiation, because it would bring new ones after the handshake.
 */
const CONTEXT_OPTIONS = {
  ciphers: 'DEFAULT:!DHE',
  maxVersion: 'TLSv1.2' as const,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
};

/** Certificate authorities from a file, in addition to those of the system. */
export interface Authorities {
  readonly file: string;
  /** In PEM, without those of the system. */
  readonly certificates: readonly string[];
  readonly parsed: readonly X509Certificate[];
}

/** A certificate with which probes identify themselves to a server that asks for one. */
export interface ClientCertificate {
  readonly file: string;
  /** In PEM, like the key. */
  readonly certificate: string;
  readonly key: string;
}

/** What probes of some backends use for TLS, besides what all use. */
export interface ProbeTls {
  /** Absent for the one that all use. */
  readonly context?: SecureContext;
  readonly authorities?: Authorities | undefined;
  /** The file with the client certificate. */
  readonly clientFile?: string | undefined;
  /** A client certificate is configured, but not for the host to which the Service leads. */
  readonly isWithheld?: boolean;
}

/** What a probe of a candidate uses; `undefined` for what all use. */
export type TlsFor = (candidate: Candidate) => ProbeTls | undefined;

/** Creates a context once for many probes: it takes over 10 ms and a MiB. @throws Error if OpenSSL rejects a file */
export function createProbeContext(
  authorities: Authorities | undefined,
  client: ClientCertificate | undefined,
): SecureContext {
  return createSecureContext({
    ...CONTEXT_OPTIONS,
    ...(authorities && { ca: [...getCACertificates('default'), ...authorities.certificates] }),
    ...(client && { cert: client.certificate, key: client.key }),
  });
}

/** Starts TLS on a connection. An IP address is not allowed as a server name (RFC 6066, section 3). */
export function startTls(socket: Duplex, { host }: Endpoint, given: ProbeTls | undefined): TLSSocket {
  const servername = isIP(host.replace(/^\[(.*)\]$/, '$1')) === 0 ? host : '';
  return connect({
    ...(given?.context === undefined ? CONTEXT_OPTIONS : { secureContext: given.context }),
    rejectUnauthorized: false,
    socket,
    servername,
  });
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
 * Whether one of these authorities issued a certificate that a server sent, which may be its own. Node.js could give the
 * verified chain, but it might never end where authorities certify each other, and an `X509Certificate` with its issuers leaks
 * memory.
 */
function relyOn(sent: readonly Buffer[], { parsed }: Authorities): boolean {
  try {
    const chain = sent.map((der) => new X509Certificate(der));
    return parsed.some((authority) =>
      chain.some((each) => each.checkIssued(authority) && each.verify(authority.publicKey)),
    );
  } catch {
    // The certificate is trusted all the same.
    return false;
  }
}

/** What a connection showed in its handshake. */
interface Handshake {
  readonly asksForCertificate: boolean;
  readonly serverCertificates: readonly Buffer[];
}

/** The server's certificate. Only the code of an error counts, because its message has text from the certificate. */
function serverCertificate(
  { authorized, authorizationError }: TLSSocket,
  sent: readonly Buffer[],
  authorities: Authorities | undefined,
): CertificateVerdict {
  if (!authorized) return { certificate: CERTIFICATE_CODES[String(authorizationError)] ?? 'invalid' };
  return authorities !== undefined && relyOn(sent, authorities)
    ? { certificate: 'trusted', trustedWith: authorities.file }
    : { certificate: 'trusted' };
}

/**
 * The certificates of a connection. That of the server is verified with the authorities of the system, those in
 * `NODE_EXTRA_CA_CERTS` and the given ones.
 */
export function certificatesOf(
  socket: TLSSocket,
  { asksForCertificate, serverCertificates }: Handshake,
  given: ProbeTls | undefined,
): CertificateVerdict {
  const { authorities, clientFile } = given ?? {};
  return {
    ...serverCertificate(socket, serverCertificates, authorities),
    ...(asksForCertificate && clientFile !== undefined ? { presented: clientFile } : {}),
  };
}
