import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { LRUCache } from 'lru-cache';
import { shareSchemas } from './described.ts';
import { mustAcceptJson } from './response-cache.ts';
import { KNOWN_TYPE } from './schema-parts.ts';

const DESCRIPTION = `What Dynamic Toolset found and published, from memory.

Every path but the probes wants a bearer token that the Kubernetes API server knows, such as
\`kubectl create token NAME\` prints. Errors are problems by RFC 9457. Times are ISO 8601 in UTC.

Each answer has its id in \`X-Request-ID\`: the one that was sent, or a new one. Where requests are limited,
\`X-RateLimit-Remaining\` says how many more are answered now.`;

/** Of the description of an operation: what it takes as a body. */
interface Operation {
  readonly requestBody?: {
    required: boolean;
    readonly content: Readonly<Record<string, { readonly schema?: { readonly anyOf?: readonly object[] } }>>;
  };
}

/** Says of bodies that may be `null` that they may be left out, too: for the validation, that is the same. */
function optionalBodies(paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>): void {
  const bodies = Object.values(paths)
    .flatMap((operations) => Object.values(operations))
    .flatMap(({ requestBody }) => requestBody ?? []);
  for (const body of bodies)
    for (const { schema } of Object.values(body.content))
      if (schema?.anyOf?.some((each) => 'type' in each && each.type === 'null') === true)
        body.required = false;
}

/** Lists the types where a description says that a text is one. They are not validated by it, since they change. */
function listTypes(part: unknown, types: readonly string[]): void {
  if (typeof part !== 'object' || part === null) return;
  const { description, schema = part } = part as { readonly description?: unknown; readonly schema?: object };
  if (description === KNOWN_TYPE) Object.assign(schema, { enum: types });
  for (const inner of Object.values(part)) listTypes(inner, types);
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

/** `GET /openapi.json`. @param types those that a detector knows now */
export function openapi(types: () => readonly string[]): (app: FastifyInstance) => void {
  const texts = new LRUCache<string, string>({ max: 1 });
  return (app) => {
    app.get('/openapi.json', {
      config: { access: { path: '/openapi.json', verb: 'get' } },
      handler(request, reply) {
        mustAcceptJson(request);
        const known = types();
        const key = known.join();
        const text = texts.get(key) ?? describe(app, known);
        texts.set(key, text);
        return reply.type('application/json; charset=utf-8').header('cache-control', 'no-cache').send(text);
      },
    });
  };
}

function describe(app: FastifyInstance, types: readonly string[]): string {
  const description = app.swagger();
  if (types.length > 0) listTypes(description, types);
  return JSON.stringify(description);
}
