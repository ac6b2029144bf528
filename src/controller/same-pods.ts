import { certaintyRank } from '../detection/identity.ts';
import { selectionOf } from '../detection/selection.ts';
import { type Approvals, approvalKind, isApproved, NO_APPROVALS } from '../model/approvals.ts';
import { membersOf } from '../model/backend.ts';
import { byAge } from '../model/backend-id.ts';
import { type DiscoveredService, lastingAlternates } from '../model/discovery.ts';
import { displayNamespace } from '../model/key.ts';
import { keyOfService, type ServiceKey } from '../model/service.ts';
import { isOwnHost } from '../model/service-host.ts';
import type { Use } from './company.ts';

const isProven = ({ verdict }: DiscoveredService): boolean =>
  verdict.health === 'healthy' && verdict.proof === 'proven';

/** Its Pods are not those of its selector. */
const leadsElsewhere = ({ service, endpoint }: DiscoveredService): boolean =>
  service.type === 'ExternalName' || !isOwnHost(service, endpoint.host);

const podKeys = new WeakMap<DiscoveredService, string>();

/** Equal for services that prove to be the same product on the same Pods. */
function podsOf(found: DiscoveredService): string | undefined {
  const known = podKeys.get(found);
  if (known !== undefined) return known;
  const selector = selectionOf(found.service).key;
  if (selector === undefined || !isProven(found) || leadsElsewhere(found)) return undefined;
  const key = [displayNamespace(found.service), found.detector, found.type, selector].join(' ');
  podKeys.set(found, key);
  return key;
}

/** Prefers the Service whose labels name the product, since its name and port are likelier to be meant for it. */
function preference(a: DiscoveredService, b: DiscoveredService): number {
  const isRetyped = ({ verdict }: DiscoveredService): number => Number(verdict.provenAs !== undefined);
  return (
    isRetyped(a) - isRetyped(b) ||
    Number(a.service.headless) - Number(b.service.headless) ||
    certaintyRank(a.certainty) - certaintyRank(b.certainty) ||
    a.service.name.length - b.service.name.length ||
    (a.service.name < b.service.name ? -1 : 1)
  );
}

function merged(best: DiscoveredService, others: readonly DiscoveredService[]): DiscoveredService {
  const names = [best, ...others].flatMap(({ service, alternates }) => [service.name, ...alternates]);
  const alternates = [...new Set(names)].filter((name) => name !== best.service.name).sort();
  const detail = `leads to the same Pods as ${others.map(({ service }) => service.name).join(', ')}, and both prove to be ${best.type}`;
  // Their selectors are the same.
  const same = [best, ...others].flatMap(({ service, samePods = [] }) => [service.name, ...samePods]);
  const samePods = alternates.filter((name) => same.includes(name));
  const own = new Set([...lastingAlternates(best), ...same]);
  const newcomers = alternates.filter((name) => !own.has(name));
  const known = new Map([best, ...others].flatMap(membersOf).map((member) => [member.name, member]));
  const members = [...known.values()].sort(byAge);
  const clusterIPs = Object.assign({}, ...[best, ...others].map((each) => each.clusterIPs));
  return {
    ...best,
    alternates,
    newcomers,
    members,
    samePods,
    clusterIPs,
    evidence: [...best.evidence, { signal: 'group', detail }],
  };
}

/**
 * Merges services that prove to be the same product on the same Pods into one backend. Grouping before probes depends on
 * labels, which may differ. Pure; keeps the order. Approved services come first, then services named in overrides, then
 * services in use: those that have worked, and those to whose company the others belong. Of two in use that have worked,
 * neither replaces the other: a Service may change its selector.
 */
export function mergeProven(
  found: readonly DiscoveredService[],
  { inUse, companions }: Use,
  named: ReadonlySet<ServiceKey> = new Set(),
  approvals: Approvals = NO_APPROVALS,
): DiscoveredService[] {
  const isUnnamed = ({ service }: DiscoveredService): number => Number(!named.has(keyOfService(service)));
  const isOther = (each: DiscoveredService): number =>
    Number(!isApproved(approvals, each.service, approvalKind(each)));
  const isUnused = ({ service }: DiscoveredService): number =>
    Number(!inUse.has(keyOfService(service))) +
    Number(companions.get(keyOfService(service))?.hasWorked === false);
  const owns = ({ service }: DiscoveredService, other: DiscoveredService): number =>
    Number(companions.get(keyOfService(service))?.all.has(other.service.name) === true);
  const results = new Map<DiscoveredService, DiscoveredService | undefined>();
  for (const [pods, same] of Map.groupBy(found, podsOf)) {
    if (pods === undefined || same.length === 1) continue;
    const [best, ...rest] = same.toSorted(
      (a, b) =>
        isOther(a) - isOther(b) ||
        isUnnamed(a) - isUnnamed(b) ||
        isUnused(a) - isUnused(b) ||
        owns(b, a) - owns(a, b) ||
        preference(a, b),
    );
    if (best === undefined) continue;
    const others = rest.filter(
      (each) => isUnused(each) > 0 || isOther(best) < isOther(each) || isUnnamed(best) < isUnnamed(each),
    );
    for (const other of others) results.set(other, undefined);
    if (others.length > 0) results.set(best, merged(best, others));
  }
  return found.flatMap((each) => (results.has(each) ? (results.get(each) ?? []) : each));
}
