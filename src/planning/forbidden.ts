import { approvalsIn } from '../model/approvals.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { displayKey, HOME_CLUSTER } from '../model/key.ts';
import { addressedService, type Overrides } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { type ServiceKey, type ServiceName, serviceKey } from '../model/service.ts';
import { serviceOfHost } from '../model/service-host.ts';
import { oneLine } from '../model/text.ts';
import { backendKeys } from './override-keys.ts';
import { ownNames } from './own-names.ts';
import { maybeSwitchedOff, switchedOffBeside } from './switched-off.ts';

const OFF = 'overrides.yaml switches it off';
const REFUSED = 'it leads to a Service that overrides.yaml refuses';
const FIX = 'if you want it, take enabled: false out of overrides.yaml';

/** What else is known of backends. */
export interface KnownBackends {
  /** What is published now. */
  readonly standing: readonly DiscoveredService[];
  /** Returns what was published at any time of the history. */
  readonly past: () => readonly DiscoveredService[];
}

/** The Services and the names of users' own tools that overrides switch off. */
interface Off {
  readonly services: ReadonlySet<ServiceKey>;
  readonly names: ReadonlySet<string>;
}

function offIn({ tools }: Overrides): Off {
  const keys = Object.keys(tools).filter((key) => tools[key]?.enabled === false);
  const services = keys.flatMap((key) => addressedService(key) ?? []);
  return {
    services: new Set(services.map(serviceKey)),
    names: new Set(keys.filter((key) => addressedService(key) === undefined)),
  };
}

/**
 * The discovered backends that overrides switch off: by any of their Services, or because they lead to the Pods of a Service
 * that is off.
 * @param known a backend that leads to Pods of a Service that is off, and that is published nevertheless, is another product.
 *   One that is not published may be another name of a Service that is off, unless that was known as another product
 */
function forbiddenServices(
  services: readonly DiscoveredService[],
  { standing, past }: KnownBackends,
  overrides: Overrides,
): readonly Problem[] {
  const off = offIn(overrides).services;
  const now = new Map(standing.map((found) => [serviceKey(found.service), found]));
  const beside = switchedOffBeside(services, overrides);
  const maybe = maybeSwitchedOff(() => [...past(), ...services, ...standing], overrides);
  return services.flatMap((found): Problem[] => {
    const published = publishedAs(found, now);
    const where = `Service ${displayKey(found.service)}`;
    if (backendKeys(published ?? found).some((key) => off.has(key))) return [{ where, what: OFF, fix: FIX }];
    const what = beside(found) ?? (published === undefined ? maybe(found) : undefined);
    const isKnown = published !== undefined && beside(published) === what;
    return what === undefined || isKnown ? [] : [{ where, what, fix: FIX }];
  });
}

/**
 * What is published now of a backend. If that is of another type, or at another address, it says nothing about this one:
 * different products may be behind the ports of a Service.
 */
function publishedAs(
  found: DiscoveredService,
  now: ReadonlyMap<ServiceKey, DiscoveredService>,
): DiscoveredService | undefined {
  const published = now.get(serviceKey(found.service));
  const { host, port } = found.endpoint;
  const isSame =
    published?.type === found.type && published.endpoint.host === host && published.endpoint.port === port;
  return isSame ? published : undefined;
}

/**
 * Users' own tools that overrides switch off: by name, or by the Service to which a tool leads that overrides no longer have.
 * The latter also if overrides say `approved: false` of the Service.
 */
function forbiddenTools(own: readonly PublishedTool[], overrides: Overrides): readonly Problem[] {
  const off = offIn(overrides);
  const isOff = (service: Omit<ServiceName, 'cluster'> | undefined): boolean =>
    service !== undefined && off.services.has(serviceKey({ cluster: HOME_CLUSTER, ...service }));
  const approvals = approvalsIn(overrides);
  const listed = ownNames(overrides);
  const faultOf = ({ name, endpoint }: PublishedTool): string | undefined => {
    if (off.names.has(name) || isOff(addressedService(name))) return OFF;
    const target = serviceOfHost(URL.parse(endpoint)?.hostname ?? '');
    if (target === undefined || listed.has(name)) return undefined;
    if (isOff(target)) return OFF;
    return approvals.get(serviceKey({ cluster: HOME_CLUSTER, ...target }))?.refused === true
      ? REFUSED
      : undefined;
  };
  return own.flatMap((tool) => {
    const what = faultOf(tool);
    const fix = what === REFUSED ? 'if you want it, write it into overrides.yaml' : FIX;
    return what === undefined ? [] : [{ where: `tool ${oneLine(tool.name, 100)}`, what, fix }];
  });
}

/** The backends and users' own tools that overrides switch off, with the reason and what to do. Pure. */
export function forbidden(
  {
    services,
    own,
  }: { readonly services: readonly DiscoveredService[]; readonly own: readonly PublishedTool[] },
  known: KnownBackends,
  overrides: Overrides,
): readonly Problem[] {
  return [...forbiddenServices(services, known, overrides), ...forbiddenTools(own, overrides)];
}
