import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { AccessAttributes, Caller } from '../model/caller.ts';
import type { RateLimiter } from '../model/rate-limit.ts';
import type { ApiMetrics } from '../telemetry/api-metrics.ts';
import type { LogSampler } from '../telemetry/log-sampler.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type SecurityEvent, securityFields } from '../telemetry/security.ts';
import type { Access } from './access.ts';
import { addressKey } from './address-key.ts';
import { counted, pathOf, short } from './answer-log.ts';
import { type Authenticator, challenge } from './authentication.ts';
import type { Authorizer } from './authorization.ts';
import { clientOfUser } from './client.ts';
import { ProblemError } from './problem.ts';

/** Authentication outcome, for metrics. */
export type AuthenticationOutcome = Parameters<ApiMetrics['authenticated']>[0];

/** The checks of a request in the current configuration. */
export interface AccessPolicy {
  /** `undefined` disables authentication. */
  readonly authenticator: Authenticator | undefined;
  /** `undefined` allows everything to authenticated callers. */
  readonly authorizer: Authorizer | undefined;
  /** Rate limit by address, before authentication. It applies to every request. */
  readonly addresses: RateLimiter;
  /** Rate limit by client, after authentication. */
  readonly clients: RateLimiter;
}

export interface GuardOptions {
  readonly policy: () => AccessPolicy;
  /** Namespace of the access reviews: that of the published ConfigMap. */
  readonly namespace: () => string;
  readonly log: Logger;
  readonly component: string;
  readonly sampled: LogSampler;
  readonly authenticated: (authenticated: AuthenticationOutcome) => void;
}

/** The API group of the resources in access reviews. They exist only in RBAC rules. */
export const ACCESS_GROUP = 'toolset.kubernaut.io';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Accessible without authentication. */
    public?: boolean;
  }
  interface FastifyRequest {
    /** The authenticated caller. */
    caller?: Caller;
  }
}

function attributesOf(access: Access, namespace: string): AccessAttributes {
  if ('path' in access) return { nonResourceAttributes: { verb: access.verb, path: access.path } };
  const [resource = '', subresource] = access.resource.split('/');
  return {
    resourceAttributes: {
      verb: access.verb,
      group: ACCESS_GROUP,
      resource,
      ...(subresource === undefined ? {} : { subresource }),
      namespace,
    },
  };
}

/** What a request does, for people. */
const whatOf = (access: Access, namespace: string): string =>
  'path' in access
    ? `${access.verb} path ${access.path}`
    : `${access.verb} ${access.resource}.${ACCESS_GROUP} in namespace ${namespace}`;

const roleFor = (access: Access): string => ('path' in access ? 'ClusterRole' : 'Role there');

/** @throws ProblemError if the rate limit is exceeded */
function limit(limiter: RateLimiter, key: string, reply: FastifyReply): void {
  const { allowed, remaining, retryAfterSeconds } = limiter.take(key);
  reply.header('x-ratelimit-remaining', remaining);
  if (!allowed)
    throw new ProblemError(
      'too-many-requests',
      `There were too many requests; wait ${retryAfterSeconds} s.`,
      {
        headers: { 'retry-after': String(retryAfterSeconds) },
      },
    );
}

/**
 * Whether a request currently has a permission. It is neither logged nor counted, and is for long-lived requests and optional
 * content.
 */
export function permitted({
  policy: gate,
  namespace,
}: Pick<GuardOptions, 'policy' | 'namespace'>): (
  request: FastifyRequest,
  access: Access,
) => Promise<boolean> {
  return async ({ headers, ip }, access) => {
    const { authenticator, authorizer } = gate();
    if (authenticator === undefined) return true;
    const found = await authenticator.authenticate(headers.authorization, addressKey(ip));
    if (found.kind !== 'caller') return false;
    if (authorizer === undefined) return true;
    return (await authorizer.authorize(found.caller, attributesOf(access, namespace()))).kind === 'allowed';
  };
}

