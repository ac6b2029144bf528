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

/** The Service of a backend that is used, and its endpoint. */
export interface EntryPoint {
  readonly service: Service;
  readonly endpoint: Endpoint;
}

/** A published tool, and where it is. */
export interface PlacedTool {
  readonly published: PublishedTool;
  /** The documents that do not contain it. `undefined` if only the leader knows. */
  readonly leftOutOf: readonly string[] | undefined;
}

/** The known state of one backend. */
export interface Backend {
  readonly id: BackendId;
  readonly type: string;
  /** The name of its tool, whether published or not. */
  readonly tool: string;
  /** The Services that lead to it, oldest first. */
  readonly members: readonly BackendMember[];
  readonly entryPoint: EntryPoint;
  readonly approval: Approval;
  /** `false` if `overrides.yaml` disables its tool. */
  readonly enabled: boolean;
  /** Its tool in the published documents, if it is there. */
  readonly published: PublishedTool | undefined;
  /** While something holds the published documents: a tool of another of its Services, which they have in place of its own. */
  readonly instead: PlacedTool | undefined;
  /** The documents that do not contain its published tool. `undefined` if only the leader knows. */
  readonly leftOutOf: readonly string[] | undefined;
  /** Whether the last discovery found it. If not, it is known because its tool is still published. */
  readonly isFound: boolean;
  /** The result of the last discovery that found it. */
  readonly found: DiscoveredService;
  readonly conditions: readonly Condition[];
}

/** The Services that lead to a candidate, oldest first if their age is known. */
export function membersOf({ service, alternates, members }: Candidate): readonly BackendMember[] {
  if (members !== undefined) return members;
  const { name, created } = service;
  const chosen = { name, roles: [], ...(created === undefined ? {} : { created }) };
  return [chosen, ...alternates.map((alternate) => ({ name: alternate, roles: [] }))];
}

/** The group of Services that determines a candidate's id. Newcomers do not get its id if the others are gone. */
export function groupOf(candidate: Candidate): BackendGroup {
  const late = new Set(candidate.newcomers);
  return {
    namespace: displayNamespace(candidate.service),
    members: membersOf(candidate).filter(({ name }) => !late.has(name)),
  };
}

/** Whether a backend has a condition with this status. */
export const hasCondition = (
  { conditions }: { readonly conditions: readonly Finding[] },
  type: ConditionType,
  status: ConditionStatus,
): boolean => conditionOf(conditions, type)?.status === status;

/** Maximum members per backend in a list of backends. The oldest are listed. */
const MAX_MEMBERS = 32;

/** The JSON of a backend, for `discover -o json` and the API. */
export function backendJson<C>(
  { id, found, approval, members, conditions }: Backend,
  conditionJson: (condition: Condition) => C,
) {
  return {
    ...serviceJson(found, approval),
    id,
    members: members.slice(0, MAX_MEMBERS),
    memberCount: members.length,
    conditions: conditions.map(conditionJson),
  };
}
