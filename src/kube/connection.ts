import http, { type IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import { json as readJson, text as readText } from 'node:stream/consumers';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { EXIT, UserError } from '../model/exit.ts';
import { ApiStatusError } from './status.ts';

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

/** A connection to one API server. */
export interface Kube {
  /** URL of the API server, for messages. */
  readonly server: string;
  /** The namespace of the current context, or `default`. */
  readonly namespace: string;
  /** Whether the credentials are those of a Pod. */
  readonly inCluster: boolean;
  /**
   * One request; the answer's JSON.
   * @throws ApiStatusError when the server answers with an error; Error when there is no answer
   */
  request(request: KubeRequest, signal: AbortSignal): Promise<unknown>;
  /**
   * One exchange as it is, for what is proxied through the API server: any status is an answer.
   * @throws Error when there is no answer
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
  /** Reading may stop as soon as this says so. */
  readonly enough?: (body: string) => boolean;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const TIMEOUT = 30_000;

function load(options: KubeOptions): KubeConfig {
  const config = new KubeConfig();
  try {
    if (options.kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(options.kubeconfig);
  } catch (error) {
    throw new UserError(
      `cannot read the kubeconfig ${options.origin}: ${(error as Error).message.split('\n')[0]}; name another with --kubeconfig or KUBECONFIG`,
      EXIT.usage,
      { cause: error },
    );
  }
  if (options.context !== undefined) {
    if (config.getContextObject(options.context) === null) {
      const known = config.contexts.map(({ name }) => name).join(', ') || 'none';
      throw new UserError(
        `the kubeconfig has no context "${options.context}"; its contexts: ${known}`,
        EXIT.usage,
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

/**
 * Opens a connection with the credentials of a kubeconfig or a Pod. Nothing is sent yet.
 * @throws UserError if there is no usable configuration
 */
export function connect(options: KubeOptions): Kube {
  const config = load(options);
  const cluster = config.getCurrentCluster();
  if (isStandIn(config))
    throw new UserError(
      'no cluster is configured: there is no kubeconfig and this is not a Pod; name one with --kubeconfig, or read manifests with -f',
      EXIT.usage,
    );
  if (cluster === null) {
    const known = config.contexts.map(({ name }) => name).join(', ') || 'it has none';
    throw new UserError(
      `the kubeconfig ${options.origin} has no current context; choose one with --context (${known})`,
      EXIT.usage,
    );
  }
  const base = new URL(cluster.server);
  const agents = new Map<string, http.Agent>();

  /** The library makes agents that close each connection; one of our own keeps it, for the same credentials. */
  const keepAlive = (settings: RequestOptions): void => {
    if (cluster.proxyUrl !== undefined && cluster.proxyUrl !== '') return;
    const { ca, cert, key, rejectUnauthorized, servername } = settings;
    const identity = JSON.stringify([String(ca), String(cert), String(key), rejectUnauthorized, servername]);
    let agent = agents.get(identity);
    if (agent === undefined) {
      for (const old of agents.values()) old.destroy();
      agents.clear();
      agent =
        base.protocol === 'https:'
          ? new https.Agent({
              keepAlive: true,
              ...(ca === undefined ? {} : { ca }),
              ...(cert === undefined ? {} : { cert }),
              ...(key === undefined ? {} : { key }),
              ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
              ...(servername === undefined ? {} : { servername }),
            })
          : new http.Agent({ keepAlive: true });
      agents.set(identity, agent);
    }
    settings.agent = agent;
  };

  const exchange = async (
    request: Omit<RawRequest, 'limit' | 'enough'>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> => {
    const settings: RequestOptions = { headers: {} };
    await config.applyToHTTPSOptions(settings);
    keepAlive(settings);
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
    server: cluster.server,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    inCluster: config.getCurrentContext() === 'inClusterContext',
    async request(
      { method = 'GET', path, body, contentType = 'application/json', timeout = TIMEOUT },
      signal,
    ) {
      const headers = {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': contentType }),
      };
      const payload = body === undefined ? {} : { body: JSON.stringify(body) };
      const either = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
      const response = await exchange({ method, path, headers, ...payload }, either);
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) return await readJson(response);
      throw new ApiStatusError(status, statusMessage(await readText(response), status));
    },
    async raw({ limit, enough, ...request }, signal) {
      const response = await exchange(request, signal);
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        chunks.push(chunk.subarray(0, limit - length));
        length += chunk.length;
        if (length >= limit || enough?.(Buffer.concat(chunks).toString('utf8')) === true) break;
      }
      const body = Buffer.concat(chunks).toString('utf8');
      return { status: response.statusCode ?? 0, headers: response.headers, body };
    },
  };
}

function send(base: URL, options: RequestOptions, payload: string | undefined): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = base.protocol === 'https:' ? https.request(base, options) : http.request(base, options);
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

/** The message of a `v1.Status`, or what else the server said. */
function statusMessage(body: string, code: number): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === 'string' && message !== '') return message;
  } catch {
    // A proxy in front of the API server answers in its own format; its text is what there is to show.
  }
  return `HTTP ${code} ${body.slice(0, 200).trim()}`.trim();
}
