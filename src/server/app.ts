import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import accepts from '@fastify/accepts';
import fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import type { DropReason } from '../telemetry/api-metrics.ts';
import { LogSampler } from '../telemetry/log-sampler.ts';
import type { Logger } from '../telemetry/logger.ts';
import { addressKey } from './address-key.ts';
import { answerLog, counted } from './answer-log.ts';
import { asProblem, MAX_BODY_BYTES, sendProblem } from './as-problem.ts';
import { type ConnectionLimits, Connections, type Dropped } from './connections.ts';
import { Methods } from './methods.ts';
import { OpenBodies } from './open-bodies.ts';
import { ProblemError } from './problem.ts';
import type { RateLimitResult } from './rate-limit.ts';
import { LONGEST_HEADERS, type Refusal, refuseOddities, refuser } from './refuse.ts';
import { mustBePlain, mustHaveOneHost } from './request-form.ts';
import type { ServerTls } from './tls.ts';
import { boundedValidator } from './validation.ts';

/** A completed request, for metrics. `route` is the pattern, never the path. */
export interface RequestOutcome {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
}

export interface AppOptions {
  readonly log: Logger;
  /** For the log: which server this is. */
  readonly component: string;
  readonly answered: (answered: RequestOutcome) => void;
  /** Serves HTTPS, and not HTTP. */
  readonly tls?: ServerTls;
  readonly connections?: ConnectionLimits;
  /** Longest time from a connection to the end of the first request's headers, in milliseconds; 15 s unless given. */
  readonly headersMs?: number;
  /** Called for each connection that is closed for a limit. */
  readonly dropped?: Dropped;
  /** Counts a request of an address against its limit. Probes are not limited. */
  readonly take?: (address: string) => RateLimitResult;
  /** Lines of the log that strangers can cause; shared with what is served. */
  readonly sampled?: LogSampler;
  /** Adds what is served. */
  readonly routes: (app: FastifyInstance) => unknown;
}

/** Longest time for a request to arrive, and for a TLS handshake, in milliseconds. */
const LONGEST_REQUEST = 15_000;
const LONGEST_HANDSHAKE = 10_000;
/** Longest time that a connection may do nothing, in milliseconds: of a client that was let in, and of any other. */
const LONGEST_IDLE = 65_000;
const UNAUTHENTICATED_IDLE = 5_000;
/** How often requests that take too long are looked for: this part of the time that they have. */
const TIMEOUT_CHECKS = 3;

const CONNECTIONS: ConnectionLimits = { total: 1_000, perAddress: () => 50 };

/** An id from a client goes into logs and answers, so it may hold little. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'] ?? headers['x-correlation-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** How many bytes of a request's body are to come, at most. */
function bodyBytes({ headers }: FastifyRequest): number {
  if (headers['transfer-encoding'] !== undefined) return MAX_BODY_BYTES;
  return Math.min(Number(headers['content-length'] ?? 0), MAX_BODY_BYTES);
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Health probe: logged at debug only. */
    probe?: boolean;
  }
  interface FastifyRequest {
    /** Whether the guard admitted it with a valid token. */
    authenticated?: boolean;
    /** Releases the budget of its body. */
    bodyRead?: () => void;
  }
}

/** What the log says of a connection that was closed for a limit. */
const DROPS: Readonly<Record<DropReason, string>> = {
  address:
    'a connection was closed: its address has as many as one may have; MAX_CONNECTIONS_PER_ADDRESS changes that',
  displaced: 'a connection was closed: there are as many as there may be, and its address has the most',
  total: 'a connection was closed: there are as many as there may be, and no address has more than its own',
};

/** The problem of an address that sends too many requests. */
const tooMany = ({ retryAfterSeconds }: RateLimitResult): ProblemError =>
  new ProblemError('too-many-requests', `There were too many requests; wait ${retryAfterSeconds} s.`, {
    headers: { 'retry-after': String(retryAfterSeconds) },
  });

/**
 * A server with what all of ours have in common: request ids, limits, errors by RFC 9457, a line in the log for each
 * request. A route that is added answers OPTIONS, and says which methods it takes to one that asks with another.
 */
