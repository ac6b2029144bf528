import * as z from 'zod';
import { type Backend, backendJson, hasCondition } from '../../model/backend.ts';
import { compareText } from '../../model/compare.ts';
import {
  CONDITION_STATUSES,
  CONDITION_TYPES,
  type ConditionStatus,
  type ConditionType,
} from '../../model/condition.ts';
import { APPROVAL_STATES } from '../../model/discovery.ts';
import { displayKey } from '../../model/key.ts';
import { condition, conditionJson } from '../backend-json.ts';
import { CONDITION, etagResponses } from '../described.ts';
import { jsonSchema } from '../json-schema.ts';
import { pageBody, pageOf } from '../pages.ts';
import { ProblemError } from '../problem.ts';
import { Uncached } from '../response-cache.ts';
import { CLUSTER, health, KNOWN_TYPE, limit, name, namespace, PAGE, page } from '../schema-parts.ts';
import type { ApiService } from './api-service.ts';
import { COMMON_PROBLEMS, iso, PATH, queryOf, type Routes } from './route.ts';

const servicesQuery = z.strictObject({
  namespace: namespace.optional().describe('Return only backends in this namespace.'),
  type: name.optional().describe(KNOWN_TYPE),
  condition: z
    .enum(CONDITION_TYPES.flatMap((type) => CONDITION_STATUSES.map((status) => `${type}=${status}` as const)))
    .optional()
    .describe('Return only backends with this condition, for example Published=False.'),
  limit: limit.describe(`Maximum number of backends in the response, 1 to ${PAGE} (the default).`),
  after: name.optional().describe('NAMESPACE/NAME of the last backend on the previous page.'),
});

const service = z.object({
  name: z.string(),
  cluster: CLUSTER,
  namespace: z.string(),
  type: z.string(),
  endpoint: z.string().describe('URL of the backend.'),
  health,
  authRequired: z.boolean().describe('Whether the backend requires credentials.'),
  tenantRequired: z.boolean().describe('Whether the backend requires a tenant in each request.'),
  reason: z.string().describe('Result of the last probe.'),
  certainty: z.string().describe('Strength of the evidence for the type.'),
  tool: z.string().describe('Name of the tool in toolset.json.'),
  description: z.string(),
  alternates: z.array(z.string()).describe('Names of other Services that lead to the same backend.'),
  evidence: z
    .array(z.object({ signal: z.string(), detail: z.string() }))
    .describe('What the type is inferred from.'),
  approval: z
    .enum(APPROVAL_STATES)
    .describe(
      'Approval state. A backend that is waiting is published after you approve it in overrides.yaml; one that is refused has approved: false there.',
    ),
  tools: z
    .array(z.object({ name: z.string(), readOnly: z.boolean().describe('As the server declares it.') }))
    .optional()
    .describe('Tools of an MCP server, if known.'),
  toolsTruncated: z
    .boolean()
    .optional()
    .describe('Whether the server has more tools than those listed; explain shows up to 100.'),
  id: z
    .string()
    .describe('Stable ID of the backend: it does not change when another member becomes the entry point.'),
  members: z
    .array(
      z.object({
        name: z.string(),
        created: z.string().optional(),
        roles: z.array(z.string()).describe('Roles of the Service in the product, such as gateway.'),
      }),
    )
    .describe('Services that lead to the backend, oldest first; at most 32.'),
  memberCount: z.int().describe('Number of all members.'),
  conditions: z
    .array(condition)
    .describe('State of the backend, in the form of Kubernetes status conditions.'),
});

const servicesAnswer = z.object({ services: z.array(service), ...page });

type Query = Readonly<Record<string, string>>;

function matches(backend: Backend, query: Query): boolean {
  const [condition, status] = query.condition?.split('=') ?? [];
  return (
    (query.namespace === undefined || backend.found.service.namespace === query.namespace) &&
    (query.type === undefined || backend.type === query.type) &&
    (condition === undefined || hasCondition(backend, condition as ConditionType, status as ConditionStatus))
  );
}

/** Serialized backends. An unchanged backend is the same object, so it is serialized once. */
const bodies = new WeakMap<Backend, Buffer>();

function bodyOf(backend: Backend): Buffer {
  const known = bodies.get(backend);
  if (known !== undefined) return known;
  const body = Buffer.from(JSON.stringify(backendJson(backend, conditionJson)));
  bodies.set(backend, body);
  return body;
}

const keyOf = ({ found }: Backend): string => displayKey(found.service);

/** The found backends by key, once for each state of the catalog. Pages need this order. */
const sorted = new WeakMap<readonly Backend[], readonly Backend[]>();

function inOrder(backends: readonly Backend[]): readonly Backend[] {
  const known = sorted.get(backends);
  if (known !== undefined) return known;
  const made = backends
    .filter(({ isFound }) => isFound)
    .map((backend) => ({ backend, key: keyOf(backend) }))
    .sort((a, b) => compareText(a.key, b.key))
    .map(({ backend }) => backend);
  sorted.set(backends, made);
  return made;
}

/** One page of the backends that match a query, as JSON. */
function pageOfServices({ readModel }: ApiService, query: Query): Buffer | Uncached {
  const all = inOrder(readModel.backends.backends).filter((backend) => matches(backend, query));
  const list = { all, keyOf, bodyOf, path: `${PATH}/services` };
  const page = pageOf(list, query, Number(query.limit ?? PAGE));
  const { total, next, known } = page;
  const body = pageBody('services', page, { total, next, lastDiscovery: iso(readModel.lastDiscovery) });
  // An empty page is cheap, and its namespace may be any text.
  return known && all.length > 0 ? body : new Uncached(body);
}

/** @throws ProblemError if no detector and no backend has the type */
function mustBeKnown(type: string | undefined, { types, readModel }: ApiService): void {
  const known = new Set([...types(), ...readModel.services.map((each) => each.type)]);
  if (type === undefined || known.has(type)) return;
  const detail = `must be one of ${[...known].sort().join(', ')}`;
  throw new ProblemError('invalid-request', `type ${detail}`, { errors: [{ parameter: 'type', detail }] });
}

/** `GET /services`. */
export const serviceRoutes: Routes = (app, { service, ready }) => {
  app.get(`${PATH}/services`, {
    config: { access: { resource: 'services', verb: 'get' } },
    schema: {
      operationId: 'listServices',
      summary: 'List discovered backends',
      tags: ['discovery'],
      querystring: jsonSchema(servicesQuery),
      headers: CONDITION,
      response: {
        ...etagResponses('One page of backends, ordered by namespace and name.', servicesAnswer),
        ...COMMON_PROBLEMS,
      },
    },
    handler(request, reply) {
      const query = queryOf(request);
      mustBeKnown(query.type, service);
      return ready.send(request, reply, `services ${JSON.stringify(query)}`, () =>
        pageOfServices(service, query),
      );
    },
  });
};
