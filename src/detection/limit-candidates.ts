import { type Approvals, approvalKind, isApproved, NO_APPROVALS } from '../model/approvals.ts';
import type { Candidate, Problem } from '../model/discovery.ts';
import { displayKey, displayNamespace } from '../model/key.ts';
import type { Detection } from './detect.ts';

/** Maximum Services that the problem names. */
const MAX_NAMES = 5;

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
    what: `${left.length} of ${candidates.length} backends are left out (${names.join(', ')}${left.length > MAX_NAMES ? ', …' : ''}): no more than ${most} are considered`,
    fix: 'raise MAX_BACKENDS (--max-backends), or search fewer namespaces',
  };
  return {
    ...detection,
    candidates: candidates.filter((candidate) => taken.has(candidate)),
    problems: [...problems, problem],
  };
}
