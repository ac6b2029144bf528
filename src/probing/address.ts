import { BlockList, isIP, isIPv6 } from 'node:net';

/**
 * Networks that a probe must not connect to: the special-purpose addresses of the IANA registries that are not globally
 * reachable, and the metadata services of clouds. Private networks and those for documentation are allowed, because
 * clusters use them for Pods and Services.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry/iana-ipv4-special-registry.xhtml
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry/iana-ipv6-special-registry.xhtml
 */
const NETWORKS: readonly (readonly [string, number, 'ipv4' | 'ipv6', string])[] = [
  ['100.100.100.200', 32, 'ipv4', "a cloud's metadata address"],
  ['168.63.129.16', 32, 'ipv4', "a cloud's metadata address"],
  ['192.0.0.192', 32, 'ipv4', "a cloud's metadata address"],
  ['fd00:ec2::254', 128, 'ipv6', "a cloud's metadata address"],
  ['fd20:ce::254', 128, 'ipv6', "a cloud's metadata address"],
  ['fd00:c1::a9fe:a9fe', 128, 'ipv6', "a cloud's metadata address"],
  ['fd00:42::42', 128, 'ipv6', "a cloud's metadata address"],
  ['0.0.0.0', 8, 'ipv4', 'unspecified'],
  ['127.0.0.0', 8, 'ipv4', 'loopback'],
  ['169.254.0.0', 16, 'ipv4', 'link-local, where clouds keep their metadata'],
  ['192.0.0.0', 24, 'ipv4', 'reserved for protocols'],
  ['192.88.99.0', 24, 'ipv4', 'a 6to4 relay'],
  ['198.18.0.0', 15, 'ipv4', 'for benchmarks'],
  ['224.0.0.0', 4, 'ipv4', 'multicast'],
  ['240.0.0.0', 4, 'ipv4', 'reserved'],
  ['::', 128, 'ipv6', 'unspecified'],
  ['::1', 128, 'ipv6', 'loopback'],
  ['100::', 64, 'ipv6', 'for discarded packets'],
  ['5f00::', 16, 'ipv6', 'for segment routing'],
  ['fe80::', 10, 'ipv6', 'link-local'],
  ['fec0::', 10, 'ipv6', 'site-local, which is deprecated'],
  ['ff00::', 8, 'ipv6', 'multicast'],
];

/**
 * IPv6 prefixes that embed an IPv4 address, to which a connection may be translated: compatible and mapped, translated,
 * NAT64, Teredo (with the other protocols of 2001::/23) and 6to4.
 */
const EMBEDDING_PREFIXES: readonly (readonly [string, number])[] = [
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
for (const [network, prefix] of EMBEDDING_PREFIXES) carriers.addSubnet(network, prefix, 'ipv6');

/**
 * Returns why a probe must not connect to an address, or `undefined` if it may. IPv4-mapped IPv6 addresses are treated
 * as the IPv4 address that they embed.
 * @param address a numeric address, as a resolver returns it
 */
export function whyForbidden(address: string): string | undefined {
  if (isIP(address) === 0) return `${address} is not a numeric address`;
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const kind = lists.find(({ list }) => list.check(address, family));
  if (kind !== undefined) return `${address} is ${kind.what}`;
  if (family === 'ipv6' && carriers.check(address, 'ipv6')) return `${address} embeds an IPv4 address`;
  return undefined;
}
