import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Answer, json, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { keyFor } from '../../test/fixtures/unit/service.ts';
import { displayKey, partsOf } from '../model/key.ts';
import { clusterSource } from './cluster.ts';
import { type Change, readOnce, type SourceEvent } from './source.ts';

const service = (namespace: string, name: string, version = 1) => ({
  metadata: { namespace, name, resourceVersion: String(version) },
  spec: { ports: [{ port: 80 }] },
});
const list = (...items: readonly object[]) => ({ metadata: { resourceVersion: '5' }, items });
const namespaceOf = (path: string): string => path.split('/')[4] ?? '';
const names = (change: Change | undefined): readonly string[] =>
  change?.kind === 'sync' ? change.services.map(({ namespace, name }) => `${namespace}/${name}`).sort() : [];
/** What there is after these changes, as who is told of them would keep it. */
function heldAfter(changes: readonly Change[]): readonly string[] {
  const held = new Map<string, string>();
  for (const change of changes) {
    if (change.kind === 'upsert') held.set(displayKey(change.service), change.service.namespace);
    if (change.kind === 'delete') held.delete(displayKey(partsOf(change.key)));
    if (change.kind !== 'sync') continue;
    for (const [key, namespace] of held) if (!change.stale.includes(namespace)) held.delete(key);
    for (const one of change.services) held.set(displayKey(one), one.namespace);
  }
  return [...held.keys()].sort();
}
const until = (what: () => void, timeout = 20_000) => vi.waitFor(what, { timeout, interval: 10 });

