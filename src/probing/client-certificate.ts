import { certificateKeysOf } from '../model/certificates.ts';
import type { Candidate } from '../model/discovery.ts';
import { ProbeFailure, type ProbeResponse } from './fetch.ts';
import type { ProbeTls } from './tls.ts';

/**
 * The alerts with which servers end a handshake because of the client's certificate, if they asked for one. They have chosen
 * the cipher before that, so `handshake failure` has no other cause then.
 * @see https://www.rfc-editor.org/rfc/rfc5246#section-7.2.2
 */
const ALERT =
  /\balert (handshake failure|no certificate|bad certificate|unsupported certificate|certificate (?:revoked|expired|unknown|required)|unknown ca|access denied)\b/;

/** What to do for a server that requires a client certificate. */
function fixFor(candidate: Candidate, given: ProbeTls | undefined): string {
  const [key = ''] = certificateKeysOf(candidate);
  if (given?.isWithheld === true)
    return `the client certificate in the setting certificates is not for the host ${candidate.endpoint.host}, to which its owner leads it`;
  return `write clientCertificateFile and clientKeyFile under ${key} in the setting certificates`;
}

/**
 * The failure if a server that asked for a client certificate got none, or refused the one that it got.
 * @param how how the server says so
 */
function failure(
  how: string,
  candidate: Candidate,
  given: ProbeTls | undefined,
  cause?: unknown,
): ProbeFailure {
  return given?.clientFile === undefined
    ? new ProbeFailure(`the server requires a client certificate (${how})`, 'tls', {
        cause,
        fix: fixFor(candidate, given),
      })
    : new ProbeFailure(`the server refused the client certificate in ${given.clientFile} (${how})`, 'tls', {
        cause,
        fix: 'replace it, or correct the setting certificates',
      });
}

/**
 * A failed handshake with a server that asked for a client certificate, if that is the cause. `undefined` for other causes.
 * @param given what the probe used
 */
export function handshakeRefusal(
  error: unknown,
  candidate: Candidate,
  given: ProbeTls | undefined,
): ProbeFailure | undefined {
  if (error instanceof ProbeFailure) return undefined;
  const [alert] = ALERT.exec((error as Error).message) ?? [];
  return alert === undefined ? undefined : failure(`TLS ${alert}`, candidate, given, error);
}

/**
 * The pages of nginx, which completes the handshake first, without a client certificate and with one that it refuses.
 * @see https://nginx.org/en/docs/http/ngx_http_ssl_module.html#errors
 */
const NO_CERTIFICATE_PAGE = '400 No required SSL certificate was sent';
const REFUSED_PAGE = '400 The SSL certificate error';

/** The response of a server that asked for a client certificate, if it refuses the request because of that. */
export function responseRefusal(
  { status, body }: ProbeResponse,
  candidate: Candidate,
  given: ProbeTls | undefined,
): ProbeFailure | undefined {
  const page = given?.clientFile === undefined ? NO_CERTIFICATE_PAGE : REFUSED_PAGE;
  return status === 400 && body.includes(page) ? failure(`it answered ${page}`, candidate, given) : undefined;
}
