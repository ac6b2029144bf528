import { isDeepStrictEqual } from 'node:util';
import { reviewAccess } from '../kubernetes/access-reviews.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import { reviewToken } from '../kubernetes/token-reviews.ts';
import { ConfigError } from '../model/errors.ts';
import { Authenticator } from '../server/authentication.ts';
import { Authorizer } from '../server/authorization.ts';
import type { AccessPolicy } from '../server/guard.ts';
import { RateLimiter } from '../server/rate-limit.ts';
import type { Configuration } from './configuration.ts';

/** Several clients may come from one address, and what is asked before it is known who they are is cheaper. */
const CLIENTS_PER_ADDRESS = 5;

/** Most clients, and most addresses, whose requests are counted. */
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
 * What requests have to pass, made anew only where the configuration wants it otherwise.
 * @param kube the cluster whose tokens are known; nothing where none is used
 */
export function createAccessPolicy(
  kube: KubeClient | undefined,
  signal: AbortSignal,
): (settings: Configuration) => AccessPolicy {
  let made: { readonly of: AccessSettings; readonly gate: AccessPolicy } | undefined;
  return (settings) => {
    const { authEnabled, authAudiences, authorizationEnabled, rateLimit, rateLimitBurst } = settings;
    const of = { authEnabled, authAudiences, authorizationEnabled, rateLimit, rateLimitBurst };
    if (made === undefined || !isDeepStrictEqual(made.of, of))
      made = { of, gate: buildAccessPolicy(of, kube, signal) };
    return made.gate;
  };
}

/** @throws UserError where servers shall ask for tokens, and there is no cluster that knows any */
export function checkAccessSettings(
  { authEnabled, apiAddress = 'none', metricsAuthEnabled }: Configuration,
  kube: KubeClient | undefined,
): void {
  const asks = authEnabled && (apiAddress !== 'none' || metricsAuthEnabled);
  if (asks && kube === undefined)
    throw new ConfigError(
      'the API asks the API server of a cluster for whom a token is, and with -f and --out there is none; set AUTH_ENABLED=false (--auth-enabled false) to serve everybody who reaches it, or API_ADDRESS and METRICS_ADDRESS to none',
    );
}
