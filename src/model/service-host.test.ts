import { expect, test } from 'vitest';
import { isOwnHost, serviceOfHost } from './service-host.ts';

test.each([
  ['a.shop', 'shop/a'],
  ['a.shop.svc', 'shop/a'],
  ['A.shop.svc.cluster.local.', 'shop/a'],
  ['pod-0.a.shop.svc.cluster.local', 'shop/a'],
  ['svc.svc.svc.svc', 'svc/svc'],
  ['a', undefined],
  ['logs.example.com', undefined],
  ['svc.shop', 'shop/svc'],
  ['.shop.svc', undefined],
  ['', undefined],
])('%s is the Service %s', (host, expected) => {
  const found = serviceOfHost(host);
  expect(found && `${found.namespace}/${found.name}`).toBe(expected);
});

test('a host belongs to a Service only by whole labels', () => {
  const one = { name: 'a', namespace: 'shop' };
  expect(isOwnHost(one, 'a.shop.svc')).toBe(true);
  expect(isOwnHost(one, 'a.shop.svc.cluster.local')).toBe(true);
  expect(isOwnHost(one, 'a.shop.svcs.example.com')).toBe(false);
  expect(isOwnHost(one, 'b.a.shop.svc')).toBe(false);
});
