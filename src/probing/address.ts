import { BlockList, isIP, isIPv6 } from 'node:net';

/**
 * Networks that a probe must not go to, and what they are. They are those of the IANA registries of special-purpose
 * addresses that are not globally reachable, without the private ones and the documentation's, which clusters use for Pods
 * and Services, and the metadata services of clouds.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry/iana-ipv4-special-registry.xhtml
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry/iana-ipv6-special-registry.xhtml
 */
const NETWORKS: readonly (readonly [string, number, 'ipv4' | 'ipv6', string])[] = [
  ['100.100.100.200', 32, 'ipv4', "a cloud's metadata address"],
  ['168.63.129.16', 32, 'ipv4', "a cloud's metadata address"],
  ['192.0.0.192', 32, 'ipv4', "a cloud's metadata address"],
  ['fd00:ec2::254', 128, 'ipv6', "a cloud's metadata address"],
  ['fd20:ce::254', 128, 'ipv6', "a cloud's metadata address"],
  ['0.0.0.0', 8, 'ipv4', 'unspecified'],
  ['127.0.0.0', 8, 'ipv4', 'loopback'],
  ['169.254.0.0', 16, 'ipv4', 'link-local, where clouds keep their metadata'],
  ['192.0.0.0', 24, 'ipv4', 'reserved for protocols'],
  ['192.88.99.0', 24, 'ipv4', 'a relay of 6to4'],
  ['198.18.0.0', 15, 'ipv4', 'for benchmarks of network devices'],
  ['224.0.0.0', 4, 'ipv4', 'multicast'],
  ['240.0.0.0', 4, 'ipv4', 'reserved'],
  ['::', 128, 'ipv6', 'unspecified'],
  ['::1', 128, 'ipv6', 'loopback'],
  ['100::', 64, 'ipv6', 'where packets are discarded'],
  ['5f00::', 16, 'ipv6', 'of segment routing'],
  ['fe80::', 10, 'ipv6', 'link-local'],
  ['fec0::', 10, 'ipv6', 'site-local, which nobody may use any more'],
  ['ff00::', 8, 'ipv6', 'multicast'],
];

/**
 * Prefixes of IPv6 that carry an IPv4 address, in whose place a connection may end: compatible and mapped, translated,
 * NAT64, Teredo (with the other protocols of 2001::/23) and 6to4.
 */
const CARRIERS: readonly (readonly [string, number])[] = [
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 23],
  ['2002::', 16],
];

const lists = NETWORKS.map(([network, prefix, family, what]) => {
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return { list, what };
});

const carriers = new BlockList();
for (const [network, prefix] of CARRIERS) carriers.addSubnet(network, prefix, 'ipv6');

/**
 * Why a probe must not go to an address, or nothing if it may. IPv4-mapped IPv6 addresses are judged as the IPv4
 * address that they carry.
 * @param address a numeric address, as a resolver returns it
 */
export function refusedAddress(address: string): string | undefined {
  if (isIP(address) === 0) return `${address} is not a numeric address`;
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const kind = lists.find(({ list }) => list.check(address, family));
  if (kind !== undefined) return `${address} is ${kind.what}`;
  if (family === 'ipv6' && carriers.check(address, 'ipv6')) return `${address} hides an IPv4 address`;
  return undefined;
}
