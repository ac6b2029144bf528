import type * as z from 'zod';
import { clientOf } from '../client.ts';
import { answer, problems } from '../described.ts';
import { jsonSchema } from '../json-schema.ts';
import type { CheckedFault } from './api-service.ts';
import { mustBeFirst } from './must-be-first.ts';
import { BODY_PROBLEMS, COMMON_PROBLEMS, PATH, type Routes } from './route.ts';
import { validateAnswer, validateBody } from './validate-schemas.ts';

/** A JSON pointer, RFC 6901. */
const pointer = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const errorOf = ({ path = [], line, column, message, level }: CheckedFault): object => ({
  pointer: pointer(path),
  line,
  column,
  detail: message,
  level: level === 'fault' ? 'error' : 'warning',
});

/** `POST /toolsets/validate`. */
export const validateRoutes: Routes = (app, { service }) => {
  app.post(`${PATH}/toolsets/validate`, {
    config: { access: { resource: 'toolsets/validate', verb: 'create' } },
    preParsing: async (request) => mustBeFirst(service, request),
    schema: {
      operationId: 'validateToolset',
      summary: 'Validate a document',
      tags: ['toolsets'],
      body: jsonSchema(validateBody),
      response: {
        200: answer('Errors and warnings of the document.', validateAnswer),
        ...COMMON_PROBLEMS,
        ...BODY_PROBLEMS,
        ...problems(422),
      },
    },
    async handler(request, reply) {
      const { kind, content } = request.body as z.infer<typeof validateBody>;
      const { faults, more, refused } = await service.check(kind, content, clientOf(request));
      return reply.send({ valid: !refused, more, errors: faults.map(errorOf) });
    },
  });
};
