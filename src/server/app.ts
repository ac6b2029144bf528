import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import accepts from '@fastify/accepts';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Logger } from '../telemetry/logger.ts';
import { type FieldError, kindOfStatus, PROBLEM_TYPE, ProblemError, problemBody } from './problem.ts';
import type { ServerTls } from './tls.ts';

/** One request that was answered, for those who count. `route` is the pattern and never the path. */
export interface Answered {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
}

export interface AppOptions {
  readonly log: Logger;
  /** For the log: which server this is. */
  readonly component: string;
  readonly answered: (answered: Answered) => void;
  /** Serves HTTPS, and not HTTP. */
  readonly tls?: ServerTls;
  /** Adds what is served. */
  readonly routes: (app: FastifyInstance) => unknown;
}

/** Most bytes of a request's body and of its headers. */
const LONGEST_BODY = 1024 * 1024;
const LONGEST_HEADERS = 16 * 1024;
/** Longest times in milliseconds: for a request to arrive, and for a connection that does nothing. */
const LONGEST_REQUEST = 15_000;
const LONGEST_IDLE = 65_000;
/** How often it is looked for requests that take too long, in milliseconds. */
const LOOK = 5_000;
/** Most connections at a time. */
const MOST_CONNECTIONS = 1_000;

/** An id from a client goes into logs and answers, so it may hold little. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;

function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'] ?? headers['x-correlation-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** What a schema says is wrong with a part of a request. */
function fieldErrors(error: FastifyError): FieldError[] {
  return (error.validation ?? []).map(({ instancePath, message = '', params, keyword }) => {
    const { allowedValues, additionalProperty, missingProperty } = params as Record<string, unknown>;
    const name = additionalProperty ?? missingProperty;
    const place = `${instancePath}${name === undefined ? '' : `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`}`;
    const detail = Array.isArray(allowedValues)
      ? `is none of ${allowedValues.join(', ')}`
      : keyword === 'additionalProperties'
        ? 'is not known here'
        : keyword === 'required'
          ? 'is missing'
          : message;
    return error.validationContext === 'body'
      ? { pointer: place, detail }
      : { parameter: place.slice(1), detail };
  });
}

/** Any error as what its answer says. What is a bug shows nothing of the inside. */
function asProblem(error: FastifyError | ProblemError): ProblemError {
  if (error instanceof ProblemError) return error;
  const { cause } = { cause: error };
  if (error.validation !== undefined) {
    const errors = fieldErrors(error);
    const said = errors.map(
      ({ parameter, pointer, detail }) => `${parameter ?? (pointer || 'the body')} ${detail}`,
    );
    return new ProblemError('invalid-request', said.join('; '), { errors, cause });
  }
  const status = error.statusCode ?? 500;
  if (status >= 500)
    return status === 503
      ? new ProblemError('unavailable', 'There is too much to do now; try again in some seconds.', {
          headers: { 'retry-after': '5' },
          cause,
        })
      : new ProblemError('internal', 'This is a bug: please report it with the request id.', { cause });
  const kind = kindOfStatus(status);
  switch (kind) {
    case 'payload-too-large':
      return new ProblemError(kind, `The body is over ${LONGEST_BODY} bytes; send less.`, { cause });
    case 'unsupported-media-type':
      return new ProblemError(kind, 'Send the body as application/json.', { cause });
    default:
      return new ProblemError(kind, error.message, { cause });
  }
}

/** Answers with a problem. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: ProblemError): void {
  void reply
    .code(problem.status)
    .headers(problem.headers)
    .header('x-request-id', request.id)
    .header('cache-control', 'no-store')
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemBody(problem, request.url, request.id)));
}

/** What Node.js refuses before there is a request. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new ProblemError('request-timeout', 'The request did not arrive in time; send it again.')
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? new ProblemError('headers-too-large', `The headers are over ${LONGEST_HEADERS} bytes; send less.`)
        : new ProblemError('invalid-request', 'This is not a request of HTTP/1.1.');
  const body = JSON.stringify(problemBody(problem, '', randomUUID()));
  socket.end(
    `HTTP/1.1 ${problem.status} Refused\r\nconnection: close\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It is asked again and again, and what it answers is told elsewhere. */
    probe?: boolean;
  }
}

