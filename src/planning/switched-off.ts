import type { DiscoveredService } from '../model/discovery.ts';
import { displayKey, partsOf } from '../model/key.ts';
import { addressedService, type Overrides } from '../model/overrides.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import { backendKeys } from './override-keys.ts';

/** The Services that people switch off, and those that they switch on by name. */
function switched({ tools }: Overrides, enabled: boolean): Set<ServiceKey> {
  return new Set(
    Object.entries(tools).flatMap(([key, override]) => {
      const address = override.enabled === enabled ? addressedService(key) : undefined;
      return address === undefined ? [] : serviceKey(address);
    }),
  );
}

type Kind = Pick<DiscoveredService, 'type' | 'detector'>;

/** Whether two Services of the same Pods are different products. The type of a `custom` one is only its owner's word. */
const differ = (a: Kind, b: Kind): boolean =>
  a.type !== b.type && a.detector !== 'custom' && b.detector !== 'custom';

/**
 * Says why a backend is left out when people switched off another Service of its Pods: otherwise anyone who may create
 * Services could bring it back under another name. That Service counts while it exists, whatever its type and annotations.
 * Several products in one Pod are several backends, so a Service found as another product does not count. Pure.
 */
export function switchedOffBeside(
  found: readonly DiscoveredService[],
  overrides: Overrides,
): (service: DiscoveredService) => string | undefined {
  const off = switched(overrides, false);
  if (off.size === 0) return () => undefined;
  const on = switched(overrides, true);
  const kinds = new Map(found.flatMap((each) => backendKeys(each).map((key) => [key, each] as const)));
  return (each) => {
    if (backendKeys(each).some((key) => on.has(key))) return undefined;
    const beside = (each.sharesPods ?? [])
      .map((name) => serviceKey({ ...each.service, name }))
      .find((key) => off.has(key) && !differ(kinds.get(key) ?? each, each));
    return beside === undefined
      ? undefined
      : `is left out: it leads to Pods of ${displayKey(partsOf(beside))}, which overrides.yaml switches off`;
  };
}
