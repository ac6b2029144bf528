const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443', 'ws:': '80' };

interface Address {
  readonly host: string;
  readonly port: string;
  readonly path: string;
}

function addressOf(text: string): Address | undefined {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `tcp://${text}`;
  if (text.includes('{{') || !URL.canParse(withScheme)) return undefined;
  const { protocol, hostname, port, pathname } = new URL(withScheme);
  return {
    host: hostname.toLowerCase().replace(/\.$/, ''),
    port: port === '' ? (DEFAULT_PORTS[protocol] ?? '') : port,
    path: pathname.replace(/\/+$/, ''),
  };
}

/** All names that mean the same Service as its full name does, `SERVICE.NAMESPACE.svc.DOMAIN`. */
function spellings(host: string, namespace: string | undefined): readonly string[] {
  const [, service, of, domain] = /^([^.]+)\.([^.]+)\.svc\.(.+)$/.exec(host) ?? [];
  if (service === undefined || of === undefined) return [host];
  return [
    host,
    `${service}.${of}`,
    `${service}.${of}.svc`,
    `${service}.${of}.svc.${domain}`,
    ...(of === namespace ? [service] : []),
  ];
}

/**
 * Whether two addresses lead to one backend: same host in any spelling, same port, same base path. The scheme does not
 * count, since one port speaks one protocol.
 * @param person a URL or `host:port` as a person wrote it
 * @param generated one with the full name of the host
 * @param namespace the agent's, where the name of a Service alone means one of that namespace
 */
export function sameBackend(person: string, generated: string, namespace?: string): boolean {
  const theirs = addressOf(person);
  const ours = addressOf(generated);
  if (theirs === undefined || ours === undefined) return person === generated;
  return (
    theirs.port === ours.port &&
    theirs.path === ours.path &&
    spellings(ours.host, namespace).includes(theirs.host)
  );
}

/** What to call a backend of which only the address is known: `SERVICE.NAMESPACE`, or its host. */
export function nameOfAddress(text: string | undefined): string {
  const host = text === undefined ? '' : (addressOf(text)?.host ?? '');
  const [, short] = /^([^.]+\.[^.]+)\.svc\./.exec(host) ?? [];
  return short ?? (host === '' ? 'discovered' : host);
}
