import { isIP } from 'node:net';
import { type Endpoint, endpointUrl } from '../model/discovery.ts';
import { hideSecrets } from '../model/redact-text.ts';
import { oneLine } from '../model/text.ts';
import { withoutTrailing } from '../model/trailing.ts';
import { bodySnippet, type ProbeResponse } from './fetch.ts';

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

/**
 * The path of a redirect to another server, where the path of the request is below a prefix. A server that knows its URL for
 * browsers only leads there, and has the same prefix itself.
 * @param asked the path of the request
 */
export function pathElsewhere(answer: ProbeResponse, asked: string, endpoint: Endpoint): string | undefined {
  const { to } = targetOf(answer, asked, endpoint) ?? {};
  if (to === undefined || asked === '/' || !to.pathname.endsWith(asked)) return undefined;
  return to.pathname.length <= MAX_PATH && PLAIN_PATH.test(to.pathname) ? to.pathname : undefined;
}

/** The words of login pages, as parts of a path. */
const LOGIN_PATH = /(?:^|[/_.-])(?:log-?_?in|sign-?_?in|auth|oauth2?|sso|saml2?|openid)(?:[/_.-]|$)/i;

/**
 * Whether a response redirects to a login page of the same server, and not to the same page below a path.
 * @param asked the path of the request
 */
export function leadsToOwnLogin(answer: ProbeResponse, asked: string, endpoint: Endpoint): boolean {
  const to = redirectPath(answer, asked, endpoint);
  const [page = ''] = asked.split('?');
  return (
    to !== undefined && LOGIN_PATH.test(to) && !(page !== '/' && withoutTrailing(to, '/').endsWith(page))
  );
}

/** Where a response redirects to. `undefined` if nowhere, or to something that is not a URL. */
function targetOf(
  { status, headers }: ProbeResponse,
  asked: string,
  endpoint: Endpoint,
): { readonly from: URL; readonly to: URL } | undefined {
  const [location] = [headers.location ?? []].flat();
  const from = URL.parse(asked, endpointUrl({ ...endpoint, path: '' }));
  if (status < 300 || status > 399 || location === undefined || from === null) return undefined;
  const to = URL.parse(location, from.href);
  return to === null ? undefined : { from, to };
}

/**
 * Whether a response redirects to the URL of its request. If the API server forwards the request, it hides the scheme, so
 * this may be a redirect to https.
 */
export function leadsToItself(answer: ProbeResponse, asked: string, endpoint: Endpoint): boolean {
  const target = targetOf(answer, asked, endpoint);
  return target !== undefined && target.to.href === target.from.href;
}

/**
 * The port at which a server wants https, if it redirects requests over http to itself over https. It knows itself by its
 * address if the API server forwards the request.
 */
export function httpsPort(answer: ProbeResponse, asked: string, endpoint: Endpoint): number | undefined {
  const target = endpoint.scheme === 'http' ? targetOf(answer, asked, endpoint) : undefined;
  if (target === undefined) return undefined;
  const { from, to } = target;
  const isSame = to.hostname === from.hostname || (isIP(to.hostname) > 0 && to.pathname === from.pathname);
  return to.protocol === 'https:' && isSame ? Number(to.port === '' ? 443 : to.port) : undefined;
}

/** Maximum characters of a body in messages. */
const MAX_SNIPPET = 60;
/** Maximum characters of a location in messages. */
const MAX_LOCATION = 120;

/**
 * A response on one line, for people: its status, and the start of its body, or where it redirects to. The query of a
 * location is left out, because it may contain secrets.
 * @param asked the path of the request
 */
export function answerText(answer: ProbeResponse, asked: string, endpoint: Endpoint): string {
  const target = targetOf(answer, asked, endpoint);
  if (target === undefined) return `${answer.status} ${bodySnippet(answer.body, MAX_SNIPPET)}`.trim();
  const { from, to } = target;
  const place = to.origin === from.origin ? to.pathname : `${to.protocol}//${to.host}${to.pathname}`;
  const wants = httpsPort(answer, asked, endpoint) === undefined ? '' : ' (it wants https)';
  return `${answer.status} to ${oneLine(hideSecrets(place), MAX_LOCATION)}${wants}`;
}
