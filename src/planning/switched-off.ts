import { approvalsIn } from '../model/approvals.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { displayKey, displayNamespace, partsOf } from '../model/key.ts';
import { addressedService, type Overrides } from '../model/overrides.ts';
import { isPart, objectName, objectOf, partPort } from '../model/part.ts';
import { type Service, type ServiceKey, type ServiceName, serviceKey } from '../model/service.ts';
import { backendKeys } from './override-keys.ts';
import { targetServices } from './server-hosts.ts';

/** The Services that overrides disable or enable by name. */
function servicesWithEnabled({ tools }: Overrides, enabled: boolean): ServiceName[] {
  return Object.entries(tools).flatMap(([key, override]) => {
    const address = override.enabled === enabled ? addressedService(key) : undefined;
    return address ?? [];
  });
}

/** The Services that overrides approve by name. */
const approvedServices = (overrides: Overrides): ReadonlySet<ServiceKey> =>
  new Set([...approvalsIn(overrides)].filter(([, { refused }]) => !refused).map(([key]) => key));

type Kind = Pick<DiscoveredService, 'type' | 'detector'>;

/** Whether two Services of the same Pods are different products. The type of a `custom` Service proves nothing. */
const differ = (a: Kind, b: Kind): boolean =>
  a.type !== b.type && a.detector !== 'custom' && b.detector !== 'custom';

/** Ports that many products have, so that they do not tell which one is there. */
const COMMON_PORTS: ReadonlySet<number> = new Set([80, 443, 8080, 8443]);

/** Whether a port is that of a backend, leads where it leads, or is a usual one of its product. */
function isPortOf(port: number, { service, servicePort, usualPorts = [] }: DiscoveredService): boolean {
  const own = service.ports.find((each) => each.port === servicePort);
  return (
    port === servicePort || port === own?.targetPort || (usualPorts.includes(port) && !COMMON_PORTS.has(port))
  );
}

/** Whether one of several ports of a Service leads to the product of a backend. */
const leadsTo = ({ ports }: Service, each: DiscoveredService): boolean =>
  ports.length > 1 &&
  ports.some(({ port, targetPort = port }) =>
    [port, targetPort].some((number) => typeof number === 'number' && isPortOf(number, each)),
  );

/**
 * Whether a Service that is switched off, or its part, counts as the same product. All products behind a Service are switched off
 * with it. What a part was is known only while it is found; otherwise its number tells.
 */
function isSameProduct(
  off: ServiceName,
  known: DiscoveredService | undefined,
  each: DiscoveredService,
): boolean {
  const port = partPort(off);
  if (known === undefined) return port === undefined || isPortOf(port, each);
  return !differ(known, each) || (port === undefined && leadsTo(known.service, each));
}

/** The Services with its Pods, its own too: another part of that may lead to the same product. */
const namesBeside = ({ service, sharesPods = [] }: DiscoveredService): ReadonlySet<string> =>
  new Set([objectName(service), ...sharesPods]);

/**
 * Explains why a backend is disabled if overrides disable another Service of its Pods, or one that it points to. Without
 * this rule, anyone who can create Services could bring it back under another name. The disabled Service counts while it
 * exists, whatever its type and annotations. A Service that was detected as another product does not count, because one
 * Pod may contain several products; but all parts of a disabled Service are disabled. A Service that overrides approve or enable
 * by name stays. Pure.
 */
export function switchedOffBeside(
  found: readonly DiscoveredService[],
  overrides: Overrides,
): (service: DiscoveredService) => string | undefined {
  const off = servicesWithEnabled(overrides, false);
  if (off.length === 0) return () => undefined;
  const keys = new Set(off.map(serviceKey));
  const byNamespace = Map.groupBy(off, displayNamespace);
  const names = new Map([...byNamespace].map(([key, all]) => [key, Map.groupBy(all, objectName)] as const));
  const on = new Set(servicesWithEnabled(overrides, true).map(serviceKey));
  const approved = approvedServices(overrides);
  const kinds = new Map(found.flatMap((each) => backendKeys(each).map((key) => [key, each] as const)));
  return (each) => {
    if (backendKeys(each).some((key) => on.has(key)) || approved.has(serviceKey(each.service)))
      return undefined;
    const whole = serviceKey(objectOf(each.service));
    if (isPart(each.service) && keys.has(whole))
      return `it is a part of ${displayKey(partsOf(whole))}, which overrides.yaml switches off`;
    const here = names.get(displayNamespace(each.service));
    const shared = here === undefined ? [] : [...namesBeside(each)].flatMap((name) => here.get(name) ?? []);
    const beside = [...shared.filter(({ name }) => name !== each.service.name), ...targetServices(each)]
      .map(serviceKey)
      .find((key) => keys.has(key) && isSameProduct(partsOf(key), kinds.get(key), each));
    return beside === undefined
      ? undefined
      : `it leads to Pods of ${displayKey(partsOf(beside))}, which overrides.yaml switches off`;
  };
}

/**
 * Explains why a backend that is no longer published counts as disabled if overrides disable another Service of its
 * namespace: both may have led to the same Pods. Services that were detected as different products do not count. Pure.
 * @param known returns backends with their types, if they are needed
 */
export function maybeSwitchedOff(
  known: () => readonly DiscoveredService[],
  overrides: Overrides,
): (service: DiscoveredService) => string | undefined {
  const off = Map.groupBy(servicesWithEnabled(overrides, false), displayNamespace);
  const on = new Set(servicesWithEnabled(overrides, true).map(serviceKey));
  let kinds: ReadonlyMap<ServiceKey, DiscoveredService> | undefined;
  return (each) => {
    const here = off.get(displayNamespace(each.service));
    if (here === undefined || backendKeys(each).some((key) => on.has(key))) return undefined;
    kinds ??= new Map(known().flatMap((one) => backendKeys(one).map((key) => [key, one] as const)));
    const found = kinds;
    const other = here.find((service) => isSameProduct(service, found.get(serviceKey(service)), each));
    return other === undefined
      ? undefined
      : `it is not published now, and may lead to Pods of ${displayKey(other)}, which overrides.yaml switches off; if it does not, write enabled: true for ${displayKey(each.service)} there`;
  };
}
