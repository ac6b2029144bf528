import type { ConditionReason, ConditionStatus, Finding } from '../../model/condition.ts';
import type { Approval } from '../../model/discovery.ts';

const STATES: Readonly<
  Record<Exclude<Approval['state'], 'open'>, readonly [ConditionStatus, ConditionReason<'Approved'>]>
> = {
  approved: ['True', 'ApprovedInOverrides'],
  trusted: ['True', 'NamespaceTrusted'],
  published: ['True', 'PolicyPublishes'],
  waiting: ['False', 'WaitingForApproval'],
  refused: ['False', 'RefusedInOverrides'],
  unknown: ['Unknown', 'ApprovalUnknown'],
  off: ['False', 'PolicyOff'],
  listed: ['False', 'ListedByAgent'],
};

/** The condition `Approved`. `undefined` if the backend needs no approval. */
export function approved({ state, reason: message }: Approval): Finding<'Approved'> | undefined {
  if (state === 'open') return undefined;
  const [status, reason] = STATES[state];
  return { type: 'Approved', status, reason, message };
}
