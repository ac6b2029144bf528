import { BlockList, isIP, isIPv6 } from 'node:net';

const refused = new BlockList();
const kinds: readonly (readonly [string, number, 'ipv4' | 'ipv6', string])[] = [
  ['0.0.0.0', 8, 'ipv4', 'unspecified'],
  ['127.0.0.0', 8, 'ipv4', 'loopback'],
  ['169.254.0.0', 16, 'ipv4', 'link-local, where clouds keep their metadata'],
  ['224.0.0.0', 4, 'ipv4', 'multicast'],
  ['240.0.0.0', 4, 'ipv4', 'reserved'],
  ['::', 128, 'ipv6', 'unspecified'],
  ['::1', 128, 'ipv6', 'loopback'],
  ['fe80::', 10, 'ipv6', 'link-local'],
  ['ff00::', 8, 'ipv6', 'multicast'],
  ['100.100.100.200', 32, 'ipv4', "a cloud's metadata address"],
  ['168.63.129.16', 32, 'ipv4', "a cloud's metadata address"],
  ['192.0.0.192', 32, 'ipv4', "a cloud's metadata address"],
  ['fd00:ec2::254', 128, 'ipv6', "a cloud's metadata address"],
  ['fd20:ce::254', 128, 'ipv6', "a cloud's metadata address"],
];
const byKind = kinds.map(([network, prefix, family, what]) => {
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  refused.addSubnet(network, prefix, family);
  return { list, what };
});

/** Prefixes of IPv6 that carry an IPv4 address, in whose place a connection may end: mapped, NAT64 and 6to4. */
const carriesIPv4 = new BlockList();
carriesIPv4.addSubnet('::', 96, 'ipv6');
carriesIPv4.addSubnet('::ffff:0:0:0', 96, 'ipv6');
carriesIPv4.addSubnet('64:ff9b::', 96, 'ipv6');
carriesIPv4.addSubnet('64:ff9b:1::', 48, 'ipv6');
carriesIPv4.addSubnet('2002::', 16, 'ipv6');

/**
 * Why a probe must not go to an address, or nothing if it may. IPv4-mapped IPv6 addresses are judged as the IPv4
 * address that they carry.
 * @param address a numeric address, as a resolver returns it
 */
export function refusedAddress(address: string): string | undefined {
  if (isIP(address) === 0) return `${address} is no numeric address`;
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (refused.check(address, family)) {
    const kind = byKind.find(({ list }) => list.check(address, family));
    return `${address} is ${kind?.what ?? 'refused'}`;
  }
  if (family === 'ipv6' && carriesIPv4.check(address, 'ipv6')) return `${address} hides an IPv4 address`;
  return undefined;
}
