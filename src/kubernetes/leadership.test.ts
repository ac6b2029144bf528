import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { KubeClient, KubeRequest } from './connection.ts';
import { type LeadershipEvent, leadership } from './leadership.ts';
import { type Instant, LEASE_TIMING } from './lease-term.ts';
import { ApiStatusError } from './status.ts';

// Fake timers do not reach the module, so it sleeps by the global ones.
vi.mock('node:timers/promises', () => ({
  setTimeout: (milliseconds: number, value: unknown, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(new Error('aborted'));
        return;
      }
      const timer = setTimeout(() => resolve(value), milliseconds);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(new Error('aborted'));
      });
    }),
}));

interface StoredLease {
  metadata: { resourceVersion: string };
  spec: {
    holderIdentity: string;
    leaseDurationSeconds: number;
    leaseTransitions?: number;
    acquireTime?: string;
    renewTime?: string;
  };
}

/** An API server that has one Lease, in memory. */
function server() {
  const state = {
    lease: undefined as StoredLease | undefined,
    /** Refuses or delays a request: what it throws is thrown. */
    before: async (_request: KubeRequest, _signal: AbortSignal): Promise<void> => {},
    /** The same for an answer that is on its way back. */
    after: async (_: KubeRequest): Promise<void> => {},
    writes: 0,
    /** What a watch waits for when it is ended. */
    watchEnds: async (): Promise<void> => {},
    /** All that was asked of the Lease itself. */
    asked: [] as KubeRequest[],
    /** Sends an event to who watches. */
    emit: (_: StoredLease): void => {},
    /** Breaks the watch. */
    cut: (_: Error): void => {},
  };
  const kube = {
    server: 'the server',
    async request(request: KubeRequest, signal: AbortSignal) {
      if (request.path.includes('fieldSelector') || request.path.endsWith('/leases'))
        return { metadata: { resourceVersion: '1' }, items: [] };
      state.asked.push(request);
      await state.before(request, signal);
      const answer = answerTo(request);
      await state.after(request);
      return answer;
    },
    async stream(_: unknown, signal: AbortSignal) {
      return (async function* () {
        for (;;) {
          const next = Promise.withResolvers<StoredLease | undefined>();
          state.emit = next.resolve;
          state.cut = next.reject;
          signal.addEventListener('abort', () => next.resolve(undefined));
          const lease = await next.promise;
          if (lease === undefined) return await state.watchEnds();
          yield {
            type: 'MODIFIED',
            object: { ...lease, metadata: { ...lease.metadata, namespace: 'ns', name: 'lease' } },
          };
        }
      })();
    },
  } as unknown as KubeClient;
  const answerTo = (request: KubeRequest): unknown => {
    if (request.method !== 'PUT') {
      if (state.lease === undefined) throw new ApiStatusError(404, 'no such Lease');
      return structuredClone(state.lease);
    }
    const body = structuredClone(request.body) as StoredLease;
    if (body.metadata.resourceVersion !== state.lease?.metadata.resourceVersion)
      throw new ApiStatusError(409, 'another state');
    state.writes++;
    state.lease = { ...body, metadata: { ...body.metadata, resourceVersion: `v${state.writes}` } };
    return structuredClone(state.lease);
  };
  /** Another process takes the Lease. */
  const taken = (holderIdentity: string): void => {
    state.lease = {
      metadata: { resourceVersion: 'theirs' },
      spec: { holderIdentity, leaseDurationSeconds: 15 },
    };
  };
  return { kube, state, taken };
}

const RETRY = LEASE_TIMING.retryPeriod * 1.1;
let stop: AbortController;
let ended: Promise<void>;

