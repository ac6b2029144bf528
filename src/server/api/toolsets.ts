import type { FastifyInstance } from 'fastify';
import type { ReadModel } from '../../controller/read-model.ts';
import type { BackendId } from '../../model/backend-id.ts';
import { jsonText } from '../../model/visible.ts';
import { CONDITION, etagResponses, problems } from '../described.ts';
import { jsonSchema } from '../json-schema.ts';
import { pageBody, pageOf } from '../pages.ts';
import { ProblemError } from '../problem.ts';
import { Uncached } from '../response-cache.ts';
import { PAGE } from '../schema-parts.ts';
import type { Toolset } from '../toolsets.ts';
import { type ApiContext, COMMON_PROBLEMS, iso, PATH, queryOf, type Routes } from './route.ts';
import {
  toolsetAnswer,
  toolsetDocument,
  toolsetParams,
  toolsetsAnswer,
  toolsetsQuery,
} from './toolset-schemas.ts';

const ACCESS = { resource: 'toolsets', verb: 'get' } as const;

/** `GET /toolsets`, `/toolsets/NAME`, and `/toolset`, which is the document itself. */
export const toolsetRoutes: Routes = (app, context) => {
  listToolsets(app, context);
  getToolset(app, context);
  getToolsetDocument(app, context);
};

const matches = ({ enabled, healthy }: Toolset, query: Readonly<Record<string, string>>): boolean =>
  (query.enabled === undefined || String(enabled) === query.enabled) &&
  (query.healthy === undefined || String(healthy === true) === query.healthy);

const keyOf = ({ name }: Toolset): string => name;
const bodyOf = (toolset: Toolset): Buffer => Buffer.from(JSON.stringify(toolset));

function listToolsets(app: FastifyInstance, { service: { readModel }, ready, toolsets }: ApiContext): void {
  app.get(`${PATH}/toolsets`, {
    config: { access: ACCESS },
    schema: {
      operationId: 'listToolsets',
      summary: 'List tools, including those that are not published',
      tags: ['toolsets'],
      querystring: jsonSchema(toolsetsQuery),
      headers: CONDITION,
      response: {
        ...etagResponses('One page of tools, ordered by name.', toolsetsAnswer),
        ...COMMON_PROBLEMS,
      },
    },
    handler(request, reply) {
      const query = queryOf(request);
      return ready.send(request, reply, `toolsets ${JSON.stringify(query)}`, () => {
        const all = toolsets.all().filter((toolset) => matches(toolset, query));
        const page = pageOf(
          { all, keyOf, bodyOf, path: `${PATH}/toolsets` },
          query,
          Number(query.limit ?? PAGE),
        );
        const { total, next, known } = page;
        const body = pageBody('toolsets', page, {
          total,
          next,
          configMapVersion: readModel.published?.version ?? null,
          lastDiscovery: iso(readModel.lastDiscovery),
        });
        return known ? body : new Uncached(body);
      });
    },
  });
}

/** Health transitions of a backend. */
const healthHistory = (readModel: ReadModel, id: BackendId | null): object[] =>
  (id === null ? [] : (readModel.history(id)?.health ?? [])).map((each) => ({
    ...each,
    time: each.time.toISOString(),
  }));

function getToolset(app: FastifyInstance, { service: { readModel }, ready, toolsets }: ApiContext): void {
  app.get(`${PATH}/toolsets/:name`, {
    config: { access: ACCESS },
    schema: {
      operationId: 'getToolset',
      summary: 'Get a tool, with the health history of its backend',
      tags: ['toolsets'],
      params: jsonSchema(toolsetParams),
      headers: CONDITION,
      response: { ...etagResponses('The tool.', toolsetAnswer), ...COMMON_PROBLEMS, ...problems(404) },
    },
    handler(request, reply) {
      const { name } = request.params as { name: string };
      const toolset = toolsets.named(name);
      if (toolset === undefined)
        throw new ProblemError(
          'not-found',
          `There is no tool ${JSON.stringify(name)}; GET ${PATH}/toolsets lists all tools.`,
          { code: 'TOOLSET_NOT_FOUND' },
        );
      return ready.send(request, reply, `toolset ${name}`, () => ({
        ...toolset,
        healthHistory: healthHistory(readModel, toolset.backend),
      }));
    },
  });
}

function getToolsetDocument(app: FastifyInstance, { service: { readModel }, ready }: ApiContext): void {
  app.get(`${PATH}/toolset`, {
    config: { access: ACCESS },
    schema: {
      operationId: 'getToolsetDocument',
      summary: 'Get toolset.json as published, for clients of release 0.1',
      tags: ['toolsets'],
      headers: CONDITION,
      response: { ...etagResponses('The document.', toolsetDocument), ...COMMON_PROBLEMS },
    },
    handler(request, reply) {
      const toolset = readModel.published?.present;
      if (toolset === undefined || Object.keys(toolset.documents).length === 0)
        throw new ProblemError('unavailable', 'No toolset is published yet; try again in some seconds.', {
          headers: { 'retry-after': '5' },
          code: 'CONFIGMAP_ERROR',
        });
      return ready.send(request, reply, 'toolset', () => `${jsonText({ tools: toolset.tools }, 2)}\n`);
    },
  });
}
