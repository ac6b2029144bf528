import { isIpAddress } from '../../../model/ip-address.ts';
import { hostOf } from '../../../model/same-url.ts';
import { serviceOfHost } from '../../../model/service-host.ts';

/** Names of Pods, and domains that no public DNS has. */
const INSIDE = /\.(pod|local|internal|cluster|svc)(\.|$)/;

/**
 * The place in the cluster to which an address leads, so that tenants may decide what answers: a Service as
 * `namespace/name`, an IP address, a name without dots, the name of a Pod, or one of a private domain. The address itself if
 * its host is unknown, as with a template. `undefined` for hosts outside.
 */
export function placeInCluster(address: string): string | undefined {
  const host = hostOf(address);
  if (host === undefined) return address;
  const service = serviceOfHost(host);
  if (service !== undefined) return `${service.namespace}/${service.name}`;
  return isIpAddress(host) || !host.includes('.') || INSIDE.test(host) ? host : undefined;
}
