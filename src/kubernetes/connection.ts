import http, { type IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { Context } from '@kubernetes/client-node/dist/config_types.js';
import { ConfigError } from '../model/errors.ts';
import { meantOrAll } from '../model/nearest.ts';
import { unreadable } from '../model/unreadable.ts';
import { keptAgents } from './agents.ts';
import { jsonLines, parseJson, readBody, readStart, TooLongError, withinBudget } from './answer.ts';
import { credentialsError } from './credentials-error.ts';
import { jsonBody } from './json-body.ts';
import { statusError } from './status.ts';

/** Where the credentials come from. */
export interface KubeOptions {
  /** Path of a kubeconfig; without it KUBECONFIG's, the home's, or the Pod's own credentials. */
  readonly kubeconfig: string | undefined;
  /** What a person would call that place, for messages. */
  readonly origin: string;
  readonly context: string | undefined;
}

export interface KubeRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Path with its query, from the root of the API. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Longest time for the whole exchange, in milliseconds. */
  readonly timeout?: number;
}

export interface StreamRequest {
  /** Path with its query, from the root of the API. */
  readonly path: string;
  /** Longest time for the whole answer, in milliseconds. */
  readonly longest: number;
  /** Longest time without a byte, in milliseconds: how a connection that died without a sign is noticed. */
  readonly idle: number;
}

/** A connection to one API server. */
export interface Kube {
  /** URL of the API server, and the context that names it, for messages. */
  readonly server: string;
  /** The namespace of the current context, or `default`. */
  readonly namespace: string;
  /** Whether the credentials are those of a Pod. */
  readonly inCluster: boolean;
  /**
   * One request; the answer's JSON.
   * @throws ApiStatusError when the server answers with an error; BadAnswerError for one that is too long or no
   * JSON; Error when there is no answer
   */
  request(request: KubeRequest, signal: AbortSignal): Promise<unknown>;
  /**
   * One long GET whose answer is newline-delimited JSON, such as a watch. Resolves when the answer begins; leaving the
   * iteration or aborting the signal closes the connection.
   * @throws ApiStatusError when the server answers with an error; Error when there is no answer; from the iteration,
   * BadAnswerError for a line that is too long or no JSON, and Error when the connection breaks or a limit is reached
   */
  stream(request: StreamRequest, signal: AbortSignal): Promise<AsyncGenerator<unknown>>;
  /**
   * One exchange as it is, for what is proxied through the API server: any status is an answer.
   * @throws TooLongError for one that is much longer than its limit; Error when there is no answer
   */
  raw(request: RawRequest, signal: AbortSignal): Promise<RawAnswer>;
}

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Most bytes that are read of the answer's body. */
  readonly limit: number;
  /** Looks at each piece of the body once; reading stops when it says that enough has come. */
  readonly enough?: (chunk: Buffer) => boolean;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Most answers of status 1xx before the answer itself. What is proxied may send them without end. */
const INFORMATIONAL = 3;
/** How many bytes may come for each byte that is read of what is proxied. */
const OVERHEAD = 2;
const TIMEOUT = 30_000;
/** Most bytes in an answer; lists that are longer are read in smaller pages. */
const LONGEST_BODY = 32 * 1024 * 1024;
/** Most bytes in one line: ten times what the API server stores for one object, since JSON may escape each byte. */
const LONGEST_LINE = 16 * 1024 * 1024;

