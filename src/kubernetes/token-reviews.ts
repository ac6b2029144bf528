import type { Caller, TokenVerdict } from '../model/caller.ts';
import type { KubeClient } from './connection.ts';
import { InvalidResponseError } from './response.ts';

export interface TokenQuestion {
  readonly token: string;
  /** The token must be valid for one of these audiences. If empty, for the API server itself. */
  readonly audiences: readonly string[];
}

/** The `status` of a `v1.TokenReview`. */
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
/** In milliseconds. */
const TIMEOUT = 10_000;

function callerOf(user: TokenReviewStatus['user']): Caller {
  const { username = '', uid = '', groups, extra } = user ?? {};
  if (username === '') throw new InvalidResponseError('the answer to a review of a token names no user');
  return { username, uid, groups: groups ?? [], extra: extra ?? {} };
}

/**
 * Reviews a token. Requires `create` on `tokenreviews.authentication.k8s.io`.
 *
 * A server that does not support audiences accepts every token that is valid for itself. Its response names no audiences, and the
 * token is then rejected.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
 * @throws as `KubeClient.request` if the review fails
 */
export async function reviewToken(
  kube: KubeClient,
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
  if (status === undefined) throw new InvalidResponseError('the answer to a review of a token has no status');
  if (status.authenticated !== true)
    return { authenticated: false, why: status.error || 'the token is not valid' };
  if (audiences.length > 0 && !audiences.some((audience) => status.audiences?.includes(audience)))
    return { authenticated: false, why: `the token is not meant for ${audiences.join(' or ')}` };
  return { authenticated: true, user: callerOf(status.user) };
}
