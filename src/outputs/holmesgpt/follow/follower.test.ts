import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Problem } from '../../../model/discovery.ts';
import type { PublishedTool } from '../../../model/published-tools.ts';
import type { FollowInput, FollowOutcome } from '../../output.ts';
import { AgentFollower } from './follower.ts';
import { type AgentTarget, publishedTarget, type SyncResult } from './publisher.ts';
import { endpointReloader } from './reload.ts';

/** What is published; `isWritten`: by this reconciliation. */
const published = (file: string, isWritten = false): FollowInput => ({
  documents: { 'toolset.json': '', 'custom_toolset.yaml': file },
  tools: [],
  written: isWritten ? ['custom_toolset.yaml'] : [],
});

interface Call {
  readonly line: string;
  readonly key: string | undefined;
}

/** A HolmesGPT of which there is the reload endpoint only. */
async function holmes(answer: (response: ServerResponse, request: IncomingMessage) => void) {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    calls.push({
      line: `${request.method} ${request.url}`,
      key: request.headers['x-api-key'] as string | undefined,
    });
    answer(response, request);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { calls, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/base/`) };
}

const fine = (response: ServerResponse): void => void response.end('{"reloaded":true}');
const signal = new AbortController().signal;

function follower(url: URL, target: AgentTarget = publishedTarget, apiKey?: string) {
  const clock = { now: 1_000_000 };
  const agent = new AgentFollower({
    target,
    reloader: endpointReloader(url, apiKey),
    reloadInterval: 300_000,
    checkInterval: 300_000,
    now: () => clock.now,
    date: () => new Date(clock.now + 1e12),
    random: () => 1,
  });
  const follow = (file: string, rewritten = false): Promise<readonly FollowOutcome[]> =>
    agent.follow(published(file, rewritten), signal);
  return { agent, clock, follow };
}

test('the endpoint is called once the mounted file is current, with the key', async () => {
  const { calls, url } = await holmes(fine);
  const { agent, clock, follow } = follower(url, publishedTarget, 'k3y');
  expect(await follow('a')).toMatchObject([{ kind: 'agent-reload-delayed', dueIn: 100_000 }]);
  expect(calls).toEqual([]);
  clock.now += 99_999;
  expect(await follow('a')).toEqual([]);
  expect(agent.nextDue()).toBe(1);
  clock.now += 1;
  expect(await follow('a')).toMatchObject([{ kind: 'agent-reloaded' }]);
  expect(calls).toEqual([{ line: 'POST /base/api/admin/reload/toolsets', key: 'k3y' }]);
  expect(agent.nextDue()).toBeUndefined();
  clock.now += 3_600_000;
  expect(await follow('a')).toEqual([]);
  expect(calls).toHaveLength(1);
});

test('the room for the file is a limit once it was too small', async () => {
  const { url } = await holmes(fine);
  const problem = { where: 'ConfigMap', what: 'is full', fix: 'wait' };
  const result = { token: 't', frozen: false, direct: false };
  const results: SyncResult[] = [
    { ...result, room: 9_000 },
    { refused: problem, room: 8_000 },
    { ...result, room: 8_500 },
    { refused: problem },
  ];
  const { agent, follow } = follower(url, { sync: async () => results.shift() ?? result });
  const rooms: (number | undefined)[] = [];
  for (const file of ['a', 'b', 'c', 'd', 'e']) {
    await follow(file);
    rooms.push(agent.room);
  }
  expect(rooms).toEqual([undefined, 8_000, 8_500, 8_500, undefined]);
});

test('many changes cause one call per interval, and the last change gets through', async () => {
  const { calls, url } = await holmes(fine);
  const { agent, clock, follow } = follower(url);
  const times: number[] = [];
  for (let second = 0; second < 1_000; second += 10) {
    const outcomes = await follow(second < 500 ? `file ${second}` : 'the last');
    if (outcomes.some(({ kind }) => kind === 'agent-reloaded')) times.push(second);
    clock.now += 10_000;
  }
  expect(times).toEqual([100, 400, 700]);
  expect(calls).toHaveLength(3);
  expect(agent.nextDue()).toBeUndefined();
});

test('after drift of the published file, HolmesGPT reloads, since it may have read the other one', async () => {
  const { calls, url } = await holmes(fine);
  const { clock, follow } = follower(url);
  await follow('a');
  clock.now += 1_000_000;
  await follow('a');
  expect(calls).toHaveLength(1);
  await follow('a', true);
  clock.now += 1_000_000;
  await follow('a');
  expect(calls).toHaveLength(2);
});

test.each<[string, (response: ServerResponse) => void, RegExp]>([
  [
    'the admin API is off',
    (response) => response.writeHead(404).end('{"detail":"Not Found"}'),
    /404.*ENABLE_ADMIN_API=true/,
  ],
  [
    'the key is wrong',
    (response) => response.writeHead(401).end('no\nno'),
    /401 no no; set HOLMESGPT_API_KEY/,
  ],
  [
    'it leads elsewhere',
    (response) => response.writeHead(302, { location: '/healthz' }).end(),
    /302; redirects/,
  ],
  ['it fails', (response) => response.writeHead(500).end('x'.repeat(1e6)), /500.*log/],
  ['it hangs up', (response) => void response.destroy(), /check HOLMESGPT_URL/],
])('%s: reported, and retried with backoff', async (_, answer, message) => {
  const { calls, url } = await holmes(answer);
  const { agent, clock, follow } = follower(url, publishedTarget, 's3cret');
  await follow('a');
  clock.now += 100_000;
  const [failed] = await follow('a');
  if (failed?.kind !== 'agent-failed') throw new Error(`not failed: ${failed?.kind}`);
  expect(String(failed.error)).toMatch(message);
  expect(String(failed.error)).not.toContain('s3cret');
  expect(String(failed.error).length).toBeLessThan(600);
  expect([failed.retryIn, agent.nextDue()]).toEqual([5_000, 5_000]);
  expect(await follow('another')).toEqual([]);
  clock.now += 5_000;
  expect(await follow('a')).toMatchObject([{ kind: 'agent-failed', retryIn: 10_000 }]);
  expect(calls).toHaveLength(2);
});

test('an endless response is not read to its end', async () => {
  const { url } = await holmes((response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(64 * 1024)));
      response.once('drain', more);
    };
    more();
  });
  const { clock, follow } = follower(url);
  await follow('a');
  clock.now += 100_000;
  expect(await follow('a')).toMatchObject([{ kind: 'agent-reloaded' }]);
});

test('while the hand-written file is broken, nothing is reloaded, which is reported once', async () => {
  const { calls, url } = await holmes(fine);
  let broken = true;
  const problem = { where: 'ConfigMap a/b', what: 'cannot be read', fix: 'correct it' };
  const { agent, clock, follow } = follower(url, {
    sync: async () => (broken ? { refused: problem } : { token: 't', frozen: false, direct: false }),
  });
  expect(await follow('a')).toEqual([{ kind: 'agent-refused', problem }]);
  expect(agent.nextDue()).toBeUndefined();
  clock.now += 1_000_000;
  expect(await follow('a')).toEqual([]);
  broken = false;
  clock.now += 1_000_000;
  expect(await follow('a')).toMatchObject([{ kind: 'agent-reload-delayed' }]);
  clock.now += 100_000;
  expect(await follow('a')).toMatchObject([{ kind: 'agent-reloaded' }]);
  expect(calls).toHaveLength(1);
});

test('the state of the agent is known once it has the file, and stays while a reload is due', async () => {
  const { clock, follow, agent } = restarting();
  expect(agent.state).toBeUndefined();
  await follow('a');
  expect(agent.state).toEqual({});
  clock.now += 1_000;
  expect(await follow('b')).toMatchObject([{ kind: 'agent-reload-delayed' }]);
  expect(agent.state).toEqual({});
});

test('while updates fail, the state says why, also while the next one is delayed', async () => {
  let answer: (response: ServerResponse) => void = (response) => response.writeHead(500).end('no');
  const { url } = await holmes((response) => answer(response));
  const { agent, clock, follow } = follower(url);
  await follow('a');
  expect(agent.state).toBeUndefined();
  clock.now += 100_000;
  await follow('a');
  const failing = { problem: { where: 'HolmesGPT', what: expect.stringContaining('HTTP 500 no') } };
  expect(agent.state).toEqual(failing);
  answer = fine;
  await follow('b');
  expect(agent.state).toEqual(failing);
  clock.now += 5_000;
  await follow('b');
  expect(agent.state).toEqual({});
});

test('the state says why the file is refused, also after an attempt that failed', async () => {
  const { url } = await holmes(fine);
  const problem = { where: 'ConfigMap a/b', what: 'cannot be read', fix: 'correct it' };
  const results: (SyncResult | Error)[] = [
    { refused: problem },
    new Error('not now'),
    { refused: problem },
    { token: 't', frozen: false, direct: false },
  ];
  const sync = async (): Promise<SyncResult> => {
    const result = results.shift();
    if (result === undefined || result instanceof Error) throw result;
    return result;
  };
  const { agent, clock, follow } = follower(url, { sync });
  const states: unknown[] = [];
  for (const file of ['a', 'b', 'c', 'd', 'd']) {
    await follow(file);
    states.push(agent.state?.problem?.what);
    clock.now += 100_000;
  }
  expect(states).toEqual(['cannot be read', 'not now', 'cannot be read', undefined, undefined]);
  expect(agent.state).toEqual({});
});

test('while a reload is due, a refused file that was corrected is no problem, and the next refusal is a new one', async () => {
  const { url } = await holmes(fine);
  const problem = { where: 'ConfigMap a/b', what: 'cannot be read', fix: 'correct it' };
  const fits = { token: 't', frozen: false, direct: false };
  const results: SyncResult[] = [{ refused: problem }, fits, { refused: problem }, fits];
  const { agent, clock, follow } = follower(url, { sync: async () => results.shift() ?? fits });
  const states: unknown[] = [];
  for (const file of ['a', 'b', 'c', 'd']) {
    await follow(file);
    states.push(agent.state);
    clock.now += 1_000;
  }
  expect(states).toEqual([{ problem }, { reloadsLater: true }, { problem }, { reloadsLater: true }]);
  clock.now += 300_000;
  expect(await follow('d')).toMatchObject([{ kind: 'agent-reloaded' }]);
  expect(agent.state).toEqual({});
});

test('a file that a running Pod can never see is reported, with the endpoint', async () => {
  const { url } = await holmes(fine);
  const { follow } = follower(url, { sync: async () => ({ token: 't', frozen: true, direct: false }) });
  expect(await follow('a')).toMatchObject([
    { kind: 'agent-refused', problem: { fix: expect.stringContaining('restart') } },
  ]);
});

test('an aborted call throws, and reports nothing', async () => {
  const { url } = await holmes(() => {});
  const { agent, clock, follow } = follower(url);
  await follow('a');
  clock.now += 100_000;
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  await expect(agent.follow(published('a'), stop.signal)).rejects.toThrow(/abort/);
});

/** A follower of a HolmesGPT whose ConfigMap and Deployment are in memory. */
function restarting(remembered: { readonly token?: string; readonly at?: number } = {}) {
  const clock = { now: 1_000_000, day: Date.parse('2026-01-01T00:00:00Z') };
  const brought: string[] = [];
  const reloads: string[] = [];
  const target = {
    before: async (): Promise<void> => {},
    direct: false,
    async sync(file: string) {
      await target.before();
      brought.push(file);
      return { token: file, frozen: false, direct: target.direct };
    },
  };
  const agent = new AgentFollower({
    target,
    reloader: {
      how: 'restart',
      target: 'it',
      lag: 0,
      remembered: async () => remembered,
      async reload(token) {
        reloads.push(token);
        return true;
      },
    },
    reloadInterval: 300_000,
    checkInterval: 300_000,
    now: () => clock.now,
    date: () => new Date(clock.day),
    random: () => 1,
  });
  const follow = (file: string, rewritten = false): Promise<readonly FollowOutcome[]> =>
    agent.follow(published(file, rewritten), signal);
  return { agent, clock, target, brought, reloads, follow };
}

test('a publication during a sync is synced next, and read in the end', async () => {
  const { agent, clock, target, brought, reloads, follow } = restarting();
  let later: Promise<unknown>[] = [];
  target.before = async () => {
    target.before = async () => {};
    later = [follow('b'), follow('c')];
  };
  await follow('a');
  await Promise.all(later);
  expect([brought, reloads, agent.nextDue()]).toEqual([['a'], [], 0]);
  await follow('c');
  expect(brought).toEqual(['a', 'c']);
  expect(reloads).toEqual(['c']);
  expect(agent.nextDue()).toBeUndefined();
  clock.now += 1_000;
  expect(await follow('c')).toEqual([]);
});

test('a revert during a sync causes another sync', async () => {
  const { agent, target, brought, follow } = restarting();
  target.before = async () => {
    target.before = async () => {};
    await follow('a', true);
  };
  await follow('a');
  expect(agent.nextDue()).toBe(0);
  await follow('a');
  expect(brought).toEqual(['a', 'a']);
});

test('documents that change during each sync do not keep the agent from reading them, or the log from saying so', async () => {
  const { agent, clock, target, reloads, follow } = restarting();
  let next = 0;
  target.before = async () => {
    clock.now += 2_000;
    await follow(`${++next}`);
  };
  const told: string[] = [];
  for (let round = 0; round < 6; round++) {
    told.push(...(await follow(`${next}`)).map(({ kind }) => kind));
    expect(agent.nextDue()).toBe(0);
  }
  expect(reloads).toEqual(['5']);
  expect(told).toContain('agent-restarted');
});

test('a failed sync is not forgotten, nor is the revert before it', async () => {
  const { clock, target, reloads, follow } = restarting();
  target.direct = true;
  await follow('a');
  target.before = async () => {
    throw new Error('not now');
  };
  clock.now += 400_000;
  expect(await follow('a', true)).toMatchObject([{ kind: 'agent-failed', retryIn: 5_000 }]);
  target.before = async () => {};
  clock.now += 5_000;
  await follow('a');
  expect(reloads).toEqual(['a', 'a']);
});

test('changes of the wall clock have no effect', async () => {
  const { clock, brought, reloads, follow } = restarting();
  await follow('a');
  clock.day -= 3_600_000;
  clock.now += 300_000;
  await follow('b');
  clock.day += 7_200_000;
  clock.now += 300_000;
  await follow('c');
  expect(brought).toEqual(['a', 'b', 'c']);
  expect(reloads).toEqual(['a', 'b', 'c']);
});

test('a restart recorded in the cluster counts, but not one in the future', async () => {
  const day = Date.parse('2026-01-01T00:00:00Z');
  const recent = restarting({ token: 'old', at: day - 100_000 });
  expect(await recent.follow('a')).toMatchObject([{ kind: 'agent-reload-delayed', dueIn: 200_000 }]);
  recent.clock.now += 200_000;
  expect(await recent.follow('a')).toMatchObject([{ kind: 'agent-restarted' }]);
  const ahead = restarting({ token: 'old', at: day + 86_400_000 });
  expect(await ahead.follow('a')).toMatchObject([{ kind: 'agent-restarted' }]);
});

test('it does not restart for a state for which another replica restarted already', async () => {
  const { reloads, follow } = restarting({ token: 'a' });
  expect(await follow('a')).toEqual([]);
  expect(reloads).toEqual([]);
});

test('changed hosts of a discovered server cause a sync of the same file', async () => {
  const brought: unknown[] = [];
  const agent = new AgentFollower({
    target: {
      async sync(_file, _signal, tools) {
        brought.push(tools);
        return { token: 'same', frozen: false, direct: false };
      },
    },
    reloader: undefined,
    reloadInterval: 300_000,
    checkInterval: 300_000,
    now: () => 1_000_000,
    date: () => new Date(0),
    random: () => 1,
  });
  const tools = (name: string, hosts: string): readonly PublishedTool[] => [
    { name, type: 'mcp', endpoint: 'http://x', description: 'x', metadata: { hosts } },
  ];
  for (const each of [tools('a', 'x'), tools('b', 'x'), tools('b', 'x,10.96.0.7')])
    await agent.follow({ ...published('same'), tools: each }, signal);
  expect(brought).toEqual([tools('a', 'x'), tools('b', 'x,10.96.0.7')]);
});

describe('changes by other clients', () => {
  const INTERVAL = 600_000;

  /** A follower that has synced, without a reloader. A test plays its watch. */
  async function watched() {
    const clock = { now: 1_000_000 };
    const state = { syncs: 0, error: undefined as Error | undefined };
    const listener: { changed?: (content: string) => void; failed?: (problem: Problem) => void } = {};
    const target: AgentTarget = {
      async sync() {
        state.syncs += 1;
        if (state.error !== undefined) throw state.error;
        return { token: String(state.syncs), frozen: false, direct: false };
      },
      async watch(each) {
        Object.assign(listener, each);
      },
    };
    const agent = new AgentFollower({
      target,
      reloader: undefined,
      reloadInterval: 300_000,
      checkInterval: INTERVAL,
      now: () => clock.now,
      date: () => new Date(clock.now),
      random: () => 1,
    });
    const changed = vi.fn();
    const note = vi.fn<(problem: Problem) => void>();
    const follow = () => agent.follow(published('a'), signal);
    await agent.watch({ changed, note }, signal);
    await follow();
    return {
      agent,
      clock,
      state,
      changed,
      note,
      follow,
      listener,
      /** Another client writes, and the loop calls the follower if it asks for that. */
      async write(content: string): Promise<void> {
        listener.changed?.(content);
        if (agent.nextDue() === 0) await follow();
      },
    };
  }

  test('cause one sync at once', async () => {
    const { agent, follow, write, changed, state } = await watched();
    expect(agent.nextDue()).toBeUndefined();
    await write('b');
    expect(changed).toHaveBeenCalledTimes(1);
    expect(state.syncs).toBe(2);
    expect(agent.nextDue()).toBeUndefined();
    await follow();
    expect(state.syncs).toBe(2);
  });

  test('during a sync cause another one', async () => {
    const { agent, follow, write, listener, state, clock } = await watched();
    clock.now += INTERVAL;
    const running = follow();
    listener.changed?.('b');
    await running;
    expect(agent.nextDue()).toBe(0);
    await follow();
    expect(state.syncs).toBe(3);
    await write('c');
    expect(state.syncs).toBe(4);
  });

  test('are not forgotten if their sync fails', async () => {
    const { agent, follow, write, clock, state } = await watched();
    state.error = new Error('denied');
    await write('b');
    state.error = undefined;
    clock.now += agent.nextDue() ?? 0;
    await follow();
    expect(state.syncs).toBe(3);
    expect(agent.nextDue()).toBeUndefined();
  });

  test.each([
    ['the same text', () => 'theirs', 3],
    ['another text', String, 20],
  ])(
    'by a program that keeps writing %s are answered once per interval, which is reported once',
    async (_, textAt, most) => {
      const { follow, write, clock, note, state } = await watched();
      for (let second = 0; second < 3_600; second += 1) {
        clock.now += 1_000;
        await write(textAt(second));
        // A full discovery calls it too.
        if (second % 600 === 0) await follow();
      }
      const answered = state.syncs - 1;
      expect(answered).toBeGreaterThanOrEqual(most);
      expect(answered).toBeLessThanOrEqual(most + 7);
      expect(note.mock.calls).toMatchObject([
        [{ what: expect.stringContaining('others write it so often') }],
      ]);
    },
  );

  test('by a person are answered at once while a program keeps writing the same text', async () => {
    const { write, changed, state } = await watched();
    for (let time = 0; time < 10; time += 1) await write('theirs');
    expect(state.syncs).toBe(4);
    await write('of a person');
    expect(state.syncs).toBe(5);
    expect(changed).toHaveBeenCalledTimes(4);
  });

  test('that cannot be watched are reported', async () => {
    const { listener, note } = await watched();
    const problem = { where: 'ConfigMap', what: 'cannot be watched' };
    listener.failed?.(problem);
    expect(note).toHaveBeenCalledWith(problem);
  });
});
