import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Caller, TokenVerdict } from '../model/caller.ts';
import { Authenticator, challenge } from './authentication.ts';
import type { CacheLimits } from './stale-while-revalidate-cache.ts';

const caller: Caller = { username: 'ann', uid: '7', groups: [], extra: {} };
const yes: TokenVerdict = { authenticated: true, user: caller };
const no: TokenVerdict = { authenticated: false, why: 'it is expired' };

/** A token that looks like a JWT and expires at a time in seconds. */
const jwt = (exp: unknown): string =>
  `e30.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.c2ln`;

function setting(review: (token: string) => TokenVerdict | Promise<TokenVerdict>, limits?: CacheLimits) {
  const clock = { time: 1_000_000 };
  const reviewed: string[] = [];
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const authenticator = new Authenticator({
    review: async (token, signal) => {
      reviewed.push(token);
      const { promise, reject } = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      return Promise.race([review(token), promise]);
    },
    now: () => clock.time,
    signal: stop.signal,
    ...(limits === undefined ? {} : { limits }),
  });
  return { authenticator, clock, reviewed, stop };
}

describe('the header', () => {
  test.for([
    [undefined, 'missing'],
    ['', 'missing'],
    ['Bearer', 'malformed'],
    ['Bearer ', 'malformed'],
    ['Basic YTpi', 'malformed'],
    ['Bearer a b', 'malformed'],
    ['Bearer a,b', 'malformed'],
    ['Bearer =', 'malformed'],
    ['Bearer a=b', 'malformed'],
    ['Bearer \u00e9', 'malformed'],
    ['Bearer a\u0000', 'malformed'],
    ['Bearer a\n', 'malformed'],
    ['xBearer a', 'malformed'],
    ['Bearer\ta', 'malformed'],
    [`Bearer ${'a'.repeat(16 * 1024)}`, 'malformed'],
    [`Bearer ${' '.repeat(100_000)}`, 'malformed'],
  ] as const)('%j is refused without asking: %s', async ([header, reason]) => {
    const { authenticator, reviewed } = setting(() => yes);
    expect(await authenticator.authenticate(header, '10.0.0.1')).toMatchObject({ kind: 'denied', reason });
    expect(reviewed).toEqual([]);
  });

  test.for([
    ['Bearer a', 'a'],
    ['bearer a', 'a'],
    ['BEARER   a', 'a'],
    [`Bearer ${'a'.repeat(16 * 1024 - 7)}`, 'a'.repeat(16 * 1024 - 7)],
    ['Bearer aA0-._~+/==', 'aA0-._~+/=='],
  ] as const)('%j is a token', async ([header, token]) => {
    const { authenticator, reviewed } = setting(() => yes);
    expect(await authenticator.authenticate(header, '10.0.0.1')).toEqual({ kind: 'caller', caller });
    expect(reviewed).toEqual([token]);
  });
});

