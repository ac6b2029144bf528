import { type Approvals, approvalKind, isApproved, NO_APPROVALS } from '../model/approvals.ts';
import { isOrAre } from '../model/count-of.ts';
import type { Candidate, Problem } from '../model/discovery.ts';
import { displayKey, displayNamespace } from '../model/key.ts';
import type { Detection } from './detect.ts';

/** Maximum Services that the problem names. */
const MAX_NAMES = 5;

/** Names the namespace with the most backends. */
function largest(numbers: ReadonlyMap<string, number>): string {
  const [namespace = '', count = 0] = [...numbers].reduce((most, each) => (each[1] > most[1] ? each : most));
  return `${namespace} has the most, ${count}`;
}

/**
 * Limits the candidates. If there are too many, namespaces take turns, approved candidates first, so that a tenant who
 * creates very many displaces no others. Pure.
 */
export function limitCandidates(
  detection: Detection,
  most: number,
  approvals: Approvals = NO_APPROVALS,
): Detection {
  const { candidates, problems } = detection;
  if (candidates.length <= most) return detection;
  const seen = new Map<string, number>();
  const isOther = (each: Candidate): number =>
    Number(!isApproved(approvals, each.service, approvalKind(each)));
  const turns = candidates
    .toSorted((a, b) => isOther(a) - isOther(b))
    .map((candidate): readonly [turn: number, candidate: Candidate] => {
      const namespace = displayNamespace(candidate.service);
      const turn = seen.get(namespace) ?? 0;
      seen.set(namespace, turn + 1);
      return [turn, candidate];
    });
  const taken = new Set(
    turns
      .sort(([a], [b]) => a - b)
      .slice(0, most)
      .map(([, candidate]) => candidate),
  );
  const left = candidates.filter((candidate) => !taken.has(candidate));
  const names = left.slice(0, MAX_NAMES).map(({ service }) => displayKey(service));
  const problem: Problem = {
    where: 'all namespaces',
    what: `${left.length} of ${candidates.length} backends ${isOrAre(left.length)} left out (${names.join(', ')}${left.length > MAX_NAMES ? ', …' : ''}): the limit is ${most}, which namespaces share, and ${largest(seen)}`,
    fix: 'raise MAX_BACKENDS (--max-backends), or search fewer namespaces',
  };
  return {
    ...detection,
    candidates: candidates.filter((candidate) => taken.has(candidate)),
    problems: [...problems, problem],
  };
}
