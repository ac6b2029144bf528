import { clientOf } from '../client.ts';
import { answer, problems } from '../described.ts';
import { jsonSchema } from '../json-schema.ts';
import { ProblemError } from '../problem.ts';
import { type GenerateBody, type GenerateService, generateAnswer, generateBody } from './generate-schemas.ts';
import { mustBeFirst } from './must-be-first.ts';
import { BODY_PROBLEMS, COMMON_PROBLEMS, PATH, type Routes } from './route.ts';

/** @throws ProblemError if no detector has the type of a service */
function mustHaveKnownTypes(services: readonly GenerateService[], types: readonly string[]): void {
  const errors = services.flatMap(({ type }, index) =>
    types.includes(type)
      ? []
      : [{ pointer: `/services/${index}/type`, detail: `must be one of ${types.join(', ')}` }],
  );
  if (errors.length > 0)
    throw new ProblemError('invalid-request', 'A service has an unknown type.', { errors });
}

/** `POST /toolsets/generate`. */
export const generateRoutes: Routes = (app, { service }) => {
  app.post(`${PATH}/toolsets/generate`, {
    config: { access: { resource: 'toolsets/generate', verb: 'create' } },
    preParsing: async (request) => mustBeFirst(service, request),
    schema: {
      operationId: 'generateToolset',
      summary: 'Generate documents without publishing them',
      description: 'Each client can run one such request at a time. Its time and memory are limited.',
      tags: ['toolsets'],
      body: { anyOf: [jsonSchema(generateBody), { type: 'null' }] },
      response: {
        200: answer('The generated documents.', generateAnswer),
        ...COMMON_PROBLEMS,
        ...BODY_PROBLEMS,
        ...problems(422),
      },
    },
    async handler(request, reply) {
      const { services } = (request.body ?? {}) as GenerateBody;
      mustHaveKnownTypes(services ?? [], service.types());
      const body = await service.generate(services, clientOf(request));
      return reply.type('application/json; charset=utf-8').send(body);
    },
  });
};
