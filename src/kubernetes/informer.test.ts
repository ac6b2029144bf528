import type { ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Answer, json, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { type InformerEvent, type InformerOptions, runInformer } from './informer.ts';
import type { InformerTiming } from './informer-timing.ts';
import type { KubeObject } from './list.ts';

const PATH = '/api/v1/namespaces/n/things';
const FAST: Partial<InformerTiming> = {
  firstDelay: 50,
  firstDelayIfDenied: 100,
  maxDelay: 200,
  healthyAfter: 300,
  idleTimeout: 5_000,
};
/** No watch of a test lasts this long, however busy the machine is. */
const NEVER_HEALTHY: Partial<InformerTiming> = { ...FAST, healthyAfter: 60_000 };

const object = (name: string, version: number, value = 'a') => ({
  metadata: { name, namespace: 'n', resourceVersion: String(version) },
  value,
});
const list = (version: number, items: readonly object[], token?: string) => ({
  metadata: { resourceVersion: String(version), ...(token === undefined ? {} : { continue: token }) },
  items,
});
const send = (response: ServerResponse, type: string, of: object): void => {
  response.write(`${JSON.stringify({ type, object: of })}\n`);
};
const open = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
};

/** Follows the things of a scripted server; objects whose value is `hidden` are not of interest. */
async function followed(answer: Answer, options: Partial<InformerOptions<string>> = {}) {
  const { kube, server, asked } = await kubeServer(answer);
  const told: InformerEvent<string>[] = [];
  const state: { items: ReadonlyMap<string, string> | undefined } = { items: undefined };
  const stop = new AbortController();
  const select = ({ value }: KubeObject): string | undefined =>
    value === 'hidden' ? undefined : (value as string);
  const running = runInformer(
    kube,
    { path: PATH, select, timing: FAST, ...options },
    (one) => {
      told.push(one);
      if (one.kind === 'synced') state.items = one.items;
    },
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  return {
    server,
    asked,
    told,
    stop,
    running,
    kinds: () => told.map(({ kind }) => kind).join(' '),
    lists: () => asked.filter(({ watch }) => !watch),
    watches: () => asked.filter(({ watch }) => watch),
    items: () => Object.fromEntries(state.items ?? []),
  };
}

const until = (what: () => void, timeout = 20_000) => vi.waitFor(what, { timeout, interval: 10 });

describe('an informer', () => {
  test('lists all pages, then emits the events of the watch', async () => {
    const it = await followed(
      (response, { watch, query }) => {
        if (!watch && query.get('continue') === 'more') return json(response, list(5, [object('b', 2)]));
        if (!watch) return json(response, list(5, [object('a', 1), object('x', 1, 'hidden')], 'more'));
        open(response);
        send(response, 'ADDED', object('c', 6));
        send(response, 'MODIFIED', object('a', 7, 'new'));
        send(response, 'MODIFIED', object('b', 8, 'hidden'));
        send(response, 'ADDED', object('y', 9, 'hidden'));
        send(response, 'DELETED', object('c', 10, 'last'));
      },
      { fieldSelector: 'metadata.name!=z', labelSelector: 'a=b' },
    );
    await until(() => expect(it.told).toHaveLength(5));
    expect(it.told.slice(1)).toEqual([
      { kind: 'upsert', key: 'n/c', item: 'a', before: undefined },
      { kind: 'upsert', key: 'n/a', item: 'new', before: 'a' },
      { kind: 'delete', key: 'n/b', item: 'a' },
      { kind: 'delete', key: 'n/c', item: 'last' },
    ]);
    expect(it.items()).toEqual({ 'n/a': 'new' });
    const [watch] = it.watches();
    expect(Object.fromEntries(watch?.query ?? [])).toMatchObject({
      resourceVersion: '5',
      allowWatchBookmarks: 'true',
      fieldSelector: 'metadata.name!=z',
      labelSelector: 'a=b',
    });
    expect(Number(watch?.query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
  });

  test('without stored items, emits changes and deletions', async () => {
    const it = await followed(
      (response, { watch }) => {
        if (!watch) return json(response, list(5, [object('a', 1), object('b', 2)]));
        open(response);
        send(response, 'MODIFIED', object('a', 6, 'new'));
        send(response, 'MODIFIED', object('b', 7, 'hidden'));
        send(response, 'DELETED', object('x', 8));
        send(response, 'DELETED', object('a', 9, 'last'));
      },
      { keepItems: false },
    );
    await until(() => expect(it.told).toHaveLength(4));
    expect(it.items()).toEqual({ 'n/a': 'a', 'n/b': 'a' });
    expect(it.told.slice(1)).toEqual([
      { kind: 'upsert', key: 'n/a', item: 'new', before: undefined },
      { kind: 'delete', key: 'n/b', item: undefined },
      { kind: 'delete', key: 'n/a', item: 'last' },
    ]);
  });

  test('resumes from the last version after a lost connection, including bookmarks', async () => {
    let connections = 0;
    const it = await followed(
      (response, { watch }) => {
        if (!watch) return json(response, list(5, [object('a', 1)]));
        open(response);
        connections += 1;
        if (connections > 1) return send(response, 'ADDED', object('c', 8));
        send(response, 'ADDED', object('b', 6));
        send(response, 'BOOKMARK', { metadata: { resourceVersion: '7' } });
        response.write('{"type":"DELETED","object":{"metadata":{"na');
        setTimeout(() => response.destroy(), 50);
      },
      { timing: NEVER_HEALTHY },
    );
    await until(() => expect(it.items()).toEqual({ 'n/a': 'a', 'n/b': 'a', 'n/c': 'a' }));
    expect(it.watches().map(({ query }) => query.get('resourceVersion'))).toEqual(['5', '7']);
    expect(it.kinds()).toBe('synced upsert failure upsert recovered');
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['HTTP 410', (response) => refuse(response, 410, 'Expired')],
    [
      'an ERROR event 410',
      (response) => send(response, 'ERROR', { code: 410, reason: 'Expired', message: 'old' }),
    ],
    ['an empty ERROR event', (response) => send(response, 'ERROR', {})],
    ['a line that is not JSON', (response) => response.write('<html>\n')],
    ['an event of an unknown type', (response) => send(response, 'SURPRISE', object('b', 6))],
    ['an event without a version', (response) => send(response, 'ADDED', { metadata: { name: 'b' } })],
    ['an endless line', (response) => response.write('x'.repeat(17 * 1024 * 1024))],
  ])('relists after %s', async (_, fault) => {
    let connections = 0;
    const it = await followed((response, { watch }) => {
      if (!watch) return json(response, list(5, [object(connections === 0 ? 'a' : 'b', 1)]));
      connections += 1;
      if (connections === 1) return fault(response);
      open(response);
    });
    await until(() => expect(it.watches()).toHaveLength(2));
    expect(it.items()).toEqual({ 'n/b': 'a' });
    expect(it.lists()).toHaveLength(2);
    expect(it.kinds()).toMatch(/^synced (failure )?synced$/);
  });

  test('renews an expired watch at once, without emitting a failure', async () => {
    let connections = 0;
    const it = await followed((response, { watch }) => {
      if (!watch) return json(response, list(5, [object('a', 1)]));
      open(response);
      connections += 1;
      if (connections === 1)
        setTimeout(() => send(response, 'ERROR', { code: 410, reason: 'Expired', message: 'old' }), 400);
    });
    await until(() => expect(it.watches()).toHaveLength(2));
    expect(it.kinds()).toBe('synced synced');
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['closes each watch at once', (response) => response.writeHead(200).end()],
    ['breaks each watch at once', (response) => response.destroy()],
    [
      'breaks each watch after an event',
      (response) => {
        open(response);
        send(response, 'BOOKMARK', { metadata: { resourceVersion: '6' } });
        setTimeout(() => response.destroy(), 5);
      },
    ],
    ['responds to each watch with 410', (response) => refuse(response, 410, 'Expired')],
    ['responds to each watch with 500', (response) => refuse(response, 500, 'InternalError')],
    ['denies each watch', (response) => refuse(response, 403, 'Forbidden')],
  ])('does not retry in a tight loop, and keeps its items, if a server %s', async (_, answer) => {
    const it = await followed(
      (response, { watch }) => {
        if (!watch) return json(response, list(5, [object('a', 1)]));
        answer(response);
      },
      { timing: { ...NEVER_HEALTHY, firstDelay: 20, firstDelayIfDenied: 40, maxDelay: 80 } },
    );
    const delays = () => it.told.flatMap((event) => (event.kind === 'failure' ? [event.retryIn] : []));
    await until(() => expect(it.watches().length).toBeGreaterThan(6));
    // Each watch failed and was followed by a delay: 20, 40, 80, 80 … milliseconds, a quarter less at most.
    const first = delays().slice(0, 6);
    for (const [index, delay] of first.entries())
      expect(delay).toBeGreaterThanOrEqual(0.75 * Math.min(80, 20 * 2 ** index));
    const [start, end] = [it.watches()[0]?.at ?? 0, it.watches()[6]?.at ?? 0];
    // Timers are exact to a millisecond.
    expect(end - start).toBeGreaterThan(first.reduce((sum, delay) => sum + delay - 1, 0) - 1);
    expect(it.items()).toEqual({ 'n/a': 'a' });
  });

  test.each([
    [429, 'list'],
    [429, 'watch'],
    [503, 'list'],
    [503, 'watch'],
  ])('honors Retry-After of a %i response to a %s', async (code, doing) => {
    let refused = false;
    const it = await followed((response, { watch }) => {
      if (watch === (doing === 'watch') && !refused) {
        refused = true;
        return refuse(response, code, 'Busy', { 'retry-after': '1' });
      }
      if (!watch) return json(response, list(5, [object('a', 1)]));
      open(response);
    });
    await until(() => expect(it.watches()).toHaveLength(doing === 'watch' ? 2 : 1));
    const [first, second] = doing === 'watch' ? it.watches() : it.lists();
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(950);
    expect(it.told.find(({ kind }) => kind === 'failure')).toMatchObject({
      doing,
      error: { code, reason: 'Busy' },
    });
    expect(it.items()).toEqual({ 'n/a': 'a' });
  });

  test.each([401, 403, 429])('retries a watch that is rejected with %i, without relisting', async (code) => {
    let refusals = 0;
    const it = await followed((response, { watch }) => {
      if (!watch) return json(response, list(5, [object('a', 1)]));
      refusals += 1;
      if (refusals < 3) return refuse(response, code, 'Refused');
      open(response);
    });
    await until(() => expect(it.watches()).toHaveLength(3));
    expect(it.lists()).toHaveLength(1);
    expect(it.watches().map(({ query }) => query.get('resourceVersion'))).toEqual(['5', '5', '5']);
  });

  test('relists after a watch is rejected as a bad request', async () => {
    let refusals = 0;
    const it = await followed((response, { watch }) => {
      if (!watch) return json(response, list(5, [object('a', 1)]));
      refusals += 1;
      if (refusals < 2) return refuse(response, 400, 'BadRequest');
      open(response);
    });
    await until(() => expect(it.watches()).toHaveLength(2));
    expect(it.lists()).toHaveLength(2);
  });

  test('reconnects after a connection is silent for too long', async () => {
    const it = await followed(
      (response, { watch }) => {
        if (!watch) return json(response, list(5, [object('a', 1)]));
        open(response);
      },
      { timing: { ...FAST, idleTimeout: 400 } },
    );
    await until(() => expect(it.watches().length).toBeGreaterThan(1));
    expect(it.kinds()).toBe('synced');
    expect(it.lists()).toHaveLength(1);
  });

  test.each<[string, unknown]>([
    ['an empty object', {}],
    ['nothing', null],
    ['items without a version', { items: [] }],
    ['items that are not a list', { metadata: { resourceVersion: '1' }, items: 7 }],
  ])('does not mistake %s for an empty list', async (_, body) => {
    const it = await followed((response) => json(response, body));
    await until(() => expect(it.told).toHaveLength(1));
    expect(it.told[0]).toMatchObject({ kind: 'failure', doing: 'list' });
  });

  test('requests smaller pages if a page is too large', async () => {
    const large = 'x'.repeat(1024 * 1024);
    const it = await followed((response, { watch, query }) => {
      if (watch) return open(response);
      const size = Number(query.get('limit'));
      const start = Number(query.get('continue') ?? 0);
      const names = Array.from({ length: 40 }, (_, index) => index).slice(start, start + size);
      const next = start + size < 40 ? String(start + size) : undefined;
      json(
        response,
        list(
          5,
          names.map((index) => ({ ...object(`o${index}`, 1), large })),
          next,
        ),
      );
    });
    await until(() => expect(Object.keys(it.items())).toHaveLength(40));
    expect(it.kinds()).toBe('synced');
  });

  test('requests larger pages if the server expires the list', async () => {
    const it = await followed((response, { watch, query }) => {
      if (watch) return open(response);
      if (Number(query.get('limit')) > 1_000) return json(response, list(5, [object('a', 1)]));
      if (query.has('continue')) return refuse(response, 410, 'Expired');
      json(response, list(5, [object('a', 1)], 'more'));
    });
    await until(() => expect(it.kinds()).toBe('failure synced'));
  });

  test('relists at each interval, and if watching is denied, emits one failure in between', async () => {
    for (const denied of [false, true]) {
      const it = await followed(
        (response, { watch, query }) => {
          if (!watch) return json(response, list(5, [object('a', 1)]));
          if (denied) return refuse(response, 403, 'Forbidden');
          open(response);
          setTimeout(() => response.end(), Number(query.get('timeoutSeconds')) * 1_000);
        },
        { resync: 1_000, timing: { ...FAST, firstDelayIfDenied: 60_000, maxDelay: 60_000 } },
      );
      await until(() =>
        expect(it.kinds()).toMatch(
          denied ? /^synced failure synced failure synced/ : /^synced synced synced/,
        ),
      );
      const [first, second] = it.lists();
      expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(950);
    }
  });

  test('stops when aborted, and leaves no connection open', async () => {
    const it = await followed((response, { watch }) => {
      if (!watch) return json(response, list(5, []));
      open(response);
    });
    await until(() => expect(it.watches()).toHaveLength(1));
    it.stop.abort();
    await it.running;
    await until(() => {
      it.server.closeIdleConnections();
      it.server.getConnections((_, count) => expect(count).toBe(0));
    });
    const count = await new Promise((resolve) => it.server.getConnections((_, open) => resolve(open)));
    expect(count).toBe(0);
  });
});

test('reports how each watch ended', async () => {
  const ended: string[] = [];
  await followed(
    (response, { watch }) => {
      if (!watch) return json(response, list(5, []));
      if (ended.length === 0) return refuse(response, 403, 'Forbidden');
      open(response);
      send(response, 'ERROR', { message: 'too old', code: 410 });
      response.end();
    },
    { onWatchEnd: (why) => ended.push(why) },
  );
  await until(() => expect(ended.slice(0, 2)).toEqual(['denied', 'expired']));
});
