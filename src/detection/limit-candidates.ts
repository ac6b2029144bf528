import { type Approvals, approvalKind, isApproved, NO_APPROVALS } from '../model/approvals.ts';
import { compareText } from '../model/compare.ts';
import { isOrAre } from '../model/count-of.ts';
import type { Candidate, ExceededLimit, Problem } from '../model/discovery.ts';
import { displayKey, displayNamespace } from '../model/key.ts';
import { bySeniority, type InUseSince, seniorityOf } from '../model/seniority.ts';
import { keyOfService, type ServiceKey } from '../model/service.ts';
import type { Detection } from './detect.ts';

/** Maximum Services that the problem names. */
const MAX_NAMES = 5;

/** Maximum namespaces that it names. */
const MAX_NAMESPACES = 3;

/** The candidates beyond the limit, and why, for one of them alone. */
export interface BeyondLimit {
  readonly candidates: readonly Candidate[];
  readonly limit: ExceededLimit;
}

/** The candidates within the limit. */
export interface LimitedDetection extends Detection {
  /** Absent if all are within it. */
  readonly beyond?: BeyondLimit;
}

/** What comes first within a namespace. */
export interface Precedence {
  readonly approvals?: Approvals | undefined;
  /** Services that people named. */
  readonly named?: ReadonlySet<ServiceKey>;
  readonly inUseSince?: InUseSince;
}

/** Names the namespaces with the most backends, as the rest of "the limit is 10". */
function whoHasThem(numbers: ReadonlyMap<string, number>): string {
  const most = [...numbers.values()].reduce((a, b) => Math.max(a, b), 0);
  const names = [...numbers].flatMap(([namespace, count]) => (count === most ? [namespace] : []));
  if (numbers.size === 1) return `and all of them are in namespace ${names[0]}`;
  const shared = 'which namespaces share, and';
  if (names.length === 1) return `${shared} ${names[0]} has the most, ${most}`;
  if (names.length === numbers.size) return `${shared} each of the ${names.length} has ${most}`;
  const more = names.length > MAX_NAMESPACES ? ', …' : '';
  return `${shared} ${names.length} have the most, ${most} each (${names.slice(0, MAX_NAMESPACES).join(', ')}${more})`;
}

const RAISE = 'raise MAX_BACKENDS (--max-backends)';

/**
 * Limits the candidates. If there are too many, namespaces take turns, so that a tenant who creates very many displaces no
 * others; and within a namespace, approved candidates come first, then those that people named, those in use, and older ones.
 * Pure.
 */
export function limitCandidates(
  detection: Detection,
  most: number,
  { approvals = NO_APPROVALS, named = new Set(), inUseSince = new Map() }: Precedence = {},
): LimitedDetection {
  const { candidates, problems } = detection;
  if (candidates.length <= most) return detection;
  const seen = new Map<string, number>();
  const isOther = (each: Candidate): number =>
    Number(!isApproved(approvals, each.service, approvalKind(each)));
  const keysOf = (each: Candidate): ServiceKey[] =>
    [each, ...each.fallbacks].map(({ service }) => keyOfService(service));
  const isUnnamed = (each: Candidate): number => Number(!keysOf(each).some((key) => named.has(key)));
  const ageOf = ({ service }: Candidate): string => service.created ?? '~';
  const turns = candidates
    .map((candidate) => ({
      candidate,
      other: isOther(candidate),
      unnamed: isUnnamed(candidate),
      since: seniorityOf(keysOf(candidate), inUseSince),
    }))
    .sort(
      (a, b) =>
        a.other - b.other ||
        a.unnamed - b.unnamed ||
        bySeniority(a.since, b.since) ||
        compareText(ageOf(a.candidate), ageOf(b.candidate)),
    )
    .map(({ candidate }) => candidate)
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
  const limit = `the limit is ${most}, ${whoHasThem(seen)}`;
  const fix = `${RAISE}, or ${seen.size === 1 ? 'keep Services out with the annotation kubernaut.io/toolset: "false"' : 'search fewer namespaces'}`;
  const problem: Problem = {
    where: 'all namespaces',
    what: `${left.length} of ${candidates.length} backends ${isOrAre(left.length)} left out (${names.join(', ')}${left.length > MAX_NAMES ? ', …' : ''}): ${limit}`,
    fix,
  };
  return {
    ...detection,
    candidates: candidates.filter((candidate) => taken.has(candidate)),
    problems: [...problems, problem],
    beyond: {
      candidates: left,
      limit: {
        where: problem.where,
        what: `${candidates.length} backends were found: ${limit}`,
        fix,
        setting: { key: 'maxBackends', enough: candidates.length },
      },
    },
  };
}
