import type { IncomingMessage } from 'node:http';
import { ClusterError, UnreachableError, UserError } from '../model/errors.ts';
import type { FailureReason } from '../model/failure-reason.ts';
import { hideSecrets } from '../model/redact-text.ts';
import { CredentialsError } from './credentials-error.ts';
import { InvalidResponseError, ResponseTooLargeError, readBody } from './response.ts';
import { isFromKubeconfig } from './server-text.ts';
import { statusMessage } from './status-message.ts';

/** Optional details of an error response. */
export interface StatusDetails {
  /** The reason of the `v1.Status`, such as `Expired`. */
  readonly reason?: string | undefined;
  /** The requested delay before the next retry, in milliseconds. */
  readonly retryAfter?: number | undefined;
}

/** An error response of the API server. */
export class ApiStatusError extends Error {
  override readonly name = 'ApiStatusError';
  readonly code: number;
  readonly reason: string | undefined;
  /** The requested delay before the next retry, in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(code: number, message: string, details: StatusDetails = {}) {
    super(message);
    this.code = code;
    this.reason = details.reason;
    this.retryAfter = details.retryAfter;
  }
}

/** Whether an error is a response with one of these status codes. */
export const isStatus = (error: unknown, ...codes: readonly number[]): error is ApiStatusError =>
  error instanceof ApiStatusError && codes.includes(error.code);

const MAX_STATUS_BYTES = 256 * 1024;

/** Converts an error response to an error. */
export async function statusError(response: IncomingMessage): Promise<ApiStatusError> {
  const code = response.statusCode ?? 0;
  const header = retryAfter(response.headers['retry-after']);
  let body = '';
  try {
    body = await readBody(response, MAX_STATUS_BYTES);
  } catch (error) {
    if (!(error instanceof ResponseTooLargeError)) throw error;
  }
  const status = parseStatus(body);
  // A proxy in front of the API server has its own format, so show its text.
  if (status === undefined)
    return new ApiStatusError(code, `HTTP ${code} ${body.slice(0, 200).trim()}`.trim(), {
      retryAfter: header,
    });
  return fromStatus(status, code, header);
}

/** A `v1.Status` with a message. */
type Status = Readonly<Record<string, unknown>> & { readonly message: string };

function isStatusObject(value: unknown): value is Status {
  const { message } = (value ?? {}) as { readonly message?: unknown };
  return typeof message === 'string' && message !== '';
}

function parseStatus(body: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isStatusObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Converts the `v1.Status` of an `ERROR` watch event to an error. Its code is 0 if the event has none. */
export function eventError(object: unknown): ApiStatusError {
  if (!isStatusObject(object))
    return new ApiStatusError(0, 'the server reported an error without saying which');
  return fromStatus(object, typeof object.code === 'number' ? object.code : 0, undefined);
}

/** @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
function fromStatus(status: Status, code: number, wait: number | undefined): ApiStatusError {
  const { retryAfterSeconds } = (status.details ?? {}) as { readonly retryAfterSeconds?: unknown };
  const reason = typeof status.reason === 'string' ? status.reason : undefined;
  return new ApiStatusError(code, statusMessage(status.message), {
    reason,
    retryAfter: wait ?? retryAfter(retryAfterSeconds),
  });
}

/** `Retry-After`: a number of seconds, or a date. @see RFC 9110, 10.2.3 */
function retryAfter(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const seconds = Number(value);
  const wait = Number.isNaN(seconds) ? Date.parse(String(value)) - Date.now() : seconds * 1000;
  return Number.isFinite(wait) && wait >= 0 ? wait : undefined;
}

/** Whether a request was denied: status 401 or 403. */
export const isDenied = (error: unknown): boolean => isStatus(error, 401, 403);

const BY_STATUS: Readonly<Record<number, FailureReason>> = {
  401: 'unauthenticated',
  403: 'denied',
  410: 'expired',
  429: 'throttled',
};

/** Whether a request timed out. For an aborted request, the cause says so. */
const isTimeout = (error: NodeJS.ErrnoException): boolean =>
  error.code === 'ETIMEDOUT' ||
  [error.name, (error.cause as Error | undefined)?.name].includes('TimeoutError');

/** The reason of a failed request, for metrics. For a UserError, its cause counts. */
export function failureReason(error: unknown): FailureReason {
  const cause = error instanceof UserError ? error.cause : error;
  if (cause instanceof ApiStatusError)
    return BY_STATUS[cause.code] ?? (cause.code >= 500 ? 'server_error' : 'refused');
  if (cause instanceof CredentialsError) return 'unauthenticated';
  if (cause instanceof InvalidResponseError) return 'bad_answer';
  return isTimeout(cause as NodeJS.ErrnoException) ? 'timeout' : 'network';
}

/** Why the server's certificate was rejected, if it was. @see https://nodejs.org/api/tls.html#x509-certificate-error-codes */
function untrustedReason({ code = '' }: NodeJS.ErrnoException): string | undefined {
  if (code === 'CERT_HAS_EXPIRED') return 'has expired';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'is for another name';
  return /^(SELF_SIGNED_CERT|DEPTH_ZERO_SELF|UNABLE_TO_(VERIFY|GET_ISSUER)|CERT_|INVALID_CA)/.test(code)
    ? `is not trusted (${code})`
    : undefined;
}

function unreachableReason(error: NodeJS.ErrnoException): string {
  if (isTimeout(error)) return 'no answer in time';
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no route to host';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name does not resolve';
    default:
      return error.message;
  }
}

/** How to grant a permission that the API server denied with this message. In a Pod, there is no other context. */
function grantAdvice(message: string, server: string): string {
  const ways = message.includes('at the cluster scope')
    ? ['grant it with a ClusterRole and ClusterRoleBinding', 'name namespaces that you may read']
    : ['grant it with a Role and RoleBinding'];
  if (isFromKubeconfig(server)) ways.push('use another context');
  return ways.length < 3 ? ways.join(', or ') : `${ways.slice(0, -1).join(', ')}, or ${ways.at(-1)}`;
}

/** Converts a failed request to an error that says what was tried, what happened, and what to do. */
export function clusterError(error: unknown, doing: string, server: string): UserError {
  if (error instanceof UserError) return error;
  if (error instanceof ApiStatusError) {
    const fix =
      error.code === 401
        ? `log in again, or check the credentials for ${server}`
        : error.code === 403
          ? grantAdvice(error.message, server)
          : 'check the API server';
    return new ClusterError(`cannot ${doing}: ${hideSecrets(error.message)}; ${fix}`, { cause: error });
  }
  if (error instanceof InvalidResponseError)
    return new ClusterError(
      `cannot ${doing}: ${hideSecrets(error.message)}; check that ${server} is an API server, and what is in front of it`,
      { cause: error },
    );
  if (error instanceof CredentialsError)
    return new ClusterError(`cannot ${doing}: no credentials for ${server}: ${hideSecrets(error.message)}`, {
      cause: error,
    });
  const untrusted = untrustedReason(error as NodeJS.ErrnoException);
  if (untrusted !== undefined)
    return new ClusterError(
      `cannot ${doing}: the certificate of ${server} ${untrusted}; check certificate-authority-data in the kubeconfig, and that this is the right server`,
      { cause: error },
    );
  // The code of a DOMException, such as a TimeoutError, is a number.
  const { code, message } = error as { readonly code?: unknown; readonly message: string };
  if (typeof code === 'string' && code.startsWith('ERR_OSSL'))
    return new ClusterError(
      `cannot ${doing}: a certificate or key for ${server} cannot be read (${message}); check those in the kubeconfig`,
      { cause: error },
    );
  const reason = unreachableReason(error as NodeJS.ErrnoException);
  return new UnreachableError(
    `cannot ${doing}: the cluster at ${server} is not reachable (${reason}); check the network and the kubeconfig's context`,
    { cause: error },
  );
}
