import * as z from 'zod';
import { APPROVAL_STATES, type DiscoveredService, serviceJson } from '../../model/discovery.ts';
import { OVERRIDES_KEY } from '../../model/documents.ts';
import { serviceKey } from '../../model/service.ts';
import { Once, pageOf } from '../answers.ts';
import { CONDITION, taggedAnswers } from '../described.ts';
import { jsonSchema } from '../json-schema.ts';
import { ProblemError } from '../problem.ts';
import { health, KNOWN_TYPE, limit, name, namespace, PAGE, page } from '../schema-parts.ts';
import type { Backing } from './backing.ts';
import { ASKED, iso, PATH, queryOf, type Routes } from './route.ts';

const servicesQuery = z.strictObject({
  namespace: namespace.optional().describe('only backends in this namespace'),
  type: name.optional().describe(KNOWN_TYPE),
  limit: limit.describe(`maximum number of backends in one response, 1 to ${PAGE}`),
  after: name.optional().describe('NAMESPACE/NAME of the last backend on the previous page'),
});

const service = z.object({
  name: z.string(),
  namespace: z.string(),
  type: z.string(),
  endpoint: z.string(),
  health,
  authRequired: z.boolean(),
  reason: z.string(),
  certainty: z.string(),
  tool: z.string(),
  description: z.string(),
  alternates: z.array(z.string()),
  evidence: z.array(z.object({ signal: z.string(), detail: z.string() })),
  approval: z
    .enum(APPROVAL_STATES)
    .describe('approval state; waiting: it is published once a person approves it in overrides.yaml'),
  tools: z
    .array(z.object({ name: z.string(), readOnly: z.boolean().describe('as the server declares') }))
    .optional()
    .describe('tools of an MCP server, if known'),
  toolsTruncated: z
    .boolean()
    .optional()
    .describe('the server has more tools than these; explain shows up to 100'),
});

const servicesAnswer = z.object({ services: z.array(service), ...page });

/** One page of the backends that a query is about. */
function pageOfServices(backing: Backing, query: Readonly<Record<string, string>>): object {
  const { readModel } = backing;
  const all = readModel.services.filter(
    ({ service, type }) =>
      (query.namespace === undefined || service.namespace === query.namespace) &&
      (query.type === undefined || type === query.type),
  );
  const size = Number(query.limit ?? PAGE);
  const key = ({ service }: DiscoveredService): string => serviceKey(service);
  const approvalOf = backing.approvals(readModel.published?.data[OVERRIDES_KEY]);
  const { items, total, next, known } = pageOf(all, key, `${PATH}/services`, query, size);
  const body = {
    services: items.map((each) => serviceJson(each, approvalOf(each))),
    total,
    next,
    lastDiscovery: iso(readModel.lastDiscovery),
  };
  // An empty page is cheap, and its namespace may be any text.
  return known && all.length > 0 ? body : new Once(body);
}

/** @throws ProblemError where no detector knows the type, and no backend has it */
function mustBeKnown(type: string | undefined, { types, readModel }: Backing): void {
  const known = new Set([...types(), ...readModel.services.map((each) => each.type)]);
  if (type === undefined || known.has(type)) return;
  const detail = `is none of ${[...known].sort().join(', ')}`;
  throw new ProblemError('invalid-request', `type ${detail}`, { errors: [{ parameter: 'type', detail }] });
}

/** `GET /services`. */
export const serviceRoutes: Routes = (app, { backing, ready }) => {
  app.get(`${PATH}/services`, {
    config: { access: { resource: 'services', verb: 'get' } },
    schema: {
      operationId: 'listServices',
      summary: 'The backends that were discovered',
      tags: ['discovery'],
      querystring: jsonSchema(servicesQuery),
      headers: CONDITION,
      response: {
        ...taggedAnswers('One page of the backends, by namespace and name.', servicesAnswer),
        ...ASKED,
      },
    },
    handler(request, reply) {
      const query = queryOf(request);
      mustBeKnown(query.type, backing);
      return ready.send(request, reply, `services ${JSON.stringify(query)}`, () =>
        pageOfServices(backing, query),
      );
    },
  });
};
