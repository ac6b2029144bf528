import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateLimiter } from './rate-limit.ts';

const ok = (remaining: number) => ({ allowed: true, remaining, retryAfterSeconds: 0 });
const later = (retryAfterSeconds: number) => ({ allowed: false, remaining: 0, retryAfterSeconds });

describe('the result of each request in a series, by its time in milliseconds', () => {
  test.for([
    ['a burst at once', 1, 3, [0, 0, 0, 0], [ok(2), ok(1), ok(0), later(1)]],
    [
      'one token is added per second',
      1,
      2,
      [0, 0, 999, 1_000, 1_000],
      [ok(1), ok(0), later(1), ok(0), later(1)],
    ],
    ['never more than the burst', 10, 2, [0, 0, 1e9, 1e9, 1e9], [ok(1), ok(0), ok(1), ok(0), later(1)]],
    [
      'a slow rate returns the time to wait',
      0.1,
      1,
      [0, 0, 5_000, 9_999, 10_000],
      [ok(0), later(10), later(5), later(1), ok(0)],
    ],
    [
      'a rejection takes no token',
      1,
      1,
      [0, 0, 500, 900, 1_000],
      [ok(0), later(1), later(1), later(1), ok(0)],
    ],
    [
      'parts of a request are kept',
      100,
      2,
      [0, 0, 5, 10, 15, 20],
      [ok(1), ok(0), later(1), ok(0), later(1), ok(0)],
    ],
  ] as const)('%s', ([, rate, burst, times, answers]) => {
    let time = 0;
    const limiter = new RateLimiter({ rate, burst, clients: 10, now: () => time });
    const given = times.map((at) => {
      time = at;
      return limiter.take('a');
    });
    expect(given).toEqual(answers);
  });
});

test('each client has its own, and the one that was seen last longest ago is forgotten', () => {
  const limiter = new RateLimiter({ rate: 1, burst: 1, clients: 2, now: () => 0 });
  const taken = ['a', 'b', 'a', 'c', 'a', 'b'].map((client) => limiter.take(client).allowed);
  expect(taken).toEqual([true, true, false, true, false, true]);
});

test('over any time, no more than the burst and the rate allow', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 500, noNaN: true }), { maxLength: 300 }),
      fc.double({ min: 0.1, max: 200, noNaN: true }),
      fc.integer({ min: 1, max: 50 }),
      (pauses, rate, burst) => {
        let time = 0;
        const limiter = new RateLimiter({ rate, burst, clients: 1, now: () => time });
        let allowed = 0;
        for (const pause of pauses) {
          time += pause;
          if (limiter.take('a').allowed) allowed += 1;
        }
        expect(allowed).toBeLessThanOrEqual(burst + (time * rate) / 1000 + 1e-6);
      },
    ),
  );
});
