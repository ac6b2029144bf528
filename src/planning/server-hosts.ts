import type { Candidate } from '../model/discovery.ts';

/** Most Services of one server of which the hosts are known, the oldest first. */
const MOST_SERVICES = 50;

/**
 * The hosts under which a discovered server is reached: its Service, the others of its backend and of its Pods, and their
 * cluster IPs.
 */
export function serverHosts(found: Candidate): string[] {
  const { service, endpoint, alternates, sharesPods = [], clusterIPs = {} } = found;
  const { namespace, name } = service;
  const own = `${name}.${namespace}.svc`;
  const domain = endpoint.host.startsWith(`${own}.`) ? endpoint.host.slice(own.length) : '';
  const names = [...new Set([name, ...sharesPods, ...alternates])].slice(0, MOST_SERVICES);
  return names.flatMap((each) => [
    `${each}.${namespace}.svc${domain}`,
    ...(Object.hasOwn(clusterIPs, each) ? (clusterIPs[each] ?? []) : []),
  ]);
}
