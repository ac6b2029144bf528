import { expect, test } from 'vitest';
import { leaseFailure } from './lease-failure.ts';
import { ApiStatusError } from './status.ts';

const LEASE = { namespace: 'home', name: 'lease' };

test.each<[string, 'hold' | 'watch', unknown, string]>([
  [
    'a missing right',
    'hold',
    new ApiStatusError(403, 'denied'),
    'cannot hold Lease home/lease: denied; grant "get", "create" and "update" on leases.coordination.k8s.io "lease" in namespace home with a Role',
  ],
  [
    'a missing right to watch',
    'watch',
    new ApiStatusError(403, 'denied'),
    'cannot watch Lease home/lease: denied; grant "list" and "watch" on leases.coordination.k8s.io "lease" in namespace home with a Role',
  ],
  [
    'a missing namespace',
    'hold',
    new ApiStatusError(404, 'not found'),
    'cannot hold Lease home/lease: not found; create the namespace home, or choose another',
  ],
])('the message says what to do: %s', (_, doing, error, message) => {
  const failure = leaseFailure(doing, LEASE, error, 'the server');
  expect(failure.message).toBe(message);
  expect(failure.cause).toBe(error);
});

test.each([
  ['another status', new ApiStatusError(500, 'broken')],
  ['no answer', Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })],
])('other failures name the Lease, and no right that would not help: %s', (_, error) => {
  const { message, cause } = leaseFailure('hold', LEASE, error, 'the server');
  expect(message).toMatch(/^cannot hold Lease home\/lease: /);
  expect(message).not.toContain('leases.coordination.k8s.io');
  expect(cause).toBe(error);
});