function candidate({ kube }: ReturnType<typeof server>, identity = 'me', now?: () => Instant) {
  stop = new AbortController();
  const events: LeadershipEvent[] = [];
  const changes: boolean[] = [];
  const election = leadership(kube, {
    lease: { namespace: 'ns', name: 'lease' },
    identity,
    emit: (event) => events.push(event),
    ...(now === undefined ? {} : { now }),
  });
  ended = election.run((leading) => changes.push(leading), stop.signal);
  return { election, events, changes };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(async () => {
  stop.abort();
  await vi.advanceTimersByTimeAsync(30_000);
  await ended;
  vi.useRealTimers();
});

test('a free Lease is acquired, and renewed while the process runs', async () => {
  const cluster = server();
  const { election, changes } = candidate(cluster);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(election.leading).toBe(true);
  expect(changes).toEqual([true]);
  expect(cluster.state.writes).toBeGreaterThan(20);
  // One read, and no request but renewals after that.
  expect(cluster.state.asked).toHaveLength(cluster.state.writes + 1);
  expect(cluster.state.writes).toBeLessThan(40);
});

test('if another holder took the Lease, it stops leading, and writes in progress are aborted', async () => {
  const cluster = server();
  const { election, events, changes } = candidate(cluster);
  await vi.advanceTimersByTimeAsync(1_000);
  const { term } = election;
  cluster.taken('other_1');
  await vi.advanceTimersByTimeAsync(RETRY);
  expect(election.leading).toBe(false);
  expect(term.aborted).toBe(true);
  expect(changes).toEqual([true, false]);
  expect(events).toContainEqual({ kind: 'lost', why: expect.stringContaining('took the Lease') });
  // The other one's Lease is not written.
  expect(cluster.state.lease?.spec.holderIdentity).toBe('other_1');
});

test('if the Lease was deleted, it stops leading, and may acquire it again', async () => {
  const cluster = server();
  const { events } = candidate(cluster);
  await vi.advanceTimersByTimeAsync(1_000);
  cluster.state.lease = undefined;
  await vi.advanceTimersByTimeAsync(RETRY);
  expect(events).toContainEqual({ kind: 'lost', why: expect.stringContaining('was deleted') });
});

test('if others changed other fields, it continues to lead', async () => {
  const cluster = server();
  const { election, changes } = candidate(cluster);
  await vi.advanceTimersByTimeAsync(1_000);
  if (cluster.state.lease !== undefined) cluster.state.lease.metadata.resourceVersion = 'labelled';
  await vi.advanceTimersByTimeAsync(60_000);
  expect(election.leading).toBe(true);
  expect(changes).toEqual([true]);
});

describe('the Lease cannot be renewed', () => {
  test.each<[string, () => Promise<never>]>([
    ['the server refuses', () => Promise.reject(new ApiStatusError(500, 'broken'))],
    [
      'the server hangs',
      () => new Promise((_, reject) => setTimeout(() => reject(new Error('no answer in time')), 4_000)),
    ],
  ])(
    '%s: it leads until the deadline and not longer, and is notified at the deadline itself',
    async (_, fail) => {
      const cluster = server();
      const { election, events } = candidate(cluster);
      await vi.advanceTimersByTimeAsync(0);
      const { term } = election;
      cluster.state.before = fail;
      await vi.advanceTimersByTimeAsync(LEASE_TIMING.renewDeadline - 100);
      expect([election.leading, term.aborted]).toEqual([true, false]);
      await vi.advanceTimersByTimeAsync(200);
      expect([election.leading, term.aborted]).toEqual([false, true]);
      expect(events.filter(({ kind }) => kind === 'lost')).toHaveLength(1);
      cluster.state.before = async () => {};
    },
  );
});

test('a Lease of another holder is acquired once it has not been renewed for its duration', async () => {
  const cluster = server();
  cluster.taken('other_1');
  const { election, events } = candidate(cluster);
  await vi.advanceTimersByTimeAsync(LEASE_TIMING.leaseDuration - 200);
  expect(election.leading).toBe(false);
  expect(events).toEqual([{ kind: 'following', holder: expect.any(String) }]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(election.leading).toBe(true);
});

describe('at shutdown', () => {
  test('the Lease is released', async () => {
    const cluster = server();
    candidate(cluster);
    await vi.advanceTimersByTimeAsync(1_000);
    stop.abort();
    await vi.advanceTimersByTimeAsync(10);
    expect(cluster.state.lease?.spec.holderIdentity).toBe('');
  });
  test('a Lease with another holder by then is left alone', async () => {
    const cluster = server();
    candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    cluster.taken('other_1');
    cluster.state.asked.length = 0;
    stop.abort();
    await vi.advanceTimersByTimeAsync(10);
    expect(cluster.state.lease?.spec.holderIdentity).toBe('other_1');
    expect(cluster.state.asked).toHaveLength(1);
  });
});

const kinds = (events: readonly LeadershipEvent[]): string[] => events.map(({ kind }) => kind);
const broken = async (): Promise<never> => {
  throw new ApiStatusError(500, 'broken');
};
const denied = async (): Promise<never> => {
  throw new ApiStatusError(403, 'no');
};

describe('the content of the Lease', () => {
  test('a new Lease starts without transitions; each renewal keeps the acquire time', async () => {
    const cluster = server();
    const { election } = candidate(cluster);
    expect([election.leading, election.term.aborted]).toEqual([false, true]);
    await vi.advanceTimersByTimeAsync(10);
    const first = cluster.state.lease?.spec;
    expect(first).toMatchObject({ holderIdentity: 'me', leaseDurationSeconds: 15, leaseTransitions: 0 });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(cluster.state.lease?.spec).toMatchObject({ leaseTransitions: 0, acquireTime: first?.acquireTime });
    expect(cluster.state.lease?.spec.renewTime).not.toBe(first?.renewTime);
  });

  test('a Lease that was taken over has one more transition', async () => {
    const cluster = server();
    cluster.taken('');
    if (cluster.state.lease !== undefined) cluster.state.lease.spec.leaseTransitions = 3;
    candidate(cluster);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(cluster.state.lease?.spec).toMatchObject({ holderIdentity: 'me', leaseTransitions: 4 });
  });

  test('a request that hangs leaves time for another one before the deadline', async () => {
    const cluster = server();
    candidate(cluster);
    await vi.advanceTimersByTimeAsync(3_000);
    for (const { timeout = Number.POSITIVE_INFINITY } of cluster.state.asked)
      expect(2 * timeout).toBeLessThan(LEASE_TIMING.renewDeadline);
  });
});

describe('clocks', () => {
  const clock = (): { now: Instant } => ({ now: { monotonic: 0, wall: 0 } });

  test.each<[number, boolean]>([
    [LEASE_TIMING.renewDeadline - 1, true],
    [LEASE_TIMING.renewDeadline, false],
  ])('%d ms after a renewal was sent it leads: %s', async (gone, expected) => {
    const time = clock();
    const { election } = candidate(server(), 'me', () => time.now);
    await vi.advanceTimersByTimeAsync(0);
    time.now = { monotonic: gone, wall: 0 };
    expect(election.leading).toBe(expected);
  });

  test('a machine that slept has lost leadership, even without a timer, and may acquire it again', async () => {
    const time = clock();
    const { events, changes } = candidate(server(), 'me', () => time.now);
    await vi.advanceTimersByTimeAsync(0);
    time.now = { monotonic: 1_000, wall: 3_600_000 };
    await vi.advanceTimersByTimeAsync(RETRY);
    expect(kinds(events)).toEqual(['leading', 'lost', 'leading']);
    expect(changes).toEqual([true, false, true]);
  });
});

describe('the polling interval', () => {
  test('is long without permissions, which is reported once', async () => {
    const cluster = server();
    cluster.state.before = denied;
    const { events } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(cluster.state.asked.length).toBeGreaterThanOrEqual(3);
    expect(cluster.state.asked.length).toBeLessThanOrEqual(5);
    expect(events).toMatchObject([{ kind: 'failed', doing: 'hold' }]);
    cluster.state.before = async () => {};
  });

  test.each([
    [0, 7_500],
    [1, 10_000],
  ])('is ten seconds without permissions, or up to a quarter less: %d', async (random, expected) => {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    const cluster = server();
    cluster.state.before = denied;
    candidate(cluster);
    await vi.advanceTimersByTimeAsync(expected - 100);
    expect(cluster.state.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(cluster.state.asked).toHaveLength(2);
    cluster.state.before = async () => {};
    vi.restoreAllMocks();
  });

  test('does not shrink if the Lease could be acquired and the server does not respond', async () => {
    const cluster = server();
    cluster.taken('other_1');
    candidate(cluster);
    await vi.advanceTimersByTimeAsync(100);
    cluster.state.before = broken;
    await vi.advanceTimersByTimeAsync(LEASE_TIMING.leaseDuration + 1_000);
    cluster.state.asked.length = 0;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(cluster.state.asked.length).toBeGreaterThanOrEqual(8);
    expect(cluster.state.asked.length).toBeLessThanOrEqual(14);
    cluster.state.before = async () => {};
  });

  test('is normal after other failures; each new one is reported', async () => {
    const cluster = server();
    cluster.taken('other_1');
    cluster.state.before = broken;
    const { events } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(cluster.state.asked.length).toBeGreaterThanOrEqual(9);
    expect(cluster.state.asked.length).toBeLessThanOrEqual(14);
    expect(kinds(events)).toEqual(['failed']);
    cluster.state.before = async () => {};
    await vi.advanceTimersByTimeAsync(RETRY);
    cluster.state.before = broken;
    await vi.advanceTimersByTimeAsync(2 * RETRY);
    expect(kinds(events)).toEqual(['failed', 'following', 'failed']);
    cluster.state.before = denied;
    await vi.advanceTimersByTimeAsync(RETRY);
    expect(kinds(events)).toEqual(['failed', 'following', 'failed', 'failed']);
    cluster.state.before = async () => {};
  });

  test('a leader whose permissions fail for a moment keeps trying, and keeps leading', async () => {
    const cluster = server();
    const { events } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    cluster.state.before = denied;
    cluster.state.asked.length = 0;
    await vi.advanceTimersByTimeAsync(6_500);
    expect(cluster.state.asked.length).toBeGreaterThanOrEqual(2);
    cluster.state.before = async () => {};
    await vi.advanceTimersByTimeAsync(60_000);
    expect(kinds(events)).toEqual(['leading', 'failed']);
  });

  test("reads another holder's Lease a few times, and right when it expires", async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const cluster = server();
    cluster.taken('other_1');
    const { election } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(LEASE_TIMING.leaseDuration - 1);
    expect(cluster.state.asked.length).toBeGreaterThanOrEqual(7);
    expect(cluster.state.asked.length).toBeLessThanOrEqual(10);
    expect(election.leading).toBe(false);
    await vi.advanceTimersByTimeAsync(60);
    expect(election.leading).toBe(true);
    vi.restoreAllMocks();
  });

  test('is zero after the Lease was deleted, or changed by others', async () => {
    const cluster = server();
    const { events } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    cluster.state.lease = undefined;
    await vi.advanceTimersByTimeAsync(RETRY);
    expect(kinds(events)).toEqual(['leading', 'lost', 'leading']);
    const { writes } = cluster.state;
    if (cluster.state.lease !== undefined)
      (cluster.state.lease as StoredLease).metadata.resourceVersion = 'labelled';
    cluster.state.asked.length = 0;
    await vi.advanceTimersByTimeAsync(RETRY);
    // A write that is refused, a look, and a write in the state that was seen.
    expect(cluster.state.asked.slice(0, 3).map(({ method = 'GET' }) => method)).toEqual([
      'PUT',
      'GET',
      'PUT',
    ]);
    expect(cluster.state.writes).toBeGreaterThan(writes);
  });
});

describe('events of the watch', () => {
  const withHolder = (holderIdentity: string, renewTime: string): StoredLease => ({
    metadata: { resourceVersion: renewTime },
    spec: { holderIdentity, leaseDurationSeconds: 15, renewTime },
  });

  test('a released Lease is acquired at once; a renewal is only recorded', async () => {
    const cluster = server();
    cluster.taken('other_1');
    const { election } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(100);
    const looks = cluster.state.asked.length;
    for (let renewal = 0; renewal < 5; renewal++) {
      cluster.state.lease = withHolder('other_1', `v${renewal}`);
      cluster.state.emit(cluster.state.lease);
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(cluster.state.asked).toHaveLength(looks);
    cluster.state.lease = withHolder('', 'v9');
    cluster.state.emit(cluster.state.lease);
    await vi.advanceTimersByTimeAsync(10);
    expect(election.leading).toBe(true);
  });

  test('a renewal that is only seen by the watch counts', async () => {
    const cluster = server();
    cluster.taken('other_1');
    const { election } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(100);
    cluster.state.before = broken;
    await vi.advanceTimersByTimeAsync(10_000);
    cluster.state.lease = withHolder('other_1', 'v1');
    cluster.state.emit(cluster.state.lease);
    await vi.advanceTimersByTimeAsync(10);
    cluster.state.before = async () => {};
    await vi.advanceTimersByTimeAsync(10_000);
    expect(election.leading).toBe(false);
    await vi.advanceTimersByTimeAsync(5_100);
    expect(election.leading).toBe(true);
  });

  test('a leader does not need them', async () => {
    const cluster = server();
    candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    const { writes } = cluster.state;
    for (let late = 0; late < 5; late++) {
      cluster.state.emit(withHolder('', `v${late}`));
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(cluster.state.writes).toBe(writes);
  });

  test('a failure is reported once, and again after it worked', async () => {
    const cluster = server();
    const { events } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    const failures = () =>
      events.filter((event) => event.kind === 'failed' && event.doing === 'watch').length;
    cluster.state.cut(new ApiStatusError(403, 'no'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(failures()).toBe(1);
    cluster.state.emit(withHolder('me', 'v1'));
    await vi.advanceTimersByTimeAsync(10);
    cluster.state.cut(new ApiStatusError(403, 'no'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(failures()).toBe(2);
  });
});

describe('a late response', () => {
  const late = (milliseconds: number) => () =>
    new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

  test('to a renewal, after leadership was lost: the Lease is acquired again, and everyone is notified', async () => {
    const cluster = server();
    const { events, changes } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    cluster.state.after = late(12_000);
    await vi.advanceTimersByTimeAsync(11_000);
    cluster.state.after = async () => {};
    await vi.advanceTimersByTimeAsync(10_000);
    expect(changes).toEqual([true, false, true]);
    expect(kinds(events)).toEqual(['leading', 'lost', 'leading']);
  });

  test('to the read after a rejected renewal: leadership is lost once', async () => {
    const cluster = server();
    const { events, election } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    cluster.taken('other_1');
    cluster.state.after = late(11_000);
    await vi.advanceTimersByTimeAsync(12_000);
    cluster.state.after = async () => {};
    await vi.advanceTimersByTimeAsync(2_000);
    expect(kinds(events).filter((kind) => kind === 'lost')).toHaveLength(1);
    expect(election.leading).toBe(false);
  });

  test('to the acquisition: another replica may consider it expired by then', async () => {
    const cluster = server();
    cluster.state.after = late(LEASE_TIMING.renewDeadline);
    const { changes } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(2 * LEASE_TIMING.renewDeadline + 1_000);
    expect(changes).toEqual([]);
    cluster.state.after = async () => {};
  });

  test('a renewal is aborted when leadership is lost, which is no failure', async () => {
    const cluster = server();
    const { events } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    let isGivenUp = false;
    cluster.state.before = (_, signal) =>
      new Promise((__, reject) => {
        signal.addEventListener('abort', () => {
          isGivenUp = true;
          cluster.state.before = async () => {};
          reject(new Error('aborted'));
        });
      });
    await vi.advanceTimersByTimeAsync(LEASE_TIMING.renewDeadline + 100);
    expect(isGivenUp).toBe(true);
    expect(kinds(events)).toEqual(['leading', 'lost', 'leading']);
  });
});

test('if another replica was quicker, it follows', async () => {
  const cluster = server();
  cluster.state.before = async ({ method }) => {
    if (method === 'PUT' && cluster.state.lease === undefined) cluster.taken('other_1');
  };
  const { election, events } = candidate(cluster);
  await vi.advanceTimersByTimeAsync(RETRY);
  expect(election.leading).toBe(false);
  expect(kinds(events)).toEqual(['following']);
});

test('the leader is reported again after it led itself', async () => {
  const cluster = server();
  cluster.taken('other_1');
  const { events } = candidate(cluster);
  await vi.advanceTimersByTimeAsync(LEASE_TIMING.leaseDuration + 1_000);
  cluster.taken('other_1');
  Object.assign((cluster.state.lease as StoredLease | undefined)?.spec ?? {}, { leaseTransitions: 7 });
  await vi.advanceTimersByTimeAsync(2 * RETRY);
  expect(kinds(events)).toEqual(['following', 'leading', 'lost', 'following']);
});

test('leadership that was taken over is lost once', async () => {
  const cluster = server();
  const { events } = candidate(cluster);
  await vi.advanceTimersByTimeAsync(10);
  cluster.taken('other_1');
  await vi.advanceTimersByTimeAsync(LEASE_TIMING.renewDeadline + 1_000);
  expect(kinds(events)).toEqual(['leading', 'lost', 'following']);
});

describe('when it stops', () => {
  test('it stops leading at once, and no deadline follows', async () => {
    const cluster = server();
    const { election, events } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    const { term } = election;
    cluster.state.asked.length = 0;
    stop.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect([election.leading, term.aborted]).toEqual([false, true]);
    expect(cluster.state.lease?.spec).toMatchObject({
      holderIdentity: '',
      leaseDurationSeconds: 1,
      leaseTransitions: 0,
      renewTime: expect.any(String),
    });
    for (const { timeout = Number.POSITIVE_INFINITY } of cluster.state.asked)
      expect(timeout).toBeLessThanOrEqual(1_500);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(kinds(events)).toEqual(['leading']);
  });

  test('a follower sends no more requests', async () => {
    const cluster = server();
    cluster.taken('other_1');
    const { events } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    cluster.state.asked.length = 0;
    stop.abort();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(cluster.state.asked).toEqual([]);
    expect(kinds(events)).toEqual(['following']);
  });

  test('a deleted Lease is not created again', async () => {
    const cluster = server();
    const { events } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    cluster.state.lease = undefined;
    stop.abort();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(cluster.state.lease).toBeUndefined();
    expect(kinds(events)).toEqual(['leading']);
  });

  test('a failure to release the Lease is reported', async () => {
    const cluster = server();
    const { events } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    cluster.state.before = broken;
    stop.abort();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(kinds(events)).toEqual(['leading', 'failed']);
  });

  test('the Lease has its release time, and by whom and when it was acquired', async () => {
    const cluster = server();
    candidate(cluster);
    await vi.advanceTimersByTimeAsync(1_000);
    const { renewTime, acquireTime } = cluster.state.lease?.spec ?? {};
    stop.abort();
    await vi.advanceTimersByTimeAsync(10);
    expect(cluster.state.lease?.spec).toMatchObject({ holderIdentity: '', acquireTime });
    expect(cluster.state.lease?.spec.renewTime).not.toBe(renewTime);
  });

  test('a renewal without a response is not waited for', async () => {
    const cluster = server();
    candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    cluster.state.before = ({ method }, signal) =>
      method === 'PUT' && !signal.aborted
        ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
        : Promise.resolve();
    await vi.advanceTimersByTimeAsync(RETRY);
    cluster.state.asked.length = 0;
    stop.abort();
    cluster.state.before = async () => {};
    await vi.advanceTimersByTimeAsync(10);
    expect(cluster.state.asked.map(({ method = 'GET' }) => method)).toEqual(['GET', 'PUT']);
  });

  test('it ends when its watch has ended', async () => {
    const cluster = server();
    let isOver = false;
    cluster.state.watchEnds = () => new Promise((resolve) => setTimeout(resolve, 5_000));
    candidate(cluster);
    void ended.then(() => {
      isOver = true;
    });
    await vi.advanceTimersByTimeAsync(10);
    stop.abort();
    await vi.advanceTimersByTimeAsync(4_000);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(isOver).toBe(true);
  });

  /** Answers that get lost: of the requests of a method, from now on. */
  const loses = (cluster: ReturnType<typeof server>, method: string) => {
    cluster.state.after = async (request) => {
      if (request.method === method) throw new Error('the connection broke');
    };
  };

  test('while it acquires the Lease: a Lease that was written by then is released', async () => {
    const cluster = server();
    cluster.state.after = async ({ method }) => {
      if (method !== 'PUT') return;
      cluster.state.after = async () => {};
      stop.abort();
    };
    const { changes } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(changes).toEqual([]);
    expect(cluster.state.lease?.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
  });

  test('while it acquires the Lease and the response is late, it waits for the response, and then releases the Lease', async () => {
    const cluster = server();
    cluster.state.before = async ({ method }, signal) => {
      if (method !== 'PUT') return;
      cluster.state.before = async () => {};
      stop.abort();
      // The server goes on with a request whose client is gone.
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(signal.aborted).toBe(false);
    };
    candidate(cluster);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(cluster.state.lease?.spec.holderIdentity).toBe('');
  });

  test('after the response to the acquisition was lost: it still releases the Lease', async () => {
    const cluster = server();
    loses(cluster, 'PUT');
    const { changes } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(100);
    expect(cluster.state.lease?.spec.holderIdentity).toBe('me');
    cluster.state.after = async () => {};
    stop.abort();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(changes).toEqual([]);
    expect(cluster.state.lease?.spec.holderIdentity).toBe('');
  });

  test('after leadership was lost because renewals failed: the Lease is released', async () => {
    const cluster = server();
    const { changes } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    cluster.state.before = broken;
    await vi.advanceTimersByTimeAsync(LEASE_TIMING.renewDeadline + 100);
    expect(changes).toEqual([true, false]);
    cluster.state.before = async () => {};
    stop.abort();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(cluster.state.lease?.spec.holderIdentity).toBe('');
  });

  test('a renewal between the two requests of the release does not keep the Lease', async () => {
    const cluster = server();
    candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    let isRenewed = false;
    cluster.state.before = async ({ method }) => {
      if (method !== 'PUT' || isRenewed || cluster.state.lease === undefined) return;
      isRenewed = true;
      cluster.state.lease.metadata.resourceVersion = 'renewed';
    };
    stop.abort();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(isRenewed).toBe(true);
    expect(cluster.state.lease?.spec.holderIdentity).toBe('');
  });

  test('while a Lease is being acquired, leadership is not announced, and a failure is ignored', async () => {
    for (const fails of [false, true]) {
      const cluster = server();
      const { changes, events } = candidate(cluster);
      cluster.state.before = async ({ method }) => {
        if (method !== 'PUT') return;
        stop.abort();
        if (fails) throw new Error('aborted');
      };
      await vi.advanceTimersByTimeAsync(1_000);
      expect(changes).toEqual([]);
      expect(events).toEqual([]);
    }
  });
});
