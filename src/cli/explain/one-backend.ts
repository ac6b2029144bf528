import { permitted } from '../../controller/outcome.ts';
import { selectionOf } from '../../detection/selection.ts';
import type { Candidate, Verdict } from '../../model/discovery.ts';
import type { Prober } from '../../probing/prober.ts';
import type { ExplainInput } from './input.ts';

const NOT_PROBED: Verdict = {
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  reason: '',
  steps: [],
};

/** The entry points of a candidate, preferred one first. */
export const entryPointsOf = (candidate: Candidate | undefined): readonly Candidate[] =>
  candidate === undefined ? [] : [candidate, ...candidate.fallbacks];

/** Drops the texts of tools: those of hundreds of servers, which are not shown, would take a lot of memory. */
const withoutTexts = ({ tools, ...verdict }: Verdict): Verdict =>
  tools === undefined ? verdict : { ...verdict, tools: tools.map(({ texts: _, ...tool }) => tool) };

/**
 * A prober that probes one backend only, and records its verdicts.
 * @param verdicts receives the verdicts, by Service name
 */
export function proberFor(
  candidate: Candidate | undefined,
  { namespace, stages }: ExplainInput,
  verdicts: Map<string, Verdict>,
): Prober {
  const { prober, rules } = stages;
  const entryPoints = entryPointsOf(candidate);
  const names = new Set(entryPoints.map((way) => way.service.name));
  // Services of the same Pods may prove to be the same backend.
  const pods = new Set(entryPoints.flatMap((way) => selectionOf(way.service).key ?? []));
  const isMeant = ({ service }: Candidate): boolean =>
    service.namespace === namespace && (names.has(service.name) || pods.has(selectionOf(service).key ?? ''));
  return {
    ...(prober.prepare === undefined ? {} : { prepare: prober.prepare.bind(prober) }),
    probe: async (way, signal) => {
      // Other MCP servers are probed too, because all of them share the limit on tools.
      if (!isMeant(way) && (candidate === undefined || way.mcp !== true)) return NOT_PROBED;
      const verdict = permitted(way, await prober.probe(way, signal), rules);
      if (!isMeant(way)) return withoutTexts(verdict);
      verdicts.set(way.service.name, verdict);
      return verdict;
    },
  };
}
