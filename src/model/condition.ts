/** Conditions of a backend, as Kubernetes has them on objects. @see https://github.com/kubernetes/community/blob/main/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties */

/** Every reason of each type of condition; the API, the metrics and the documentation list these. */
export const CONDITION_REASONS = {
  /** The last discovery found it. */
  Detected: [
    'OwnerAnnotation',
    'OperatorLabel',
    'ComponentLabel',
    'RecommendedLabel',
    'Label',
    'Selector',
    'Name',
    'Hint',
    'NotFound',
  ],
  /** Its own answers show that it is what it looks like. */
  Proven: [
    'AnsweredAsExpected',
    'AnsweredAsOtherType',
    'AnsweredAsSomethingElse',
    'CredentialsRequired',
    'NoProof',
    'NotProbed',
    'NotFound',
  ],
  /** It answers. */
  Healthy: [
    'ProbeSucceeded',
    'CredentialsRequired',
    'FailureThresholdNotReached',
    'NoReadyEndpoints',
    'AddressRefused',
    'NameNotResolved',
    'ConnectionFailed',
    'TLSFailed',
    'InvalidAnswer',
    'Timeout',
    'ErrorAnswer',
    'Unreachable',
    'NotProbed',
    'NotFound',
  ],
  /** It may be published, as far as that takes a person's trust. Backends whose kind needs none do not have this condition. */
  Approved: [
    'ApprovedInOverrides',
    'NamespaceTrusted',
    'PolicyPublishes',
    'WaitingForApproval',
    'PolicyOff',
    'ListedByAgent',
  ],
  /** Its tool is in the published documents. */
  Published: [
    'InToolset',
    'KeptForNow',
    'NeedsCredentials',
    'NotSupportedByAgent',
    'LimitReached',
    'NotFound',
    'DisabledByOverride',
    'NotApproved',
    'ListedByAgent',
    'Unhealthy',
    'NotProven',
    'HeldByRollback',
    'OverridesInvalid',
    'PublicationFailed',
    'NotYetPublished',
    'NotObserved',
  ],
} as const;

export type ConditionType = keyof typeof CONDITION_REASONS;
export type ConditionReason<T extends ConditionType = ConditionType> = (typeof CONDITION_REASONS)[T][number];

/** The types of conditions, in the order in which a backend passes them. */
export const CONDITION_TYPES = Object.keys(CONDITION_REASONS) as ConditionType[];

export const CONDITION_STATUSES = ['True', 'False', 'Unknown'] as const;
export type ConditionStatus = (typeof CONDITION_STATUSES)[number];

/** What is so of a backend, without the time since when. */
export interface Finding<T extends ConditionType = ConditionType> {
  readonly type: T;
  readonly status: ConditionStatus;
  readonly reason: ConditionReason<T>;
  /** A sentence for a person, with what to do about it where something can be done. */
  readonly message: string;
}

export interface Condition extends Finding {
  /** When the status last changed. */
  readonly lastTransitionTime: Date;
}

/**
 * Findings as conditions. The time of a condition changes with its status only, not with its reason or message.
 * @param before the conditions of the same backend until now
 */
export function transitions(
  findings: readonly Finding[],
  before: readonly Condition[],
  now: Date,
): readonly Condition[] {
  return findings.map((finding) => {
    const known = before.find(({ type }) => type === finding.type);
    const lastTransitionTime = known?.status === finding.status ? known.lastTransitionTime : now;
    return { ...finding, lastTransitionTime };
  });
}

/** A finding as JSON, where the time of its status is not known. */
export const findingJson = ({ type, status, reason, message }: Finding): Finding => ({
  type,
  status,
  reason,
  message,
});

/** The condition of a type, if the backend has it. */
export const conditionOf = <C extends Finding>(
  conditions: readonly C[],
  type: ConditionType,
): C | undefined => conditions.find((condition) => condition.type === type);
