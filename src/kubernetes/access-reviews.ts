import type { AccessAttributes, AccessVerdict, Caller } from '../model/caller.ts';
import { BadAnswerError } from './answer.ts';
import type { Kube } from './connection.ts';

/** What is read of the `status` of a `v1.SubjectAccessReview`. */
interface AccessReviewStatus {
  readonly allowed?: boolean;
  readonly reason?: string;
  readonly evaluationError?: string;
}

const PATH = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
/** Longest time for one review, in milliseconds. */
const TIMEOUT = 10_000;

/**
 * Asks the API server whether somebody may do something. The right to create
 * `subjectaccessreviews.authorization.k8s.io` is needed.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/
 * @throws as `Kube.request` where the API server cannot tell
 */
export async function reviewAccess(
  kube: Kube,
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
  if (status === undefined) throw new BadAnswerError('the answer to a review of access has no status');
  const reasons = [status.reason, status.evaluationError].filter((reason) => (reason ?? '') !== '');
  return { allowed: status.allowed === true, reason: reasons.join('; ') };
}
