import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type FieldError, kindOfStatus, PROBLEM_TYPE, ProblemError, problemBody } from './problem.ts';
import { NAME_PATTERN } from './schema-parts.ts';

/** Most bytes of a request's body. */
export const MAX_BODY_BYTES = 256 * 1024;

type Invalid = NonNullable<FastifyError['validation']>[number];

/** A body that may be left out is described as "this or null", and that it is not null either helps nobody. */
function isOfNoBody({ keyword, instancePath, params }: Invalid): boolean {
  return instancePath === '' && (keyword === 'anyOf' || (keyword === 'type' && params.type === 'null'));
}

/** Types as JSON Schema calls them, in words for a person. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  object: 'an object',
  array: 'an array',
  boolean: 'true or false',
  integer: 'a whole number',
};

/** What a schema says of a value, in words for a person; the validator's own where there are none. */
function inWords({ keyword, message = '', params }: Invalid): string {
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

/** What a schema says is wrong with a part of a request. */
function fieldErrors(error: FastifyError): FieldError[] {
  const all = error.validation ?? [];
  const told = all.filter((each) => !isOfNoBody(each));
  return (told.length === 0 ? all : told).map((invalid) => {
    const { instancePath, params, keyword } = invalid;
    const { allowedValues, additionalProperty, missingProperty } = params as Record<string, unknown>;
    const name = additionalProperty ?? missingProperty;
    const place = `${instancePath}${name === undefined ? '' : `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`}`;
    const detail = Array.isArray(allowedValues)
      ? `is none of ${allowedValues.join(', ')}`
      : keyword === 'additionalProperties'
        ? 'is not known here'
        : keyword === 'required'
          ? 'is missing'
          : inWords(invalid);
    return error.validationContext === 'body'
      ? { pointer: place, detail }
      : { parameter: place.slice(1), detail };
  });
}

/** Any error as what its answer says. What is a bug shows nothing of the inside. */
export function asProblem(error: FastifyError | ProblemError, longest = MAX_BODY_BYTES): ProblemError {
  if (error instanceof ProblemError) return error;
  const { cause } = { cause: error };
  if (error.validation !== undefined) {
    const errors = fieldErrors(error);
    const said = errors.map(
      ({ parameter, pointer, detail }) => `${parameter ?? (pointer || 'the body')} ${detail}`,
    );
    return new ProblemError('invalid-request', said.join('; '), { errors, cause });
  }
  const status = error.statusCode ?? 500;
  if (status >= 500)
    return status === 503
      ? new ProblemError('unavailable', 'There is too much to do now; try again in some seconds.', {
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

/** Answers with a problem. */
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
