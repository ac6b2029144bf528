import type { Candidate } from './discovery.ts';
import { displayNamespace, partsOf } from './key.ts';
import { type ApprovedKind, addressedService, type Overrides } from './overrides.ts';
import { type ServiceKey, type ServiceName, serviceKey } from './service.ts';

/**
 * The kind of approval that a Service needs, or `undefined` if it needs none. An MCP server provides its own texts and
 * tools, and a `custom` Service is declared by its owner only.
 */
export const approvalKind = ({
  mcp,
  detector,
}: Pick<Candidate, 'mcp' | 'detector'>): ApprovedKind | undefined =>
  mcp === true ? 'mcp' : detector === 'custom' ? 'custom' : undefined;

/** The approval of one Service in overrides. */
export interface Approval {
  /** Whether any override says `approved: false`. */
  readonly refused: boolean;
  /** The approved kinds; `true` is any kind. */
  readonly as: readonly (ApprovedKind | true)[];
  /** `approvedTools`: digest of the tools that the user was shown, see `toolsShown`. */
  readonly tools?: string;
}

/** Approvals by Service. */
export type Approvals = ReadonlyMap<ServiceKey, Approval>;

export const NO_APPROVALS: Approvals = new Map();

/** Reads the approvals in overrides, under both forms of a Service's key. */
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

/** Whether a Service is approved as its current kind. */
export function isApproved(
  approvals: Approvals,
  service: ServiceName,
  kind: ApprovedKind | undefined,
): boolean {
  if (kind === undefined) return false;
  const word = approvals.get(serviceKey(service));
  return word !== undefined && !word.refused && word.as.some((each) => each === true || each === kind);
}

/** The namespaces, as `displayNamespace` writes them, of Services whose approval differs between two sets. */
export function changedNamespaces(before: Approvals, now: Approvals): Set<string> {
  const keys = [...new Set([...before.keys(), ...now.keys()])];
  const changed = keys.filter((key) => JSON.stringify(before.get(key)) !== JSON.stringify(now.get(key)));
  return new Set(changed.map((key) => displayNamespace(partsOf(key))));
}
