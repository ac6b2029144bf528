import type { Detector, Vocabulary } from '../model/detector.ts';
import type { Service, ServicePort } from '../model/service.ts';
import { fitsPattern, quoteForDisplay } from './match.ts';

/** The port of a backend. */
export interface PortChoice {
  readonly port: number;
  readonly source: ServicePort;
  readonly detail: string;
}

/** Numbers that any web server may use. */
const COMMON_NUMBERS: ReadonlySet<number> = new Set([80, 443, 8080, 8443]);

const NOT_FOUND = Number.MAX_SAFE_INTEGER;

function position(list: readonly string[], text: string | undefined): number {
  const found = text === undefined ? -1 : list.findIndex((pattern) => fitsPattern(text, pattern));
  return found < 0 ? NOT_FOUND : found;
}

function described(port: ServicePort): string {
  const target =
    port.targetPort === undefined || port.targetPort === port.port || port.targetPort === port.name
      ? ''
      : ` to ${quoteForDisplay(String(port.targetPort))}`;
  return `port ${port.port}${port.name === undefined ? '' : ` ${quoteForDisplay(port.name)}`}${target}`;
}

/** The port to connect to. The name of a headless Service resolves to Pods, which listen on the target port. */
function connectPort(service: Service, port: ServicePort): number {
  return service.headless && typeof port.targetPort === 'number' && port.targetPort > 0
    ? port.targetPort
    : port.port;
}

function toPortChoice(service: Service, source: ServicePort, why: string): PortChoice {
  return { port: connectPort(service, source), source, detail: `${described(source)}${why}` };
}

/** Ports of other protocols, prepared for matching. */
interface OtherProtocols {
  readonly numbers: ReadonlySet<unknown>;
  readonly names: RegExp;
  readonly appProtocols: ReadonlySet<string>;
}

const escaped = (text: string): string => text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&');

const prepared = new WeakMap<Vocabulary, OtherProtocols>();

function otherProtocolsOf(vocabulary: Vocabulary): OtherProtocols {
  const known = prepared.get(vocabulary);
  if (known !== undefined) return known;
  const { numbers, names, appProtocols } = vocabulary.otherProtocols;
  const patterns = names.map((name) => name.split('*').map(escaped).join('.*'));
  const other = {
    numbers: new Set(numbers),
    names: new RegExp(`^(?:${patterns.join('|')})$`),
    appProtocols: new Set(appProtocols),
  };
  prepared.set(vocabulary, other);
  return other;
}

/** Whether a port is for another protocol than HTTP, as far as its number and names tell. */
function isOtherProtocol(
  { port, targetPort, name, appProtocol }: ServicePort,
  { ports, transport }: Detector,
  vocabulary: Vocabulary,
): boolean {
  if (transport === 'tcp') return false;
  const other = otherProtocolsOf(vocabulary);
  const isListed = ports.numbers.some((number) => number === port || number === targetPort);
  if (other.numbers.has(port) || other.numbers.has(targetPort)) return !isListed;
  if (appProtocol !== undefined && other.appProtocols.has(appProtocol.toLowerCase()))
    return !isListed && position(ports.appProtocols, appProtocol) === NOT_FOUND;
  const isNamed = name !== undefined && other.names.test(name);
  return (
    isNamed &&
    !isListed &&
    position(ports.appProtocols, appProtocol) === NOT_FOUND &&
    position(ports.names, name) === NOT_FOUND
  );
}

/** The port that an annotation of the owner names, by number, by name, or in a URL. */
function ownersPort(
  service: Service,
  { fromAnnotations }: Detector,
  ports: readonly ServicePort[],
): { readonly key: string; readonly port: ServicePort } | undefined {
  const read = (key: string | undefined): string | undefined =>
    key !== undefined && Object.hasOwn(service.annotations, key)
      ? service.annotations[key]?.trim()
      : undefined;
  const named = read(fromAnnotations.port);
  const url = URL.parse(read(fromAnnotations.endpoint) ?? '');
  const number = url === null ? undefined : Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  for (const port of ports) {
    if (named !== undefined && (String(port.port) === named || port.name === named))
      return { key: fromAnnotations.port ?? '', port };
    if (port.port === number) return { key: fromAnnotations.endpoint ?? '', port };
  }
  return undefined;
}

