import { STATUS_CODES } from 'node:http';
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { jsonSchema } from './json-schema.ts';
import { PROBLEM_TYPE } from './problem.ts';

const problem = z
  .object({
    type: z.string().describe('kind of problem'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('what happened, and what to do'),
    instance: z.string().describe('path of the request'),
    request_id: z.string().describe('also in the header X-Request-ID and in the log'),
    code: z.string(),
    correlationId: z.string(),
    errors: z
      .array(
        z.object({ pointer: z.string().optional(), parameter: z.string().optional(), detail: z.string() }),
      )
      .optional()
      .describe('invalid fields: a JSON pointer into the body, or the name of a parameter'),
  })
  .meta({
    description: 'an error by RFC 9457',
    examples: [
      {
        type: 'https://kubernaut.io/errors/invalid-request',
        title: 'The request is not valid',
        status: 400,
        detail: 'enabled is none of true, false',
        instance: '/api/v1/toolsets',
        request_id: '7b1f4a52-9d0f-4d2a-8f0e-6a3f5c1f2d11',
        code: 'INVALID_REQUEST',
        correlationId: '7b1f4a52-9d0f-4d2a-8f0e-6a3f5c1f2d11',
        errors: [{ parameter: 'enabled', detail: 'is none of true, false' }],
      },
    ],
  });

/** Response headers with their descriptions. */
type Headers = Readonly<Record<string, { readonly type: 'string'; readonly description: string }>>;

/** Name of the problem schema in the API's description. */
const PROBLEM = 'Problem';

const RETRY: Headers = { 'retry-after': { type: 'string', description: 'seconds to wait' } };
const ETAG: Headers = { etag: { type: 'string', description: 'changes whenever the response changes' } };

/** Headers of problems with certain statuses, beside those of all responses. */
const PROBLEM_HEADERS: Readonly<Record<number, Headers>> = {
  401: { 'www-authenticate': { type: 'string', description: 'what is wrong with the token, by RFC 6750' } },
  429: RETRY,
  503: RETRY,
};

/** Registers shared schemas. Call it before routes are added. */
export function shareSchemas(app: FastifyInstance): void {
  app.addSchema({ $id: PROBLEM, ...jsonSchema(problem, 'output') });
}

/**
 * A successful response in the description of a route.
 * @param description its meaning
 */
export function answer(description: string, schema: z.ZodType, headers: Headers = {}): object {
  return { ...jsonSchema(schema, 'output'), 'x-response-description': description, headers };
}

/** A successful response with an entity tag, and the response if the client has it already. */
export function etagResponses(description: string, schema: z.ZodType): Readonly<Record<number, object>> {
  return {
    200: answer(description, schema, ETAG),
    304: { type: 'null', description: 'The client has the current version.', headers: ETAG },
  };
}

/** The request header for conditional requests. */
export const CONDITION = {
  type: 'object',
  properties: {
    'if-none-match': { type: 'string', description: 'the ETag of the response that the client has' },
  },
};

/** Problems with these statuses in the description of a route. */
export function problems(...statuses: readonly number[]): Readonly<Record<number, object>> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: `${STATUS_CODES[status]}.`,
        headers: PROBLEM_HEADERS[status] ?? {},
        content: { [PROBLEM_TYPE]: { schema: { $ref: `${PROBLEM}#` } } },
      },
    ]),
  );
}
