import { approvalKind } from '../model/approvals.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { displayKey } from '../model/key.ts';
import type { Overrides } from '../model/overrides.ts';
import { serviceKey } from '../model/service.ts';
import { type AdmissionPolicy, admissionOf, isHeld, isRefused } from './admission.ts';
import { approveText } from './approval-place.ts';

/** What decides whether a Service may be published. */
export interface ApprovalRules {
  readonly overrides: Overrides;
  readonly policy: AdmissionPolicy;
  /**
   * Services that `serve` published last. Their namespaces count as trusted, because `serve` may have settings that are
   * unknown here, and publishing them again makes nothing new available.
   */
  readonly standing: readonly DiscoveredService[];
  /** Whether the namespaces of the policy are those of `serve`, as far as is known. */
  readonly areNamespacesKnown: boolean;
}

/** A Service and the kind as which it needs approval. */
const identity = (found: DiscoveredService): string => `${serviceKey(found.service)} ${approvalKind(found)}`;

/** A Service that would not be published now. */
export interface Unapproved extends Problem {
  /** Whether it was explicitly refused, rather than just not approved yet. */
  readonly isRefused: boolean;
}

/** The Services that need approval and would not be published now, with the reason and what to do. */
export function unapproved(
  services: readonly DiscoveredService[],
  { overrides, policy, standing, areNamespacesKnown }: ApprovalRules,
): readonly Unapproved[] {
  const known = new Set(standing.map(identity));
  const listed = areNamespacesKnown ? (policy.namespaces ?? []) : [];
  return services.flatMap((found): Unapproved[] => {
    const { namespace } = found.service;
    const trusted = known.has(identity(found)) ? [namespace] : [];
    const rules = { ...policy, namespaces: [...listed, ...trusted] };
    const admission = admissionOf(found, rules, overrides);
    if (!isHeld(admission)) return [];
    const key = displayKey(found.service);
    const where = `Service ${key}`;
    const fix = `if you trust it: ${approveText(key, approvalKind(found) ?? 'custom', policy.approvalPlace)}`;
    if (admission.state !== 'waiting' && admission.state !== 'refused')
      return [{ where, what: admission.reason, isRefused: true }];
    if (isRefused(found, overrides))
      return [{ where, what: 'overrides.yaml refuses it', fix, isRefused: true }];
    const what = `is not approved${areNamespacesKnown ? '' : ', nor published now, and which namespaces serve trusts is unknown here'}`;
    return [{ where, what, fix, isRefused: false }];
  });
}
