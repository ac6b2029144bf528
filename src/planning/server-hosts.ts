import type { Candidate } from '../model/discovery.ts';
import type { ServiceName } from '../model/service.ts';
import { serviceOfHost } from '../model/service-host.ts';

/** Most Services of one server of which the hosts are known, the oldest first. */
const MOST_SERVICES = 50;

/**
 * The hosts under which a discovered server is reached: its Service, the others of its backend and of its Pods, their
 * cluster IPs, and what its owner says that it leads to.
 */
export function serverHosts(found: Candidate): string[] {
  const { service, endpoint, alternates, sharesPods = [], targets = [], clusterIPs = {} } = found;
  const { namespace, name } = service;
  const own = `${name}.${namespace}.svc`;
  const domain = endpoint.host.startsWith(`${own}.`) ? endpoint.host.slice(own.length) : '';
  const names = [...new Set([name, ...sharesPods, ...alternates])].slice(0, MOST_SERVICES);
  const hosts = names.flatMap((each) => [
    `${each}.${namespace}.svc${domain}`,
    ...(Object.hasOwn(clusterIPs, each) ? (clusterIPs[each] ?? []) : []),
  ]);
  return [...hosts, ...targets.slice(0, MOST_SERVICES)];
}

/** The Services that a backend leads to beside its own, of any namespace. */
export const targetServices = ({ service: { cluster }, targets = [] }: Candidate): ServiceName[] =>
  targets.flatMap((host) => {
    const named = serviceOfHost(host);
    return named === undefined ? [] : { cluster, ...named };
  });