/** Logs a request that was answered. */
function logAnswer(log: Logger, component: string, request: FastifyRequest, reply: FastifyReply): void {
  const { statusCode } = reply;
  const { probe = false } = request.routeOptions.config;
  // Who was not let in is a warning of its own, and a mistake of a client is none of ours.
  const told = statusCode === 401 || statusCode === 403;
  const level = probe || told || statusCode < 400 ? 'debug' : statusCode >= 500 ? 'error' : 'info';
  log[level](
    {
      component,
      request_id: request.id,
      method: request.method,
      path: request.url.split('?', 1)[0],
      status_code: statusCode,
      duration: Math.round(reply.elapsedTime) / 1000,
      remote_addr: request.ip,
      user_agent: request.headers['user-agent']?.slice(0, 200),
    },
    'request answered',
  );
}

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
}: AppOptions): Promise<FastifyInstance> {
  const app = fastify({
    ...(tls === undefined ? {} : { https: tls }),
    genReqId: (request) => requestId(request),
    logger: false,
    bodyLimit: LONGEST_BODY,
    requestTimeout: LONGEST_REQUEST,
    keepAliveTimeout: LONGEST_IDLE,
    http: {
      maxHeaderSize: LONGEST_HEADERS,
      headersTimeout: LONGEST_REQUEST,
      connectionsCheckingInterval: LOOK,
    },
    clientErrorHandler: refuse,
    frameworkErrors: (error, request, reply) => sendProblem(request, reply, asProblem(error)),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 253 },
    ajv: { customOptions: { allErrors: true, coerceTypes: false, removeAdditional: false } },
  });
  // What is compiled for each answer's schema takes more memory than it saves time.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.server.maxConnections = MOST_CONNECTIONS;
  await app.register(accepts);
  app.removeContentTypeParser('text/plain');

  const taken = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ method, url, config }) => {
    if ((config as { readonly other?: boolean } | undefined)?.other === true) return;
    const methods = taken.get(url) ?? new Set();
    for (const each of [method].flat()) methods.add(each);
    taken.set(url, methods);
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
  });
  app.addHook('onResponse', async (request, reply) => {
    logAnswer(log, component, request, reply);
    answered({
      method: METHODS.some((method) => method === request.method) ? request.method : 'other',
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      milliseconds: reply.elapsedTime,
    });
  });
  app.setNotFoundHandler((request, reply) => {
    sendProblem(
      request,
      reply,
      new ProblemError('not-found', 'There is nothing at this path; GET /openapi.json tells what there is.'),
    );
  });
  app.setErrorHandler((error: FastifyError | ProblemError, request, reply) => {
    const problem = asProblem(error);
    if (problem.kind === 'internal')
      log.error(
        { component, request_id: request.id, stacktrace: error.stack },
        `a request failed, which is a bug: ${error.message}`,
      );
    sendProblem(request, reply, problem);
  });
  await routes(app);
  for (const [url, methods] of [...taken]) answerOthers(app, url, methods);
  return app;
}

/** Answers the methods that a path does not take. */
function answerOthers(app: FastifyInstance, url: string, methods: ReadonlySet<string>): void {
  const allow = [...methods, 'OPTIONS'].sort().join(', ');
  app.route({
    method: METHODS.filter((method) => !methods.has(method) && app.supportedMethods.includes(method)),
    url,
    config: { other: true },
    handler: (request, reply) => {
      if (request.method === 'OPTIONS') return reply.code(204).header('allow', allow).send();
      throw new ProblemError(
        'method-not-allowed',
        `${request.method} is not taken here; use ${[...methods].sort().join(' or ')}.`,
        { headers: { allow } },
      );
    },
  });
}

/** Listens. @returns the port, for when 0 was asked for */
export async function listen(
  app: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  await app.listen({ port, host: host === '' ? '::' : host });
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
