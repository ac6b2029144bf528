import { expect, test } from 'vitest';
import { kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { reviewServer } from '../../test/fixtures/unit/review-server.ts';
import { reviewToken } from './token-reviews.ts';

const never = new AbortController().signal;
const user = { username: 'ann', uid: '7', groups: ['team'], extra: { 'example.com/scope': ['a'] } };

test.for([
  ['a user', { authenticated: true, user }, [], { authenticated: true, user }],
  [
    'a user with nothing but a name',
    { authenticated: true, user: { username: 'ann' } },
    [],
    { authenticated: true, user: { username: 'ann', uid: '', groups: [], extra: {} } },
  ],
  [
    'the right audience among others',
    { authenticated: true, user, audiences: ['x', 'toolset'] },
    ['other', 'toolset'],
    { authenticated: true, user },
  ],
  [
    'another audience',
    { authenticated: true, user, audiences: ['x'] },
    ['toolset'],
    { authenticated: false, why: 'the token is not meant for toolset' },
  ],
  [
    'a server that ignores audiences',
    { authenticated: true, user },
    ['toolset'],
    { authenticated: false, why: 'the token is not meant for toolset' },
  ],
  ['an error', { error: 'it is expired' }, [], { authenticated: false, why: 'it is expired' }],
  [
    'a user without a word of being authenticated',
    { user, audiences: ['toolset'] },
    ['toolset'],
    { authenticated: false, why: 'the token is not valid' },
  ],
  ['nothing', {}, [], { authenticated: false, why: 'the token is not valid' }],
] as const)('%s', async ([, status, audiences, verdict]) => {
  const { kube, sent, asked } = await reviewServer(status);
  expect(await reviewToken(kube, { token: 't', audiences }, never)).toEqual(verdict);
  expect(asked[0]?.path).toBe('/apis/authentication.k8s.io/v1/tokenreviews');
  expect(sent).toEqual([
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: audiences.length === 0 ? { token: 't' } : { token: 't', audiences },
    },
  ]);
});

test.for([
  ['no status', undefined, 'has no status'],
  ['a user without a name', { authenticated: true, user: {} }, 'names no user'],
] as const)('an answer with %s is no answer', async ([, status, message]) => {
  const { kube } = await reviewServer(status);
  await expect(reviewToken(kube, { token: 't', audiences: [] }, never)).rejects.toThrow(message);
});

test('an error is thrown, since it says nothing about the token', async () => {
  const { kube } = await kubeServer((response) => refuse(response, 403, 'Forbidden'));
  await expect(reviewToken(kube, { token: 't', audiences: [] }, never)).rejects.toMatchObject({ code: 403 });
});
