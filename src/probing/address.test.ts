import { describe, expect, test } from 'vitest';
import { whyForbidden } from './address.ts';

describe('addresses that probes must not use', () => {
  test.each([
    ['unspecified', '0.0.0.0'],
    ['unspecified', '0.1.2.3'],
    ['unspecified', '::'],
    ['unspecified', '0:0:0:0:0:0:0:0'],
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.255.254'],
    ['loopback', '::1'],
    ['loopback', '0000:0000:0000:0000:0000:0000:0000:0001'],
    ['link-local', '169.254.0.1'],
    ['link-local', '169.254.255.255'],
    ['link-local', 'fe80::1'],
    ['link-local', 'febf:ffff::1'],
    ['link-local', 'FE80::1'],
    ['link-local', 'fe80::1%eth0'],
    ['metadata', '169.254.169.254'],
    ['metadata', '169.254.170.2'],
    ['metadata', 'fd00:ec2::254'],
    ['metadata', 'fd00:0ec2:0:0:0:0:0:254'],
    ['multicast', '224.0.0.1'],
    ['multicast', '239.255.255.255'],
    ['multicast', 'ff02::1'],
    ['reserved', '240.0.0.1'],
    ['reserved', '255.255.255.255'],
    ['reserved for protocols', '192.0.0.1'],
    ['reserved for protocols', '192.0.0.170'],
    ['metadata', '192.0.0.192'],
    ['metadata', '100.100.100.200'],
    ['6to4', '192.88.99.1'],
    ['benchmarks', '198.18.0.1'],
    ['benchmarks', '198.19.255.255'],
    ['discarded', '100::1'],
    ['segment routing', '5f00::1'],
    ['site-local', 'fec0::1'],
    ['site-local', 'feff:ffff::1'],
  ])('%s: %s', (what, address) => {
    const refused = whyForbidden(address);
    expect(refused).toContain(address);
    expect(refused).toContain(what);
  });

  test.each([
    ['IPv4-mapped', '::ffff:127.0.0.1'],
    ['IPv4-mapped in hexadecimal', '::ffff:7f00:1'],
    ['IPv4-mapped in capitals', '::FFFF:7F00:0001'],
    ['IPv4-mapped, written out', '0:0:0:0:0:ffff:a9fe:a9fe'],
    ['IPv4-mapped metadata', '::ffff:169.254.169.254'],
    ['IPv4-mapped multicast', '::ffff:224.0.0.1'],
    ['IPv4-compatible', '::127.0.0.1'],
    ['IPv4-compatible, another', '::a00:1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['NAT64 of metadata', '64:ff9b::169.254.169.254'],
    ['NAT64 for local use', '64:ff9b:1::7f00:1'],
    ['6to4', '2002:7f00:1::'],
    ['6to4 of a private address', '2002:a00:1::1'],
    ['Teredo', '2001::1'],
    ['Teredo of loopback', '2001:0:4136:e378:8000:63bf:80ff:fffe'],
    ['another protocol of that block', '2001:1ff:ffff::1'],
    ['6to4 of metadata', '2002:a9fe:a9fe::1'],
  ])('an IPv4 address inside an IPv6 address, %s: %s', (_, address) => {
    expect(whyForbidden(address)).toContain(address);
  });
});

describe('addresses of Services', () => {
  test.each([
    '10.0.0.1',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.254',
    '192.168.0.1',
    '192.168.255.254',
    '100.64.0.1',
    '203.0.113.7',
    '126.255.255.255',
    '128.0.0.1',
    '169.253.255.255',
    '169.255.0.0',
    '223.255.255.255',
    'fc00::1',
    'fd00::1',
    'fd12:3456:789a::10',
    'fd00:ec2::253',
    'fdff:ffff:ffff:ffff::1',
    '2001:db8::1',
    '::ffff:10.0.0.1',
    '::ffff:c0a8:1',
    '198.17.255.255',
    '198.20.0.1',
    '192.0.1.1',
    '192.88.98.1',
    '2001:200::1',
    '2001:4860:4860::8888',
  ])('%s is allowed', (address) => {
    expect(whyForbidden(address)).toBeUndefined();
  });
});
