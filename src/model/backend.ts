import type { BackendGroup, BackendId, BackendMember } from './backend-id.ts';
import {
  type Condition,
  type ConditionStatus,
  type ConditionType,
  conditionOf,
  type Finding,
} from './condition.ts';
import {
  type Approval,
  type Candidate,
  type DiscoveredService,
  type Endpoint,
  serviceJson,
} from './discovery.ts';
import { displayNamespace } from './key.ts';
import type { PublishedTool } from './published-tools.ts';
import type { Service } from './service.ts';

/** The way into a backend that is used. */
export interface EntryPoint {
  readonly service: Service;
  readonly endpoint: Endpoint;
}

/** One backend as it is known now. */
export interface Backend {
  readonly id: BackendId;
  readonly type: string;
  /** Name of its tool, published or not. */
  readonly tool: string;
  /** The Services that lead to it, the oldest first. */
  readonly members: readonly BackendMember[];
  readonly entryPoint: EntryPoint;
  readonly approval: Approval;
  /** `false`: `overrides.yaml` switches its tool off. */
  readonly enabled: boolean;
  /** Its tool in the published documents, if it is there. */
  readonly published: PublishedTool | undefined;
  /** The last discovery found it; else it is known because its tool is still published. */
  readonly isFound: boolean;
  /** What the last discovery that found it found. */
  readonly found: DiscoveredService;
  readonly conditions: readonly Condition[];
}

/** The Services that lead to a candidate, the oldest first where their age is known. */
export function membersOf({ service, alternates, members }: Candidate): readonly BackendMember[] {
  if (members !== undefined) return members;
  const { name, created } = service;
  const chosen = { name, roles: [], ...(created === undefined ? {} : { created }) };
  return [chosen, ...alternates.map((alternate) => ({ name: alternate, roles: [] }))];
}

/** What gives a candidate its id. */
export const groupOf = (candidate: Candidate): BackendGroup => ({
  namespace: displayNamespace(candidate.service),
  members: membersOf(candidate),
});

/** Whether a backend has a condition with a status. One that does not have the condition at all has none of its statuses. */
export const hasCondition = (
  { conditions }: { readonly conditions: readonly Finding[] },
  type: ConditionType,
  status: ConditionStatus,
): boolean => conditionOf(conditions, type)?.status === status;

/** Most members of one backend in a list of backends, the oldest ones. */
const MOST_MEMBERS = 32;

/** What `discover -o json` and the API say of one backend. */
export function backendJson<C>(
  { id, found, approval, members, conditions }: Backend,
  conditionJson: (condition: Condition) => C,
) {
  return {
    ...serviceJson(found, approval),
    id,
    members: members.slice(0, MOST_MEMBERS),
    memberCount: members.length,
    conditions: conditions.map(conditionJson),
  };
}
