import { describe, expect, test } from 'vitest';
import { kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { reviewServer } from '../../test/fixtures/unit/review-server.ts';
import { mayAccess, reviewAccess } from './access-reviews.ts';

const never = new AbortController().signal;
const caller = { username: 'ann', uid: '7', groups: ['team'], extra: { 'example.com/scope': ['a'] } };
const attributes = { nonResourceAttributes: { verb: 'get', path: '/metrics' } };

test.for([
  [
    { allowed: true, reason: 'RBAC: allowed' },
    { allowed: true, reason: 'RBAC: allowed' },
  ],
  [{ allowed: false }, { allowed: false, reason: '' }],
  [
    { allowed: false, denied: true, reason: 'no', evaluationError: 'no role' },
    { allowed: false, reason: 'no; no role' },
  ],
  [{ allowed: 'true' }, { allowed: false, reason: '' }],
  [{}, { allowed: false, reason: '' }],
] as const)('%j', async ([status, verdict]) => {
  const { kube, sent, asked } = await reviewServer(status);
  expect(await reviewAccess(kube, caller, attributes, never)).toEqual(verdict);
  expect(asked[0]?.path).toBe('/apis/authorization.k8s.io/v1/subjectaccessreviews');
  expect(sent).toEqual([
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: 'ann',
        uid: '7',
        groups: ['team'],
        extra: { 'example.com/scope': ['a'] },
        ...attributes,
      },
    },
  ]);
});

test('a response without a status counts as no response, and an error is thrown', async () => {
  const { kube } = await reviewServer(undefined);
  await expect(reviewAccess(kube, caller, attributes, never)).rejects.toThrow('has no status');
  const denied = await kubeServer((response) => refuse(response, 403, 'Forbidden'));
  await expect(reviewAccess(denied.kube, caller, attributes, never)).rejects.toMatchObject({ code: 403 });
});

describe('our own permission', () => {
  const access = {
    ...{ namespace: 'monitoring', name: 'tools-2', verb: 'patch', resource: 'configmaps' as const },
  };

  test.for([
    [{ allowed: true }, true],
    [{ allowed: false }, false],
    [undefined, false],
  ] as const)('%j', async ([status, allowed]) => {
    const { kube, sent } = await reviewServer(status);
    expect(await mayAccess(kube, access, never)).toBe(allowed);
    expect(sent).toMatchObject([{ kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: access } }]);
  });

  test('is missing if the API server denies the review; other failures are thrown', async () => {
    const { kube } = await kubeServer((response) => refuse(response, 403, 'Forbidden', 'no'));
    expect(await mayAccess(kube, access, never)).toBe(false);
    const failing = await kubeServer((response) => refuse(response, 401, 'Unauthorized', 'no'));
    await expect(mayAccess(failing.kube, access, never)).rejects.toThrow('Unauthorized');
  });
});
