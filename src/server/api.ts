import type { FastifyInstance, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import type { View } from '../controller/view.ts';
import { type Approval, type DiscoveredService, serviceJson } from '../model/discovery.ts';
import type { Generated } from '../model/documents.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { serviceKey } from '../model/service.ts';
import type { Logger } from '../telemetry/logger.ts';
import { security } from '../telemetry/security.ts';
import type { Access } from './access.ts';
import { Answers, mustAcceptJson, Once, pageOf } from './answers.ts';
import { answer, CONDITION, problems, taggedAnswers } from './described.ts';
import { eventStream } from './event-stream.ts';
import { type DiscoverResult, type Job, Jobs } from './jobs.ts';
import { jsonSchema } from './json-schema.ts';
import { ProblemError } from './problem.ts';
import * as schemas from './schemas.ts';
import { statistics } from './statistics.ts';
import { type SwitchedOff, Toolsets } from './toolsets.ts';

/** What a document is checked for: a place, what is wrong there, and whether it is an error. */
export interface CheckedFault {
  readonly path?: readonly PropertyKey[];
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly level: 'fault' | 'warning';
}

/** What is wrong with a document. */
export interface CheckedDocument {
  readonly faults: readonly CheckedFault[];
  /** How many more there are. */
  readonly more: number;
  /** Whether any of all is an error. */
  readonly refused: boolean;
}

export type DocumentKind = (typeof schemas.DOCUMENT_KINDS)[number];
export type GenerateService = NonNullable<z.infer<typeof schemas.generateBody>['services']>[number];
export type DiscoverRequest = z.infer<typeof schemas.discoverBody>;

/** What came of reading the configuration again. */
export type ReloadResult =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'applied'; readonly changes: readonly string[] }
  | { readonly kind: 'refused'; readonly error: Error };

/** What the API tells of and can have done. */
export interface Backing {
  readonly view: View;
  readonly version: string;
  readonly now: () => Date;
  /** Types that a detector knows. */
  types(): readonly string[];
  /** Whether this replica writes. */
  leads(): boolean;
  readonly switchedOff: SwitchedOff;
  /** Says of a service whether it may be published. @param overrides text of the overrides */
  approvals(overrides: string | undefined): (service: DiscoveredService) => Approval;
  /**
   * The documents for these services, or for those that are known.
   * @param client who asks: the documents of one request of theirs are generated at a time
   * @throws ProblemError where they are not generated
   */
  generate(services: readonly GenerateService[] | undefined, client: string): Promise<Generated>;
  /**
   * What is wrong with a document.
   * @param client who sent it: one of theirs is checked at a time
   * @throws ProblemError where it is not checked
   */
  check(kind: DocumentKind, content: string, client: string): Promise<CheckedDocument>;
  /** Asks backends anew, and tells what that came to. */
  discover(request: DiscoverRequest): Promise<DiscoverResult>;
  reload(): Promise<ReloadResult>;
}

const PATH = '/api/v1';

const iso = (time: Date | undefined): string | null => time?.toISOString() ?? null;

const jobJson = (job: Job, lasts: number | undefined) => ({
  jobId: job.id,
  status: job.status,
  message: job.message,
  startedAt: job.startedAt.toISOString(),
  completedAt: iso(job.completedAt),
  estimatedCompletion:
    job.completedAt === undefined && lasts !== undefined
      ? new Date(job.startedAt.getTime() + lasts).toISOString()
      : null,
  services: job.result?.services ?? null,
  asked: job.result?.asked ?? null,
  healthy: job.result?.healthy ?? null,
  unhealthy: job.result?.unhealthy ?? null,
  unknown: job.result?.unknown ?? null,
  changed: job.result?.changed ?? null,
});

/** Whose request it is, where each client has one at a time. */
const clientOf = ({ caller, ip }: FastifyRequest): string => caller?.username ?? ip;

const pointer = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/**
 * The API: what is known, from memory, and what can be had done. Authentication is around it.
 * @param permitted whether a request may have what a right is needed for, as things are now
 */
