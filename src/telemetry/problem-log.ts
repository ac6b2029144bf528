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

/** A group of problems as one problem, which names a few of their places. */
function asOne(group: readonly Problem[]): Problem | undefined {
  const [first] = group;
  if (first === undefined || group.length === 1) return first;
  const places = group.slice(0, MAX_PLACES).map(({ where }) => where);
  return { ...first, where: `${places.join(', ')} and ${group.length - MAX_PLACES} more` };
}

/**
 * Logs each problem once while it lasts, and once when its place has no problem any more. Many identical problems share one
 * line. Where the problems of a place change all the time, the current ones are logged once a minute. If not all problems are
 * known, none ends.
 * @param now a monotonic clock, in milliseconds
 */
export function problemLog(
  log: Logger,
  component: string,
  now: () => number,
): (problems: readonly Problem[], cycle: number, isPartial?: boolean) => void {
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

  /** Those that were logged last about each place that still has a problem, whatever that is now. */
  const open = new Map<string, Problem>();

  /** The problems of places that have none now. */
  const endedOf = (problems: readonly Problem[]): Problem[] => {
    const places = new Set(problems.map(({ where }) => where));
    const ended = [...open.values()].filter(({ where }) => !places.has(where));
    for (const { where } of ended) open.delete(where);
    return ended.map(({ where, what }) => ({ where, what }));
  };

  return (problems, cycle, isPartial = false) => {
    const due = dueOf(problems);
    const ended = isPartial ? [] : endedOf(problems);
    const lasting = problems.map(problemLine).filter((line) => written.has(line));
    written = new Set([...(isPartial ? written : lasting), ...due.map(problemLine)]);
    for (const problem of due) open.set(problem.where, problem);
    const write = (level: 'warn' | 'info', all: readonly Problem[], prefix = ''): void => {
      for (const group of groupProblems(all)) {
        const problem = asOne(group);
        const fields = { component, cycle, ...(group.length === 1 ? {} : { count: group.length }) };
        if (problem !== undefined) log[level](fields, prefix + problemLine(problem));
      }
    };
    write('warn', due);
    write('info', ended, 'ended: ');
  };
}
