import { isIPv6 } from 'node:net';

/** An IPv4 address on a dual-stack socket. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * The key of an address for limits: an IPv4 address itself, or the /64 network of an IPv6 address, since one host may have
 * all addresses of it.
 */
export function addressKey(address: string): string {
  const plain = MAPPED.exec(address)?.[1];
  if (plain !== undefined) return plain;
  const [bare = ''] = address.split('%', 1);
  if (!isIPv6(bare)) return address;
  // URL normalizes IPv6.
  const [front = '', back] = new URL(`http://[${bare}]`).hostname.slice(1, -1).split('::');
  const parts = front === '' ? [] : front.split(':');
  const missing = back === undefined ? 0 : 8 - parts.length - (back === '' ? 0 : back.split(':').length);
  const groups = [...parts, ...Array<string>(missing).fill('0'), ...(back ?? '').split(':')];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
