import { type Problem, problemLine } from '../model/discovery.ts';
import { RateLimiter } from '../model/rate-limit.ts';
import type { Logger } from './logger.ts';

/** Identical problems are aggregated from this count on, and the line names this many places. */
const GROUP_THRESHOLD = 4;
const MAX_PLACES = 3;

/**
 * Lines about one place: a few at once, then one a minute. Texts have numbers, names and answers of servers that tenants
 * change at will, so a text does not identify a problem. Its place comes from Kubernetes or from the user.
 */
const LINES = { rate: 1 / 60, burst: 3, clients: 10_000 };

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

/**
 * Logs each problem once while it lasts. Many identical problems share one line. Where the problems of a place change all
 * the time, the current ones are logged once a minute.
 * @param now a monotonic clock, in milliseconds
 */
export function problemLog(
  log: Logger,
  component: string,
  now: () => number,
): (problems: readonly Problem[], cycle: number) => void {
  const lines = new RateLimiter({ ...LINES, now });
  /** Lines that were written about problems that last. */
  let written: ReadonlySet<string> = new Set();

  /** The problems to log now. New problems of one place do not wait for each other: the nth has the nth limit. */
  const dueOf = (problems: readonly Problem[]): Problem[] => {
    const fresh = new Map<string, number>();
    return problems.filter((problem) => {
      if (written.has(problemLine(problem))) return false;
      const nth = fresh.get(problem.where) ?? 0;
      fresh.set(problem.where, nth + 1);
      return lines.take(`${nth} ${problem.where}`).allowed;
    });
  };

  return (problems, cycle) => {
    const due = dueOf(problems);
    const lasting = problems.map(problemLine).filter((line) => written.has(line));
    written = new Set([...lasting, ...due.map(problemLine)]);
    for (const group of groupProblems(due)) {
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
