const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443', 'ws:': '80' };

/** Where an address leads. */
interface Place {
  /** In lower case and without a dot at its end. */
  readonly host: string;
  readonly port: string;
  /** Without slashes at its end. */
  readonly path: string;
}

/** @param text a URL, or `host:port` */
function placeOf(text: string): Place | undefined {
  const trimmed = text.trim();
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `tcp://${trimmed}`);
  if (url === null || url.hostname === '' || trimmed.includes('{{')) return undefined;
  return {
    host: url.hostname.toLowerCase().replace(/\.$/, ''),
    port: url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? '') : url.port,
    path: url.pathname.replace(/\/+$/, ''),
  };
}

/** Service and namespace of a full name, `SERVICE.NAMESPACE.svc.DOMAIN`. */
const FULL_NAME = /^(?<service>[^.]+)\.(?<namespace>[^.]+)\.svc\.(?<domain>.+)$/;

/** All names that mean what a full name does. @param bare whether the Service's name alone does */
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
 * Whether two addresses lead to one backend: the same host in any spelling, port and base path. The scheme does not
 * count, since one port speaks one protocol; nor do credentials and queries.
 * @param person a URL or `host:port` as a person wrote it
 * @param generated one with the full name of the host
 * @param namespace where the agent runs: a Service's name alone means one of that namespace
 */
export function sameBackend(person: string, generated: string, namespace?: string): boolean {
  return samePlace(
    person,
    generated,
    (of) => of === namespace,
    (path) => path,
  );
}

/**
 * Whether two URLs lead to one MCP server. As `sameBackend`, but one server may offer the old transport at `/sse` and
 * the new one at `/mcp` or `/`, and HolmesGPT appends `/sse` by itself. Where the agent's namespace is not known, a
 * Service's name alone means the one of any namespace: a server that is left out can be added by hand, and one that
 * stands twice would run without the approvals that its first entry asks for.
 */
export function sameMcpServer(person: string, generated: string, namespace?: string): boolean {
  return samePlace(
    person,
    generated,
    (of) => namespace === undefined || of === namespace,
    (path) => path.replace(/\/(mcp|sse)$/, ''),
  );
}

/**
 * Whether a host is a Pod's name at a headless Service, `POD.SERVICE.NAMESPACE`. Of the Service's name alone only the agent's
 * own namespace makes that: elsewhere `a.b` is the Service `a` of the namespace `b`.
 */
const isPodOf = (host: string, service: string, namespace: string | undefined): boolean =>
  host.endsWith(`.${service}`) && (service.includes('.') || namespace !== undefined);

/**
 * Whether an address leads to one of these hosts or to a Pod of one, in any spelling, with whatever port and path: who may
 * change a Service may move its server to another port or path.
 * @param person a URL or `host:port` as a person wrote it
 * @param hosts names of Services, `SERVICE.NAMESPACE.svc` with the domain if it is known, and IP addresses
 * @param namespace where the agent runs, as for `sameMcpServer`
 */
export function leadsToHost(person: string, hosts: readonly string[], namespace?: string): boolean {
  // A template elsewhere, as for a port or credentials, hides no host.
  const theirs = placeOf(person.replaceAll(/\{\{[^{}]*\}\}/g, '0'))?.host;
  if (theirs === undefined) return false;
  const isBare = (of: string): boolean => namespace === undefined || of === namespace;
  return hosts.some((text) => {
    const host = text.includes(':') ? placeOf(`http://[${text}]`)?.host : text;
    const short = /^[^.]+\.[^.]+\.svc$/.test(text);
    const all = spellings(short ? `${text}.any` : text, isBare);
    return (
      theirs === host ||
      (short && `.${theirs}`.includes(`.${text}.`)) ||
      all.some((each) => theirs === each || isPodOf(theirs, each, namespace))
    );
  });
}

/** What to call a backend of which only the address is known: `SERVICE.NAMESPACE`, or its host. */
export function nameOfAddress(text: string | undefined): string {
  const host = text === undefined ? '' : (placeOf(text)?.host ?? '');
  const { service, namespace } = FULL_NAME.exec(host)?.groups ?? {};
  if (service !== undefined && namespace !== undefined) return `${service}.${namespace}`;
  return host === '' ? 'discovered' : host;
}