/**
 * Chooses the port: the one that the owner or `appProtocol` names, then one whose number and name match, then by number,
 * then by name.
 * @param lenient accept the only port if its name is generic
 * @param numbered require a matching number, because the product's name is only a part of a longer name
 */
export function choosePort(
  service: Service,
  detector: Detector,
  vocabulary: Vocabulary,
  lenient: boolean,
  numbered = false,
): PortChoice | undefined {
  const { names, numbers, appProtocols, any } = detector.ports;
  const all = service.ports.filter((port) => port.protocol === 'TCP');
  const owners = ownersPort(service, detector, all);
  if (owners !== undefined) return toPortChoice(service, owners.port, `, as annotation ${owners.key} says`);
  const tcp = all.filter((port) => !isOtherProtocol(port, detector, vocabulary));
  const spoken = tcp.find((port) => position(appProtocols, port.appProtocol) !== NOT_FOUND);
  if (spoken !== undefined)
    return toPortChoice(service, spoken, ` with appProtocol ${quoteForDisplay(spoken.appProtocol ?? '')}`);
  const ranked = tcp.map((port, index) => {
    const target = typeof port.targetPort === 'number' ? port.targetPort : port.port;
    const targetName = typeof port.targetPort === 'string' ? port.targetPort : undefined;
    const name = Math.min(position(names, port.name), position(names, targetName));
    // The target port counts: port 80 may be Prometheus, but not if its target is 3000. A port of the product's own with one of
    // its names may lead to a proxy in the same Pod.
    const isOwn = !COMMON_NUMBERS.has(port.port) && position(names, port.name) !== NOT_FOUND;
    const given = numbered && !isOwn ? [target] : [port.port, target];
    const places = given.map((each) => numbers.indexOf(each)).filter((place) => place >= 0);
    const number = places.length === 0 ? NOT_FOUND : Math.min(...places);
    return { port, index, number, name, both: number !== NOT_FOUND && name !== NOT_FOUND };
  });
  const [best] = ranked
    .filter(
      ({ number, name }) => number !== NOT_FOUND || (name !== NOT_FOUND && !(numbered && numbers.length > 0)),
    )
    .sort(
      (a, b) =>
        Number(b.both) - Number(a.both) || a.number - b.number || a.name - b.name || a.index - b.index,
    );
  if (best !== undefined) return toPortChoice(service, best.port, '');
  const only = tcp.length === 1 ? tcp[0] : undefined;
  if (only === undefined) return undefined;
  const generic = detector.transport === 'tcp' ? ['tcp'] : vocabulary.genericPorts;
  const plain = only.name === undefined || position(generic, only.name) !== NOT_FOUND;
  if (!any && !(lenient && plain)) return undefined;
  return toPortChoice(service, only, ', the only one');
}

/** The annotation with which OpenShift issues a certificate for a Service. */
export const SERVING_CERTIFICATE = /^service\.(alpha|beta)\.openshift\.io\/serving-cert-secret-name$/;

/** Chooses the scheme of a port, with the evidence for https. */
export function chooseScheme(
  service: Service,
  port: ServicePort,
): { readonly scheme: 'http' | 'https'; readonly detail: string | undefined } {
  const protocol = port.appProtocol?.toLowerCase();
  if (protocol === 'https' || protocol === 'tls')
    return { scheme: 'https', detail: `appProtocol ${protocol}` };
  if (protocol === 'http') return { scheme: 'http', detail: undefined };
  const target = typeof port.targetPort === 'string' ? port.targetPort : undefined;
  for (const name of [port.name, target]) {
    if (name === undefined) continue;
    if (/(^|-)(https|tls|ssl)(-|$)/.test(name))
      return { scheme: 'https', detail: `port name ${quoteForDisplay(name)}` };
    if (/^http(-|$)/.test(name)) return { scheme: 'http', detail: undefined };
  }
  const certificate = Object.keys(service.annotations).find((key) => SERVING_CERTIFICATE.test(key));
  if (certificate !== undefined) return { scheme: 'https', detail: `annotation ${certificate}` };
  if (port.port === 443 || port.port === 8443) return { scheme: 'https', detail: `port number ${port.port}` };
  return { scheme: 'http', detail: undefined };
}
