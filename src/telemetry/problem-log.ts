import { type Problem, problemLine } from '../model/discovery.ts';
import type { Logger } from './logger.ts';

/** Identical problems are aggregated from this count on, and the line names this many places. */
const GROUP_THRESHOLD = 4;
const MAX_PLACES = 3;

/** Groups problems that differ only in their place. */
function groupProblems(problems: readonly Problem[]): Problem[][] {
  const byKind = new Map<string, Problem[]>();
  for (const problem of problems) {
    const kind = JSON.stringify([problem.what, problem.fix]);
    const group = byKind.get(kind);
    if (group === undefined) byKind.set(kind, [problem]);
    else group.push(problem);
  }
  return [...byKind.values()].flatMap((group) =>
    group.length < GROUP_THRESHOLD ? group.map((problem) => [problem]) : [group],
  );
}

/** Logs each problem once while it lasts. Many identical problems share one line. */
export function problemLog(
  log: Logger,
  component: string,
): (problems: readonly Problem[], cycle: number) => void {
  let known = new Set<string>();
  return (problems, cycle) => {
    const fresh = problems.filter((problem) => !known.has(problemLine(problem)));
    known = new Set(problems.map(problemLine));
    for (const group of groupProblems(fresh)) {
      const [first] = group;
      if (first === undefined) continue;
      const more = group.length - MAX_PLACES;
      const where = group.slice(0, MAX_PLACES).map((problem) => problem.where);
      if (group.length === 1) log.warn({ component, cycle }, problemLine(first));
      else
        log.warn(
          { component, cycle, count: group.length },
          problemLine({ ...first, where: `${where.join(', ')} and ${more} more` }),
        );
    }
  };
}