/** Follows namespaces of a scripted server. */
async function followed(namespaces: readonly string[], interval: number, answer: Answer) {
  const { kube, asked } = await kubeServer(answer);
  const told: Change[] = [];
  const stop = new AbortController();
  const running = clusterSource(kube, { namespaces, interval }).run(
    (change) => told.push(change),
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  return {
    asked,
    told,
    last: () => told.at(-1),
    held: () => heldAfter(told),
    kinds: () => told.map(({ kind }) => kind).join(' '),
  };
}

describe('clusterSource', () => {
  test('a single read lists each namespace, and watches none', async () => {
    const { kube, asked } = await kubeServer((response, { path }) =>
      namespaceOf(path) === 'no'
        ? refuse(response, 403, 'Forbidden')
        : json(response, list(service(namespaceOf(path), 's'))),
    );
    const source = clusterSource(kube, { namespaces: ['a', 'b', 'no', 'a'], interval: undefined });
    const sync = await readOnce(source, new AbortController().signal);
    expect(names(sync)).toEqual(['a/s', 'b/s']);
    expect(sync.stale).toEqual([]);
    expect(sync.problems).toMatchObject([
      { where: 'namespace no', what: expect.stringContaining('denied, so it is skipped') },
    ]);
    expect(asked.map(({ watch, path }) => `${namespaceOf(path)} ${watch}`).sort()).toEqual([
      'a false',
      'b false',
      'no false',
    ]);
  });

  test('a single read fails if no namespace can be read', async () => {
    const { kube } = await kubeServer((response) => refuse(response, 403, 'Forbidden'));
    const source = clusterSource(kube, { namespaces: ['a', 'b'], interval: undefined });
    await expect(readOnce(source, new AbortController().signal)).rejects.toThrow(
      /cannot list Services in a, b.*grant it/,
    );
  });

  test('reports the full set once all namespaces are listed, then changes', async () => {
    const late = Promise.withResolvers<void>();
    const it = await followed(['a', 'b'], 60_000, async (response, { path, watch }) => {
      const namespace = namespaceOf(path);
      if (!watch) {
        if (namespace === 'b') await late.promise;
        return json(response, list(service(namespace, 's'), service(namespace, 't')));
      }
      response.writeHead(200).flushHeaders();
      if (namespace !== 'a') return;
      response.write(`${JSON.stringify({ type: 'ADDED', object: service('a', 'early', 6) })}\n`);
      await late.promise;
      setTimeout(() => {
        response.write(`${JSON.stringify({ type: 'ADDED', object: service('a', 'new', 7) })}\n`);
        response.write(`${JSON.stringify({ type: 'DELETED', object: service('a', 's', 8) })}\n`);
      }, 200);
    });
    await until(() => expect(it.asked.some(({ watch }) => watch)).toBe(true));
    expect(it.told).toEqual([]);
    late.resolve();
    await until(() => expect(it.told).toHaveLength(3));
    expect(names(it.told[0])).toEqual(['a/early', 'a/s', 'a/t', 'b/s', 'b/t']);
    expect(it.told.slice(1)).toMatchObject([
      { kind: 'upsert', service: { namespace: 'a', name: 'new' } },
      { kind: 'delete', key: keyFor('a/s') },
    ]);
  });

  test('a namespace with a temporary failure is unread, and added later', async () => {
    let broken = true;
    const it = await followed(['a', 'b'], 60_000, (response, { path, watch }) => {
      if (watch) return void response.writeHead(200).flushHeaders();
      if (namespaceOf(path) === 'b' && broken) return refuse(response, 500, 'InternalError');
      json(response, list(service(namespaceOf(path), 's')));
    });
    await until(() => expect(it.told).toHaveLength(1));
    expect(it.last()).toMatchObject({ kind: 'sync', stale: ['b'], problems: [{ where: 'namespace b' }] });
    broken = false;
    await until(() => expect(it.held()).toEqual(['a/s', 'b/s']));
    expect(it.last()).toMatchObject({ stale: ['a'], problems: [] });
  });

  test('objects that a new list lacks are removed, even if its watch fails at once', async () => {
    let restarts = false;
    let watches = 0;
    const it = await followed(['a', 'b'], 60_000, (response, { path, watch }) => {
      const namespace = namespaceOf(path);
      if (!watch) {
        const names = namespace === 'a' && restarts ? ['t'] : ['s', 't'];
        return json(response, list(...names.map((name) => service(namespace, name))));
      }
      if (namespace === 'a' && restarts) {
        watches += 1;
        if (watches === 1) return refuse(response, 500, 'InternalError');
      }
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      if (namespace !== 'a' || restarts) return;
      setTimeout(() => {
        restarts = true;
        response.write(`${JSON.stringify({ type: 'ERROR', object: { message: 'old', code: 410 } })}\n`);
      }, 100);
    });
    await until(() => expect(it.held()).toEqual(['a/s', 'a/t', 'b/s', 'b/t']));
    await until(() => expect(it.held()).toEqual(['a/t', 'b/s', 'b/t']));
    expect(watches).toBe(1);
  });

  /** Namespaces a and b with a Service each, after `deny` without permission for b. Watches end after a second. */
  const deniable = async () => {
    let isDenied = false;
    const it = await followed(['a', 'b'], 1_000, (response, { path, watch }) => {
      if (namespaceOf(path) === 'b' && isDenied) return refuse(response, 403, 'Forbidden');
      if (watch) {
        response.writeHead(200).flushHeaders();
        return void setTimeout(() => response.end(), 1_000);
      }
      json(response, list(service(namespaceOf(path), 's')));
    });
    await until(() => expect(it.held()).toEqual(['a/s', 'b/s']));
    const deny = (value: boolean): void => {
      isDenied = value;
    };
    return { it, deny };
  };

  test('a known namespace that becomes denied stays for a while, and is removed if it stays denied', async () => {
    const { it, deny } = await deniable();
    deny(true);
    await until(() => expect(it.held()).toEqual(['a/s']));
    const standing = it.told.findIndex(
      (change) => change.kind === 'sync' && change.problems.some(({ what }) => what.includes('stay for now')),
    );
    expect(heldAfter(it.told.slice(0, standing + 1))).toEqual(['a/s', 'b/s']);
    expect(it.last()).toMatchObject({
      problems: [{ fix: expect.stringMatching(/"list" and "watch".*Role/) }],
    });
  }, 20_000);

  test('if only the watch fails, again and again, the lists count', async () => {
    let name = 'x';
    const it = await followed(['a'], 60_000, (response, { watch }) => {
      if (!watch) return json(response, list(service('a', name)));
      // Later than a sync is delayed.
      setTimeout(() => refuse(response, 410, 'Expired'), 150);
    });
    await until(() => expect(it.kinds()).toMatch(/^sync failure sync sync/));
    // That it fails after a list is no failure of the source.
    expect(it.told[3]).toMatchObject({
      stale: ['a'],
      problems: [
        {
          where: 'namespace a',
          what: expect.stringMatching(
            /^watching Services fails, so a change shows only when they are listed/,
          ),
        },
      ],
    });
    name = 'y';
    await until(() => expect(it.held()).toEqual(['a/y']));
    expect(it.kinds().match(/failure/g)).toHaveLength(1);
  });

  test('if watching is denied, it lists at each interval and reports the missing permission', async () => {
    let name = 's';
    const it = await followed(['a'], 1_000, (response, { watch }) =>
      watch ? refuse(response, 403, 'Forbidden') : json(response, list(service('a', name))),
    );
    await until(() =>
      expect(it.last()).toMatchObject({
        kind: 'sync',
        stale: [],
        problems: [{ where: 'namespace a', what: expect.stringContaining('watching Services was denied') }],
      }),
    );
    name = 'later';
    await until(() => expect(names(it.last())).toEqual(['a/later']));
    expect(it.kinds()).not.toContain('failure');
    const withoutProblem = it.told
      .slice(2)
      .filter((change) => change.kind === 'sync' && change.problems.length === 0);
    expect(withoutProblem).toEqual([]);
  });

  test('if all namespaces fail, one failure is reported, and the known state stays', async () => {
    let away = false;
    const many = Array.from({ length: 12 }, (_, index) => `n${index}`);
    const it = await followed(many, 60_000, (response, { path, watch }) => {
      if (away) return void response.destroy();
      if (!watch) return json(response, list(service(namespaceOf(path), 's')));
      response.writeHead(200).flushHeaders();
      const timer = setInterval(() => away && response.destroy(), 20);
      response.on('close', () => clearInterval(timer));
    });
    await until(() => expect(it.held()).toHaveLength(12));
    away = true;
    await until(() => expect(it.last()?.kind).toBe('failure'));
    expect(it.held()).toHaveLength(12);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(it.told.filter(({ kind }) => kind === 'failure').length).toBeLessThan(5);
    away = false;
    await until(() => expect(it.last()?.kind).toBe('sync'), 15_000);
    expect(it.held()).toHaveLength(12);
  }, 30_000);

  test('a namespace that is no longer denied is reported completely', async () => {
    const { it, deny } = await deniable();
    deny(true);
    await until(() => expect(it.held()).toEqual(['a/s']));
    deny(false);
    await until(() => expect(it.held()).toEqual(['a/s', 'b/s']));
  }, 30_000);

  test('a malformed Service is removed, and its problem disappears once it is well-formed again', async () => {
    const it = await followed(['a'], 60_000, (response, { watch }) => {
      if (!watch) return json(response, list(service('a', 's'), service('a', 't')));
      response.writeHead(200).flushHeaders();
      const broken = { ...service('a', 's', 6), spec: { ports: [{ port: 0 }] } };
      const send = (object: object, after: number): void =>
        void setTimeout(() => response.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`), after);
      send(broken, 100);
      send(service('a', 's', 7), 600);
    });
    await until(() => expect(it.held()).toEqual(['a/t']));
    await until(() => expect(it.last()).toMatchObject({ problems: [{ where: 'namespace a' }] }));
    await until(() => expect(it.held()).toEqual(['a/s', 'a/t']));
    await until(() => expect(it.last()).toMatchObject({ kind: 'sync', problems: [] }));
  });

  test('a malformed Service is reported, and the others count', async () => {
    const it = await followed(['*', 'a'], 60_000, (response, { watch }) => {
      if (!watch) return json(response, list(service('a', 's'), service('a', 'not a name')));
      response.writeHead(200).flushHeaders();
    });
    await until(() => expect(it.told).toHaveLength(1));
    expect(names(it.last())).toEqual(['a/s']);
    expect(it.last()).toMatchObject({ problems: [{ what: expect.stringContaining('not a name') }] });
    expect(it.asked.every(({ path }) => path === '/api/v1/services')).toBe(true);
  });
});

test('events of its informers are emitted', async () => {
  const { kube } = await kubeServer((response, { path, watch }) => {
    if (namespaceOf(path) === 'no') return refuse(response, 403, 'Forbidden');
    if (!watch) return json(response, list(service('a', 'old')));
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    for (const type of ['ADDED', 'DELETED'])
      response.write(`${JSON.stringify({ type, object: service('a', 'new', 6) })}\n`);
    response.write(`${JSON.stringify({ type: 'ERROR', object: { message: 'too old', code: 410 } })}\n`);
    response.end();
  });
  const told: SourceEvent[] = [];
  const stop = new AbortController();
  const options = {
    namespaces: ['a', 'no'],
    interval: 60_000,
    emit: (event: SourceEvent) => told.push(event),
  };
  const running = clusterSource(kube, options).run(() => {}, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  for (const event of [
    { kind: 'namespaces-denied', count: 1 },
    { kind: 'watch-event', change: 'upsert' },
    { kind: 'watch-event', change: 'delete' },
    { kind: 'watch-ended', reason: 'expired' },
  ])
    await until(() => expect(told).toContainEqual(event));
});
