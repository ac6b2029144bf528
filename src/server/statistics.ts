import type * as z from 'zod';
import type { View } from '../controller/view.ts';
import type { statisticsAnswer } from './schemas.ts';
import { toolsetsOf } from './toolsets.ts';

const iso = (time: Date | undefined): string | null => time?.toISOString() ?? null;

/** Counts, times and what is wrong. @param leader whether this replica writes */
export function statistics(view: View, version: string, leader: boolean): z.infer<typeof statisticsAnswer> {
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
