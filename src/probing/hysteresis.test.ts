import { describe, expect, test } from 'vitest';
import type { Verdict } from '../model/discovery.ts';
import { invalidatedState, needsRetry, nextProbeState, type ProbeState } from './hysteresis.ts';

const REFRESH = 300_000;
const answered = (health: Verdict['health'], more: Partial<Verdict> = {}): Verdict => ({
  health,
  authRequired: false,
  proof: 'proven',
  reason: `it is ${health}`,
  steps: [{ asked: 'GET /', answered: health }],
  ...more,
});
const GOOD = answered('healthy');
const BAD = answered('unhealthy');
const UNKNOWN = answered('unknown');
const NOT_READY = answered('unhealthy', { fault: 'not_ready', steps: [] });
const NO_NAME = answered('unhealthy', { fault: 'resolution', steps: [] });

/** What is remembered after verdicts, each with the seconds at which it came; chance is in the middle. */
function stateAfter(...verdicts: readonly (readonly [seconds: number, verdict: Verdict])[]): ProbeState {
  const options = { refreshInterval: REFRESH, random: () => 0.5 };
  let state: ProbeState | undefined;
  for (const [seconds, verdict] of verdicts)
    state = nextProbeState(state, 'x', verdict, seconds * 1_000, options);
  if (state === undefined) throw new Error('no verdict');
  return state;
}

describe('unhealthy', () => {
  test.each<[string, (readonly [number, Verdict])[], Verdict['health']]>([
    [
      'three failures over half a minute',
      [
        [10, BAD],
        [20, BAD],
        [40, BAD],
      ],
      'unhealthy',
    ],
    [
      'a second less',
      [
        [10, BAD],
        [20, BAD],
        [39, BAD],
      ],
      'healthy',
    ],
    [
      'two failures, however long apart',
      [
        [10, BAD],
        [1_000, BAD],
      ],
      'healthy',
    ],
    [
      'failures of two kinds do not add up',
      [
        [10, BAD],
        [20, NOT_READY],
        [40, BAD],
      ],
      'healthy',
    ],
    [
      'of one name and of its Pods neither',
      [
        [10, NO_NAME],
        [20, NOT_READY],
        [40, NO_NAME],
      ],
      'healthy',
    ],
    [
      'three of one kind among others',
      [
        [10, BAD],
        [20, NOT_READY],
        [30, BAD],
        [40, BAD],
      ],
      'unhealthy',
    ],
    [
      'an unknown result is not a failure',
      [
        [10, BAD],
        [20, UNKNOWN],
        [30, UNKNOWN],
        [40, UNKNOWN],
      ],
      'healthy',
    ],
    [
      'nor a success',
      [
        [10, BAD],
        [20, UNKNOWN],
        [30, BAD],
        [40, UNKNOWN],
        [50, BAD],
      ],
      'unhealthy',
    ],
  ])('%s', (_, verdicts, health) => {
    expect(stateAfter([0, GOOD], ...verdicts).reportedVerdict.health).toBe(health);
  });

  test('a contradicted type counts as a failure, even if healthy', () => {
    const other = answered('healthy', { proof: 'contradicted' });
    expect(stateAfter([0, GOOD], [10, other]).reportedVerdict).toMatchObject({ proof: 'proven' });
    expect(stateAfter([0, GOOD], [10, other], [20, other], [40, other]).reportedVerdict).toBe(other);
    expect(stateAfter([0, other]).reportedVerdict).toBe(other);
  });

  test('while the tool is kept, its reason counts the failures of that kind', () => {
    expect(stateAfter([0, GOOD], [10, BAD], [20, NOT_READY], [25, BAD]).reportedVerdict.reason).toBe(
      'kept for now, failure 2 in a row: it is unhealthy',
    );
    expect(stateAfter([0, GOOD], [10, UNKNOWN]).reportedVerdict).toBe(GOOD);
  });

  test('a backend that was never healthy gets its actual verdict', () => {
    expect(stateAfter([0, BAD], [10, UNKNOWN]).reportedVerdict).toBe(UNKNOWN);
    expect(stateAfter([0, BAD], [10, NOT_READY]).reportedVerdict).toBe(NOT_READY);
  });
});

