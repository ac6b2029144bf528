/** How the names of a cluster are read. */
export interface UrlContext {
  readonly clusterDomain: string;
  /** Namespace of whoever resolves a host of one label; without it such a host means the Service in any namespace. */
  readonly namespace?: string | undefined;
}

/** Where a URL leads, in one spelling. */
interface Place {
  /** `service.namespace` for a Service, else the host. */
  readonly host: string;
  readonly port: string;
  /** Without slashes at its end. */
  readonly path: string;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** `svc`, `svc.ns`, `svc.ns.svc` and `svc.ns.svc.cluster.local.` in one spelling. */
function canonicalHost(text: string, { clusterDomain, namespace }: UrlContext): string {
  const host = text.toLowerCase().replace(/\.$/, '');
  const suffix = [`.svc.${clusterDomain.toLowerCase()}`, '.svc'].find((end) => host.endsWith(end));
  const short = suffix === undefined ? host : host.slice(0, -suffix.length);
  return short.includes('.') || namespace === undefined ? short : `${short}.${namespace}`;
}

function placeOf(text: string, context: UrlContext): Place | undefined {
  const url = URL.parse(text.trim());
  if (url === null || url.hostname === '') return undefined;
  return {
    host: canonicalHost(url.hostname, context),
    port: url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? '') : url.port,
    path: url.pathname.replace(/\/+$/, ''),
  };
}

/** A host of one label whose namespace is not known is the Service of that name in whichever namespace the other names. */
function sameHost(a: string, b: string): boolean {
  if (a === b) return true;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return !short.includes('.') && long.split('.').length === 2 && long.startsWith(`${short}.`);
}

function samePlace(a: string, b: string, context: UrlContext, comparable: (path: string) => string): boolean {
  const [one, other] = [placeOf(a, context), placeOf(b, context)];
  if (one === undefined || other === undefined) return false;
  return (
    one.port === other.port &&
    comparable(one.path) === comparable(other.path) &&
    sameHost(one.host, other.host)
  );
}

/**
 * Whether two URLs lead to the same place. The scheme does not count (one port speaks one of them), nor do credentials,
 * queries, the case of the host, a default port, or slashes at the end. What is no URL is the same as nothing.
 */
export function sameUrl(a: string, b: string, context: UrlContext): boolean {
  return samePlace(a, b, context, (path) => path);
}

/**
 * Whether two URLs lead to the same MCP server. As `sameUrl`, but one server may offer its old transport at `/sse` and
 * the new one at `/mcp` or at `/`, and HolmesGPT appends `/sse` by itself.
 */
export function sameMcpServer(a: string, b: string, context: UrlContext): boolean {
  return samePlace(a, b, context, (path) => path.replace(/\/(mcp|sse)$/, ''));
}