export async function createApp({
  log,
  component,
  answered,
  routes,
  tls,
  connections: limits = CONNECTIONS,
  headersMs = LONGEST_REQUEST,
  dropped = () => {},
  take,
  sampled = new LogSampler(),
}: AppOptions): Promise<FastifyInstance> {
  const logAnswer = answerLog(log, component, sampled);
  const allowed = (address: string): RateLimitResult | undefined => take?.(addressKey(address));
  const refused = ({ address, status, why }: Refusal): boolean => {
    answered({ method: 'other', route: 'unknown', status, milliseconds: 0 });
    sampled.log(`refused ${status} ${addressKey(address)}`, (more) =>
      log.info(
        {
          component,
          status_code: status,
          reason: why,
          remote_addr: address,
          ...(more === 0 ? {} : { more }),
        },
        counted('a connection was refused', more),
      ),
    );
    return allowed(address)?.allowed ?? true;
  };
  const refuse = refuser(refused);
  const http = {
    maxHeaderSize: LONGEST_HEADERS,
    headersTimeout: headersMs,
    connectionsCheckingInterval: headersMs / TIMEOUT_CHECKS,
    // Node.js would answer without a body; `mustBePlain` says what is wrong.
    requireHostHeader: false,
  };
  const app = fastify({
    ...(tls === undefined ? { http } : { https: { handshakeTimeout: LONGEST_HANDSHAKE, ...http, ...tls } }),
    genReqId: (request) => requestId(request),
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: LONGEST_REQUEST,
    connectionTimeout: LONGEST_IDLE,
    keepAliveTimeout: UNAUTHENTICATED_IDLE,
    clientErrorHandler: (error, socket) => refuse(socket, error),
    frameworkErrors(error, request, reply) {
      const taken = allowed(request.ip);
      sendProblem(request, reply, taken?.allowed === false ? tooMany(taken) : asProblem(error));
      logAnswer(request, reply);
      count(request, reply.statusCode, 0);
    },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 253 },
  });
  // A client that closes its side after its request still gets an answer that takes a while.
  // https://github.com/nodejs/node/blob/v24.x/lib/_http_server.js, socketOnEnd
  Object.assign(app.server, { httpAllowHalfOpen: true });
  const methods = new Methods();
  const bodies = new OpenBodies();
  function count({ method, routeOptions }: FastifyRequest, status: number, milliseconds: number): void {
    answered({ method: methods.known(method), route: routeOptions?.url ?? 'unknown', status, milliseconds });
  }
  const connections = new Connections(limits, (reason, address) => {
    dropped(reason, address);
    sampled.log(`dropped ${reason}`, (more) =>
      log.warn(
        {
          component,
          reason,
          remote_addr: address,
          connections: connections.size,
          ...(more === 0 ? {} : { more }),
        },
        counted(DROPS[reason], more),
      ),
    );
  });
  connections.guard(app.server);
  refuseOddities(app.server, () => methods.all, refused);
  app.setValidatorCompiler(boundedValidator());
  // What is compiled for each answer's schema takes more memory than it saves time.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  await app.register(accepts);
  app.removeContentTypeParser('text/plain');

  app.addHook('onRoute', (route) => methods.learn(route));
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    if (request.routeOptions.config.probe !== true) {
      const taken = allowed(request.ip);
      if (taken !== undefined) reply.header('x-ratelimit-remaining', taken.remaining);
      if (taken?.allowed === false) throw tooMany(taken);
    }
    mustHaveOneHost(request.raw);
  });
  app.addHook('preParsing', async (request) => {
    if (request.is404) methods.refuseOther(request);
    mustBePlain(request.headers);
    const bytes = bodyBytes(request);
    if (bytes === 0) return;
    const done = bodies.take(request.caller?.username ?? addressKey(request.ip), bytes);
    request.bodyRead = done;
    // Also where it is given up, or never arrives.
    request.raw.once('close', done);
  });
  app.addHook('preValidation', async (request) => request.bodyRead?.());
  // One that was refused before its body was looked at.
  app.addHook('onResponse', async (request) => request.bodyRead?.());
  app.addHook('preHandler', async (request, reply) => {
    if (request.authenticated !== true) return;
    connections.trust(request.raw.socket);
    reply.header('keep-alive', `timeout=${LONGEST_IDLE / 1000}`);
  });
  app.addHook('onResponse', async (request, reply) => {
    // Node.js just set the time that strangers have.
    if (request.authenticated === true) request.raw.socket.setTimeout?.(LONGEST_IDLE);
    logAnswer(request, reply);
    count(request, reply.statusCode, reply.elapsedTime);
  });
  app.setNotFoundHandler(() => {
    throw new ProblemError(
      'not-found',
      'There is nothing at this path; GET /openapi.json tells what there is.',
    );
  });
  app.setErrorHandler((error: FastifyError | ProblemError, request, reply) => {
    const problem = asProblem(error, request.routeOptions.bodyLimit);
    if (problem.kind === 'internal')
      sampled.log(`bug ${error.message}`, (more) =>
        log.error(
          { component, request_id: request.id, stacktrace: error.stack },
          counted(`a request failed, which is a bug: ${error.message}`, more),
        ),
      );
    sendProblem(request, reply, problem);
  });
  await routes(app);
  methods.answerOthers(app);
  return app;
}

/**
 * Connections that the kernel keeps until they are accepted. With a shorter queue it drops those of a burst, and a prober
 * waits a second for the next try of its own kernel. All that are accepted in one turn fit into the limit of a server.
 */
const BACKLOG = 900;

/** Listens. @returns the port, for when 0 was asked for */
export async function listen(
  app: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  await app.listen({ port, host: host === '' ? '::' : host, backlog: BACKLOG });
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
