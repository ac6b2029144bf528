import type { FastifyInstance } from 'fastify';
import { securityFields } from '../../telemetry/security.ts';
import { clientOf } from '../client.ts';
import { answer, problems } from '../described.ts';
import { type Job, Jobs } from '../jobs.ts';
import { jsonSchema } from '../json-schema.ts';
import { ProblemError } from '../problem.ts';
import {
  type DiscoverRequest,
  discoverBody,
  discoverQuery,
  jobAnswer,
  jobParams,
} from './discovery-schemas.ts';
import { type ApiContext, BODY_PROBLEMS, COMMON_PROBLEMS, iso, PATH, queryOf, type Routes } from './route.ts';

/** @param lasts duration of the last discovery, in milliseconds */
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

/** `POST /discover`, and `GET /jobs/ID` for its result. */
export const discoveryRoutes: Routes = (app, context) => {
  const jobs = new Jobs(context.service.now);
  postDiscover(app, context, jobs);
  getJob(app, context, jobs);
};

function postDiscover(app: FastifyInstance, { service, log }: ApiContext, jobs: Jobs): void {
  app.post(`${PATH}/discover`, {
    config: { access: { resource: 'discoveries', verb: 'create' } },
    schema: {
      operationId: 'discover',
      summary: 'Discover and probe backends again',
      description:
        'Discoveries that requests start begin at least five seconds apart. Requests in between are answered like others, and their discovery begins together at the end of that time. Each client can have four such requests at a time.',
      tags: ['discovery'],
      querystring: jsonSchema(discoverQuery),
      body: { anyOf: [jsonSchema(discoverBody), { type: 'null' }] },
      response: {
        200: answer('The completed job, if the request has wait=true.', jobAnswer),
        202: answer('The started job.', jobAnswer, {
          location: { type: 'string', description: 'Path of the job.' },
        }),
        ...COMMON_PROBLEMS,
        ...BODY_PROBLEMS,
      },
    },
    async handler(request, reply) {
      // A discovery may take longer than the idle timeout of a connection.
      request.raw.socket.setTimeout?.(0);
      const client = clientOf(request);
      const work = service.discover((request.body ?? {}) as DiscoverRequest, client);
      log.info(
        { ...securityFields('discovery_request_received', request.caller?.username), request_id: request.id },
        'a discovery was requested',
      );
      const { job, ended } = jobs.start(work, client);
      const json = () => jobJson(job, service.readModel.lastDuration);
      if (queryOf(request).wait !== 'true')
        return reply.code(202).header('location', `${PATH}/jobs/${job.id}`).send(json());
      await ended;
      if (job.status === 'failed')
        throw new ProblemError('unavailable', job.message, {
          headers: { 'retry-after': '5' },
          code: 'DISCOVERY_FAILED',
        });
      return reply.send(json());
    },
  });
}

function getJob(app: FastifyInstance, { service: { readModel } }: ApiContext, jobs: Jobs): void {
  app.get(`${PATH}/jobs/:id`, {
    config: { access: { resource: 'discoveries', verb: 'get' } },
    schema: {
      operationId: 'getJob',
      summary: 'Get the state of a discovery job',
      tags: ['discovery'],
      params: jsonSchema(jobParams),
      response: { 200: answer('The job.', jobAnswer), ...COMMON_PROBLEMS, ...problems(404) },
    },
    handler(request, reply) {
      const { id } = request.params as { id: string };
      const job = jobs.get(id);
      if (job === undefined)
        throw new ProblemError(
          'not-found',
          'There is no such job. The oldest jobs are dropped, and a restart drops all of them.',
        );
      return reply.send(jobJson(job, readModel.lastDuration));
    },
  });
}
