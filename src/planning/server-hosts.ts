import type { Candidate } from '../model/discovery.ts';
import type { ServiceName } from '../model/service.ts';
import { serviceOfHost } from '../model/service-host.ts';

/** Maximum Services per server whose hosts are included, oldest first. */
const MAX_SERVICES = 50;

/**
 * The hosts of a discovered server: its Service, other Services of its backend and Pods, their cluster IPs, and the hosts
 * that its owner points it to.
 */
export function serverHosts(found: Candidate): string[] {
  const { service, endpoint, alternates, sharesPods = [], targets = [], clusterIPs = {} } = found;
  const { namespace, name } = service;
  const own = `${name}.${namespace}.svc`;
  const domain = endpoint.host.startsWith(`${own}.`) ? endpoint.host.slice(own.length) : '';
  const names = [...new Set([name, ...sharesPods, ...alternates])].slice(0, MAX_SERVICES);
  const hosts = names.flatMap((each) => [
    `${each}.${namespace}.svc${domain}`,
    ...(Object.hasOwn(clusterIPs, each) ? (clusterIPs[each] ?? []) : []),
  ]);
  return [...hosts, ...targets.slice(0, MAX_SERVICES)];
}

/** The other Services, in any namespace, that a backend points to. */
export const targetServices = ({ service: { cluster }, targets = [] }: Candidate): ServiceName[] =>
  targets.flatMap((host) => {
    const named = serviceOfHost(host);
    return named === undefined ? [] : { cluster, ...named };
  });