describe('results are cached', () => {
  test.for([
    ['an accepted token, for ten seconds', 'token', () => yes, [0, 7_000], [10_000]],
    ['a rejected token, for ten seconds', 'token', () => no, [0, 7_000], [10_000]],
    ['an accepted token, not beyond its expiry', jwt(1_004), () => yes, [0, 2_800], [4_000]],
    ['a token that lasts longer, for ten seconds', jwt(2_000), () => yes, [0, 7_000], [10_000]],
    ['an expired token, not at all', jwt(1_000), () => yes, [], [0]],
    ['a token whose expiry is not a number, for ten seconds', jwt('1001'), () => yes, [7_000], [10_000]],
    [
      'a token of only two parts with an expiry, for ten seconds',
      jwt(1_000).replace('.c2ln', ''),
      () => yes,
      [7_000],
      [10_000],
    ],
    ['a token that only looks like a JWT, for ten seconds', 'a.b.c', () => yes, [7_000], [10_000]],
    ['not a result from a time when the clock was ahead', 'token', () => yes, [0], [-1]],
    ['a failed review, for a second', 'token', () => Promise.reject(new Error('away')), [0, 700], [1_000]],
  ] as const)('%s', async ([, token, review, held, over]) => {
    const { authenticator, clock, reviewed } = setting(review);
    const start = clock.time;
    const first = await authenticator.authenticate(`Bearer ${token}`, '10.0.0.1');
    for (const after of held) {
      clock.time = start + after;
      expect(await authenticator.authenticate(`Bearer ${token}`, '10.0.0.1')).toBe(first);
    }
    expect(reviewed).toHaveLength(1);
    for (const after of over) {
      clock.time = start + after;
      await authenticator.authenticate(`Bearer ${token}`, '10.0.0.1');
    }
    expect(reviewed).toHaveLength(2);
  });

  describe('and refreshed before they expire, without delay for callers', () => {
    /** A setting whose first review says yes, and whose later ones are answered by hand. */
    async function later() {
      const next: PromiseWithResolvers<TokenVerdict>[] = [];
      const made = setting(() => {
        if (made.reviewed.length === 1) return yes;
        const answer = Promise.withResolvers<TokenVerdict>();
        next.push(answer);
        return answer.promise;
      });
      const start = made.clock.time;
      const at = async (time: number) => {
        made.clock.time = start + time;
        const found = await made.authenticator.authenticate('Bearer token', '10.0.0.1');
        // A review begins in the next turn.
        await new Promise(setImmediate);
        return found;
      };
      await at(0);
      return { ...made, at, next };
    }

    test('one refresh at a time', async () => {
      const { at, next, reviewed } = await later();
      for (const time of [7_001, 7_002, 9_999]) expect(await at(time)).toMatchObject({ kind: 'caller' });
      expect(reviewed).toHaveLength(2);
      next[0]?.resolve(yes);
      await new Promise(setImmediate);
      expect(await at(16_000)).toMatchObject({ kind: 'caller' });
      expect(reviewed).toHaveLength(2);
    });

    test('a revoked token is rejected as soon as that is known', async () => {
      const { at, next } = await later();
      expect(await at(7_001)).toMatchObject({ kind: 'caller' });
      next[0]?.resolve(no);
      await new Promise(setImmediate);
      expect(await at(7_002)).toMatchObject({ kind: 'denied' });
    });

    test('a failed refresh changes nothing until the result expires', async () => {
      const { at, next, reviewed } = await later();
      expect(await at(7_001)).toMatchObject({ kind: 'caller' });
      next[0]?.reject(new Error('away'));
      await new Promise(setImmediate);
      expect(await at(7_002)).toMatchObject({ kind: 'caller' });
      expect(reviewed).toHaveLength(2);
      const asked = at(10_000);
      await new Promise(setImmediate);
      next[1]?.reject(new Error('away'));
      expect(await asked).toMatchObject({ kind: 'unavailable' });
    });

    test('and a result without a refresh expires in time', async () => {
      const { at, next } = await later();
      expect(await at(7_001)).toMatchObject({ kind: 'caller' });
      const asked = at(10_000);
      next[0]?.resolve(no);
      expect(await asked).toMatchObject({ kind: 'denied' });
    });
  });

  test('in a bounded number; the oldest are forgotten', async () => {
    const limits = { entries: 2, concurrency: 1, queued: 0, timeout: 10_000 };
    const { authenticator, reviewed } = setting(() => no, limits);
    for (const token of ['a', 'b', 'c', 'c', 'b', 'a'])
      await authenticator.authenticate(`Bearer ${token}`, '10.0.0.1');
    expect(reviewed).toEqual(['a', 'b', 'c', 'a']);
  });
});

test("the API server's message is one line of at most 300 characters", async () => {
  const { authenticator } = setting(() => ({ authenticated: false, why: 'x'.repeat(1_000) }));
  const answer = await authenticator.authenticate('Bearer token', '10.0.0.1');
  expect(answer.kind === 'denied' && answer.why.length).toBeLessThanOrEqual(300);
});

