import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type FieldError, kindOfStatus, PROBLEM_TYPE, ProblemError, problemBody } from './problem.ts';

/** Most bytes of a request's body. */
export const LONGEST_BODY = 1024 * 1024;

/** What a schema says is wrong with a part of a request. */
function fieldErrors(error: FastifyError): FieldError[] {
  return (error.validation ?? []).map(({ instancePath, message = '', params, keyword }) => {
    const { allowedValues, additionalProperty, missingProperty } = params as Record<string, unknown>;
    const name = additionalProperty ?? missingProperty;
    const place = `${instancePath}${name === undefined ? '' : `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`}`;
    const detail = Array.isArray(allowedValues)
      ? `is none of ${allowedValues.join(', ')}`
      : keyword === 'additionalProperties'
        ? 'is not known here'
        : keyword === 'required'
          ? 'is missing'
          : message;
    return error.validationContext === 'body'
      ? { pointer: place, detail }
      : { parameter: place.slice(1), detail };
  });
}

/** Any error as what its answer says. What is a bug shows nothing of the inside. */
export function asProblem(error: FastifyError | ProblemError, longest = LONGEST_BODY): ProblemError {
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
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemBody(problem, request.url, request.id)));
}
