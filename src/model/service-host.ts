import type { ServiceName } from './service.ts';

/** Whether a host is a Service's own name in the cluster. */
export const isOwnHost = ({ name, namespace }: Omit<ServiceName, 'cluster'>, host: string): boolean =>
  `${host}.`.startsWith(`${name}.${namespace}.svc.`);

/**
 * The Service that a host name in the cluster belongs to: `SERVICE.NAMESPACE`, with `.svc` and the domain or without, and
 * with the name of a Pod before it. Undefined for other hosts; a name of two words may be one of these all the same.
 */
export function serviceOfHost(host: string): Omit<ServiceName, 'cluster'> | undefined {
  const words = host.toLowerCase().replace(/\.$/, '').split('.');
  const svc = words.length === 2 ? 2 : words.indexOf('svc', 2);
  const [name, namespace] = svc < 2 ? [] : words.slice(svc - 2, svc);
  return name === undefined || name === '' || namespace === undefined || namespace === ''
    ? undefined
    : { name, namespace };
}
