import * as z from 'zod';
import { answer, problems } from '../described.ts';
import { ProblemError } from '../problem.ts';
import { ASKED, PATH, type Routes, SENT } from './route.ts';

const reloadAnswer = z.object({
  result: z.enum(['unchanged', 'applied']),
  changes: z.array(z.string()).describe('what changed'),
});

/** `POST /config/reload`. */
export const reloadRoutes: Routes = (app, { service }) => {
  app.post(`${PATH}/config/reload`, {
    config: { access: { resource: 'configuration', verb: 'update' } },
    schema: {
      operationId: 'reloadConfiguration',
      summary: 'Reads the configuration again, now',
      tags: ['operation'],
      response: { 200: answer('It is in force.', reloadAnswer), ...ASKED, ...SENT, ...problems(422) },
    },
    async handler(_, reply) {
      const result = await service.reload();
      if (result.kind === 'refused')
        throw new ProblemError('configuration-invalid', 'The configuration before stays in force.', {
          errors: result.error.message.split('\n').map((detail) => ({ detail })),
        });
      return reply.send({ result: result.kind, changes: result.kind === 'applied' ? result.changes : [] });
    },
  });
};
