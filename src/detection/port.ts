import type { Detector, Vocabulary } from '../model/detector.ts';
import type { Service, ServicePort } from '../model/service.ts';
import { fitsPattern, shown } from './match.ts';

/** The port that a backend is reached at. */
export interface PortChoice {
  readonly port: number;
  readonly source: ServicePort;
  readonly detail: string;
}

const nowhere = Number.MAX_SAFE_INTEGER;

function position(list: readonly string[], text: string | undefined): number {
  const found = text === undefined ? -1 : list.findIndex((pattern) => fitsPattern(text, pattern));
  return found < 0 ? nowhere : found;
}

function described(port: ServicePort): string {
  const target =
    port.targetPort === undefined || port.targetPort === port.port || port.targetPort === port.name
      ? ''
      : ` to ${shown(String(port.targetPort))}`;
  return `port ${port.port}${port.name === undefined ? '' : ` ${shown(port.name)}`}${target}`;
}

/** A headless Service has no proxy in front: its name resolves to Pods, and they listen at the target port. */
function reachedAt(service: Service, port: ServicePort): number {
  return service.headless && typeof port.targetPort === 'number' && port.targetPort > 0
    ? port.targetPort
    : port.port;
}

function chosen(service: Service, source: ServicePort, why: string): PortChoice {
  return { port: reachedAt(service, source), source, detail: `${described(source)}${why}` };
}

/** The port that the Service's owner names in an annotation, by number, by name, or in a URL. */
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
 * The port that a detector would use: the one that its owner or its protocol names; then one whose number and name both fit, then the number, then the name.
 * `lenient`: the only port will do where its name is one that any web server may have.
 * `numbered`: the product is one word of a longer name, which may be about anything, so the number must be there.
 */
export function choosePort(
  service: Service,
  detector: Detector,
  vocabulary: Vocabulary,
  lenient: boolean,
  numbered = false,
): PortChoice | undefined {
  const { names, numbers, appProtocols, any } = detector.ports;
  const tcp = service.ports.filter((port) => port.protocol === 'TCP');
  const owners = ownersPort(service, detector, tcp);
  if (owners !== undefined) return chosen(service, owners.port, `, as annotation ${owners.key} says`);
  const spoken = tcp.find((port) => position(appProtocols, port.appProtocol) !== nowhere);
  if (spoken !== undefined)
    return chosen(service, spoken, ` with appProtocol ${shown(spoken.appProtocol ?? '')}`);
  const ranked = tcp.map((port, index) => {
    const target = typeof port.targetPort === 'number' ? port.targetPort : port.port;
    // What listens is behind the target: 80 to 3000 is no Prometheus, though one may well be at 80.
    const given = numbered ? [target] : [port.port, target];
    const places = given.map((each) => numbers.indexOf(each)).filter((place) => place >= 0);
    const number = places.length === 0 ? nowhere : Math.min(...places);
    const targetName = typeof port.targetPort === 'string' ? port.targetPort : undefined;
    const name = Math.min(position(names, port.name), position(names, targetName));
    return { port, index, number, name, both: number !== nowhere && name !== nowhere };
  });
  const [best] = ranked
    .filter(
      ({ number, name }) => number !== nowhere || (name !== nowhere && !(numbered && numbers.length > 0)),
    )
    .sort(
      (a, b) =>
        Number(b.both) - Number(a.both) || a.number - b.number || a.name - b.name || a.index - b.index,
    );
  if (best !== undefined) return chosen(service, best.port, '');
  const only = tcp.length === 1 ? tcp[0] : undefined;
  if (only === undefined) return undefined;
  const generic = detector.transport === 'tcp' ? ['tcp'] : vocabulary.genericPorts;
  const plain = only.name === undefined || position(generic, only.name) !== nowhere;
  if (!any && !(lenient && plain)) return undefined;
  return chosen(service, only, ', the only one');
}

/** The annotation by which OpenShift gives a Service a certificate. */
export const SERVING_CERTIFICATE = /^service\.(alpha|beta)\.openshift\.io\/serving-cert-secret-name$/;

/** Whether a port speaks TLS, and what says so. */
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
      return { scheme: 'https', detail: `port name ${shown(name)}` };
    if (/^http(-|$)/.test(name)) return { scheme: 'http', detail: undefined };
  }
  const certificate = Object.keys(service.annotations).find((key) => SERVING_CERTIFICATE.test(key));
  if (certificate !== undefined) return { scheme: 'https', detail: `annotation ${certificate}` };
  if (port.port === 443 || port.port === 8443) return { scheme: 'https', detail: `port number ${port.port}` };
  return { scheme: 'http', detail: undefined };
}
