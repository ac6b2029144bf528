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

test('a Lease that nobody has is taken, and renewed for as long as it runs', async () => {
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

test('somebody took the Lease: it leads no more, and what it was writing is given up', async () => {
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

test('the Lease was deleted: it leads no more, and may take it again', async () => {
  const cluster = server();
  const { events } = candidate(cluster);
  await vi.advanceTimersByTimeAsync(1_000);
  cluster.state.lease = undefined;
  await vi.advanceTimersByTimeAsync(RETRY);
  expect(events).toContainEqual({ kind: 'lost', why: expect.stringContaining('was deleted') });
});

test('somebody changed something else of it: the lead goes on', async () => {
  const cluster = server();
  const { election, changes } = candidate(cluster);
  await vi.advanceTimersByTimeAsync(1_000);
  if (cluster.state.lease !== undefined) cluster.state.lease.metadata.resourceVersion = 'labelled';
  await vi.advanceTimersByTimeAsync(60_000);
  expect(election.leading).toBe(true);
  expect(changes).toEqual([true]);
});

describe('it cannot be renewed', () => {
  test.each<[string, () => Promise<never>]>([
    ['the server refuses', () => Promise.reject(new ApiStatusError(500, 'broken'))],
    [
      'the server hangs',
      () => new Promise((_, reject) => setTimeout(() => reject(new Error('no answer in time')), 4_000)),
    ],
  ])(
    '%s: it leads until the deadline and not longer, and is told at the deadline itself',
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

test('a Lease of somebody else is waited for until it was not renewed for its time', async () => {
  const cluster = server();
  cluster.taken('other_1');
  const { election, events } = candidate(cluster);
  await vi.advanceTimersByTimeAsync(LEASE_TIMING.leaseDuration - 200);
  expect(election.leading).toBe(false);
  expect(events).toEqual([{ kind: 'following', holder: expect.any(String) }]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(election.leading).toBe(true);
});

describe('at the end', () => {
  test('the Lease is given up', async () => {
    const cluster = server();
    candidate(cluster);
    await vi.advanceTimersByTimeAsync(1_000);
    stop.abort();
    await vi.advanceTimersByTimeAsync(10);
    expect(cluster.state.lease?.spec.holderIdentity).toBe('');
  });
  test('a Lease that somebody else holds by then is not touched', async () => {
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

describe('what is written', () => {
  test('a new Lease begins with no transition; each renewal keeps when it was acquired', async () => {
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

  test('a Lease that was taken over has one transition more', async () => {
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

describe('by the clock', () => {
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

  test('a machine that slept has lost the lead, though no timer said so, and may take it again', async () => {
    const time = clock();
    const { events, changes } = candidate(server(), 'me', () => time.now);
    await vi.advanceTimersByTimeAsync(0);
    time.now = { monotonic: 1_000, wall: 3_600_000 };
    await vi.advanceTimersByTimeAsync(RETRY);
    expect(kinds(events)).toEqual(['leading', 'lost', 'leading']);
    expect(changes).toEqual([true, false, true]);
  });
});

describe('how often it looks', () => {
  test('without rights seldom, and it says so once', async () => {
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
  ])('without rights each ten seconds, or up to a quarter sooner: %d', async (random, expected) => {
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

  test('no more often when the Lease could be taken and the server does not answer', async () => {
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

  test('after another fault as often as ever; each time that it begins is told, and each other fault', async () => {
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

  test('a leader whose rights fail for a moment keeps trying, and leads on', async () => {
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

  test("at another one's Lease a few times, and right when it may be taken", async () => {
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

  test('at once after a Lease was deleted, or changed by somebody else', async () => {
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

describe('what the watch tells', () => {
  const withHolder = (holderIdentity: string, renewTime: string): StoredLease => ({
    metadata: { resourceVersion: renewTime },
    spec: { holderIdentity, leaseDurationSeconds: 15, renewTime },
  });

  test('a Lease that was given up is taken at once; a renewal is only noted', async () => {
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

  test('a renewal that is only seen there counts as one', async () => {
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

  test('who leads needs none of it', async () => {
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

  test('one that breaks is told once, and again when it breaks after it worked', async () => {
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

describe('an answer that is late', () => {
  const late = (milliseconds: number) => () =>
    new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

  test('to a renewal, after the lead was lost: it is taken anew, and everybody hears of it', async () => {
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

  test('to the look after a refused renewal: the lead is lost once', async () => {
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

  test('to taking it: another one may think that it is over by then', async () => {
    const cluster = server();
    cluster.state.after = late(LEASE_TIMING.renewDeadline);
    const { changes } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(2 * LEASE_TIMING.renewDeadline + 1_000);
    expect(changes).toEqual([]);
    cluster.state.after = async () => {};
  });

  test('a renewal is given up when the lead is lost, and that is no failure', async () => {
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

test('somebody was quicker: it follows', async () => {
  const cluster = server();
  cluster.state.before = async ({ method }) => {
    if (method === 'PUT' && cluster.state.lease === undefined) cluster.taken('other_1');
  };
  const { election, events } = candidate(cluster);
  await vi.advanceTimersByTimeAsync(RETRY);
  expect(election.leading).toBe(false);
  expect(kinds(events)).toEqual(['following']);
});

test('whom it follows is told again after it led itself', async () => {
  const cluster = server();
  cluster.taken('other_1');
  const { events } = candidate(cluster);
  await vi.advanceTimersByTimeAsync(LEASE_TIMING.leaseDuration + 1_000);
  cluster.taken('other_1');
  Object.assign((cluster.state.lease as StoredLease | undefined)?.spec ?? {}, { leaseTransitions: 7 });
  await vi.advanceTimersByTimeAsync(2 * RETRY);
  expect(kinds(events)).toEqual(['following', 'leading', 'lost', 'following']);
});

test('a lead that was taken away is lost once', async () => {
  const cluster = server();
  const { events } = candidate(cluster);
  await vi.advanceTimersByTimeAsync(10);
  cluster.taken('other_1');
  await vi.advanceTimersByTimeAsync(LEASE_TIMING.renewDeadline + 1_000);
  expect(kinds(events)).toEqual(['leading', 'lost', 'following']);
});

describe('when it is stopped', () => {
  test('it leads no more from then on, and no deadline comes after that', async () => {
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

  test('who follows asks for nothing more', async () => {
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

  test('a Lease that is gone is not made again', async () => {
    const cluster = server();
    const { events } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    cluster.state.lease = undefined;
    stop.abort();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(cluster.state.lease).toBeUndefined();
    expect(kinds(events)).toEqual(['leading']);
  });

  test('a Lease that cannot be given up is told', async () => {
    const cluster = server();
    const { events } = candidate(cluster);
    await vi.advanceTimersByTimeAsync(10);
    cluster.state.before = broken;
    stop.abort();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(kinds(events)).toEqual(['leading', 'failed']);
  });

  test('the Lease says when it was released, and by whom it was acquired when', async () => {
    const cluster = server();
    candidate(cluster);
    await vi.advanceTimersByTimeAsync(1_000);
    const { renewTime, acquireTime } = cluster.state.lease?.spec ?? {};
    stop.abort();
    await vi.advanceTimersByTimeAsync(10);
    expect(cluster.state.lease?.spec).toMatchObject({ holderIdentity: '', acquireTime });
    expect(cluster.state.lease?.spec.renewTime).not.toBe(renewTime);
  });

  test('a renewal that gets no answer is not waited for', async () => {
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

  test('it is over when its watch is', async () => {
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

  test('while it takes the Lease: what was written by then is released', async () => {
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

  test('while it takes the Lease, and the answer comes later: it is waited for, and then released', async () => {
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

  test('after an answer to taking the Lease was lost: it is released all the same', async () => {
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

  test('after the lead was lost because nothing could be renewed: the Lease is released', async () => {
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

  test('a renewal that arrives between the two requests of the release does not keep the Lease', async () => {
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

  test('while a Lease is being taken: nobody hears of a lead, and a failure of that is none', async () => {
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
