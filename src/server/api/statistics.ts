import * as z from 'zod';
import type { View } from '../../controller/view.ts';
import { CONDITION, taggedAnswers } from '../described.ts';
import { note, time } from '../schema-parts.ts';
import { toolsetsOf } from '../toolsets.ts';
import { ASKED, iso, PATH, type Routes } from './route.ts';

const statisticsAnswer = z.object({
  version: z.string(),
  startedAt: time,
  leader: z.boolean().describe('whether this replica writes'),
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
});

/** Counts, times and what is wrong. @param leader whether this replica writes */
function statistics(view: View, version: string, leader: boolean): z.infer<typeof statisticsAnswer> {
  const byType: Record<string, Record<'healthy' | 'unhealthy' | 'unknown', number>> = {};
  for (const { type, verdict } of view.services) {
    byType[type] ??= { healthy: 0, unhealthy: 0, unknown: 0 };
    byType[type][verdict.health]++;
  }
  const { counters, published } = view;
  const notes = (problems: View['publishProblems']) => problems.map((each) => ({ ...each }));
  return {
    version,
    startedAt: view.startedAt.toISOString(),
    leader,
    discovery: {
      cycles: counters.cycles,
      lastDiscovery: iso(view.lastDiscovery),
      lastDurationSeconds: view.lastDuration === undefined ? null : view.lastDuration / 1000,
      servicesExamined: counters.examined,
      backends: view.services.length,
      byType,
      problems: notes(view.discoveryProblems),
    },
    toolset: {
      tools: toolsetsOf(view, () => new Set()).filter((toolset) => toolset.published).length,
      configMapVersion: published?.version ?? null,
      lastPublished: iso(view.lastPublished),
      publications: counters.publications,
      failures: counters.failures,
      driftReverted: counters.drift,
      problems: notes(view.publishProblems),
    },
  };
}

/** `GET /statistics`. */
export const statisticsRoutes: Routes = (app, { backing, ready }) => {
  app.get(`${PATH}/statistics`, {
    config: { access: { resource: 'statistics', verb: 'get' } },
    schema: {
      operationId: 'getStatistics',
      summary: 'Counts, times and what is wrong',
      tags: ['operation'],
      headers: CONDITION,
      response: { ...taggedAnswers('The counts.', statisticsAnswer), ...ASKED },
    },
    handler: (request, reply) =>
      ready.send(request, reply, `statistics ${backing.leads()}`, () =>
        statistics(backing.view, backing.version, backing.leads()),
      ),
  });
};
