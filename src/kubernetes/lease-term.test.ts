import { describe, expect, test } from 'vitest';
import {
  holderName,
  type Instant,
  msUntilExpired,
  msUntilRenewDeadline,
  type ObservedLease,
  observe,
} from './lease-term.ts';

const at = (monotonic: number, wall = monotonic): Instant => ({ monotonic, wall });
const spec = (holderIdentity: unknown, more: object = {}) => ({
  holderIdentity,
  leaseDurationSeconds: 15,
  renewTime: '2026-01-01T00:00:00.000000Z',
  ...more,
});
const RENEWED = { renewTime: '2026-01-01T00:00:02.000000Z' };

interface Case {
  readonly what: string;
  /** What was seen, each with its time. */
  readonly seen: readonly (readonly [unknown, number])[];
  readonly now: Instant;
  readonly takeable: number;
}

describe('when a Lease of another holder may be acquired', () => {
  test.for<Case>([
    { what: 'nobody ever held it', seen: [[undefined, 0]], now: at(0), takeable: 0 },
    { what: 'it was given up', seen: [[spec(''), 0]], now: at(0), takeable: 0 },
    { what: 'it is ours already', seen: [[spec('me'), 0]], now: at(0), takeable: 0 },
    { what: 'it was just seen', seen: [[spec('x'), 1_000]], now: at(1_000), takeable: 15_000 },
    { what: 'it was seen a while ago', seen: [[spec('x'), 0]], now: at(14_999), takeable: 1 },
    { what: 'it was not renewed', seen: [[spec('x'), 0]], now: at(15_000), takeable: 0 },
    {
      what: 'looking again at the same is no renewal',
      seen: [
        [spec('x'), 0],
        [spec('x'), 14_000],
      ],
      now: at(15_000),
      takeable: 0,
    },
    {
      what: 'it was renewed',
      seen: [
        [spec('x'), 0],
        [spec('x', RENEWED), 2_000],
      ],
      now: at(15_000),
      takeable: 2_000,
    },
    {
      what: 'its times are of a clock that is wrong',
      seen: [[spec('x', { renewTime: '1970-01-01T00:00:00.000000Z' }), 0]],
      now: at(100),
      takeable: 14_900,
    },
    {
      what: 'our own clock was set forward',
      seen: [[spec('x'), 0]],
      now: at(100, 3_600_000),
      takeable: 14_900,
    },
    {
      what: 'its holder asks for longer',
      seen: [[spec('x', { leaseDurationSeconds: 40 }), 0]],
      now: at(15_000),
      takeable: 25_000,
    },
    {
      what: 'it asks for a year',
      seen: [[spec('x', { leaseDurationSeconds: 31_536_000 }), 0]],
      now: at(0),
      takeable: 60_000,
    },
    {
      what: 'it asks for less than our own holders do',
      seen: [[spec('x', { leaseDurationSeconds: -1 }), 0]],
      now: at(0),
      takeable: 15_000,
    },
    {
      what: 'it is nonsense',
      seen: [[{ holderIdentity: 7, leaseDurationSeconds: 'x' }, 0]],
      now: at(0),
      takeable: 0,
    },
  ])('$what', ({ seen, now, takeable }) => {
    let known: ObservedLease | undefined;
    for (const [what, time] of seen) known = observe(what, known, at(time));
    expect(known && msUntilExpired(known, 'me', now)).toBe(takeable);
  });
});

describe('how long the holder may write', () => {
  test.for<{ what: string; renewed: Instant; now: Instant; left: number }>([
    { what: 'right after a renewal', renewed: at(500), now: at(500), left: 10_000 },
    { what: 'a while after it', renewed: at(0), now: at(9_999), left: 1 },
    { what: 'at the deadline', renewed: at(0), now: at(10_000), left: 0 },
    { what: 'after it was stopped for long', renewed: at(0), now: at(20_000), left: 0 },
    { what: 'after the machine slept', renewed: at(0), now: at(10, 60_000), left: 0 },
    { what: 'when its clock was set back', renewed: at(0), now: at(4_000, -3_600_000), left: 6_000 },
  ])('$what: $left ms', ({ renewed, now, left }) => {
    expect(msUntilRenewDeadline(renewed, now)).toBe(left);
  });

  test('it stops before another may start, even if that one saw the renewal as soon as it was sent', () => {
    const renewed = at(0);
    const seen = observe(spec('x'), undefined, renewed);
    for (let time = 0; time < 30_000; time += 250)
      expect(msUntilRenewDeadline(renewed, at(time)) > 0 && msUntilExpired(seen, 'me', at(time)) === 0).toBe(
        false,
      );
  });
});

test("a holder's name is one short line", () => {
  expect(holderName(`pod-1\n{"level":"error"}\u202e${'x'.repeat(1_000)}`)).toMatch(
    /^pod-1 \{[^\n\u202e]{80,118}…$/,
  );
  expect(holderName('')).toBe('nobody');
});

test('an invalid number in a Lease counts as none', () => {
  const seen = observe(
    { holderIdentity: 'x', leaseDurationSeconds: '90', leaseTransitions: '7' },
    undefined,
    at(0),
  );
  expect(seen).toMatchObject({ transitions: 0, duration: 15_000 });
  expect(observe(spec('x', { leaseTransitions: 7 }), undefined, at(0)).transitions).toBe(7);
});
