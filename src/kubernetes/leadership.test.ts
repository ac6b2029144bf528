import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { KubeClient, KubeRequest } from './connection.ts';
import { type LeadershipEvent, leadership } from './leadership.ts';
import { LEASE_TIMING } from './lease-term.ts';
import { ApiStatusError } from './status.ts';

// Fake timers do not reach the module, so it sleeps by the global ones.
vi.mock('node:timers/promises', () => ({
  setTimeout: (milliseconds: number, value: unknown, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve(value), milliseconds);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(new Error('aborted'));
      });
    }),
}));

interface StoredLease {
  metadata: { resourceVersion: string };
  spec: { holderIdentity: string; leaseDurationSeconds: number };
}

/** An API server that has one Lease, in memory. */
function server() {
  const state = {
    lease: undefined as StoredLease | undefined,
    /** Refuses or delays a request: what it throws is thrown. */
    before: async (_: KubeRequest): Promise<void> => {},
    writes: 0,
  };
  const kube = {
    server: 'the server',
    async request(request: KubeRequest) {
      await state.before(request);
      if (request.path.includes('fieldSelector') || request.path.endsWith('/leases'))
        return { metadata: { resourceVersion: '1' }, items: [] };
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
    },
    async stream(_: unknown, signal: AbortSignal) {
      return (async function* () {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      })();
    },
  } as unknown as KubeClient;
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

function candidate({ kube }: ReturnType<typeof server>, identity = 'me') {
  stop = new AbortController();
  const events: LeadershipEvent[] = [];
  const changes: boolean[] = [];
  const election = leadership(kube, {
    lease: { namespace: 'ns', name: 'lease' },
    identity,
    emit: (event) => events.push(event),
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
    stop.abort();
    await vi.advanceTimersByTimeAsync(10);
    expect(cluster.state.lease?.spec.holderIdentity).toBe('other_1');
  });
});
