import { describe, expect, onTestFinished, test } from 'vitest';
import type { AccessAttributes, AccessVerdict, Caller } from '../model/caller.ts';
import { Authorizer } from './authorization.ts';
import type { CacheLimits } from './stale-while-revalidate-cache.ts';

const ann: Caller = { username: 'ann', uid: '7', groups: ['a', 'b'], extra: {} };
const read: AccessAttributes = { nonResourceAttributes: { verb: 'get', path: '/metrics' } };
const yes: AccessVerdict = { allowed: true, reason: 'RBAC' };
const no: AccessVerdict = { allowed: false, reason: 'no role\nallows it' };

function setting(review: () => AccessVerdict | Promise<AccessVerdict>, limits?: CacheLimits) {
  const clock = { time: 1_000_000 };
  const count = { reviews: 0 };
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const authorizer = new Authorizer({
    review: async () => {
      count.reviews += 1;
      return review();
    },
    now: () => clock.time,
    signal: stop.signal,
    ...(limits && { limits }),
  });
  return { authorizer, clock, count, stop };
}

test.for([
  ['allowed', () => yes, { kind: 'allowed' }, 10_000],
  ['forbidden', () => no, { kind: 'forbidden', reason: 'no role allows it' }, 10_000],
  [
    'unavailable',
    () => Promise.reject(Object.assign(new Error('away'), { retryAfter: 2_000 })),
    { kind: 'unavailable', why: 'cannot have the access reviewed: away', retryAfter: 2 },
    1_000,
  ],
] as const)('%s, and remembered', async ([, review, answer, holds]) => {
  const { authorizer, clock, count } = setting(review);
  expect(await authorizer.authorize(ann, read)).toEqual(answer);
  clock.time += holds * 0.7;
  expect(await authorizer.authorize({ ...ann }, read)).toEqual(answer);
  expect(count.reviews).toBe(1);
  clock.time += holds * 0.3;
  expect(await authorizer.authorize(ann, read)).toEqual(answer);
  expect(count.reviews).toBe(2);
});

describe('a result applies to one caller only', () => {
  test.for([
    ['another name', { ...ann, username: 'bob' }, read],
    ['a recreated account', { ...ann, uid: '8' }, read],
    ['other groups', { ...ann, groups: ['a'] }, read],
    ['groups that read the same', { ...ann, groups: ['a,b'] }, read],
    ['something extra', { ...ann, extra: { scope: ['x'] } }, read],
    ['another verb', ann, { nonResourceAttributes: { verb: 'post', path: '/metrics' } }],
    ['another path', ann, { nonResourceAttributes: { verb: 'get', path: '/' } }],
    ['a resource', ann, { resourceAttributes: { verb: 'get', group: '', resource: 'services' } }],
  ] as const)('%s', async ([, caller, attributes]) => {
    const { authorizer, count } = setting(() => yes);
    await authorizer.authorize(ann, read);
    await authorizer.authorize(caller, attributes);
    expect(count.reviews).toBe(2);
  });
});

test('concurrent equal questions cause one review', async () => {
  const { authorizer, count } = setting(() => yes);
  const all = await Promise.all(Array.from({ length: 100 }, () => authorizer.authorize(ann, read)));
  expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(['allowed']));
  expect(count.reviews).toBe(1);
});

test('beyond the limit of reviews, callers are neither rejected nor admitted', async () => {
  const limits = { entries: 10, concurrency: 1, queued: 0, timeout: 10_000 };
  const { promise, resolve } = Promise.withResolvers<AccessVerdict>();
  const { authorizer, count } = setting(() => promise, limits);
  const first = authorizer.authorize(ann, read);
  const second = await authorizer.authorize({ ...ann, uid: '8' }, read);
  expect(second).toMatchObject({ kind: 'unavailable', retryAfter: 1 });
  resolve(yes);
  expect(await first).toEqual({ kind: 'allowed' });
  expect(count.reviews).toBe(1);
});

test('after the end nothing is reviewed', async () => {
  const { authorizer, count, stop } = setting(() => yes);
  stop.abort(new Error('stopped'));
  expect(await authorizer.authorize(ann, read)).toMatchObject({ kind: 'unavailable' });
  expect(count.reviews).toBe(0);
});

test("the API server's reason is one line of at most 300 characters", async () => {
  const { authorizer } = setting(() => ({ allowed: false, reason: 'x'.repeat(1_000) }));
  const answer = await authorizer.authorize(ann, read);
  expect(answer.kind === 'forbidden' && answer.reason.length).toBeLessThanOrEqual(300);
});