export function api(
  backing: Backing,
  log: Logger,
  permitted: (request: FastifyRequest, access: Access) => Promise<boolean>,
): (app: FastifyInstance) => Promise<void> {
  const { view } = backing;
  const ready = new Answers(() => view.revision);
  const toolsets = new Toolsets(view, backing.switchedOff);
  const jobs = new Jobs(backing.now);
  const queryOf = (request: FastifyRequest) => request.query as Record<string, string>;
  const asked = problems(400, 401, 403, 406, 429, 503);
  const sent = problems(413, 415);

  return async (app) => {
    app.get(`${PATH}/toolsets`, {
      config: { access: { resource: 'toolsets', verb: 'get' } },
      schema: {
        operationId: 'listToolsets',
        summary: 'All tools: what is published, and backends that are not',
        tags: ['toolsets'],
        querystring: jsonSchema(schemas.toolsetsQuery),
        headers: CONDITION,
        response: { ...taggedAnswers('One page of the tools, by name.', schemas.toolsetsAnswer), ...asked },
      },
      handler(request, reply) {
        mustAcceptJson(request);
        const query = queryOf(request);
        return ready.send(request, reply, `toolsets ${JSON.stringify(query)}`, () => {
          const all = toolsets
            .all()
            .filter(
              ({ enabled, healthy }) =>
                (query.enabled === undefined || String(enabled) === query.enabled) &&
                (query.healthy === undefined || String(healthy === true) === query.healthy),
            );
          const size = Number(query.limit ?? schemas.PAGE);
          const { items, total, next, known } = pageOf(
            all,
            ({ name }) => name,
            `${PATH}/toolsets`,
            query,
            size,
          );
          const body = {
            toolsets: items,
            total,
            next,
            configMapVersion: view.published?.version ?? null,
            lastDiscovery: iso(view.lastDiscovery),
          };
          return known ? body : new Once(body);
        });
      },
    });

    app.get(`${PATH}/toolsets/:name`, {
      config: { access: { resource: 'toolsets', verb: 'get' } },
      schema: {
        operationId: 'getToolset',
        summary: 'One tool, and what the last probes of its backend found',
        tags: ['toolsets'],
        params: jsonSchema(schemas.toolsetParams),
        headers: CONDITION,
        response: { ...taggedAnswers('The tool.', schemas.toolsetAnswer), ...asked, ...problems(404) },
      },
      handler(request, reply) {
        mustAcceptJson(request);
        const { name } = request.params as { name: string };
        const toolset = toolsets.named(name);
        if (toolset === undefined)
          throw new ProblemError(
            'not-found',
            `There is no tool ${JSON.stringify(name)}; GET ${PATH}/toolsets lists those that there are.`,
            { code: 'TOOLSET_NOT_FOUND' },
          );
        return ready.send(request, reply, `toolset ${name}`, () => {
          const service = view.services.find(({ tool }) => tool === name);
          const history = service === undefined ? [] : (view.history(service)?.health ?? []);
          return {
            ...toolset,
            healthHistory: history.map((each) => ({ ...each, time: each.time.toISOString() })),
          };
        });
      },
    });

    app.get(`${PATH}/toolset`, {
      config: { access: { resource: 'toolsets', verb: 'get' } },
      schema: {
        operationId: 'getToolsetDocument',
        summary: 'toolset.json as it is published, for clients of the first release',
        tags: ['toolsets'],
        headers: CONDITION,
        response: { ...taggedAnswers('The document.', schemas.toolsetDocument), ...asked },
      },
      handler(request, reply) {
        mustAcceptJson(request);
        const document = view.published?.data['toolset.json'];
        if (document === undefined)
          throw new ProblemError('unavailable', 'No toolset is published yet; try again in some seconds.', {
            headers: { 'retry-after': '5' },
            code: 'CONFIGMAP_ERROR',
          });
        return ready.send(request, reply, 'toolset.json', () => document);
      },
    });

    app.get(`${PATH}/services`, {
      config: { access: { resource: 'services', verb: 'get' } },
      schema: {
        operationId: 'listServices',
        summary: 'The backends that were discovered',
        tags: ['discovery'],
        querystring: jsonSchema(schemas.servicesQuery),
        headers: CONDITION,
        response: {
          ...taggedAnswers('One page of the backends, by namespace and name.', schemas.servicesAnswer),
          ...asked,
        },
      },
      handler(request, reply) {
        mustAcceptJson(request);
        const query = queryOf(request);
        const types = new Set([...backing.types(), ...view.services.map(({ type }) => type)]);
        if (query.type !== undefined && !types.has(query.type)) {
          const detail = `is none of ${[...types].sort().join(', ')}`;
          throw new ProblemError('invalid-request', `type ${detail}`, {
            errors: [{ parameter: 'type', detail }],
          });
        }
        return ready.send(request, reply, `services ${JSON.stringify(query)}`, () => {
          const all = view.services.filter(
            ({ service, type }) =>
              (query.namespace === undefined || service.namespace === query.namespace) &&
              (query.type === undefined || type === query.type),
          );
          const size = Number(query.limit ?? schemas.PAGE);
          const key = ({ service }: DiscoveredService): string => serviceKey(service);
          const approvalOf = backing.approvals(view.published?.data[OVERRIDES_KEY]);
          const { items, total, next, known } = pageOf(all, key, `${PATH}/services`, query, size);
          const body = {
            services: items.map((each) => serviceJson(each, approvalOf(each))),
            total,
            next,
            lastDiscovery: iso(view.lastDiscovery),
          };
          // A page of nothing is cheap, and its namespace may be any text.
          return known && all.length > 0 ? body : new Once(body);
        });
      },
    });

    app.post(`${PATH}/toolsets/generate`, {
      config: { access: { resource: 'toolsets/generate', verb: 'create' } },
      schema: {
        operationId: 'generateToolset',
        summary: 'The documents for services, without publishing them',
        description:
          'Generates in a thread, for one request of each client at a time, with limits on time and memory.',
        tags: ['toolsets'],
        body: { anyOf: [jsonSchema(schemas.generateBody), { type: 'null' }] },
        response: {
          200: answer('The documents.', schemas.generateAnswer),
          ...asked,
          ...sent,
          ...problems(422),
        },
      },
      async handler(request, reply) {
        mustAcceptJson(request);
        const { services } = (request.body ?? {}) as z.infer<typeof schemas.generateBody>;
        const types = backing.types();
        const errors = (services ?? []).flatMap(({ type }, index) =>
          types.includes(type)
            ? []
            : [{ pointer: `/services/${index}/type`, detail: `is none of ${types.join(', ')}` }],
        );
        if (errors.length > 0)
          throw new ProblemError('invalid-request', 'A service is of a type that nothing is known of.', {
            errors,
          });
        const { documents, tools, notes, waiting } = await backing.generate(services, clientOf(request));
        return reply.send({ documents, tools, notes, waiting });
      },
    });

    app.post(`${PATH}/toolsets/validate`, {
      config: { access: { resource: 'toolsets/validate', verb: 'create' } },
      schema: {
        operationId: 'validateToolset',
        summary: 'Everything that is wrong with a document',
        tags: ['toolsets'],
        body: jsonSchema(schemas.validateBody),
        response: {
          200: answer('What is wrong with it, if anything is.', schemas.validateAnswer),
          ...asked,
          ...sent,
          ...problems(422),
        },
      },
      async handler(request, reply) {
        mustAcceptJson(request);
        const { kind, content } = request.body as z.infer<typeof schemas.validateBody>;
        const { faults, more, refused } = await backing.check(kind, content, clientOf(request));
        return reply.send({
          valid: !refused,
          more,
          errors: faults.map(({ path = [], line, column, message, level }) => ({
            pointer: pointer(path),
            line,
            column,
            detail: message,
            level: level === 'fault' ? 'error' : 'warning',
          })),
        });
      },
    });

    app.post(`${PATH}/discover`, {
      config: { access: { resource: 'discoveries', verb: 'create' } },
      schema: {
        operationId: 'discover',
        summary: 'Asks backends anew, now: healthy ones too, unless the body says force: false',
        tags: ['discovery'],
        querystring: jsonSchema(schemas.discoverQuery),
        body: { anyOf: [jsonSchema(schemas.discoverBody), { type: 'null' }] },
        response: {
          200: answer('It is done; only where the request asked to wait.', schemas.jobAnswer),
          202: answer('It has begun.', schemas.jobAnswer, {
            location: { type: 'string', description: 'path of the job' },
          }),
          ...asked,
          ...sent,
        },
      },
      async handler(request, reply) {
        mustAcceptJson(request);
        const asked = (request.body ?? {}) as DiscoverRequest;
        // A discovery may say nothing for longer than an idle connection has.
        request.raw.socket.setTimeout?.(0);
        log.info(
          { ...security('discovery_request_received', request.caller?.username), request_id: request.id },
          'a discovery was asked for',
        );
        const { job, ended } = jobs.start(backing.discover(asked));
        if (queryOf(request).wait === 'true') {
          await ended;
          if (job.status === 'failed')
            throw new ProblemError('unavailable', job.message, {
              headers: { 'retry-after': '5' },
              code: 'DISCOVERY_FAILED',
            });
          return reply.send(jobJson(job, view.lastDuration));
        }
        return reply
          .code(202)
          .header('location', `${PATH}/jobs/${job.id}`)
          .send(jobJson(job, view.lastDuration));
      },
    });

    app.get(`${PATH}/jobs/:id`, {
      config: { access: { resource: 'discoveries', verb: 'get' } },
      schema: {
        operationId: 'getJob',
        summary: 'How a discovery that was asked for is doing',
        tags: ['discovery'],
        params: jsonSchema(schemas.jobParams),
        response: { 200: answer('The job.', schemas.jobAnswer), ...asked, ...problems(404) },
      },
      handler(request, reply) {
        mustAcceptJson(request);
        const { id } = request.params as { id: string };
        const job = jobs.get(id);
        if (job === undefined)
          throw new ProblemError(
            'not-found',
            'There is no such job; the oldest are forgotten, and all with a restart.',
          );
        return reply.send(jobJson(job, view.lastDuration));
      },
    });

    app.get(`${PATH}/statistics`, {
      config: { access: { resource: 'statistics', verb: 'get' } },
      schema: {
        operationId: 'getStatistics',
        summary: 'Counts, times and what is wrong',
        tags: ['operation'],
        headers: CONDITION,
        response: { ...taggedAnswers('The counts.', schemas.statisticsAnswer), ...asked },
      },
      handler(request, reply) {
        mustAcceptJson(request);
        return ready.send(request, reply, `statistics ${backing.leads()}`, () =>
          statistics(view, backing.version, backing.leads()),
        );
      },
    });

    app.post(`${PATH}/config/reload`, {
      config: { access: { resource: 'configuration', verb: 'update' } },
      schema: {
        operationId: 'reloadConfiguration',
        summary: 'Reads the configuration again, now',
        tags: ['operation'],
        response: {
          200: answer('It is in force.', schemas.reloadAnswer),
          ...asked,
          ...sent,
          ...problems(422),
        },
      },
      async handler(request, reply) {
        mustAcceptJson(request);
        const result = await backing.reload();
        if (result.kind === 'refused')
          throw new ProblemError('configuration-invalid', 'The configuration before stays in force.', {
            errors: result.error.message.split('\n').map((detail) => ({ detail })),
          });
        return reply.send({ result: result.kind, changes: result.kind === 'applied' ? result.changes : [] });
      },
    });

    await app.register(eventStream(`${PATH}/events`, view, permitted));
  };
}
