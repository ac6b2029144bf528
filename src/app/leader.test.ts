import { hostname } from 'node:os';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { KubeClient, KubeRequest } from '../kubernetes/connection.ts';
import type { LeadershipEvent } from '../kubernetes/leadership.ts';
import { ApiStatusError } from '../kubernetes/status.ts';
import { ClusterError, ConfigError } from '../model/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Configuration } from './configuration.ts';
import { joinElection, type LeaderHandle, logEvent, sameElection } from './leader.ts';

const settings = (more: Partial<Configuration> = {}): Configuration =>
  ({ leaderElection: true, leaseName: 'lease', configMapNamespace: 'home', ...more }) as Configuration;

function logger() {
  const lines: [level: string, text: string][] = [];
  const at = (level: string) => (_: object, text: string) => lines.push([level, text]);
  return { lines, log: { info: at('info'), warn: at('warn'), error: at('error') } as unknown as Logger };
}

/** A cluster with one Lease, and whatever else is written to it. */
function cluster() {
  const state = { holder: undefined as string | undefined, requests: 0 };
  const writes: KubeRequest[] = [];
  const kube = {
    server: 'the server',
    async request(request: KubeRequest) {
      if (request.path.includes('?') || request.path.endsWith('/leases'))
        return { metadata: { resourceVersion: '1' }, items: [] };
      if (!request.path.endsWith('/leases/lease')) {
        writes.push(request);
        return {};
      }
      state.requests++;
      if (request.method !== 'PUT') {
        if (state.holder === undefined) throw new ApiStatusError(404, 'no such Lease');
      } else state.holder = (request.body as { spec: { holderIdentity: string } }).spec.holderIdentity;
      return {
        metadata: { resourceVersion: '1' },
        spec: { holderIdentity: state.holder, leaseDurationSeconds: 15 },
      };
    },
    async stream(_: unknown, signal: AbortSignal) {
      return (async function* () {
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      })();
    },
  } as unknown as KubeClient;
  return { kube, state, writes };
}

const WRITE: KubeRequest = { method: 'PATCH', path: '/api/v1/namespaces/home/configmaps/tools' };
const never = new AbortController().signal;

async function candidate({ kube }: ReturnType<typeof cluster>, env = {}) {
  const { log, lines } = logger();
  const leader = await joinElection(settings(), false, env, kube, log);
  onTestFinished(() => leader.resign());
  return { leader, lines };
}

/** Waits until it leads. */
const begun = (leader: LeaderHandle): Promise<void> => new Promise((resolve) => leader.start(resolve));

describe('without an election', () => {
  test('it may publish from the start, and its connection is unchanged', async () => {
    const { kube, state } = cluster();
    const leader = await joinElection(settings({ leaderElection: false }), false, {}, kube, logger().log);
    leader.start(() => {});
    await leader.resign();
    expect([leader.mayPublish(), leader.kube, state.holder]).toEqual([true, kube, undefined]);
  });

  test.each([
    ['--out', false, undefined],
    ['--once', true, cluster().kube],
  ])('there is none with %s, and the error says so', async (flag, once, kube) => {
    const made = joinElection(settings(), once, {}, kube, logger().log);
    await expect(made).rejects.toThrow(`there is no leader election with ${flag};`);
    await expect(made).rejects.toBeInstanceOf(ConfigError);
  });
});

describe('with an election', () => {
  test('nothing is written before it leads', async () => {
    const home = cluster();
    const { leader } = await candidate(home);
    expect(leader.mayPublish()).toBe(false);
    await expect(leader.kube?.request(WRITE, never)).rejects.toBeInstanceOf(ClusterError);
    expect([home.writes, home.state.holder]).toEqual([[], undefined]);
    await leader.resign();
  });

  test('once it leads, it may publish until it resigns, and another replica may lead then', async () => {
    const home = cluster();
    const { leader, lines } = await candidate(home, { POD_NAME: 'pod-1' });
    await begun(leader);
    expect(leader.mayPublish()).toBe(true);
    expect(home.state.holder).toMatch(/^pod-1_[0-9a-f-]{36}$/);
    await leader.kube?.request(WRITE, never);
    expect(home.writes).toEqual([WRITE]);
    await leader.resign();
    expect(leader.mayPublish()).toBe(false);
    expect(home.state.holder).toBe('');
    expect(lines).toEqual([['info', 'became leader']]);
  });

  test('each start is another candidate, even on one machine', async () => {
    const [first, second] = [cluster(), cluster()];
    for (const each of [first, second]) await begun((await candidate(each)).leader);
    expect(first.state.holder?.split('_')[0]).toBe(hostname());
    expect(first.state.holder).not.toBe(second.state.holder);
  });

  test('a second start does nothing', async () => {
    const home = cluster();
    const { leader } = await candidate(home);
    await begun(leader);
    const { requests } = home.state;
    leader.start(() => {});
    await new Promise(setImmediate);
    expect(home.state.requests).toBe(requests);
  });

  test('a follower has not started leading', async () => {
    const began = vi.fn();
    const home = cluster();
    home.state.holder = 'other_1';
    const { leader, lines } = await candidate(home);
    leader.start(began);
    await vi.waitFor(() => expect(lines).toEqual([['info', 'following leader other_1']]));
    await leader.resign();
    expect(began).not.toHaveBeenCalled();
    expect(home.state.holder).toBe('other_1');
  });

  test('a former leader has not started leading', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const began = vi.fn();
    const { leader } = await candidate(cluster());
    await new Promise<void>((resolve) => {
      began.mockImplementation(resolve);
      leader.start(began);
    });
    // The deadline passes before it is renewed.
    vi.advanceTimersByTime(10_000);
    expect(leader.mayPublish()).toBe(false);
    expect(began).toHaveBeenCalledTimes(1);
  });
});

test.each<[LeadershipEvent, level: string, text: string]>([
  [{ kind: 'leading' }, 'info', 'became leader'],
  [{ kind: 'following', holder: 'x' }, 'info', 'following leader x'],
  [
    { kind: 'lost', why: 'x took the Lease' },
    'warn',
    'lost leadership: x took the Lease; this replica writes nothing until it is the leader again',
  ],
  [{ kind: 'failed', doing: 'hold', error: new ClusterError('no rights') }, 'error', 'no rights'],
  [
    { kind: 'failed', doing: 'watch', error: new ClusterError('no rights') },
    'warn',
    'cannot watch the Lease, so this replica notices some seconds later that the leader is gone: no rights',
  ],
])('%o is one line', (event, level, text) => {
  const { log, lines } = logger();
  logEvent(log, event);
  expect(lines).toEqual([[level, text]]);
});

describe('two configurations mean the same election', () => {
  test.each<[boolean, Partial<Configuration>, Partial<Configuration>]>([
    [true, {}, {}],
    [true, {}, { discoveryInterval: 1 }],
    [true, { leaderElection: false }, { leaderElection: false }],
    [true, { leaderElection: false }, { leaderElection: false, leaseName: 'other' }],
    [false, {}, { leaderElection: false }],
    [false, { leaderElection: false }, {}],
    [false, {}, { leaseName: 'other' }],
    [false, {}, { configMapNamespace: 'other' }],
  ])('%s: %o, %o', (expected, a, b) => {
    expect(sameElection(settings(a), settings(b))).toBe(expected);
  });
});
