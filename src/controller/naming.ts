import { type Holder, type Naming, namesOf, publishedNames } from '../detection/names.ts';
import { type Approvals, approvalsIn } from '../model/approvals.ts';
import type { Credentials } from '../model/credentials.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import {
  addressedService,
  addressedServices,
  NO_OVERRIDES,
  type Overrides,
  reservedNames,
  servicesWithEndpoint,
} from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { keyOfService, serviceKey } from '../model/service.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import type { Observed } from '../planning/observed.ts';
import { SERVICES_IN_USE } from '../planning/plan.ts';
import { publishedInUse } from '../planning/services-in-use.ts';
import type { Use } from './company.ts';

/** The backends that have worked. Only these hold names. */
const haveWorked = (
  found: readonly DiscoveredService[],
  use: Pick<Use, 'companions'> | undefined,
): readonly DiscoveredService[] =>
  found.filter(({ service }) => use?.companions.get(keyOfService(service))?.hasWorked !== false);

/**
 * The inputs of naming. Published names come first, since a name must survive a restart. A backend that is not published
 * now, because it is unhealthy, keeps its current name, if it has ever worked.
 */
export function namingOf(
  published: readonly PublishedTool[],
  overrides: Overrides,
  credentials: Credentials,
  found: readonly DiscoveredService[],
  use?: Pick<Use, 'companions'>,
): Naming {
  const held = new Map<string, Holder>(publishedNames(published));
  for (const [name, holder] of namesOf(haveWorked(found, use))) if (!held.has(name)) held.set(name, holder);
  return { held, ...namingBy(overrides, credentials) };
}

/** The decisions of operators on names and entry points. */
export function namingBy(overrides: Overrides, credentials: Credentials): Omit<Naming, 'held'> {
  const ofBackends = Object.keys(credentials).flatMap((key) => {
    const address = addressedService(key);
    return address === undefined ? [] : [serviceKey(address)];
  });
  const named = new Set([...addressedServices(overrides), ...ofBackends]);
  const byType = Object.entries(credentials).flatMap(([type, { namespaces = [] }]) =>
    namespaces.map((namespace) => `${type} ${namespace}`),
  );
  const byNamespace = overrides.mentions.keys.flatMap((key) =>
    key === '*' || key.endsWith('/*') ? [`* ${key.replace(/\/\*$/, '')}`] : [],
  );
  return {
    reserved: reservedNames(overrides),
    named,
    configured: new Set([...byType, ...byNamespace]),
    placed: servicesWithEndpoint(overrides),
  };
}

/** The same, from the state that another replica has published. */
export function observedNaming(
  live: Observed | undefined,
  credentials: Credentials,
  found: readonly DiscoveredService[],
  use?: Pick<Use, 'companions'>,
): Naming {
  const read = readOverrides(live?.data[OVERRIDES_KEY]);
  const tools = live?.toolset?.tools ?? [];
  const naming = namingOf(tools, 'value' in read ? read.value : NO_OVERRIDES, credentials, found, use);
  const held = new Map(naming.held);
  for (const [name, holder] of rememberedNames(tools, live?.annotations[SERVICES_IN_USE]))
    if (!held.has(name)) held.set(name, holder);
  return { ...naming, held };
}

/** The names of tools in use that are not published, because they are unhealthy. @param note the annotation */
export const rememberedNames = (
  tools: readonly PublishedTool[],
  note: string | undefined,
): readonly (readonly [string, Holder])[] =>
  publishedInUse(tools, note).map(({ service: { cluster, namespace, name }, tool, others }) => [
    tool,
    { cluster, namespace, members: [name, ...others] },
  ]);

/** The approvals in the published state; undefined if they are invalid. */
export function observedApprovals(live: Observed | undefined): Approvals | undefined {
  const read = readOverrides(live?.data[OVERRIDES_KEY]);
  return 'value' in read ? approvalsIn(read.value) : undefined;
}
