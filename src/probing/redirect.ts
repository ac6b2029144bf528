import { type Endpoint, endpointUrl } from '../model/discovery.ts';
import type { ProbeResponse } from './fetch.ts';

/** Maximum characters of a path that a server chooses. It becomes part of an agent's configuration. */
const MAX_PATH = 128;

/** What a path may contain: no templates, no encoded characters, no parameters. */
const PLAIN_PATH = /^(?:\/[\w.~-]+)*\/?$/;

/**
 * The path of a URL that a server names, if it is on the server itself: same scheme, host and port. Query and fragment are
 * dropped. `undefined` for other servers, and for paths that no operator would choose as a prefix.
 * @param text a URL or a path, relative to the request's
 * @param asked the path of the request
 */
export function pathOnServer(text: string, asked: string, endpoint: Endpoint): string | undefined {
  const server = endpointUrl({ ...endpoint, path: '' });
  const url = URL.parse(text, URL.parse(asked, server)?.href);
  if (url === null || url.origin !== URL.parse(server)?.origin) return undefined;
  const { pathname } = url;
  return pathname.length <= MAX_PATH && PLAIN_PATH.test(pathname) ? pathname : undefined;
}

/**
 * The path to which a response redirects on the same server.
 * @param asked the path of the request
 */
export function redirectPath(
  { status, headers }: ProbeResponse,
  asked: string,
  endpoint: Endpoint,
): string | undefined {
  const [location] = [headers.location ?? []].flat();
  return status < 300 || status > 399 || location === undefined
    ? undefined
    : pathOnServer(location, asked, endpoint);
}
