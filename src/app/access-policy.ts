import { isDeepStrictEqual } from 'node:util';
import { reviewAccess } from '../kubernetes/access-reviews.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import { reviewToken } from '../kubernetes/token-reviews.ts';
import { ConfigError } from '../model/errors.ts';
import { RateLimiter } from '../model/rate-limit.ts';
import { Authenticator } from '../server/authentication.ts';
import { Authorizer } from '../server/authorization.ts';
import type { AccessPolicy } from '../server/guard.ts';
import type { Configuration } from './configuration.ts';

/** Several clients may share an address, and the check by address, which precedes authentication, is cheaper. */
const CLIENTS_PER_ADDRESS = 5;

/** Maximum tracked clients, and maximum tracked addresses. */
const MAX_CLIENTS = 10_000;

type AccessSettings = Pick<
  Configuration,
  'authEnabled' | 'authAudiences' | 'authorizationEnabled' | 'rateLimit' | 'rateLimitBurst'
>;

function buildAccessPolicy(
  settings: AccessSettings,
  kube: KubeClient | undefined,
  signal: AbortSignal,
): AccessPolicy {
  const { authEnabled, authAudiences: audiences, authorizationEnabled, rateLimit, rateLimitBurst } = settings;
  const limiter = (clients: number): RateLimiter =>
    new RateLimiter({
      rate: rateLimit * clients,
      burst: rateLimitBurst * clients,
      clients: MAX_CLIENTS,
      now: () => performance.now(),
    });
  const times = { now: Date.now, signal };
  const authenticator =
    authEnabled && kube !== undefined
      ? new Authenticator({ ...times, review: (token, end) => reviewToken(kube, { token, audiences }, end) })
      : undefined;
  const authorizer =
    authEnabled && authorizationEnabled && kube !== undefined
      ? new Authorizer({
          ...times,
          review: (caller, attributes, end) => reviewAccess(kube, caller, attributes, end),
        })
      : undefined;
  return {
    authenticator,
    authorizer,
    addresses: limiter(CLIENTS_PER_ADDRESS),
    clients: limiter(1),
  };
}

/**
 * Creates the access policy of the servers, and rebuilds it only if the settings for access change.
 * @param kube the cluster that reviews tokens; `undefined` without a cluster
 */
export function createAccessPolicy(
  kube: KubeClient | undefined,
  signal: AbortSignal,
): (settings: Configuration) => AccessPolicy {
  let cached: { readonly accessSettings: AccessSettings; readonly policy: AccessPolicy } | undefined;
  return (settings) => {
    const { authEnabled, authAudiences, authorizationEnabled, rateLimit, rateLimitBurst } = settings;
    const accessSettings = { authEnabled, authAudiences, authorizationEnabled, rateLimit, rateLimitBurst };
    if (cached === undefined || !isDeepStrictEqual(cached.accessSettings, accessSettings))
      cached = { accessSettings, policy: buildAccessPolicy(accessSettings, kube, signal) };
    return cached.policy;
  };
}

/** @throws UserError if the settings require authentication, but no cluster can review tokens */
export function checkAccessSettings(
  { authEnabled, apiAddress = 'none', metricsAuthEnabled }: Configuration,
  kube: KubeClient | undefined,
): void {
  const needsTokens = authEnabled && (apiAddress !== 'none' || metricsAuthEnabled);
  if (needsTokens && kube === undefined)
    throw new ConfigError(
      'authentication needs the API server of a cluster to review tokens, and with -f and --out there is no cluster; set AUTH_ENABLED=false (--auth-enabled false) to serve all clients without authentication, or set API_ADDRESS and METRICS_ADDRESS to none',
    );
}
