import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type FieldError, kindOfStatus, PROBLEM_TYPE, ProblemError, problemBody } from './problem.ts';
import { NAME_PATTERN } from './schema-parts.ts';

/** Maximum size of a request's body, in bytes. */
export const MAX_BODY_BYTES = 256 * 1024;

type Invalid = NonNullable<FastifyError['validation']>[number];

/** An optional body has the schema "this or null", and a fault about null is of no help. */
function isAboutMissingBody({ keyword, instancePath, params }: Invalid): boolean {
  return instancePath === '' && (keyword === 'anyOf' || (keyword === 'type' && params.type === 'null'));
}

/** Names of JSON Schema types for messages. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  object: 'an object',
  array: 'an array',
  boolean: 'true or false',
  integer: 'a whole number',
};

/** Explains a fault of a schema; falls back to the validator's message. */
function explain({ keyword, message = '', params }: Invalid): string {
  const { type, limit, format } = params as Readonly<Record<string, unknown>>;
  switch (keyword) {
    case 'type':
      return `must be ${TYPES[String(type)] ?? String(type)}`;
    case 'format':
      return `must be a ${format === 'uri' ? 'URL, such as http://loki.shop:3100' : String(format)}`;
    case 'pattern':
      return params.pattern === NAME_PATTERN
        ? 'must be a name of Kubernetes: lower-case letters, digits and hyphens, at most 63'
        : message;
    case 'maxItems':
      return `has more than ${String(limit)} items`;
    case 'maxLength':
      return `has more than ${String(limit)} characters`;
    default:
      return message;
  }
}

/** The faults that a schema found in a part of a request. */
function fieldErrors(error: FastifyError): FieldError[] {
  const all = error.validation ?? [];
  const faults = all.filter((each) => !isAboutMissingBody(each));
  return (faults.length === 0 ? all : faults).map((invalid) => {
    const { instancePath, params, keyword } = invalid;
    const { allowedValues, additionalProperty, missingProperty } = params as Record<string, unknown>;
    const name = additionalProperty ?? missingProperty;
    const place = `${instancePath}${name === undefined ? '' : `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`}`;
    const detail = Array.isArray(allowedValues)
      ? `must be one of ${allowedValues.join(', ')}`
      : keyword === 'additionalProperties'
        ? 'is not known here'
        : keyword === 'required'
          ? 'is missing'
          : explain(invalid);
    return error.validationContext === 'body'
      ? { pointer: place, detail }
      : { parameter: place.slice(1), detail };
  });
}

/** Converts any error to a problem. A bug reveals no details. */
export function asProblem(error: FastifyError | ProblemError, longest = MAX_BODY_BYTES): ProblemError {
  if (error instanceof ProblemError) return error;
  const { cause } = { cause: error };
  if (error.validation !== undefined) {
    const errors = fieldErrors(error);
    const details = errors.map(
      ({ parameter, pointer, detail }) => `${parameter ?? (pointer || 'the body')} ${detail}`,
    );
    return new ProblemError('invalid-request', details.join('; '), { errors, cause });
  }
  const status = error.statusCode ?? 500;
  if (status >= 500)
    return status === 503
      ? new ProblemError('unavailable', 'The server is overloaded; try again in some seconds.', {
          headers: { 'retry-after': '5' },
          cause,
        })
      : new ProblemError('internal', 'This is a bug: please report it with the request id.', { cause });
  const kind = kindOfStatus(status);
  switch (kind) {
    case 'payload-too-large':
      return new ProblemError(kind, `The body is over ${longest} bytes; send less.`, { cause });
    case 'unsupported-media-type':
      return new ProblemError(kind, 'Send the body as application/json.', { cause });
    default:
      return new ProblemError(kind, error.message, { cause });
  }
}

/** Sends a problem as the response. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: ProblemError): void {
  void reply
    .code(problem.status)
    .headers(problem.headers)
    .header('x-request-id', request.id)
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemBody(problem, request.url, request.id)));
}
