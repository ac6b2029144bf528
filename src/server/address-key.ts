import { isIPv6 } from 'node:net';

/** IPv4 as a socket that takes both shows it. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * Who stands behind an address, for limits: an IPv4 address by itself, and all of an IPv6 network of 64 bits together,
 * since one host has all of those.
 */
export function addressKey(address: string): string {
  const plain = MAPPED.exec(address)?.[1];
  if (plain !== undefined) return plain;
  const [bare = ''] = address.split('%', 1);
  if (!isIPv6(bare)) return address;
  // URL writes IPv6 in one way only.
  const [front = '', back] = new URL(`http://[${bare}]`).hostname.slice(1, -1).split('::');
  const parts = front === '' ? [] : front.split(':');
  const missing = back === undefined ? 0 : 8 - parts.length - (back === '' ? 0 : back.split(':').length);
  const groups = [...parts, ...Array<string>(missing).fill('0'), ...(back ?? '').split(':')];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