describe('the next probe, in seconds', () => {
  const READY: (state: ProbeState) => ProbeState = (state) => invalidatedState(state, true, 0);
  test.each<[string, ProbeState, number]>([
    ['a healthy one after the refresh', stateAfter([0, GOOD]), 300],
    ['one that fails and is kept', stateAfter([0, GOOD], [0, BAD]), 15],
    ['the same the second time', stateAfter([0, GOOD], [0, BAD], [0, BAD]), 15],
    ['one that is not well', stateAfter([0, BAD]), 15],
    ['the second time', stateAfter([0, BAD], [0, BAD]), 30],
    ['the third time', stateAfter([0, BAD], [0, BAD], [0, BAD]), 60],
    ['never later than the refresh', stateAfter(...Array.from({ length: 9 }, () => [0, BAD] as const)), 300],
    [
      'one whose Pods are not ready, as often as ever',
      stateAfter([0, NOT_READY], [0, NOT_READY], [0, NOT_READY]),
      15,
    ],
    ['one of which nothing is known', stateAfter([0, UNKNOWN], [0, UNKNOWN]), 30],
    [
      'nor while a fault of ours keeps it so: as often as ever',
      stateAfter(
        [0, answered('unknown', { fault: 'timeout' })],
        [0, answered('unknown', { fault: 'timeout' })],
      ),
      15,
    ],
    ['a good one of which nothing is known backs off', stateAfter([0, GOOD], [0, UNKNOWN], [0, UNKNOWN]), 30],
  ])('%s', (_, state, seconds) => {
    expect(state.due).toBe(seconds * 1_000);
  });

  test('up to a tenth earlier or later, by jitter', () => {
    const due = (random: number, verdict: Verdict) =>
      nextProbeState(undefined, 'x', verdict, 0, { refreshInterval: REFRESH, random: () => random }).due;
    expect([due(0, GOOD), due(1, GOOD)]).toEqual([270_000, 330_000]);
    expect([due(0, BAD), due(1, BAD)]).toEqual([13_500, 16_500]);
    expect([due(0, NOT_READY), due(1, NOT_READY)]).toEqual([13_500, 16_500]);
  });

  test('soon after a Pod became ready, four times, then as usual', () => {
    const options = { refreshInterval: REFRESH, random: () => 0 };
    let state = READY(stateAfter([0, BAD], [0, BAD]));
    expect(state.due).toBe(0);
    const pauses = Array.from({ length: 6 }, () => {
      state = nextProbeState(state, 'x', BAD, 0, options);
      return Math.round(state.due);
    });
    expect(pauses).toEqual([900, 1_800, 3_600, 7_200, 13_500, 27_000]);
    // A Pod that is not ready any more ends that.
    const gone = nextProbeState(READY(stateAfter([0, BAD])), 'x', NOT_READY, 0, options);
    expect(nextProbeState(gone, 'x', BAD, 0, options).due).toBe(13_500);
  });
});

describe('changes of its Pods', () => {
  const failing = stateAfter([0, GOOD], [10, NOT_READY], [20, BAD], [30, BAD]);

  test('make it due, and change nothing else unless one became ready', () => {
    expect(invalidatedState(failing, false, 40_000)).toEqual({ ...failing, due: 40_000 });
  });

  test('a Pod that became ready resets failures of readiness, and the backoff', () => {
    expect(invalidatedState(failing, true, 40_000)).toEqual({
      ...failing,
      failures: { backend: { count: 2, since: 20_000 } },
      attempts: 0,
      early: 0,
      due: 40_000,
    });
  });
});

test.each<[string, ProbeState, boolean]>([
  ['well', stateAfter([0, GOOD]), false],
  ['not well', stateAfter([0, NOT_READY]), true],
  ['contradicted', stateAfter([0, answered('healthy', { proof: 'contradicted' })]), true],
  ['kept for now', stateAfter([0, GOOD], [10, NOT_READY]), true],
  ['kept, with unknown health', stateAfter([0, GOOD], [10, UNKNOWN]), true],
  ['unknown from the beginning', stateAfter([0, UNKNOWN]), true],
  ['unknown, and not probed since', { ...stateAfter([0, UNKNOWN]), attempts: 0 }, true],
])('whether an early probe is worthwhile: %s', (_, state, expected) => {
  expect(needsRetry(state)).toBe(expected);
});

describe('whether a backend requires a tenant', () => {
  const REQUIRED = answered('healthy', { tenantRequired: true });
  const OPEN = answered('healthy', { tenantRequired: false });

  test.each<[string, ProbeState, boolean | undefined]>([
    ['is what the last probe told', stateAfter([0, REQUIRED], [10, OPEN]), false],
    ['is kept if a probe does not tell', stateAfter([0, REQUIRED], [10, GOOD]), true],
    ['is kept during failures', stateAfter([0, REQUIRED], [10, BAD], [20, GOOD]), true],
    ['is unknown at first', stateAfter([0, GOOD]), undefined],
    [
      'is forgotten if it proves to be something else',
      stateAfter([0, REQUIRED], [10, answered('healthy', { provenAs: 'other' })]),
      undefined,
    ],
  ])('%s', (_, { reportedVerdict }, expected) => {
    expect(reportedVerdict.tenantRequired).toBe(expected);
  });
});

test('an unchanged list of tools is held once, and a changed one counts', () => {
  const listing = (digest: string) =>
    answered('healthy', { tools: [{ name: 'read', readOnly: true, digest, characters: 9 }] });
  const first = listing('a');
  expect(stateAfter([0, first], [10, listing('a')]).reportedVerdict.tools).toBe(first.tools);
  const changed = listing('b');
  expect(stateAfter([0, first], [10, changed]).reportedVerdict.tools).toBe(changed.tools);
});
