import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { jsonSchema } from './json-schema.ts';
import { PROBLEM_TYPE } from './problem.ts';

const problem = z
  .object({
    type: z.string().describe('URL that identifies the kind of problem.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What happened, and what to do about it.'),
    instance: z.string().describe('Path of the request.'),
    request_id: z.string().describe('Request ID; also in the header X-Request-ID and in the log.'),
    code: z.string().describe('Error code of release 0.1, for its clients.'),
    correlationId: z.string().describe('The same as request_id, under its name in release 0.1.'),
    errors: z
      .array(
        z.object({ pointer: z.string().optional(), parameter: z.string().optional(), detail: z.string() }),
      )
      .optional()
      .describe('Invalid fields: each has a JSON Pointer into the body, or the name of a parameter.'),
  })
  .meta({
    description: 'Problem details of an error (RFC 9457).',
    examples: [
      {
        type: 'https://kubernaut.io/errors/invalid-request',
        title: 'The request is not valid',
        status: 400,
        detail: 'enabled must be one of true, false',
        instance: '/api/v1/toolsets',
        request_id: '7b1f4a52-9d0f-4d2a-8f0e-6a3f5c1f2d11',
        code: 'INVALID_REQUEST',
        correlationId: '7b1f4a52-9d0f-4d2a-8f0e-6a3f5c1f2d11',
        errors: [{ parameter: 'enabled', detail: 'must be one of true, false' }],
      },
    ],
  });

/** Response headers with their descriptions. */
type Headers = Readonly<Record<string, { readonly type: 'string'; readonly description: string }>>;

/** Name of the problem schema in the API's description. */
const PROBLEM = 'Problem';

const RETRY: Headers = {
  'retry-after': { type: 'string', description: 'Seconds to wait before the next attempt.' },
};
const ETAG: Headers = {
  etag: { type: 'string', description: 'Entity tag; changes whenever the response changes.' },
};

/** Headers of problems with certain statuses, beside those of all responses. */
const PROBLEM_HEADERS: Readonly<Record<number, Headers>> = {
  401: { 'www-authenticate': { type: 'string', description: 'The problem with the token (RFC 6750).' } },
  429: RETRY,
  503: RETRY,
};

/** Meaning of a problem's status in the API's description. */
const PROBLEM_DESCRIPTIONS = {
  400: 'The request is not valid.',
  401: 'The token is missing, or is not valid.',
  403: 'The token does not have permission.',
  404: 'The requested item does not exist.',
  406: 'The client accepts none of the available formats.',
  413: 'The body is too large.',
  415: 'The media type of the body is not supported.',
  422: 'The content of the request cannot be used, or takes too much time or memory to process.',
  429: 'The client sends too many requests.',
  503: 'The service cannot answer now; try again later.',
} as const;

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
    304: { type: 'null', description: 'The client already has the current version.', headers: ETAG },
  };
}

/** The request header for conditional requests. */
export const CONDITION = {
  type: 'object',
  properties: {
    'if-none-match': { type: 'string', description: 'ETag of the response that the client has.' },
  },
};

/** Problems with these statuses in the description of a route. */
export function problems(
  ...statuses: readonly (keyof typeof PROBLEM_DESCRIPTIONS)[]
): Readonly<Record<number, object>> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: PROBLEM_DESCRIPTIONS[status],
        headers: PROBLEM_HEADERS[status] ?? {},
        content: { [PROBLEM_TYPE]: { schema: { $ref: `${PROBLEM}#` } } },
      },
    ]),
  );
}
