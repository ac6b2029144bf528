import { objectName } from './part.ts';
import type { ServiceName } from './service.ts';

/** Whether a host is the DNS name of a Service. */
export const isOwnHost = (service: Omit<ServiceName, 'cluster'>, host: string): boolean =>
  `${host}.`.startsWith(`${objectName(service)}.${service.namespace}.svc.`);

/**
 * The Service of a DNS name in the cluster: `SERVICE.NAMESPACE`, optionally with `.svc`, the domain and the name of a Pod.
 * `undefined` for other hosts. A name with two labels counts as a Service, although it may be another host.
 */
export function serviceOfHost(host: string): Omit<ServiceName, 'cluster'> | undefined {
  const words = host.toLowerCase().replace(/\.$/, '').split('.');
  const svc = words.length === 2 ? 2 : words.indexOf('svc', 2);
  const [name, namespace] = svc < 2 ? [] : words.slice(svc - 2, svc);
  return name === undefined || name === '' || namespace === undefined || namespace === ''
    ? undefined
    : { name, namespace };
}
