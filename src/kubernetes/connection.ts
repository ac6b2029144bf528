import { statSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import { delimiter } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { Context } from '@kubernetes/client-node/dist/config_types.js';
import { ConfigError, NoClusterError } from '../model/errors.ts';
import { suggestOrList } from '../model/nearest.ts';
import { unreadable } from '../model/unreadable.ts';
import { credentialsError } from './credentials-error.ts';
import { jsonBody } from './json-body.ts';
import { keepAliveAgents } from './keep-alive-agents.ts';
import { kubeconfigFault } from './kubeconfig-fault.ts';
import {
  jsonLines,
  parseJson,
  ResponseTooLargeError,
  readBody,
  readStart,
  withinBudget,
} from './response.ts';
import { fromKubeconfig } from './server-text.ts';
import { statusError } from './status.ts';

/** Where the credentials come from. */
export interface KubeClientOptions {
  /** Path of a kubeconfig file; if undefined, `KUBECONFIG`, the home directory, or the Pod's credentials. */
  readonly kubeconfig: string | undefined;
  /** That place, for messages: the path, or the paths of `KUBECONFIG`. */
  readonly origin: string;
  readonly context: string | undefined;
}

export interface KubeRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Path and query, from the root of the API. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Media type of the response. Default: all of the object, as JSON. */
  readonly accept?: string;
  /** Timeout for the whole exchange, in milliseconds. */
  readonly timeout?: number;
}

export interface StreamRequest {
  /** Path and query, from the root of the API. */
  readonly path: string;
  /** Timeout for the whole response, in milliseconds. */
  readonly timeout: number;
  /** Timeout between two bytes, in milliseconds. It detects connections that died silently. */
  readonly idleTimeout: number;
}

/** A client of one API server. */
export interface KubeClient {
  /** URL and context of the API server, for messages. */
  readonly server: string;
  /** The namespace of the current context, or `default`. */
  readonly namespace: string;
  /** Whether the client uses a Pod's credentials. */
  readonly inCluster: boolean;
  /**
   * Sends a request, and returns the JSON of the response.
   * @throws ApiStatusError if the server responds with an error; InvalidResponseError if the response is too large or not
   * JSON; Error if there is no response
   */
  request(request: KubeRequest, signal: AbortSignal): Promise<unknown>;
  /**
   * Sends a long-running GET with a response of newline-delimited JSON, such as a watch. Resolves when the response begins. Leaving
   * the iteration or aborting the signal closes the connection.
   * @throws ApiStatusError if the server responds with an error; Error if there is no response; while iterating,
   * InvalidResponseError if a line is too long or not JSON, and Error if the connection breaks or a timeout expires
   */
  stream(request: StreamRequest, signal: AbortSignal): Promise<AsyncGenerator<unknown>>;
  /**
   * A raw exchange through the API server's proxy. Any status is a valid response.
   * @throws ResponseTooLargeError if far more than `limit` bytes arrive; Error if there is no response
   */
  raw(request: RawRequest, signal: AbortSignal): Promise<RawAnswer>;
}

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Maximum number of bytes to read from the body. */
  readonly limit: number;
  /** Receives each chunk of the body once; reading stops when it returns true. */
  readonly enough?: (chunk: Buffer) => boolean;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Maximum number of 1xx responses. A proxied server could send them without end. */
const MAX_INFORMATIONAL = 3;
/** Maximum number of bytes on the connection per byte of a proxied body. */
const MAX_OVERHEAD = 2;
const TIMEOUT = 30_000;
/** Lists that exceed this are read in smaller pages. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** Ten times what the API server stores for one object, because JSON can escape each byte. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const NOT_A_KUBECONFIG =
  'clusters, contexts and users must be lists of mappings, and the server of each cluster is a string';

/**
 * Rejects a FIFO: without a writer, reading it would block the thread, and no signal could end the process. The descriptors
 * of `<(command)` have a writer.
 * @param origin the paths of the kubeconfig
 */
