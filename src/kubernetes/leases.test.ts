import { describe, expect, test } from 'vitest';
import type { KubeClient, KubeRequest } from './connection.ts';
import { leaseFailure } from './lease-failure.ts';
import { type Lease, type LeaseSpec, readLease, writeLease } from './leases.ts';
import { ApiStatusError } from './status.ts';

const NAME = { namespace: 'ns', name: 'lease' };
const signal = new AbortController().signal;
const SPEC: LeaseSpec = {
  holderIdentity: 'me',
  leaseDurationSeconds: 15,
  acquireTime: '2026-01-01T00:00:00.000000Z',
  renewTime: '2026-01-01T00:00:02.000000Z',
  leaseTransitions: 1,
};

/** A server that answers each request so. */
function answering(answer: () => unknown) {
  const asked: KubeRequest[] = [];
  const request = async (each: KubeRequest): Promise<unknown> => {
    asked.push(each);
    return answer();
  };
  return { kube: { request } as unknown as KubeClient, asked };
}
const failing = (code: number) =>
  answering(() => {
    throw new ApiStatusError(code, 'no');
  }).kube;

describe('reads', () => {
  test('return nothing for a Lease that does not exist, and throw any other failure', async () => {
    expect(await readLease(failing(404), NAME, 1, signal)).toBeUndefined();
    await expect(readLease(failing(403), NAME, 1, signal)).rejects.toThrow('no');
  });
});

describe('writes', () => {
  test('keep the fields of others, and are for the state that was read', async () => {
    const { kube, asked } = answering(() => ({}));
    const before: Lease & { theirs: string } = {
      metadata: { resourceVersion: '7', labels: { a: 'b' } } as Lease['metadata'] & object,
      spec: { holderIdentity: 'x', strategy: 'OldestEmulationVersion' },
      theirs: 'too',
    };
    await writeLease(kube, NAME, before, SPEC, 5, signal);
    expect(asked).toEqual([
      {
        method: 'PUT',
        path: '/apis/coordination.k8s.io/v1/namespaces/ns/leases/lease',
        timeout: 5,
        body: {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { resourceVersion: '7', labels: { a: 'b' }, ...NAME },
          spec: { ...SPEC, strategy: 'OldestEmulationVersion' },
          theirs: 'too',
        },
      },
    ]);
  });

  test.each<[string, Lease | undefined, number, boolean]>([
    ['it was changed', {}, 409, true],
    ['it was created meanwhile', undefined, 409, true],
    ['it was created meanwhile, so a version is missing', undefined, 422, true],
    ['it was deleted meanwhile', {}, 404, true],
    ['the namespace does not exist', undefined, 404, false],
    ['the object is invalid', {}, 422, false],
    ['it is not allowed', {}, 403, false],
  ])('%s: %o, %d: another client was quicker: %s', async (_, before, code, isQuicker) => {
    const written = writeLease(failing(code), NAME, before, SPEC, 1, signal);
    if (isQuicker) expect(await written).toBeUndefined();
    else await expect(written).rejects.toThrow('no');
  });

  test('a failure without a status is thrown', async () => {
    const { kube } = answering(() => {
      throw Object.assign(new Error('cut off'), { code: 409 });
    });
    await expect(writeLease(kube, NAME, undefined, SPEC, 1, signal)).rejects.toThrow('cut off');
  });
});

describe('messages about a Lease that cannot be held', () => {
  const said = (doing: 'hold' | 'watch', error: unknown): string =>
    leaseFailure(doing, NAME, error, 'https://api:6443').message;

  test('the missing permission', () => {
    expect(said('hold', new ApiStatusError(403, 'no'))).toBe(
      'cannot hold Lease ns/lease: no; grant "get", "create" and "update" on leases.coordination.k8s.io "lease" in namespace ns with a Role',
    );
    expect(said('watch', new ApiStatusError(403, 'no'))).toContain('grant "list" and "watch" on');
  });
  test('the missing namespace', () => {
    expect(said('hold', new ApiStatusError(404, 'gone'))).toBe(
      'cannot hold Lease ns/lease: gone; create the namespace ns, or choose another',
    );
  });
  test('other errors as for any request', () => {
    expect(said('hold', new ApiStatusError(500, 'broken'))).not.toMatch(/grant|create the namespace/);
    expect(said('hold', Object.assign(new Error('cut off'), { code: 'ECONNRESET' }))).not.toContain('grant');
  });
});
