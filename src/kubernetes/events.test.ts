import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Problem } from '../model/discovery.ts';
import type { ObjectEvent } from '../model/object-event.ts';
import { connect, type KubeClient } from './connection.ts';
import { eventName, truncateBytes } from './event-object.ts';
import { eventRecorder } from './events.ts';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: {
    readonly metadata?: { readonly name: string };
    readonly note?: string;
    readonly series?: { readonly count: number; readonly lastObservedTime: string };
    readonly [field: string]: unknown;
  };
}

const PATH = '/apis/events.k8s.io/v1/namespaces/ns/events';
const START = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const MINUTE = 60_000;

let asked: Asked[] = [];
let answer: (asked: Asked) => number | 'nothing' = () => 200;
let server: Server;
let folder: string;
let kube: KubeClient;

beforeEach(async () => {
  asked = [];
  answer = () => 200;
  server = createServer(async (request, response) => {
    const one = {
      method: request.method ?? '',
      path: request.url ?? '',
      body: (await json(request)) as Asked['body'],
    };
    asked.push(one);
    const code = answer(one);
    if (code === 'nothing') return;
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(JSON.stringify(code < 300 ? {} : { kind: 'Status', message: `code ${code}` }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  folder = await mkdtemp(join(tmpdir(), 'events-'));
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'a',
        cluster: {
          server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
          'insecure-skip-tls-verify': true,
        },
      },
    ],
    users: [{ name: 'a', user: {} }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    'current-context': 'a',
  };
  const file = join(folder, 'kubeconfig');
  await writeFile(file, JSON.stringify(config));
  kube = connect({ kubeconfig: file, origin: 'of the test', context: undefined });
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

/** A recorder whose time is set by hand. */
function recorder(signal = new AbortController().signal) {
  const clock = { time: START };
  const timers: { at: number; run: () => void }[] = [];
  const problems: Problem[] = [];
  const { record, flush: settled } = eventRecorder(kube, {
    regarding: { namespace: 'ns', name: 'cm', uid: () => 'u-1' },
    instance: 'pod-0',
    now: () => new Date(clock.time),
    onProblem: (problem) => problems.push(problem),
    signal,
    schedule: (run, milliseconds) => timers.push({ at: clock.time + milliseconds, run }),
  });
  /** Lets time pass, with what was to be done later. */
  const pass = async (milliseconds: number): Promise<void> => {
    clock.time += milliseconds;
    for (const { run } of timers.filter(({ at }) => at <= clock.time)) run();
    timers.splice(0, timers.length, ...timers.filter(({ at }) => at > clock.time));
    await settled();
  };
  const tell = async (note: string): Promise<void> => {
    record({ type: 'Normal', reason: 'Published', action: 'Publish', note });
    await settled();
  };
  return { clock, problems, record, settled, tell, pass };
}

test('an Event has its reason, object, reporter and time', async () => {
  await recorder().tell('hello');
  expect(asked).toEqual([
    {
      method: 'POST',
      path: PATH,
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { namespace: 'ns', name: expect.stringMatching(/^cm\.[0-9a-f]{16}$/) },
        regarding: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name: 'cm', uid: 'u-1' },
        reportingController: 'kubernaut.io/dynamic-toolset',
        reportingInstance: 'pod-0',
        eventTime: '2026-01-02T03:04:05.678000Z',
        type: 'Normal',
        reason: 'Published',
        action: 'Publish',
        note: 'hello',
      },
    },
  ]);
});

describe('a repeated Event', () => {
  test('becomes a series of the first, with count and time', async () => {
    const { clock, tell } = recorder();
    await tell('a');
    await tell('other');
    clock.time += 9 * MINUTE;
    await tell('a');
    clock.time += 9 * MINUTE;
    await tell('a');
    const name = asked[0]?.body.metadata?.name;
    expect(asked.slice(2)).toEqual([
      {
        method: 'PATCH',
        path: `${PATH}/${name}`,
        body: { series: { count: 2, lastObservedTime: '2026-01-02T03:13:05.678000Z' } },
      },
      {
        method: 'PATCH',
        path: `${PATH}/${name}`,
        body: { series: { count: 3, lastObservedTime: '2026-01-02T03:22:05.678000Z' } },
      },
    ]);
  });

  test('after more than ten minutes is a new Event', async () => {
    const { clock, tell } = recorder();
    await tell('a');
    clock.time += 10 * MINUTE + 1;
    await tell('a');
    expect(asked.map(({ method, body }) => [method, body.series])).toEqual([
      ['POST', undefined],
      ['POST', undefined],
    ]);
    expect(asked[0]?.body.metadata?.name).not.toBe(asked[1]?.body.metadata?.name);
  });

  test('is created again with its count if the first is gone', async () => {
    const { tell } = recorder();
    await tell('a');
    answer = ({ method }) => (method === 'PATCH' ? 404 : 200);
    await tell('a');
    expect(asked.map(({ method, body }) => [method, body.series?.count])).toEqual([
      ['POST', undefined],
      ['PATCH', 2],
      ['POST', 2],
    ]);
  });

  test('many times at once causes one more request', async () => {
    const { record, settled } = recorder();
    for (let number = 0; number < 10_000; number++)
      record({ type: 'Normal', reason: 'A', action: 'B', note: 'c' });
    await settled();
    expect(asked.map(({ method, body }) => [method, body.series?.count])).toEqual([
      ['POST', undefined],
      ['PATCH', 10_000],
    ]);
  });
});

test('25 at once, then one every five minutes, and omissions are reported', async () => {
  const { clock, tell } = recorder();
  for (let number = 0; number < 40; number++) await tell(`n${number}`);
  expect(asked).toHaveLength(25);
  clock.time += 5 * MINUTE - 1;
  await tell('too soon');
  expect(asked).toHaveLength(25);
  clock.time += 1;
  await tell('next');
  await tell('again too soon');
  expect(asked.slice(25).map(({ body }) => body.note)).toEqual([
    'next (16 Events before this one were left out)',
  ]);
  clock.time += 24 * 60 * MINUTE;
  for (let number = 0; number < 40; number++) await tell(`m${number}`);
  expect(asked).toHaveLength(26 + 25);
});

const changed = (about: string, note: string): ObjectEvent => ({
  type: 'Warning',
  reason: 'ToolsChanged',
  action: 'Probe',
  about,
  note,
});
const notes = (): unknown[] => asked.map(({ body }) => body.note);

test('no reason, and no Service, uses up the budget of others', async () => {
  const { record, settled, tell } = recorder();
  for (let number = 0; number < 100; number++) await tell(`n${number}`);
  for (let number = 0; number < 100; number++) record(changed('noisy/a', `noise ${number}`));
  record(changed('shop/orders', 'swapped'));
  await settled();
  expect(notes()).toContain('swapped');
  expect(notes().filter((note) => String(note).startsWith('noise'))).toHaveLength(5);
});

test('Services of a namespace that come and go all the time have a limit together, and take nothing from others', async () => {
  const { record, settled } = recorder();
  for (let number = 0; number < 900; number++) record(changed(`noisy/a${number % 180}`, `noise ${number}`));
  record(changed('shop/orders', 'swapped'));
  await settled();
  expect(notes()).toContain('swapped');
  // 20 Services with 5 each, and 5 of all others together.
  expect(notes().filter((note) => String(note).startsWith('noise'))).toHaveLength(105);
});

test('queued Events displace nothing else', async () => {
  const { record, settled } = recorder();
  for (let number = 0; number < 100; number++) record(changed(`team-${number}/a`, `swapped ${number}`));
  await settled();
  expect(asked).toHaveLength(100);
});

test('the last excess Event is written later, with the count of those before', async () => {
  const { record, settled, pass } = recorder();
  for (let number = 1; number <= 10; number++) record(changed('shop/orders', `swap ${number}`));
  await settled();
  expect(notes()).toEqual([1, 2, 3, 4, 5].map((number) => `swap ${number}`));
  await pass(5 * MINUTE - 1);
  expect(asked).toHaveLength(5);
  await pass(1);
  expect(notes().slice(5)).toEqual(['swap 10 (4 Events before this one were left out)']);
  await pass(60 * MINUTE);
  expect(asked).toHaveLength(6);
});

test('nothing is written after the end', async () => {
  const stop = new AbortController();
  const { record, settled, pass } = recorder(stop.signal);
  for (let number = 1; number <= 10; number++) record(changed('shop/orders', `swap ${number}`));
  await settled();
  stop.abort();
  await pass(60 * MINUTE);
  expect(asked).toHaveLength(5);
});

describe('failures', () => {
  test('for lack of permissions are reported once while they last, with what to grant', async () => {
    const { tell, problems } = recorder();
    answer = () => 403;
    await tell('a');
    await tell('b');
    expect(problems).toEqual([
      {
        where: 'Events about ConfigMap ns/cm',
        what: 'writing them was denied: code 403',
        fix: 'grant "create" and "patch" on events.events.k8s.io in namespace ns with a Role',
      },
    ]);
    answer = () => 200;
    await tell('a');
    expect(asked.at(-1)).toMatchObject({ method: 'POST', body: { note: 'a', series: { count: 2 } } });
    answer = () => 500;
    await tell('c');
    expect(problems).toHaveLength(2);
    expect(problems[1]?.what).toContain('cannot write them: code 500');
  });

  test('without a connection do not block the caller, and are reported', async () => {
    const { tell, problems } = recorder();
    await new Promise((resolve) => server.close(resolve));
    await tell('a');
    expect(problems.map(({ what }) => what)).toEqual([expect.stringContaining('connection refused')]);
    server = createServer().listen(0, '127.0.0.1');
  });

  test('at shutdown are not reported, and nothing is written afterwards', async () => {
    const stop = new AbortController();
    const { record, settled, problems } = recorder(stop.signal);
    answer = () => 'nothing';
    record({ type: 'Normal', reason: 'A', action: 'B', note: 'c' });
    record({ type: 'Normal', reason: 'A', action: 'B', note: 'd' });
    stop.abort();
    await settled();
    record({ type: 'Normal', reason: 'A', action: 'B', note: 'e' });
    await settled();
    expect(problems).toEqual([]);
    expect(asked.length).toBeLessThanOrEqual(1);
  });
});

test.each([
  ['short', 'aé😀', 1024, 'aé😀'],
  ['of letters', 'a'.repeat(11), 10, `${'a'.repeat(7)}…`],
  ['in the middle of a character', `${'a'.repeat(5)}😀😀`, 10, `${'a'.repeat(5)}…`],
  ['of lone surrogates', '\ud800'.repeat(2), 10, '\ufffd\ufffd'],
])('a note %s', (_, text, most, expected) => {
  expect(truncateBytes(text, most)).toBe(expected);
  expect(Buffer.byteLength(truncateBytes(text, most))).toBeLessThanOrEqual(most);
});

test('names of one moment differ, and none is too long', () => {
  const names = Array.from({ length: 1_000 }, () =>
    eventName(`${'a'.repeat(229)}.b`.repeat(2), new Date(START)),
  );
  expect(new Set(names).size).toBe(1_000);
  for (const name of names) expect(name).toMatch(/^(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])$/);
});