/**
 * Admits requests: authentication, the rate limit of the client, authorization. If the API server cannot decide, the response is 503,
 * never a rejection or access. The rate limit of the address is checked before, for every request.
 */
export function guard(options: GuardOptions): onRequestAsyncHookHandler {
  const { policy: gate, namespace, log, component, sampled, authenticated } = options;
  /** Reasons of rejected requests. */
  const reasons = new WeakMap<FastifyRequest, NonNullable<AuthenticationOutcome['reason']>>();

  const recordRejection = (
    request: FastifyRequest,
    event: SecurityEvent,
    reason: NonNullable<AuthenticationOutcome['reason']>,
    why: string,
    username?: string,
  ): void => {
    const fields = {
      component,
      ...securityFields(event, username),
      reason,
      request_id: request.id,
      method: request.method,
      path: pathOf(request.url),
      remote_addr: request.ip,
      user_agent: short(request.headers['user-agent'] ?? ''),
    };
    sampled.log(`${reason} ${addressKey(request.ip)}`, (more) =>
      log.warn({ ...fields, ...(more === 0 ? {} : { more }) }, counted(why, more)),
    );
    reasons.set(request, reason);
  };

  const unavailable = (request: FastifyRequest, why: string, retryAfter: number): ProblemError => {
    recordRejection(request, 'authentication_failed', 'unavailable', why);
    return new ProblemError(
      'unavailable',
      'The API server cannot verify your token or your rights now; try again. If it lasts, see the log of serve.',
      {
        headers: { 'retry-after': String(retryAfter) },
      },
    );
  };

  const identify = async (authenticator: Authenticator, request: FastifyRequest): Promise<Caller> => {
    const found = await authenticator.authenticate(request.headers.authorization, addressKey(request.ip));
    if (found.kind === 'caller') return found.caller;
    if (found.kind === 'unavailable') throw unavailable(request, found.why, found.retryAfter);
    recordRejection(request, 'authentication_failed', found.reason, found.why);
    throw new ProblemError(
      'unauthenticated',
      found.reason === 'invalid'
        ? 'The API server does not know the token. It expired, was revoked, or is for another audience or cluster.'
        : 'Send a token that the API server knows in the Authorization header, after the word Bearer.',
      {
        headers: { 'www-authenticate': challenge(found) },
      },
    );
  };

  const permit = async (authorizer: Authorizer, caller: Caller, request: FastifyRequest): Promise<void> => {
    const { access } = request.routeOptions.config;
    if (access === undefined) return;
    const result = await authorizer.authorize(caller, attributesOf(access, namespace()));
    if (result.kind === 'allowed') return;
    if (result.kind === 'unavailable') throw unavailable(request, result.why, result.retryAfter);
    const denied = `${caller.username} may not ${whatOf(access, namespace())}`;
    const reason = result.reason === '' ? '' : `: ${result.reason}`;
    recordRejection(request, 'authorization_denied', 'forbidden', denied + reason, caller.username);
    throw new ProblemError('forbidden', `${denied}; a ${roleFor(access)} grants it.`);
  };

  return async (request, reply) => {
    const { config } = request.routeOptions;
    if (config.probe === true) return;
    const { authenticator, authorizer, clients } = gate();
    if (config.public === true || authenticator === undefined) return;
    const started = performance.now();
    try {
      const caller = await identify(authenticator, request);
      request.caller = caller;
      limit(clients, clientOfUser(caller.username), reply);
      if (authorizer !== undefined) await permit(authorizer, caller, request);
      request.authenticated = true;
    } finally {
      const reason = reasons.get(request);
      const milliseconds = performance.now() - started;
      authenticated(
        reason === undefined
          ? { outcome: 'accepted', milliseconds }
          : { outcome: 'refused', reason, milliseconds },
      );
    }
  };
}
