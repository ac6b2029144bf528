import { certificateKeysOf } from '../model/certificates.ts';
import type { Candidate } from '../model/discovery.ts';
import { ProbeFailure } from './fetch.ts';
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
 * A failed handshake, if the server refused it because of the client's certificate. `undefined` for other causes.
 * @param given what the probe used
 */
export function clientCertificateFailure(
  error: unknown,
  candidate: Candidate,
  given: ProbeTls | undefined,
): ProbeFailure | undefined {
  if (error instanceof ProbeFailure) return undefined;
  const [alert] = ALERT.exec((error as Error).message) ?? [];
  if (alert === undefined) return undefined;
  return given?.clientFile === undefined
    ? new ProbeFailure(`the server requires a client certificate (TLS ${alert})`, 'tls', {
        cause: error,
        fix: fixFor(candidate, given),
      })
    : new ProbeFailure(
        `the server refused the client certificate in ${given.clientFile} (TLS ${alert})`,
        'tls',
        {
          cause: error,
          fix: 'replace it, or correct the setting certificates',
        },
      );
}
