import type { Explanation } from '../../detection/explain.ts';
import type { BackendId } from '../../model/backend-id.ts';
import type { Finding } from '../../model/condition.ts';
import type { Approval, DiscoveredService, Problem, Verdict } from '../../model/discovery.ts';
import type { Cut } from '../../model/documents.ts';
import { isHeld } from '../../planning/admission.ts';
import { keepsOut } from '../../planning/conditions/published.ts';

/** Everything that `explain` prints about one Service. */
export interface ExplainResult {
  readonly explanation: Explanation;
  /** Verdicts of the probed entry points, by Service name, in probe order. */
  readonly probed: ReadonlyMap<string, Verdict>;
  /** The verdict of the entry point in use, or of the preferred one if the backend is left out. */
  readonly verdict: Verdict | undefined;
  readonly service: DiscoveredService | undefined;
  readonly approval: Approval | undefined;
  /** Why the backend is disabled: an override disables another Service of the same Pods. */
  readonly off: string | undefined;
  readonly problems: readonly Problem[];
  /** What limits remove from its tool. */
  readonly cuts: readonly Cut[];
  /** The id of the backend. `undefined` if the backend is left out. */
  readonly id: BackendId | undefined;
  /** The conditions of the backend. Empty if no detector matches. */
  readonly conditions: readonly Finding[];
  /** Whether the published documents were read. If not, conditions only repeat the other sections. */
  readonly isPublicationKnown: boolean;
}

/** Whether the backend becomes a tool. */
export const isUsed = ({ service, off, cuts, approval }: ExplainResult): boolean =>
  service !== undefined &&
  off === undefined &&
  service.verdict.health !== 'unhealthy' &&
  !cuts.some(keepsOut) &&
  !(approval !== undefined && isHeld(approval));
