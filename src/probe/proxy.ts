import type { Kube } from '../kube/connection.ts';
import { oneLine } from '../model/text.ts';
import type { Answer } from './fetch.ts';
import { BODY_LIMIT, type Fetch, ProbeFailure } from './fetch.ts';

/** Is this answer the API server's own and not the backend's? Then its message. */
function ownMessage(answer: Answer): string | undefined {
  if (answer.status < 400 || !answer.body.startsWith('{')) return undefined;
  try {
    const status = JSON.parse(answer.body) as { kind?: unknown; apiVersion?: unknown; message?: unknown };
    return status.kind === 'Status' && status.apiVersion === 'v1' ? String(status.message ?? '') : undefined;
  } catch {
    // Not JSON, so not the API server's.
    return undefined;
  }
}

/**
 * The route `apiserver-proxy`: the API server asks in our place, so that backends are reached from outside the cluster.
 * It reaches Pods behind a Service only; where there is none, or the right is missing, nothing can be said of health.
 */
export function proxyFetch(kube: Kube): Fetch {
  return async ({ endpoint, service, servicePort }, ask, signal) => {
    if (!endpoint.host.startsWith(`${service.name}.${service.namespace}.svc.`))
      throw new ProbeFailure(
        `${endpoint.host} is no Service of the cluster, so its proxy does not lead there`,
        'unreachable',
      );
    const scheme = endpoint.scheme === 'https' ? 'https' : 'http';
    const name = `${scheme}:${service.name}:${servicePort}`;
    const prefix = `/api/v1/namespaces/${service.namespace}/services/${name}/proxy`;
    let answer: Answer;
    try {
      answer = await kube.raw(
        {
          method: ask.method ?? 'GET',
          path: `${prefix}${ask.path}`,
          headers: { accept: '*/*', 'accept-encoding': 'identity', ...ask.headers },
          ...(ask.body === undefined ? {} : { body: ask.body }),
          limit: BODY_LIMIT,
          ...(ask.enough === undefined ? {} : { enough: ask.enough }),
        },
        signal,
      );
    } catch (error) {
      signal.throwIfAborted();
      throw new ProbeFailure(`the API server is not reachable (${(error as Error).message})`, 'unreachable', {
        cause: error,
      });
    }
    const message = ownMessage(answer);
    if (message === undefined) return answer;
    if (answer.status === 401 || answer.status === 403)
      throw new ProbeFailure(
        `the API server's proxy was denied; grant "get" and "create" on services/proxy, or use --probe none`,
        'unreachable',
      );
    const [, tried] = /error trying to reach service: (.*)/s.exec(message) ?? [];
    if (tried !== undefined) throw new ProbeFailure(oneLine(tried, 160), 'dead');
    if (answer.status === 503 || answer.status === 404)
      throw new ProbeFailure(
        `the API server's proxy does not reach it: ${oneLine(message, 160)}`,
        'unreachable',
      );
    throw new ProbeFailure(oneLine(message, 160), 'dead');
  };
}
