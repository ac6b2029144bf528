import type { AccessAttributes, AccessVerdict, Caller } from '../model/caller.ts';
import type { KubeClient } from './connection.ts';
import { InvalidResponseError } from './response.ts';
import { isStatus } from './status.ts';

/** The `status` of a `v1.SubjectAccessReview`. */
interface AccessReviewStatus {
  readonly allowed?: boolean;
  readonly reason?: string;
  readonly evaluationError?: string;
}

const PATH = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const OWN_PATH = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
/** In milliseconds. */
const TIMEOUT = 10_000;

/**
 * Reviews whether a user has a permission. Requires `create` on `subjectaccessreviews.authorization.k8s.io`.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/
 * @throws as `KubeClient.request` if the review fails
 */
export async function reviewAccess(
  kube: KubeClient,
  { username, uid, groups, extra }: Caller,
  attributes: AccessAttributes,
  signal: AbortSignal,
): Promise<AccessVerdict> {
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: username, uid, groups, extra, ...attributes },
  };
  const answer = await kube.request({ method: 'POST', path: PATH, body, timeout: TIMEOUT }, signal);
  const { status } = (answer ?? {}) as { readonly status?: AccessReviewStatus };
  if (status === undefined) throw new InvalidResponseError('the answer to a review of access has no status');
  const reasons = [status.reason, status.evaluationError].filter((reason) => (reason ?? '') !== '');
  return { allowed: status.allowed === true, reason: reasons.join('; ') };
}

/** What one may do with which object; without a namespace, in all of them. */
interface OwnAccess {
  readonly namespace?: string;
  readonly name?: string;
  readonly verb: string;
  readonly resource: 'configmaps' | 'services';
}

/**
 * Whether we have a permission. Every authenticated client may ask that by default; where the API server denies the review, the
 * answer is no.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/
 * @throws as `KubeClient.request` if the review fails
 */
export async function mayAccess(kube: KubeClient, access: OwnAccess, signal: AbortSignal): Promise<boolean> {
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { ...access, group: '' } },
  };
  try {
    const answer = await kube.request({ method: 'POST', path: OWN_PATH, body, timeout: TIMEOUT }, signal);
    return (answer as { readonly status?: AccessReviewStatus } | undefined)?.status?.allowed === true;
  } catch (error) {
    if (isStatus(error, 403)) return false;
    throw error;
  }
}
