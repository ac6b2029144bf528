import type { Candidate } from './discovery.ts';
import { displayNamespace, partsOf } from './key.ts';
import { type ApprovedKind, addressedService, type Overrides } from './overrides.ts';
import { type ServiceKey, type ServiceName, serviceKey } from './service.ts';

/**
 * As what a person has to approve a Service; nothing where its kind needs no approval. An MCP server brings texts and tools
 * of its own, and `custom` is the word of an owner.
 */
export const approvalKind = ({
  mcp,
  detector,
}: Pick<Candidate, 'mcp' | 'detector'>): ApprovedKind | undefined =>
  mcp === true ? 'mcp' : detector === 'custom' ? 'custom' : undefined;

/** What people said of one Service. */
export interface Approval {
  /** `approved: false` stands somewhere. */
  readonly refused: boolean;
  /** The kinds as which it is approved; `true`: whatever it is. */
  readonly as: readonly (ApprovedKind | true)[];
  /** `approvedTools`: which tools of an MCP server the person was shown, see `toolsShown`. */
  readonly tools?: string;
}

/** By Service; one that nobody said anything of is not in it. */
export type Approvals = ReadonlyMap<ServiceKey, Approval>;

export const NO_APPROVALS: Approvals = new Map();

/** What overrides say of Services, under either form of a key. */
export function approvalsIn({ tools }: Overrides): Approvals {
  const words = new Map<ServiceKey, Approval>();
  for (const [key, { approved, approvedTools }] of Object.entries(tools)) {
    const address = addressedService(key);
    if (approved === undefined || address === undefined) continue;
    const word = words.get(serviceKey(address)) ?? { refused: false, as: [] };
    const { refused, as } = word;
    words.set(serviceKey(address), {
      ...word,
      refused: refused || approved === false,
      as: approved === false ? as : [...as, approved],
      ...(approvedTools === undefined ? {} : { tools: approvedTools }),
    });
  }
  return words;
}

/** Whether a person approved a Service as what it is. */
export function isApproved(
  approvals: Approvals,
  service: ServiceName,
  kind: ApprovedKind | undefined,
): boolean {
  if (kind === undefined) return false;
  const word = approvals.get(serviceKey(service));
  return word !== undefined && !word.refused && word.as.some((each) => each === true || each === kind);
}

/** Namespaces, as `displayNamespace` writes them, of the Services of which two sets of approvals say something else. */
export function changedNamespaces(before: Approvals, now: Approvals): Set<string> {
  const keys = [...new Set([...before.keys(), ...now.keys()])];
  const changed = keys.filter((key) => JSON.stringify(before.get(key)) !== JSON.stringify(now.get(key)));
  return new Set(changed.map((key) => displayNamespace(partsOf(key))));
}
