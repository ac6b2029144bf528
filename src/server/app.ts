import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type ParsedUrlQuery, parse } from 'node:querystring';
import accepts from '@fastify/accepts';
import fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import type { RateLimitResult } from '../model/rate-limit.ts';
import type { DropReason } from '../telemetry/api-metrics.ts';
import { LogSampler } from '../telemetry/log-sampler.ts';
import type { Logger } from '../telemetry/logger.ts';
import { addressKey } from './address-key.ts';
import { answerLog, counted } from './answer-log.ts';
import { asProblem, MAX_BODY_BYTES, sendProblem } from './as-problem.ts';
import { clientOf } from './client.ts';
import { type ConnectionLimits, Connections, type Dropped } from './connections.ts';
import { limitLargeResponses } from './large-responses.ts';
import { limitHandshakes } from './limit-handshakes.ts';
import { lingerOnClose } from './lingering-close.ts';
import { addListeners } from './listeners.ts';
import { Methods } from './methods.ts';
import { OpenBodies } from './open-bodies.ts';
import { CountedResponse, limitParsing } from './parser-limits.ts';
import { ProblemError } from './problem.ts';
import { LONGEST_HEADERS, type Refusal, refuseOddities, refuser } from './refuse.ts';
import { mustBePlain, mustHaveOneHost, notUtf8 } from './request-form.ts';
import type { ServerTls } from './tls.ts';
import { createTurns } from './turns.ts';
import { boundedValidator } from './validation.ts';

/** Maximum requests to begin in one turn of the event loop. */
const REQUESTS_PER_TURN = 8;

/** A completed request, for metrics. `route` is the pattern, never the path. */
export interface RequestOutcome {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
}

export interface AppOptions {
  readonly log: Logger;
  /** Name of the server, for the log. */
  readonly component: string;
  readonly answered: (answered: RequestOutcome) => void;
  /** Serves HTTPS instead of HTTP. */
  readonly tls?: ServerTls;
  readonly connections?: ConnectionLimits;
  /** Timeout from the connection to the end of the first request's headers, in milliseconds; 15 s by default. */
  readonly headersMs?: number;
  /** Called for each connection that a limit closes. */
  readonly dropped?: Dropped;
  /** Counts a request against the limit of its address. Probes are not limited. */
  readonly take?: (address: string) => RateLimitResult;
  /** Sampler of log lines that strangers can cause, shared with the routes. */
  readonly sampled?: LogSampler;
  /** Adds the routes. */
  readonly routes: (app: FastifyInstance) => unknown;
}

/** Timeouts of a request, and of a TLS handshake, in milliseconds. */
const LONGEST_REQUEST = 15_000;
const LONGEST_HANDSHAKE = 10_000;
/** Idle timeouts of connections, in milliseconds: of authenticated clients, and of all others. */
const LONGEST_IDLE = 65_000;
const UNAUTHENTICATED_IDLE = 5_000;
/** The server checks for timeouts this many times per timeout. */
const TIMEOUT_CHECKS = 3;

const CONNECTIONS: ConnectionLimits = { total: 1_000, perAddress: () => 50 };

/** A request id from a client goes into logs and responses, so its characters are restricted. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'] ?? headers['x-correlation-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** Maximum size of a request's body that is still to come, in bytes. */
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

/** Maximum characters of a query. Each parameter of a longer one takes time, before it is known who asks. */
const MAX_QUERY = 2_000;

const parseQuery = (query: string): ParsedUrlQuery => (query.length > MAX_QUERY ? {} : parse(query));

/** @throws ProblemError if the query of a request is too long to be parsed */
function mustBeShort({ url = '' }: IncomingMessage): void {
  const start = url.indexOf('?');
  if (start >= 0 && url.length - start - 1 > MAX_QUERY)
    throw new ProblemError('uri-too-long', `The query is longer than ${MAX_QUERY} characters.`);
}

/** Log messages for connections that a limit closed. */
const DROPS: Readonly<Record<DropReason, string>> = {
  address: 'a connection was closed: its address reached its limit; MAX_CONNECTIONS_PER_ADDRESS changes that',
  displaced: 'a connection was closed: the server reached its limit, and its address has the most',
  total: 'a connection was closed: the server reached its limit, and no address has more than its own',
};

/** The problem of an address that exceeds its rate limit. */
const tooMany = ({ retryAfterSeconds }: RateLimitResult): ProblemError =>
  new ProblemError('too-many-requests', `There were too many requests; wait ${retryAfterSeconds} s.`, {
    headers: { 'retry-after': String(retryAfterSeconds) },
  });