function rejectFifo(origin: string): void {
  const isFifo = (path: string): boolean => {
    try {
      return !/^\/(dev|proc)\//.test(path) && statSync(path).isFIFO();
    } catch {
      // The library reports what it cannot read.
      return false;
    }
  };
  const fifo = origin.split(delimiter).find(isFifo);
  if (fifo !== undefined) throw new Error(`${fifo} is a FIFO`);
}

function load(options: KubeClientOptions): KubeConfig {
  const config = new KubeConfig();
  try {
    rejectFifo(options.origin);
    if (options.kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(options.kubeconfig);
  } catch (error) {
    // The library uses some values without checking their types.
    const why = error instanceof TypeError ? NOT_A_KUBECONFIG : unreadable(error);
    throw new ConfigError(
      `cannot read the kubeconfig ${options.origin}: ${why}; choose another with --kubeconfig or KUBECONFIG`,
      { cause: error },
    );
  }
  if (options.context !== undefined) {
    if (config.getContextObject(options.context) === null) {
      const names = config.contexts.map(({ name }) => name);
      throw new ConfigError(
        `the kubeconfig ${options.origin} has no context "${options.context}"${suggestOrList(options.context, names, 'its contexts:')}`,
      );
    }
    config.setCurrentContext(options.context);
  }
  return config;
}

/** The library's placeholder if it found no configuration. */
const isPlaceholder = (config: KubeConfig): boolean =>
  config.getCurrentCluster()?.name === 'cluster' &&
  config.getCurrentCluster()?.server === 'http://localhost:8080';

/** Explains why a kubeconfig has no usable current context, and what to do. */
function missingIn(config: KubeConfig, current: string | undefined): string {
  const names = config.contexts.map(({ name }) => name).join(', ');
  const others = names === '' ? 'it has no contexts; choose another file with --kubeconfig' : names;
  if (current === undefined || current === '')
    return `has no current context; choose one with --context (${others})`;
  const context = config.getContextObject(current);
  if (context === null)
    return `has no context "${current}", which is its current one; choose another with --context (${others})`;
  const missing =
    config.getCurrentCluster() === null ? `cluster "${context.cluster}"` : `user "${context.user}"`;
  return `has no ${missing}, which its context "${current}" names; choose another with --context (${others})`;
}

/**
 * Creates a client with the credentials of a kubeconfig or a Pod. It sends nothing yet.
 * @throws ConfigError if there is no usable configuration
 */
export function connect(options: KubeClientOptions): KubeClient {
  const config = load(options);
  const cluster = config.getCurrentCluster();
  if (isPlaceholder(config))
    throw new NoClusterError(
      'no cluster is configured: there is no ~/.kube/config, KUBECONFIG is not set, and this is not a Pod; name a kubeconfig with --kubeconfig',
    );
  const current = config.getCurrentContext();
  const inContext: Partial<Context> = config.getContextObject(current) ?? {};
  const inCluster = current === 'inClusterContext';
  if (cluster === null || (inContext.user !== undefined && config.getCurrentUser() === null))
    throw new ConfigError(`the kubeconfig ${options.origin} ${missingIn(config, current)}`);
  const user = config.getCurrentUser();
  // A file with a token may end in a line break.
  if (typeof user?.token === 'string') Object.assign(user, { token: user.token.trim() });
  const fault = inCluster ? undefined : kubeconfigFault(cluster, user);
  if (fault !== undefined)
    throw new ConfigError(
      `the kubeconfig ${options.origin} has a fault in its ${fault}; correct it, or choose another context with --context`,
    );
  const base = new URL(cluster.server);
  const agentFor = keepAliveAgents(base.protocol === 'https:');

  const exchange = async (
    request: Omit<RawRequest, 'limit' | 'enough'>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> => {
    const settings: RequestOptions = { headers: {} };
    try {
      await config.applyToHTTPSOptions(settings);
    } catch (error) {
      throw credentialsError(error, user?.exec?.command);
    }
    if (cluster.proxyUrl === undefined || cluster.proxyUrl === '') settings.agent = agentFor(settings);
    const { method, path, headers, body } = request;
    // A `Host` header is for what the API server passes the request on to; its certificate is that of its own name.
    const name = headers.host === undefined ? {} : { servername: serverNameOf(settings, base) };
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    return send(
      base,
      {
        ...settings,
        ...name,
        method,
        path: `${base.pathname.replace(/\/$/, '')}${path}`,
        headers: { ...settings.headers, 'user-agent': 'dynamic-toolset', ...headers, ...length },
        signal,
      },
      body,
    );
  };

  return {
    server: inCluster ? cluster.server : fromKubeconfig(cluster.server, current, options.origin),
    namespace: inContext.namespace ?? 'default',
    inCluster,
    async request(
      {
        method = 'GET',
        path,
        body,
        contentType = 'application/json',
        accept = 'application/json',
        timeout = TIMEOUT,
      },
      signal,
    ) {
      const headers = {
        accept,
        ...(body === undefined ? {} : { 'content-type': contentType }),
      };
      const payload = body === undefined ? {} : { body: jsonBody(body) };
      const either = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
      const response = await exchange({ method, path, headers, ...payload }, either);
      if (!succeeded(response)) throw await statusError(response);
      return parseJson(await readBody(response, MAX_BODY_BYTES));
    },
    async stream({ path, timeout, idleTimeout }, signal) {
      const opening = new AbortController();
      const openingTimeout = setTimeout(
        () => opening.abort(new DOMException('no answer in time', 'TimeoutError')),
        TIMEOUT,
      );
      try {
        const response = await exchange(
          { method: 'GET', path, headers: { accept: 'application/json' } },
          AbortSignal.any([signal, opening.signal]),
        );
        if (!succeeded(response)) throw await statusError(response);
        return jsonLines(limited(response, timeout, idleTimeout), MAX_LINE_BYTES);
      } finally {
        clearTimeout(openingTimeout);
      }
    },
    async raw({ limit, enough, ...request }, signal) {
      const response = await exchange(request, signal);
      const body = await readStart(withinBudget(response, MAX_OVERHEAD * limit), limit, enough);
      return { status: response.statusCode ?? 0, headers: response.headers, body };
    },
  };
}

/** The name for SNI, as Node.js derives it from a URL: none for an IP address. */
function serverNameOf({ servername }: RequestOptions, { hostname }: URL): string {
  return servername ?? (isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname : '');
}

function send(base: URL, options: RequestOptions, payload: string | undefined): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = base.protocol === 'https:' ? https.request(base, options) : http.request(base, options);
  let informational = 0;
  request.on('information', () => {
    informational++;
    if (informational > MAX_INFORMATIONAL)
      request.destroy(
        new ResponseTooLargeError(
          `it sent more than ${MAX_INFORMATIONAL} responses of status 1xx and no final one`,
        ),
      );
  });
  request.on('response', resolve);
  request.on('error', reject);
  request.on('upgrade', (_, socket) => {
    socket.destroy();
    reject(new Error('the server wants to speak another protocol'));
  });
  request.on('close', () => reject(new Error('the connection was closed without an answer')));
  request.end(payload);
  return promise;
}

const succeeded = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode < 300;

/** The chunks of a long answer, until it has lasted too long or was silent too long (milliseconds). */
async function* limited(
  response: IncomingMessage,
  timeout: number,
  idleTimeout: number,
): AsyncGenerator<Buffer> {
  const durationTimeout = setTimeout(
    () => response.destroy(new Error('the server did not end its answer in time')),
    timeout,
  );
  const silenceTimeout = setTimeout(
    () => response.destroy(new Error(`the server was silent for ${Math.round(idleTimeout / 1000)} s`)),
    idleTimeout,
  );
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      silenceTimeout.refresh();
      yield chunk;
    }
  } finally {
    clearTimeout(durationTimeout);
    clearTimeout(silenceTimeout);
  }
}
