/** Conditions of a backend, like status conditions of Kubernetes objects. @see https://github.com/kubernetes/community/blob/main/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties */

/** All types of conditions with all their reasons, for the API, the metrics and the documentation. */
export const CONDITION_REASONS = {
  /** Whether the last discovery found it. */
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
  /** Whether its responses prove its type. */
  Proven: [
    'AnsweredAsExpected',
    'AnsweredAsOtherType',
    'AnsweredAsSomethingElse',
    'CredentialsRequired',
    'NoProof',
    'NotProbed',
    'NotFound',
  ],
  /** Whether it responds. */
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
    'HealthPathNotFound',
    'Unreachable',
    'NotProbed',
    'NotFound',
  ],
  /**
   * Whether clients trust its certificate that know the public authorities, and those that are configured in this program. Backends without TLS do
   * not have this condition.
   */
  Trusted: [
    'CertificateTrusted',
    'TrustedWithConfiguredCA',
    'SelfSigned',
    'UnknownAuthority',
    'CertificateExpired',
    'CertificateNotYetValid',
    'OtherHostName',
    'CertificateInvalid',
  ],
  /** Whether the tenant is known with which an agent asks it. Backends that require none do not have this condition. */
  TenantKnown: ['TenantConfigured', 'NoTenant'],
  /** Whether it is approved for publication. Backends that need no approval do not have this condition. */
  Approved: [
    'ApprovedInOverrides',
    'NamespaceTrusted',
    'PolicyPublishes',
    'WaitingForApproval',
    'RefusedInOverrides',
    'ApprovalUnknown',
    'PolicyOff',
    'ListedByAgent',
  ],
  /** Whether its tool is in the published documents. */
  Published: [
    'InToolset',
    'KeptForNow',
    'NeedsCredentials',
    'NeedsTenant',
    'NotSupportedByAgent',
    'LimitReached',
    'KnownByLeader',
    'NotFound',
    'NamespaceNotWatched',
    'DisabledByOverride',
    'DisabledByAgent',
    'NotApproved',
    'ApprovalUnknown',
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

/** A condition without its transition time. */
export interface Finding<T extends ConditionType = ConditionType> {
  readonly type: T;
  readonly status: ConditionStatus;
  readonly reason: ConditionReason<T>;
  /** A human-readable message, with a fix if there is one. */
  readonly message: string;
}

export interface Condition extends Finding {
  /** When the status last changed. */
  readonly lastTransitionTime: Date;
}

/**
 * Converts findings to conditions. The transition time changes only with the status, not with the reason or message.
 * @param before the previous conditions of the same backend
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

/** The JSON of a finding, whose transition time is unknown. */
export const findingJson = ({ type, status, reason, message }: Finding): Finding => ({
  type,
  status,
  reason,
  message,
});

/** Returns the condition of a type, if the backend has it. */
export const conditionOf = <C extends Finding>(
  conditions: readonly C[],
  type: ConditionType,
): C | undefined => conditions.find((condition) => condition.type === type);
