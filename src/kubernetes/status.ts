import type { IncomingMessage } from 'node:http';
import { ClusterError, UserError } from '../model/errors.ts';
import type { FailureReason } from '../model/failure-reason.ts';
import { BadAnswerError, readBody, TooLongError } from './answer.ts';
import { CredentialsError } from './credentials-error.ts';
import { statusMessage } from './status-message.ts';

/** What an error answer may say beside its message. */
export interface StatusDetails {
  /** The API's word for it, such as `Expired`. */
  readonly reason?: string | undefined;
  /** Milliseconds that the server asks to wait before the next try. */
  readonly retryAfter?: number | undefined;
}

/** The API server answered with an error: its status code and its own words. */
export class ApiStatusError extends Error {
  override readonly name = 'ApiStatusError';
  readonly code: number;
  readonly reason: string | undefined;
  /** Milliseconds that the server asks to wait before the next try. */
  readonly retryAfter: number | undefined;

  constructor(code: number, message: string, details: StatusDetails = {}) {
    super(message);
    this.code = code;
    this.reason = details.reason;
    this.retryAfter = details.retryAfter;
  }
}

/** Whether an error is an answer with one of these statuses. */
export const isStatus = (error: unknown, ...codes: readonly number[]): error is ApiStatusError =>
  error instanceof ApiStatusError && codes.includes(error.code);

/** Most bytes that are read of an error answer. */
const LONGEST_STATUS = 256 * 1024;

/** An error answer as an error. */
export async function statusError(response: IncomingMessage): Promise<ApiStatusError> {
  const code = response.statusCode ?? 0;
  const header = retryAfter(response.headers['retry-after']);
  let body = '';
  try {
    body = await readBody(response, LONGEST_STATUS);
  } catch (error) {
    if (!(error instanceof TooLongError)) throw error;
  }
  const status = statusIn(body);
  // A proxy in front of the API server answers in its own format; its text is what there is to show.
  if (status === undefined)
    return new ApiStatusError(code, `HTTP ${code} ${body.slice(0, 200).trim()}`.trim(), {
      retryAfter: header,
    });
  return fromStatus(status, code, header);
}

/** What a `v1.Status` is known by here: it has a message. */
type Status = Readonly<Record<string, unknown>> & { readonly message: string };

function isStatusObject(value: unknown): value is Status {
  const { message } = (value ?? {}) as { readonly message?: unknown };
  return typeof message === 'string' && message !== '';
}

function statusIn(body: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isStatusObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The `v1.Status` of an `ERROR` event of a watch as an error; its code is 0 when it says none. */
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

/** Was a request refused for lack of rights? */
export const isDenied = (error: unknown): boolean => isStatus(error, 401, 403);

const BY_STATUS: Readonly<Record<number, FailureReason>> = {
  401: 'unauthenticated',
  403: 'denied',
  410: 'expired',
  429: 'throttled',
};

/** Did no answer come in time? An aborted request says so in its cause. */
const isTimeout = (error: NodeJS.ErrnoException): boolean =>
  error.code === 'ETIMEDOUT' ||
  [error.name, (error.cause as Error | undefined)?.name].includes('TimeoutError');

/** A failed request to the API server in one word; an error for a person is taken for its cause. */
export function failureReason(error: unknown): FailureReason {
  const cause = error instanceof UserError ? error.cause : error;
  if (cause instanceof ApiStatusError)
    return BY_STATUS[cause.code] ?? (cause.code >= 500 ? 'server_error' : 'refused');
  if (cause instanceof CredentialsError) return 'unauthenticated';
  if (cause instanceof BadAnswerError) return 'bad_answer';
  return isTimeout(cause as NodeJS.ErrnoException) ? 'timeout' : 'network';
}

/** What is wrong with the server's certificate, if that is it. @see https://nodejs.org/api/tls.html#x509-certificate-error-codes */
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
      return 'there is no route to it';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name does not resolve';
    default:
      return error.message;
  }
}

/** A failed request to the API server as an error for a person: what was tried, what happened, what to do. */
export function clusterError(error: unknown, doing: string, server: string): UserError {
  if (error instanceof UserError) return error;
  if (error instanceof ApiStatusError) {
    const fix =
      error.code === 401
        ? `log in again, or check the credentials for ${server}`
        : error.code === 403
          ? 'grant it with a Role and RoleBinding, or use another context'
          : 'check the API server';
    return new ClusterError(`cannot ${doing}: ${error.message}; ${fix}`, { cause: error });
  }
  if (error instanceof BadAnswerError)
    return new ClusterError(
      `cannot ${doing}: ${error.message}; check that ${server} is an API server, and what is in front of it`,
      { cause: error },
    );
  if (error instanceof CredentialsError)
    return new ClusterError(`cannot ${doing}: no credentials for ${server}: ${error.message}`, {
      cause: error,
    });
  const untrusted = untrustedReason(error as NodeJS.ErrnoException);
  if (untrusted !== undefined)
    return new ClusterError(
      `cannot ${doing}: the certificate of ${server} ${untrusted}; check certificate-authority-data in the kubeconfig, and that this is the right server`,
      { cause: error },
    );
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code.startsWith('ERR_OSSL'))
    return new ClusterError(
      `cannot ${doing}: a certificate or key for ${server} cannot be read (${message}); check those in the kubeconfig`,
      { cause: error },
    );
  const reason = unreachableReason(error as NodeJS.ErrnoException);
  return new ClusterError(
    `cannot ${doing}: the cluster at ${server} is not reachable (${reason}); check the network and the kubeconfig's context, or read manifests with -f`,
    { cause: error },
  );
}
