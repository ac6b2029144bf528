import * as z from 'zod';
import type { ReadModel, TargetStatus } from '../../controller/read-model.ts';
import type { Problem } from '../../model/discovery.ts';
import { CONDITION, etagResponses } from '../described.ts';
import { note, time } from '../schema-parts.ts';
import { COMMON_PROBLEMS, iso, PATH, type Routes } from './route.ts';

const statisticsAnswer = z.object({
  version: z.string(),
  startedAt: time,
  leader: z.boolean().describe('Whether this replica publishes.'),
  discovery: z.object({
    cycles: z.int(),
    lastDiscovery: time.nullable(),
    lastDurationSeconds: z.number().nullable(),
    servicesExamined: z.int(),
    backends: z.int(),
    byType: z.record(z.string(), z.object({ healthy: z.int(), unhealthy: z.int(), unknown: z.int() })),
    problems: z.array(note),
  }),
  toolset: z.object({
    tools: z.int(),
    configMapVersion: z.string().nullable(),
    lastPublished: time.nullable(),
    publications: z.int(),
    failures: z.int(),
    driftReverted: z.int(),
    problems: z.array(note),
  }),
  targets: z
    .array(
      z.object({
        id: z.string(),
        status: z.enum(['ok', 'failing', 'waiting']),
        since: time,
        error: z.string().optional().describe('The last error, while publishing fails.'),
        tools: z.int().nullable(),
        lastPublished: time.nullable(),
        problems: z.array(note),
      }),
    )
    .optional()
    .describe('Other targets that the service publishes to; absent if there are none.'),
});

/** Counts, times and problems. @param leader whether this replica publishes */
export function statistics(
  readModel: ReadModel,
  version: string,
  leader: boolean,
): z.infer<typeof statisticsAnswer> {
  const byType: Record<string, Record<'healthy' | 'unhealthy' | 'unknown', number>> = {};
  for (const service of readModel.services) {
    const { type } = service;
    byType[type] ??= { healthy: 0, unhealthy: 0, unknown: 0 };
    byType[type][readModel.healthNow(service)]++;
  }
  const { counters, published } = readModel;
  // Only the replica that publishes updates the agent.
  const agentProblem = leader ? readModel.agentProblem : undefined;
  return {
    version,
    startedAt: readModel.startedAt.toISOString(),
    leader,
    discovery: {
      cycles: counters.cycles,
      lastDiscovery: iso(readModel.lastDiscovery),
      lastDurationSeconds: readModel.lastDuration === undefined ? null : readModel.lastDuration / 1000,
      servicesExamined: counters.examined,
      backends: readModel.services.length,
      byType,
      problems: notes(readModel.discoveryProblems),
    },
    toolset: {
      tools: readModel.tools.length,
      configMapVersion: published?.version ?? null,
      lastPublished: iso(readModel.lastPublished),
      publications: counters.publications,
      failures: counters.failures,
      driftReverted: counters.drift,
      problems: notes(readModel.publishProblems, agentProblem),
    },
    ...(readModel.targets.size === 0
      ? {}
      : { targets: [...readModel.targets].map((each) => targetJson(each, leader)) }),
  };
}

/** Problems as plain objects, with that of the agent if there is one. */
const notes = (problems: readonly Problem[], agentProblem?: Problem): z.infer<typeof note>[] =>
  [...problems, ...(agentProblem === undefined ? [] : [agentProblem])].map((each) => ({ ...each }));

/** The state of a target other than the home target. */
const targetJson = (
  [id, { since, tools, lastPublished, problems, agentProblem, ...rest }]: readonly [string, TargetStatus],
  leader: boolean,
): NonNullable<z.infer<typeof statisticsAnswer>['targets']>[number] => ({
  id,
  ...rest,
  since: since.toISOString(),
  tools: tools ?? null,
  lastPublished: iso(lastPublished),
  problems: notes(problems, leader ? agentProblem : undefined),
});

/** `GET /statistics`. */
export const statisticsRoutes: Routes = (app, { service, ready }) => {
  app.get(`${PATH}/statistics`, {
    config: { access: { resource: 'statistics', verb: 'get' } },
    schema: {
      operationId: 'getStatistics',
      summary: 'Get statistics and current problems',
      tags: ['operation'],
      headers: CONDITION,
      response: {
        ...etagResponses('Statistics and current problems.', statisticsAnswer),
        ...COMMON_PROBLEMS,
      },
    },
    handler: (request, reply) =>
      ready.send(request, reply, `statistics ${service.leads()}`, () =>
        statistics(service.readModel, service.version, service.leads()),
      ),
  });
};
