import { approvalsIn } from '../model/approvals.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { displayKey, displayNamespace, partsOf } from '../model/key.ts';
import { addressedService, type Overrides } from '../model/overrides.ts';
import { type ServiceKey, type ServiceName, serviceKey } from '../model/service.ts';
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

const otherNames = ({ service, sharesPods = [] }: DiscoveredService): string[] =>
  sharesPods.filter((name) => name !== service.name);

/**
 * Explains why a backend is disabled if overrides disable another Service of its Pods, or one that it points to. Without
 * this rule, anyone who can create Services could bring it back under another name. The disabled Service counts while it
 * exists, whatever its type and annotations. A Service that was detected as another product does not count, because one
 * Pod may contain several products. A Service that overrides approve or enable by name stays. Pure.
 */
export function switchedOffBeside(
  found: readonly DiscoveredService[],
  overrides: Overrides,
): (service: DiscoveredService) => string | undefined {
  const off = servicesWithEnabled(overrides, false);
  if (off.length === 0) return () => undefined;
  const keys = new Set(off.map(serviceKey));
  const byNamespace = Map.groupBy(off, displayNamespace);
  const names = new Map(
    [...byNamespace].map(([key, all]) => [key, new Set(all.map(({ name }) => name))] as const),
  );
  const on = new Set(servicesWithEnabled(overrides, true).map(serviceKey));
  const approved = approvedServices(overrides);
  const kinds = new Map(found.flatMap((each) => backendKeys(each).map((key) => [key, each] as const)));
  return (each) => {
    if (backendKeys(each).some((key) => on.has(key)) || approved.has(serviceKey(each.service)))
      return undefined;
    const here = names.get(displayNamespace(each.service));
    const shared = here === undefined ? [] : otherNames(each).filter((name) => here.has(name));
    const beside = [...shared.map((name) => ({ ...each.service, name })), ...targetServices(each)]
      .map(serviceKey)
      .find((key) => keys.has(key) && !differ(kinds.get(key) ?? each, each));
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
  let kinds: ReadonlyMap<ServiceKey, Kind> | undefined;
  return (each) => {
    const here = off.get(displayNamespace(each.service));
    if (here === undefined || backendKeys(each).some((key) => on.has(key))) return undefined;
    kinds ??= new Map(known().flatMap((one) => backendKeys(one).map((key) => [key, one] as const)));
    const found = kinds;
    const other = here.find((service) => !differ(found.get(serviceKey(service)) ?? each, each));
    return other === undefined
      ? undefined
      : `it is not published now, and may lead to Pods of ${displayKey(other)}, which overrides.yaml switches off; if it does not, write enabled: true for ${displayKey(each.service)} there`;
  };
}