function load(options: KubeOptions): KubeConfig {
  const config = new KubeConfig();
  try {
    if (options.kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(options.kubeconfig);
  } catch (error) {
    throw new ConfigError(
      `cannot read the kubeconfig ${options.origin}: ${unreadable(error)}; name another with --kubeconfig or KUBECONFIG`,
      { cause: error },
    );
  }
  if (options.context !== undefined) {
    if (config.getContextObject(options.context) === null) {
      const names = config.contexts.map(({ name }) => name);
      throw new ConfigError(
        `the kubeconfig ${options.origin} has no context "${options.context}"${meantOrAll(options.context, names, 'its contexts:')}`,
      );
    }
    config.setCurrentContext(options.context);
  }
  return config;
}

/** The library's stand-in when it found no configuration at all: a server that nobody has. */
const isStandIn = (config: KubeConfig): boolean =>
  config.getCurrentCluster()?.name === 'cluster' &&
  config.getCurrentCluster()?.server === 'http://localhost:8080';

/** What is missing in a kubeconfig whose current context leads to no cluster or user, and what to do. */
function missingIn(config: KubeConfig, current: string | undefined): string {
  const names = config.contexts.map(({ name }) => name).join(', ');
  const others = names === '' ? 'it has no contexts; name another file with --kubeconfig' : names;
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
 * Opens a connection with the credentials of a kubeconfig or a Pod. Nothing is sent yet.
 * @throws UserError if there is no usable configuration
 */
export function connect(options: KubeOptions): Kube {
  const config = load(options);
  const cluster = config.getCurrentCluster();
  if (isStandIn(config))
    throw new ConfigError(
      'no cluster is configured: there is no ~/.kube/config, KUBECONFIG is not set, and this is not a Pod; name a kubeconfig with --kubeconfig, or read manifests with -f',
    );
  const current = config.getCurrentContext();
  const inContext: Partial<Context> = config.getContextObject(current) ?? {};
  const inCluster = current === 'inClusterContext';
  if (cluster === null || (inContext.user !== undefined && config.getCurrentUser() === null))
    throw new ConfigError(`the kubeconfig ${options.origin} ${missingIn(config, current)}`);
  const base = new URL(cluster.server);
  const agentFor = keptAgents(base.protocol === 'https:');

  const exchange = async (
    request: Omit<RawRequest, 'limit' | 'enough'>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> => {
    const settings: RequestOptions = { headers: {} };
    try {
      await config.applyToHTTPSOptions(settings);
    } catch (error) {
      throw credentialsError(error, config.getCurrentUser()?.exec?.command);
    }
    if (cluster.proxyUrl === undefined || cluster.proxyUrl === '') settings.agent = agentFor(settings);
    const { method, path, headers, body } = request;
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    return send(
      base,
      {
        ...settings,
        method,
        path: `${base.pathname.replace(/\/$/, '')}${path}`,
        headers: { ...settings.headers, 'user-agent': 'dynamic-toolset', ...headers, ...length },
        signal,
      },
      body,
    );
  };

  return {
    server: inCluster ? cluster.server : `${cluster.server} (context ${current} of ${options.origin})`,
    namespace: inContext.namespace ?? 'default',
    inCluster,
    async request(
      { method = 'GET', path, body, contentType = 'application/json', timeout = TIMEOUT },
      signal,
    ) {
      const headers = {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': contentType }),
      };
      const payload = body === undefined ? {} : { body: jsonBody(body) };
      const either = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
      const response = await exchange({ method, path, headers, ...payload }, either);
      if (!succeeded(response)) throw await statusError(response);
      return parseJson(await readBody(response, LONGEST_BODY));
    },
    async stream({ path, longest, idle }, signal) {
      const opening = new AbortController();
      const late = setTimeout(
        () => opening.abort(new DOMException('no answer in time', 'TimeoutError')),
        TIMEOUT,
      );
      try {
        const response = await exchange(
          { method: 'GET', path, headers: { accept: 'application/json' } },
          AbortSignal.any([signal, opening.signal]),
        );
        if (!succeeded(response)) throw await statusError(response);
        return jsonLines(limited(response, longest, idle), LONGEST_LINE);
      } finally {
        clearTimeout(late);
      }
    },
    async raw({ limit, enough, ...request }, signal) {
      const response = await exchange(request, signal);
      const body = await readStart(withinBudget(response, OVERHEAD * limit), limit, enough);
      return { status: response.statusCode ?? 0, headers: response.headers, body };
    },
  };
}

function send(base: URL, options: RequestOptions, payload: string | undefined): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = base.protocol === 'https:' ? https.request(base, options) : http.request(base, options);
  let informational = 0;
  request.on('information', () => {
    informational++;
    if (informational > INFORMATIONAL)
      request.destroy(new TooLongError(`it sent more than ${INFORMATIONAL} answers of 1xx and no other`));
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
async function* limited(response: IncomingMessage, longest: number, idle: number): AsyncGenerator<Buffer> {
  const over = setTimeout(
    () => response.destroy(new Error('the server did not end its answer in time')),
    longest,
  );
  const silent = setTimeout(
    () => response.destroy(new Error(`the server was silent for ${Math.round(idle / 1000)} s`)),
    idle,
  );
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      silent.refresh();
      yield chunk;
    }
  } finally {
    clearTimeout(over);
    clearTimeout(silent);
  }
}
