import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { mustAcceptJson } from './answers.ts';
import { shareSchemas } from './described.ts';

const DESCRIPTION = `What Dynamic Toolset found and published, from memory.

Every path but the probes wants a bearer token that the Kubernetes API server knows, such as
\`kubectl create token NAME\` prints. Errors are problems by RFC 9457. Times are ISO 8601 in UTC.

Each answer has its id in \`X-Request-ID\`: the one that was sent, or a new one. Where requests are limited,
\`X-RateLimit-Remaining\` says how many more are answered now.`;

/** Of the description of an operation: what it takes as a body. */
interface Operation {
  readonly requestBody?: {
    required: boolean;
    readonly content: Record<
      string,
      { schema?: { readonly type?: unknown; readonly anyOf?: readonly object[] } }
    >;
  };
}

/** Says of bodies that may be left out that they may: for the validation, to leave one out is to send `null`. */
function optionalBodies(paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>): void {
  const bodies = Object.values(paths)
    .flatMap((operations) => Object.values(operations))
    .flatMap(({ requestBody }) => requestBody ?? []);
  for (const body of bodies)
    for (const media of Object.values(body.content)) {
      const [some, none] = media.schema?.anyOf ?? [];
      if (some === undefined || none === undefined || !('type' in none) || none.type !== 'null') continue;
      body.required = false;
      media.schema = some;
    }
}

/** Collects the routes that are added from now on into a description. To be registered before them. */
export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  shareSchemas(app);
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
    refResolver: { buildLocalReference: ({ $id }) => String($id) },
    transformObject(described) {
      if (!('openapiObject' in described)) return described.swaggerObject;
      optionalBodies((described.openapiObject.paths ?? {}) as Parameters<typeof optionalBodies>[0]);
      return described.openapiObject;
    },
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
