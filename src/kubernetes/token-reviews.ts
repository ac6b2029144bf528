import type { Caller, TokenVerdict } from '../model/caller.ts';
import { BadAnswerError } from './answer.ts';
import type { Kube } from './connection.ts';

export interface TokenQuestion {
  readonly token: string;
  /** Whom the token must be meant for: one of these. Where there are none, the API server itself. */
  readonly audiences: readonly string[];
}

/** What is read of the `status` of a `v1.TokenReview`. */
interface TokenReviewStatus {
  readonly authenticated?: boolean;
  readonly user?: {
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly audiences?: readonly string[];
  readonly error?: string;
}

const PATH = '/apis/authentication.k8s.io/v1/tokenreviews';
/** Longest time for one review, in milliseconds. */
const TIMEOUT = 10_000;

function callerOf(user: TokenReviewStatus['user']): Caller {
  const { username = '', uid = '', groups, extra } = user ?? {};
  if (username === '') throw new BadAnswerError('the answer to a review of a token names no user');
  return { username, uid, groups: groups ?? [], extra: extra ?? {} };
}

/**
 * Asks the API server whose a token is. The right to create `tokenreviews.authentication.k8s.io` is needed.
 *
 * A server that knows nothing of audiences takes each token that is meant for itself; it is known by naming none in its
 * answer, and then the token does not count.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
 * @throws as `Kube.request` where the API server cannot tell
 */
export async function reviewToken(
  kube: Kube,
  { token, audiences }: TokenQuestion,
  signal: AbortSignal,
): Promise<TokenVerdict> {
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, ...(audiences.length === 0 ? {} : { audiences }) },
  };
  const answer = await kube.request({ method: 'POST', path: PATH, body, timeout: TIMEOUT }, signal);
  const { status } = (answer ?? {}) as { readonly status?: TokenReviewStatus };
  if (status === undefined) throw new BadAnswerError('the answer to a review of a token has no status');
  if (status.authenticated !== true)
    return { authenticated: false, why: status.error || 'the token is not valid' };
  if (audiences.length > 0 && !audiences.some((audience) => status.audiences?.includes(audience)))
    return { authenticated: false, why: `the token is not meant for ${audiences.join(' or ')}` };
  return { authenticated: true, user: callerOf(status.user) };
}
