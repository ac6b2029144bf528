import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { LRUCache } from 'lru-cache';
import { shareSchemas } from './described.ts';
import { mustAcceptJson } from './response-cache.ts';
import { KNOWN_TYPE } from './schema-parts.ts';

const DESCRIPTION = `Reads the backends that Dynamic Toolset discovered and the tools that it published, and starts actions such as
a new discovery. GET requests are served from memory.

Every path except the health probes requires a bearer token that the Kubernetes API server accepts, such as one from
\`kubectl create token NAME\`. Errors are problem documents (RFC 9457). Times are ISO 8601 in UTC.

Every response has a request ID in \`X-Request-ID\`: the one that the client sent, or a new one. On rate-limited
paths, \`X-RateLimit-Remaining\` is the number of requests that the client can send right now.`;

/** The request body of an operation. */
interface Operation {
  readonly requestBody?: {
    required: boolean;
    readonly content: Readonly<Record<string, { readonly schema?: { readonly anyOf?: readonly object[] } }>>;
  };
}

/** Describes a body that may be `null` as optional, which validation treats the same. */
function optionalBodies(paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>): void {
  const bodies = Object.values(paths)
    .flatMap((operations) => Object.values(operations))
    .flatMap(({ requestBody }) => requestBody ?? []);
  for (const body of bodies)
    for (const { schema } of Object.values(body.content))
      if (schema?.anyOf?.some((each) => 'type' in each && each.type === 'null') === true)
        body.required = false;
}

/** Lists the types in descriptions of strings that are types. Validation does not use the list, since it changes. */
function listTypes(part: unknown, types: readonly string[]): void {
  if (typeof part !== 'object' || part === null) return;
  const { description, schema = part } = part as { readonly description?: unknown; readonly schema?: object };
  if (description === KNOWN_TYPE) Object.assign(schema, { enum: types });
  for (const inner of Object.values(part)) listTypes(inner, types);
}

/** Collects the routes that are added later into a description. Register it first. */
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
        { name: 'toolsets', description: 'Published tools, and the documents that contain them' },
        { name: 'discovery', description: 'Discovered backends' },
        { name: 'operation', description: 'Health, statistics and configuration of the service' },
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

/** `GET /openapi.json`. @param types those of all enabled detectors */
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