/**
 * Creates a server with everything that all servers share: request ids, limits, errors by RFC 9457, and an access log. Each
 * route also answers OPTIONS, and requests with another method get a 405 with the allowed ones.
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
    // Node.js would respond without a body; `mustBePlain` explains the error.
    requireHostHeader: false,

    ServerResponse: CountedResponse,
  };
  const app = fastify({
    ...(tls === undefined
      ? { http }
      : {
          https: {
            handshakeTimeout: LONGEST_HANDSHAKE,
            ...http,
            ...tls,
            ...(tls.requestCert === true ? { maxVersion: 'TLSv1.2' } : {}),
          },
        }),
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
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 253, querystringParser: parseQuery },
  });
  // A client that closes its side after its request still gets a slow response.
  // https://github.com/nodejs/node/blob/v24.x/lib/_http_server.js, socketOnEnd
  Object.assign(app.server, { httpAllowHalfOpen: true });
  const methods = new Methods();
  const bodies = new OpenBodies();
  function count({ method, routeOptions }: FastifyRequest, status: number, milliseconds: number): void {
    answered({ method: methods.known(method), route: routeOptions?.url ?? 'unknown', status, milliseconds });
  }
  const connections = new Connections(limits, (reason, address) => {
    dropped(reason, address);
    const { size } = connections;
    sampled.log(`dropped ${reason}`, (more) =>
      log.warn(
        {
          component,
          reason,
          remote_addr: address,
          connections: size,
          ...(more === 0 ? {} : { more }),
        },
        counted(DROPS[reason], more),
      ),
    );
  });
  if (tls !== undefined) limitHandshakes(app.server, { asksForCertificates: tls.requestCert === true });
  // Undocumented: otherwise, a client that closes its side at once gets no response. A test fails if that changes.
  Object.assign(app.server, { httpAllowHalfOpen: true });
  connections.guard(app.server);
  limitParsing(app.server);
  lingerOnClose(app.server);
  addListeners(app.server);
  limitLargeResponses(app);
  refuseOddities(app.server, () => methods.all, refused);
  app.setValidatorCompiler(boundedValidator());
  // Compiled serializers for each schema need more memory than the time that they save is worth.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  await app.register(accepts);
  app.removeContentTypeParser('text/plain');
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (isUtf8(body)) return parseJson(request, body.toString(), done);
    done(notUtf8());
  });

  app.addHook('onRoute', (route) => methods.add(route));
  const turn = createTurns(REQUESTS_PER_TURN);
  app.addHook('onRequest', async ({ ip }) => turn(addressKey(ip)));
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    if (request.routeOptions.config.probe !== true) {
      const taken = allowed(request.ip);
      if (taken !== undefined) reply.header('x-ratelimit-remaining', taken.remaining);
      if (taken?.allowed === false) throw tooMany(taken);
    }
    mustHaveOneHost(request.raw);
    mustBeShort(request.raw);
  });
  app.addHook('preParsing', async (request) => {
    if (request.is404) methods.rejectOther(request);
    mustBePlain(request.headers);
    const bytes = bodyBytes(request);
    if (bytes === 0) return;
    const done = bodies.take(clientOf(request), bytes);
    request.bodyRead = done;
    // Also when the request is aborted, or never arrives.
    request.raw.once('close', done);
  });
  app.addHook('preValidation', async (request) => request.bodyRead?.());
  // For requests that were rejected before their body was read.
  app.addHook('onResponse', async (request) => request.bodyRead?.());
  app.addHook('preHandler', async (request, reply) => {
    if (request.authenticated !== true) return;
    connections.trust(request.raw.socket, clientOf(request));
    reply.header('keep-alive', `timeout=${LONGEST_IDLE / 1000}`);
  });
  app.addHook('onResponse', async (request, reply) => {
    // Node.js has just set the timeout of unauthenticated clients.
    if (request.authenticated === true) request.raw.socket.setTimeout?.(LONGEST_IDLE);
    logAnswer(request, reply);
    count(request, reply.statusCode, reply.elapsedTime);
  });
  app.setNotFoundHandler(() => {
    throw new ProblemError('not-found', 'There is no such path; GET /openapi.json lists all paths.');
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
  methods.addFallbacks(app);
  return app;
}

/**
 * Length of the kernel's accept queue. With a shorter one the kernel drops connections of a burst, and a probe then waits a
 * second for its kernel's retry.
 */
const BACKLOG = 900;

/** Listens. @returns the port, for when 0 was requested */
export async function listen(
  app: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  await app.listen({ port, host: host === '' ? '::' : host, backlog: BACKLOG });
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
