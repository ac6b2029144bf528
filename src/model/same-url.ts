import { serviceOfHost } from './service-host.ts';
import { withoutTrailing } from './trailing.ts';

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443', 'ws:': '80' };

/** The parts of an address that identify a backend. */
interface Place {
  /** In lower case, without a trailing dot. */
  readonly host: string;
  readonly port: string;
  /** Without trailing slashes. */
  readonly path: string;
}

/** Credentials before the host, which may contain templates of the agent, such as `{{ env.PASSWORD }}`. */
const CREDENTIALS = /^([a-z][a-z0-9+.-]*:\/\/)(?:\{\{[^{}]*\}\}|[^/?#@{}])*@/i;

/** The query and the fragment, which may contain templates too. */
const QUERY = /[?#].*$/s;

/** @param text a URL, or `host:port` */
function placeOf(text: string): Place | undefined {
  const trimmed = text.trim().replace(CREDENTIALS, '$1').replace(QUERY, '');
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `tcp://${trimmed}`);
  if (url === null || url.hostname === '' || trimmed.includes('{{')) return undefined;
  return {
    host: url.hostname.toLowerCase().replace(/\.$/, ''),
    port: url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? '') : url.port,
    path: withoutTrailing(url.pathname, '/'),
  };
}

/** A fully qualified name, `SERVICE.NAMESPACE.svc.DOMAIN`. */
const FULL_NAME = /^(?<service>[^.]+)\.(?<namespace>[^.]+)\.svc\.(?<domain>.+)$/;

/** All names equivalent to a fully qualified name. @param bare whether the name of the Service alone is equivalent */
function spellings(host: string, bare: (namespace: string) => boolean): readonly string[] {
  const { service, namespace, domain } = FULL_NAME.exec(host)?.groups ?? {};
  if (service === undefined || namespace === undefined) return [host];
  const short = `${service}.${namespace}`;
  return [short, `${short}.svc`, `${short}.svc.${domain}`, ...(bare(namespace) ? [service] : [])];
}

function samePlace(
  person: string,
  generated: string,
  bare: (namespace: string) => boolean,
  comparable: (path: string) => string,
): boolean {
  const theirs = placeOf(person);
  const ours = placeOf(generated);
  if (theirs === undefined || ours === undefined) return person === generated;
  return (
    theirs.port === ours.port &&
    comparable(theirs.path) === comparable(ours.path) &&
    spellings(ours.host, bare).includes(theirs.host)
  );
}

/**
 * Whether two addresses are the same backend: equivalent hosts, and the same port and base path. Scheme, credentials and
 * query are ignored.
 * @param person a URL or `host:port` that a user wrote
 * @param generated an address with the fully qualified name
 * @param namespace the agent's namespace, in which the name of a Service alone resolves
 */
export function sameBackend(person: string, generated: string, namespace?: string): boolean {
  return samePlace(
    person,
    generated,
    (of) => of === namespace,
    (path) => path,
  );
}

/** A path without the ending of a transport. */
const withoutTransport = (path: string): string => path.replace(/\/(mcp|sse)$/, '');

/**
 * Whether two URLs are the same MCP server. Like `sameBackend`, but ignores the paths of the transports: a server may
 * offer the old one at `/sse` and the new one at `/mcp` or `/`, and HolmesGPT appends `/sse` itself. If the agent's
 * namespace is unknown, the name of a Service alone matches any namespace: a missing server can be added by hand, but a
 * duplicate would bypass the approvals of its first entry.
 */
export function sameMcpServer(person: string, generated: string, namespace?: string): boolean {
  return samePlace(person, generated, (of) => namespace === undefined || of === namespace, withoutTransport);
}

/** Whether two hosts are the same, or names of one Service or of its Pods. The name alone matches any namespace. */
export function maybeSameHost(one: string, other: string): boolean {
  const [a, b] = [serviceOfHost(one), serviceOfHost(other)];
  if (one === other || (a === undefined && b === undefined)) return one === other;
  if (a === undefined) return one === b?.name;
  return b === undefined ? other === a.name : a.name === b.name && a.namespace === b.namespace;
}

/**
 * Whether two URLs may be the same MCP server. Like `sameMcpServer`, but users may have written both, so neither needs the
 * fully qualified name.
 */
export function maybeSameServer(one: string, other: string): boolean {
  const [a, b] = [placeOf(one), placeOf(other)];
  if (a === undefined || b === undefined) return one === other;
  const isSamePath = withoutTransport(a.path) === withoutTransport(b.path);
  return a.port === b.port && isSamePath && maybeSameHost(a.host, b.host);
}

const withoutTemplates = (text: string, instead = '0'): string => text.replaceAll(/\{\{[^{}]*\}\}/g, instead);

/** The host of an address, which may have templates elsewhere. `undefined` if a template decides the host, or without one. */
export function hostOf(address: string): string | undefined {
  const host = placeOf(withoutTemplates(address))?.host;
  return host === placeOf(withoutTemplates(address, '1'))?.host ? host : undefined;
}

/** The host that an address without a scheme and port names, which may be an IPv6 address. */
const bareHost = (text: string): string | undefined =>
  text.includes(':') ? placeOf(`http://[${text}]`)?.host : text;

/**
 * Whether a host is the name of a Pod of a headless Service, `POD.SERVICE.NAMESPACE`. `POD.SERVICE` counts only if the
 * agent's namespace is known, because `a.b` may also be the Service `a` of the namespace `b`.
 */
const isPodOf = (host: string, service: string, namespace: string | undefined): boolean =>
  host.endsWith(`.${service}`) && (service.includes('.') || namespace !== undefined);

/**
 * Whether an address points to one of these hosts, or to a Pod of one, with any port and path. Port and path do not
 * count, because whoever controls the Service can change them.
 * @param person a URL or `host:port` that a user wrote
 * @param hosts names of Services, `SERVICE.NAMESPACE.svc` with the domain if it is known, and IP addresses
 * @param namespace the agent's namespace, as for `sameMcpServer`
 */
export function leadsToHost(person: string, hosts: readonly string[], namespace?: string): boolean {
  // Replace templates, for example of a port or credentials, so that the host can be parsed.
  const theirs = placeOf(withoutTemplates(person))?.host;
  if (theirs === undefined) return false;
  const isBare = (of: string): boolean => namespace === undefined || of === namespace;
  return hosts.some((text) => {
    const host = bareHost(text);
    const short = /^[^.]+\.[^.]+\.svc$/.test(text);
    const all = spellings(short ? `${text}.any` : text, isBare);
    return (
      theirs === host ||
      (short && `.${theirs}`.includes(`.${text}.`)) ||
      all.some((each) => theirs === each || isPodOf(theirs, each, namespace))
    );
  });
}

function wordsOf(host: string): readonly string[] {
  if (/^[\d.]+$|:/.test(host)) return [host];
  const labels = host.split('.');
  const svc = labels.indexOf('svc', 2);
  // Neither the namespace nor the last part of another name, which many hosts share.
  return labels.slice(0, svc < 0 ? Math.max(1, labels.length - 1) : svc - 1);
}

/**
 * Words for an index of servers: two servers have one in common if `maybeSameServer` or `leadsToHost` finds them the same.
 * @param hosts as for `leadsToHost`
 */
export function serverWords(url: string | undefined, hosts: readonly string[]): ReadonlySet<string> {
  const own = url === undefined ? undefined : placeOf(withoutTemplates(url))?.host;
  const all = [own, ...hosts.map(bareHost)].filter((host) => host !== undefined);
  return new Set([...(url === undefined ? [] : [url]), ...all.flatMap(wordsOf)]);
}

/** The name of a backend whose address alone is known: `SERVICE.NAMESPACE`, or its host. */
export function nameOfAddress(text: string | undefined): string {
  const host = text === undefined ? '' : (placeOf(text)?.host ?? '');
  const { service, namespace } = FULL_NAME.exec(host)?.groups ?? {};
  if (service !== undefined && namespace !== undefined) return `${service}.${namespace}`;
  return host === '' ? 'discovered' : host;
}
