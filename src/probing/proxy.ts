import type { KubeClient } from '../kubernetes/connection.ts';
import { ResponseTooLargeError } from '../kubernetes/response.ts';
import type { Fault } from '../model/discovery.ts';
import { objectName } from '../model/part.ts';
import { isOwnHost } from '../model/service-host.ts';
import { oneLine } from '../model/text.ts';
import { toProbeFailure } from './direct.ts';
import type { ProbeResponse } from './fetch.ts';
import { bodyLimitOf, type Fetch, ProbeFailure } from './fetch.ts';

/** The message of a response that comes from the API server itself. `undefined` if it comes from the backend. */
function apiServerMessage(answer: ProbeResponse): string | undefined {
  if (answer.status < 400 || !answer.body.startsWith('{')) return undefined;
  try {
    const status = JSON.parse(answer.body) as { kind?: unknown; apiVersion?: unknown; message?: unknown };
    return status.kind === 'Status' && status.apiVersion === 'v1' ? String(status.message ?? '') : undefined;
  } catch {
    // Not JSON, so it comes from the backend.
    return undefined;
  }
}

/** Classifies an error message of the API server's HTTP client. */
function classify(tried: string): Fault | 'unreachable' {
  // The API server is not on the Pod network, so this says nothing about health.
  if (/no route to host|network is unreachable|i\/o timeout/.test(tried)) return 'unreachable';
  const lookup = tried.slice(/\blookup /.exec(tried)?.index ?? tried.length);
  if (/no such host|server misbehaving/.test(lookup)) return 'resolution';
  if (/connection refused/.test(tried)) return 'connection';
  return /\b(tls|x509): /.test(tried) ? 'tls' : 'protocol';
}

/**
 * A response as the backend itself sent it. The API server puts the path of the proxy before paths in locations and in pages,
 * and its own address before a location with the backend's.
 * @param prefix the path of the proxy
 * @see https://github.com/kubernetes/apimachinery/blob/master/pkg/util/proxy/transport.go
 */
function asSent(answer: ProbeResponse, prefix: string): ProbeResponse {
  const { headers } = answer;
  const isPage = String(headers['content-type'] ?? '').startsWith('text/html');
  const body = isPage ? answer.body.replaceAll(`${prefix}/`, '/') : answer.body;
  const [location = ''] = [headers.location ?? []].flat();
  const url = URL.parse(location, 'http://server/');
  const isOwn = url?.pathname.startsWith(`${prefix}/`) === true;
  const own = isOwn ? { location: `${url.pathname.slice(prefix.length)}${url.search}${url.hash}` } : {};
  return { ...answer, headers: { ...headers, ...own }, body };
}

/**
 * The route `apiserver-proxy`: requests go through the API server, which works from outside the cluster. It reaches only
 * Pods behind a Service. Without such Pods, or without the permission, health is unknown.
 */
export function proxyFetch(kube: KubeClient): Fetch {
  return async ({ endpoint, service, servicePort, mcp }, ask, signal) => {
    const isMcp = mcp === true;
    if (!isOwnHost(service, endpoint.host))
      throw new ProbeFailure(
        `${endpoint.host} is not a Service of the cluster, so the Service proxy does not reach it`,
        'unreachable',
      );
    const scheme = endpoint.scheme === 'https' ? 'https' : 'http';
    const name = `${scheme}:${objectName(service)}:${servicePort}`;
    const prefix = `/api/v1/namespaces/${service.namespace}/services/${name}/proxy`;
    // Normalize the path, so that `..` cannot escape the proxy path and reach other resources of the API server.
    const url = URL.parse(ask.path, 'http://backend/');
    if (url === null) throw new ProbeFailure(`${ask.path} is not a path`, 'protocol');
    const { pathname, search } = url;
    let answer: ProbeResponse;
    try {
      answer = await kube.raw(
        {
          method: ask.method ?? 'GET',
          path: `${prefix}${pathname}${search}`,
          headers: {
            accept: '*/*',
            'accept-encoding': 'identity',
            // The API server passes it on; what stands before the API server may go by it.
            ...(ask.ownHost === true ? { host: `${endpoint.host}:${endpoint.port}` } : {}),
            ...ask.headers,
          },
          ...(ask.body === undefined ? {} : { body: ask.body }),
          limit: bodyLimitOf(ask),
          ...(ask.enough === undefined ? {} : { enough: ask.enough }),
        },
        signal,
      );
    } catch (error) {
      signal.throwIfAborted();
      if ((error as NodeJS.ErrnoException).code === 'HPE_HEADER_OVERFLOW')
        throw toProbeFailure(error, 'requesting');
      if (error instanceof ResponseTooLargeError)
        throw new ProbeFailure(error.message, 'protocol', { cause: error });
      throw new ProbeFailure(`the API server is not reachable (${(error as Error).message})`, 'unreachable', {
        cause: error,
      });
    }
    const message = apiServerMessage(answer);
    if (message === undefined)
      return { ...asSent(answer, prefix), ...(ask.ownHost === true ? {} : { hasForeignHost: true }) };
    if (answer.status === 401 || answer.status === 403)
      throw new ProbeFailure(
        `the API server's proxy was denied; grant ${isMcp ? '"get", "create" and "delete"' : '"get"'} on services/proxy, or use --probe none`,
        'unreachable',
      );
    const [, tried] = /error trying to reach service: (.*)/s.exec(message) ?? [];
    if (tried !== undefined) {
      throw new ProbeFailure(oneLine(tried, 160), classify(tried));
    }
    if (answer.status === 503 || answer.status === 404)
      throw new ProbeFailure(
        answer.status === 404
          ? "the API server's proxy does not reach it: the Service has no endpoints"
          : `the API server's proxy does not reach it: ${oneLine(message, 160)}`,
        'unreachable',
      );
    throw new ProbeFailure(oneLine(message, 160), 'protocol');
  };
}
