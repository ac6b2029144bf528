import { type Problem, problemLine } from '../model/discovery.ts';
import type { Logger } from './logger.ts';

/** From so many on problems of one kind are told together, and so many places are named then. */
const MANY = 4;
const NAMED = 3;

/** Problems that differ in their place alone. */
function groups(problems: readonly Problem[]): Problem[][] {
  const byKind = new Map<string, Problem[]>();
  for (const problem of problems) {
    const kind = JSON.stringify([problem.what, problem.fix]);
    const group = byKind.get(kind);
    if (group === undefined) byKind.set(kind, [problem]);
    else group.push(problem);
  }
  return [...byKind.values()].flatMap((group) =>
    group.length < MANY ? group.map((problem) => [problem]) : [group],
  );
}

/** Logs problems, each once while it lasts; many of one kind on one line. */
export function problemLog(
  log: Logger,
  component: string,
): (problems: readonly Problem[], cycle: number) => void {
  let known = new Set<string>();
  return (problems, cycle) => {
    const fresh = problems.filter((problem) => !known.has(problemLine(problem)));
    known = new Set(problems.map(problemLine));
    for (const group of groups(fresh)) {
      const [first] = group;
      if (first === undefined) continue;
      const more = group.length - NAMED;
      const where = group.slice(0, NAMED).map((problem) => problem.where);
      if (group.length === 1) log.warn({ component, cycle }, problemLine(first));
      else
        log.warn(
          { component, cycle, count: group.length },
          problemLine({ ...first, where: `${where.join(', ')} and ${more} more` }),
        );
    }
  };
}