describe('concurrent requests', () => {
  test('100 requests with one token cause one review, those with 100 tokens cause 100', async () => {
    const { authenticator, reviewed } = setting((token) => (token === 'good' ? yes : no));
    const same = await Promise.all(
      Array.from({ length: 100 }, () => authenticator.authenticate('Bearer good', '10.0.0.1')),
    );
    expect(new Set(same.map(({ kind }) => kind))).toEqual(new Set(['caller']));
    expect(reviewed).toEqual(['good']);
    const others = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        authenticator.authenticate(`Bearer wrong-${index}`, '10.0.0.1'),
      ),
    );
    expect(new Set(others.map(({ kind }) => kind))).toEqual(new Set(['denied']));
    expect(reviewed).toHaveLength(101);
  });

  test('requests beyond the queue are rejected, and earlier ones are answered', async () => {
    const gate = Promise.withResolvers<TokenVerdict>();
    let now = 0;
    let most = 0;
    const review = async (): Promise<TokenVerdict> => {
      now += 1;
      most = Math.max(most, now);
      const verdict = await gate.promise;
      now -= 1;
      return verdict;
    };
    const limits = { entries: 10, concurrency: 2, queued: 3, timeout: 10_000 };
    const { authenticator } = setting(review, limits);
    const asked = [1, 2, 3, 4, 5].map((index) => authenticator.authenticate(`Bearer ${index}`, '10.0.0.1'));
    expect(await authenticator.authenticate('Bearer 6', '10.0.0.1')).toEqual({
      kind: 'unavailable',
      why: expect.stringContaining('too many'),
      retryAfter: 1,
    });
    gate.resolve(yes);
    expect(await Promise.all(asked)).toEqual(asked.map(() => ({ kind: 'caller', caller })));
    expect(most).toBe(2);
    expect(await authenticator.authenticate('Bearer 6', '10.0.0.1')).toEqual({ kind: 'caller', caller });
  });

  test('a client with many different tokens takes no review from others', async () => {
    const order: string[] = [];
    const gates: PromiseWithResolvers<TokenVerdict>[] = [];
    const review = (token: string): Promise<TokenVerdict> => {
      order.push(token);
      const gate = Promise.withResolvers<TokenVerdict>();
      gates.push(gate);
      return gate.promise;
    };
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const { authenticator } = setting(review, { entries: 100, concurrency: 1, queued: 3, timeout: 10_000 });
    const flood = Array.from({ length: 20 }, (_, index) =>
      authenticator.authenticate(`Bearer flood-${index}`, '10.0.0.6'),
    );
    await turn();
    const honest = authenticator.authenticate('Bearer honest', '10.0.0.1');
    for (let n = 0; n < 4; n++) {
      await turn();
      gates[n]?.resolve(yes);
    }
    expect(await honest).toEqual({ kind: 'caller', caller });
    expect(order.indexOf('honest')).toBe(1);
    expect((await Promise.all(flood)).filter(({ kind }) => kind === 'caller')).toHaveLength(3);
  });

  test('an API server that never responds delays nobody beyond the timeout', async () => {
    const limits = { entries: 10, concurrency: 1, queued: 5, timeout: 50 };
    const { authenticator } = setting(() => new Promise(() => {}), limits);
    const all = await Promise.all(
      [1, 2, 3].map((index) => authenticator.authenticate(`Bearer ${index}`, '10.0.0.1')),
    );
    expect(all.map(({ kind }) => kind)).toEqual(['unavailable', 'unavailable', 'unavailable']);
  });

  test('closing aborts running reviews', async () => {
    const { authenticator, stop } = setting(() => new Promise(() => {}));
    const waiting = authenticator.authenticate('Bearer a', '10.0.0.1');
    stop.abort();
    expect(await waiting).toMatchObject({ kind: 'unavailable' });
  });
});

describe('if no review is possible', () => {
  test.for([
    [{}, 1],
    [{ retryAfter: 1 }, 1],
    [{ retryAfter: 2_500 }, 3],
    [{ retryAfter: 1e9 }, 60],
    [{ retryAfter: Number.NaN }, 1],
    [{ code: 403 }, 1],
    [{ code: 401 }, 1],
  ] as const)(
    'an error with %j is no refusal and no permission; try again in %i s',
    async ([more, retryAfter]) => {
      const { authenticator } = setting(() => Promise.reject(Object.assign(new Error('away'), more)));
      expect(await authenticator.authenticate('Bearer a-token', '10.0.0.1')).toEqual({
        kind: 'unavailable',
        why: 'cannot have the token reviewed: away',
        retryAfter,
      });
    },
  );
});

test.for([
  ['a verdict', (token: string) => ({ authenticated: false, why: `no: "${token}"` }) as const],
  ['a long verdict', (token: string) => ({ authenticated: false, why: 'x'.repeat(290) + token }) as const],
  ['an error', (token: string) => Promise.reject(new Error(`cannot parse ${token}`))],
  ['a long error', (token: string) => Promise.reject(new Error('x'.repeat(290) + token))],
] as const)('no part of a token is in %s, nor in what is remembered', async ([, review]) => {
  const token = 'SECRET'.repeat(20);
  const { authenticator } = setting(review);
  const told = await authenticator.authenticate(`Bearer ${token}`, '10.0.0.1');
  expect(inspect(told)).not.toContain('SECRET');
  expect(inspect(authenticator, { depth: 10, showHidden: true })).not.toContain('SECRET');
});

test.for([
  ['missing', 'Bearer realm="dynamic-toolset"'],
  ['malformed', 'Bearer realm="dynamic-toolset", error="invalid_request"'],
  ['invalid', 'Bearer realm="dynamic-toolset", error="invalid_token"'],
] as const)('a token that is %s gets the challenge %s', ([reason, header]) => {
  expect(challenge({ kind: 'denied', why: '', reason })).toBe(header);
});
