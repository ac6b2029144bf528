import { hideInMessage } from '../model/redact-text.ts';

/** An error response by RFC 9457. @see https://www.rfc-editor.org/rfc/rfc9457 */
export interface Problem {
  /** The kind of problem, as the URL of a page that explains it. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What happened, and how to fix it. */
  readonly detail: string;
  /** Path of the request, without its query. */
  readonly instance: string;
  readonly request_id: string;
  /** The code of release 0.1 for the kind of problem, for its clients. */
  readonly code: string;
  /** The same as `request_id`, by the name of release 0.1. */
  readonly correlationId: string;
  /** Each fault of the request, with a JSON pointer into its body or the name of a parameter. */
  readonly errors?: readonly FieldError[];
}

/** One fault of a request. */
export interface FieldError {
  /** JSON pointer into the body. */
  readonly pointer?: string;
  /** Name of the parameter. */
  readonly parameter?: string;
  readonly detail: string;
}

/** Kinds of problems by the last segment of `type`, with title and status. */
const KINDS = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  unauthenticated: { status: 401, title: 'Credentials are missing or not valid' },
  forbidden: { status: 403, title: 'Not allowed' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here' },
  'not-acceptable': { status: 406, title: 'None of the accepted formats is available' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive' },
  'length-required': { status: 411, title: 'The length of the body is missing' },
  'precondition-failed': { status: 412, title: 'The resource is in another state' },
  'payload-too-large': { status: 413, title: 'The body is too large' },
  'uri-too-long': { status: 414, title: 'The URL is too long' },
  'unsupported-media-type': { status: 415, title: 'The media type is not supported' },
  'expectation-failed': { status: 417, title: 'The expectation cannot be met' },
  'configuration-invalid': { status: 422, title: 'The configuration cannot be used' },
  'document-too-costly': { status: 422, title: 'The request takes too much time or memory' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'Internal error' },
  unavailable: { status: 503, title: 'Not available now' },
} as const;

export type ProblemKind = keyof typeof KINDS;

export const PROBLEM_KINDS = Object.keys(KINDS) as ProblemKind[];

/** Base URL of the pages that explain problems. */
const PAGE = 'https://kubernaut.io/errors/';

export const PROBLEM_TYPE = 'application/problem+json';

/** An error with its response. */
export class ProblemError extends Error {
  readonly kind: ProblemKind;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;
  /** The code of release 0.1. */
  readonly code: string;

  constructor(
    kind: ProblemKind,
    detail: string,
    rest: {
      readonly errors?: readonly FieldError[];
      readonly headers?: Readonly<Record<string, string>>;
      readonly code?: string;
      readonly cause?: unknown;
    } = {},
  ) {
    super(hideInMessage(detail), { cause: rest.cause });
    this.kind = kind;
    this.errors = (rest.errors ?? []).map((each) => ({ ...each, detail: hideInMessage(each.detail) }));
    this.headers = rest.headers ?? {};
    this.code = rest.code ?? kind.replaceAll('-', '_').toUpperCase();
  }

  get status(): number {
    return KINDS[this.kind].status;
  }
}

/** The kind of problem for a status; the general one of its class if none matches. */
export function kindOfStatus(status: number): ProblemKind {
  const kind = PROBLEM_KINDS.find((each) => KINDS[each].status === status);
  return kind ?? (status >= 500 ? 'internal' : 'invalid-request');
}

/**
 * The body of the response.
 * @param path of the request, with or without its query
 */
export function problemBody(error: ProblemError, path: string, requestId: string): Problem {
  const { status, title } = KINDS[error.kind];
  return {
    type: `${PAGE}${error.kind}`,
    title,
    status,
    detail: error.message,
    instance: path.split('?', 1)[0] ?? '',
    request_id: requestId,
    code: error.code,
    correlationId: requestId,
    ...(error.errors.length === 0 ? {} : { errors: error.errors }),
  };
}
