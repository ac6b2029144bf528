import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { AccessAttributes, Caller } from '../model/caller.ts';
import type { ApiMetrics } from '../telemetry/api-metrics.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Sampled } from '../telemetry/sampled.ts';
import { type SecurityEvent, security } from '../telemetry/security.ts';
import type { Access } from './access.ts';
import { addressKey } from './address-key.ts';
import { counted, pathOf, short } from './answer-log.ts';
import { type Authenticator, challenge } from './authentication.ts';
import type { Authorizer } from './authorization.ts';
import { ProblemError } from './problem.ts';
import type { RateLimiter } from './rate-limit.ts';

/** How it ended that somebody was looked at, for those who count. */
export type AuthenticationOutcome = Parameters<ApiMetrics['authenticated']>[0];

/** What a request has to pass, as the configuration wants it now. */
export interface AccessPolicy {
  /** Nothing: nobody is asked who they are. */
  readonly authenticator: Authenticator | undefined;
  /** Nothing: whoever is known may do everything. */
  readonly authorizer: Authorizer | undefined;
  /** By address, before it is known who sends a request. The server counts against it, whatever a request is. */
  readonly addresses: RateLimiter;
  /** By client, once that is known. */
  readonly clients: RateLimiter;
}

export interface GuardOptions {
  readonly policy: () => AccessPolicy;
  /** Namespace for which rights on our resources are asked: the one that is published to. */
  readonly namespace: () => string;
  readonly log: Logger;
  readonly component: string;
  readonly sampled: Sampled;
  readonly authenticated: (authenticated: AuthenticationOutcome) => void;
}

/** The API group of the resources for which rights are asked. No server has them: they are names for RBAC. */
export const ACCESS_GROUP = 'toolset.kubernaut.io';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It is for everybody. */
    public?: boolean;
  }
  interface FastifyRequest {
    /** Who sends it, where that is known. */
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

/** @throws ProblemError where there were too many requests */
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
 * Says whether a request may have what a right is needed for, as things are now; neither logged nor counted. It serves
 * what goes on after a request was let in, and what is optional.
 */
export function permitted({
  policy: gate,
  namespace,
}: Pick<GuardOptions, 'policy' | 'namespace'>): (
  request: FastifyRequest,
  access: Access,
) => Promise<boolean> {
  return async ({ headers }, access) => {
    const { authenticator, authorizer } = gate();
    if (authenticator === undefined) return true;
    const found = await authenticator.authenticate(headers.authorization);
    if (found.kind !== 'caller') return false;
    if (authorizer === undefined) return true;
    return (await authorizer.authorize(found.caller, attributesOf(access, namespace()))).kind === 'allowed';
  };
}

/**
 * Lets through who may: who it is, then a limit by client, then whether that one may do this. Where the API server cannot
 * tell, the answer is 503, and never a refusal or an open door. The limit by address comes before, for all that is
 * sent.
 */
export function guard(options: GuardOptions): onRequestAsyncHookHandler {
  const { policy: gate, namespace, log, component, sampled, authenticated } = options;
  /** Why requests were not let in. */
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
      ...security(event, username),
      reason,
      request_id: request.id,
      method: request.method,
      path: pathOf(request.url),
      remote_addr: request.ip,
      user_agent: short(request.headers['user-agent'] ?? ''),
    };
    sampled.line(`${reason} ${addressKey(request.ip)}`, (more) =>
      log.warn({ ...fields, ...(more === 0 ? {} : { more }) }, counted(why, more)),
    );
    reasons.set(request, reason);
  };

  const unavailable = (request: FastifyRequest, why: string, retryAfter: number): ProblemError => {
    recordRejection(request, 'authentication_failed', 'unavailable', why);
    return new ProblemError('unavailable', 'It cannot be found out now who you are; try again.', {
      headers: { 'retry-after': String(retryAfter) },
    });
  };

  const identify = async (authenticator: Authenticator, request: FastifyRequest): Promise<Caller> => {
    const found = await authenticator.authenticate(request.headers.authorization);
    if (found.kind === 'caller') return found.caller;
    if (found.kind === 'unavailable') throw unavailable(request, found.why, found.retryAfter);
    recordRejection(request, 'authentication_failed', found.reason, found.why);
    throw new ProblemError(
      'unauthenticated',
      found.reason === 'invalid'
        ? 'The API server does not know the token: it expired, was revoked, or is for another audience or cluster.'
        : 'Send Authorization: Bearer and a token that the API server knows.',
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
    recordRejection(request, 'authorization_denied', 'forbidden', result.reason, caller.username);
    const what = 'path' in access ? `path ${access.path}` : `${access.resource}.${ACCESS_GROUP}`;
    throw new ProblemError('forbidden', `${caller.username} may not ${access.verb} ${what}.`);
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
      limit(clients, caller.username, reply);
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
