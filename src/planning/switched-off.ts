import type { DiscoveredService } from '../model/discovery.ts';
import { displayKey, displayNamespace, partsOf } from '../model/key.ts';
import { addressedService, type Overrides } from '../model/overrides.ts';
import { type ServiceName, serviceKey } from '../model/service.ts';
import { backendKeys } from './override-keys.ts';
import { targetServices } from './server-hosts.ts';

/** The Services that people switch off, or on, by name. */
function switched({ tools }: Overrides, enabled: boolean): ServiceName[] {
  return Object.entries(tools).flatMap(([key, override]) => {
    const address = override.enabled === enabled ? addressedService(key) : undefined;
    return address ?? [];
  });
}

type Kind = Pick<DiscoveredService, 'type' | 'detector'>;

/** Whether two Services of the same Pods are different products. The type of a `custom` one is only its owner's word. */
const differ = (a: Kind, b: Kind): boolean =>
  a.type !== b.type && a.detector !== 'custom' && b.detector !== 'custom';

const otherNames = ({ service, sharesPods = [] }: DiscoveredService): string[] =>
  sharesPods.filter((name) => name !== service.name);

/**
 * Says why a backend is left out when people switched off another Service of its Pods, or one that it leads to: otherwise
 * anyone who may create Services could bring it back under another name. That Service counts while it exists, whatever its
 * type and annotations. Several products in one Pod are several backends, so a Service found as another product does not
 * count. Pure.
 */
export function switchedOffBeside(
  found: readonly DiscoveredService[],
  overrides: Overrides,
): (service: DiscoveredService) => string | undefined {
  const off = switched(overrides, false);
  if (off.length === 0) return () => undefined;
  const keys = new Set(off.map(serviceKey));
  const byNamespace = Map.groupBy(off, displayNamespace);
  const names = new Map(
    [...byNamespace].map(([key, all]) => [key, new Set(all.map(({ name }) => name))] as const),
  );
  const on = new Set(switched(overrides, true).map(serviceKey));
  const kinds = new Map(found.flatMap((each) => backendKeys(each).map((key) => [key, each] as const)));
  return (each) => {
    if (backendKeys(each).some((key) => on.has(key))) return undefined;
    const here = names.get(displayNamespace(each.service));
    const shared = here === undefined ? [] : otherNames(each).filter((name) => here.has(name));
    const beside = [...shared.map((name) => ({ ...each.service, name })), ...targetServices(each)]
      .map(serviceKey)
      .find((key) => keys.has(key) && !differ(kinds.get(key) ?? each, each));
    return beside === undefined
      ? undefined
      : `is left out: it leads to Pods of ${displayKey(partsOf(beside))}, which overrides.yaml switches off`;
  };
}
