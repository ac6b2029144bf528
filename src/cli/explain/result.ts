import type { Explanation } from '../../detection/explain.ts';
import type { BackendId } from '../../model/backend-id.ts';
import type { Finding } from '../../model/condition.ts';
import type { Approval, DiscoveredService, Problem, Verdict } from '../../model/discovery.ts';
import type { Cut } from '../../model/documents.ts';
import { isHeld } from '../../planning/admission.ts';
import { keepsOut } from '../../planning/conditions/published.ts';

/** All that is known of how one Service came to its verdict. */
export interface ExplainResult {
  readonly explanation: Explanation;
  /** Verdicts on the entry points of its backend that were probed, by their Services' names, in order. */
  readonly probed: ReadonlyMap<string, Verdict>;
  /** The verdict on the entry point in use; of a backend that is left out, on the preferred one. */
  readonly verdict: Verdict | undefined;
  readonly service: DiscoveredService | undefined;
  readonly approval: Approval | undefined;
  /** Why it is left out although nothing is wrong with it: another Service of its Pods is switched off. */
  readonly off: string | undefined;
  readonly problems: readonly Problem[];
  /** What limits take of its tool. */
  readonly cuts: readonly Cut[];
  /** The id of its backend, unless that is left out. */
  readonly id: BackendId | undefined;
  /** The conditions of its backend; empty where no detector matches. */
  readonly conditions: readonly Finding[];
  /** What is published was read, so the conditions say more than the rest. */
  readonly isPublicationKnown: boolean;
}

/** Whether its backend becomes a tool as things are. */
export const isUsed = ({ service, off, cuts, approval }: ExplainResult): boolean =>
  service !== undefined &&
  off === undefined &&
  service.verdict.health !== 'unhealthy' &&
  !cuts.some(keepsOut) &&
  !(approval !== undefined && isHeld(approval));
