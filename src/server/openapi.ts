import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { mustAcceptJson } from './answers.ts';

const DESCRIPTION = `What Dynamic Toolset found and published, from memory.

Every path but the probes wants a bearer token that the Kubernetes API server knows, such as
\`kubectl create token NAME\` prints. Errors are problems by RFC 9457. Times are ISO 8601 in UTC.`;

/** Collects the routes that are added from now on into a description. To be registered before them. */
export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Dynamic Toolset',
        version,
        description: DESCRIPTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'toolsets', description: 'What an agent is given' },
        { name: 'discovery', description: 'What was found' },
        { name: 'operation', description: 'How the service is doing' },
      ],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    hideUntagged: true,
  });
}

/** `GET /openapi.json`. */
export function openapi(): (app: FastifyInstance) => void {
  let text: string | undefined;
  return (app) => {
    app.get('/openapi.json', {
      config: { access: { path: '/openapi.json', verb: 'get' } },
      handler(request, reply) {
        mustAcceptJson(request);
        text ??= JSON.stringify(app.swagger());
        return reply.type('application/json; charset=utf-8').header('cache-control', 'no-cache').send(text);
      },
    });
  };
}
