import * as z from 'zod';
import { answer, problems } from '../described.ts';
import { ProblemError } from '../problem.ts';
import { BODY_PROBLEMS, COMMON_PROBLEMS, PATH, type Routes } from './route.ts';

const reloadAnswer = z.object({
  result: z.enum(['unchanged', 'applied']),
  changes: z.array(z.string()).describe('Changed settings.'),
});

/** `POST /config/reload`. */
export const reloadRoutes: Routes = (app, { service }) => {
  app.post(`${PATH}/config/reload`, {
    config: { access: { resource: 'configuration', verb: 'update' } },
    schema: {
      operationId: 'reloadConfiguration',
      summary: 'Reload the configuration',
      tags: ['operation'],
      response: {
        200: answer('The configuration is valid and in use.', reloadAnswer),
        ...COMMON_PROBLEMS,
        ...BODY_PROBLEMS,
        ...problems(422),
      },
    },
    async handler(_, reply) {
      const result = await service.reload();
      if (result.kind === 'refused')
        throw new ProblemError('configuration-invalid', 'The previous configuration stays in force.', {
          errors: result.error.message.split('\n').map((detail) => ({ detail })),
        });
      return reply.send({ result: result.kind, changes: result.kind === 'applied' ? result.changes : [] });
    },
  });
};
