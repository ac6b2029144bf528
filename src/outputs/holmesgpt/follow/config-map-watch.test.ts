import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { json, kubeServer, refuse } from '../../../../test/fixtures/unit/kube-server.ts';
import type { Problem } from '../../../model/discovery.ts';
import { FILE, HAND_WRITTEN } from '../merge/agent-file.ts';
import { ConfigMapWatch, contentOf } from './config-map-watch.ts';

/** Waits until a check passes, also on a busy machine. */
const soon = (check: () => void) => vi.waitFor(check, { timeout: 10_000 });

const FAST = { firstDelay: 10, firstDelayIfDenied: 10, healthyAfter: 50 };
const file = (text: string) => ({ [FILE]: text });
const configMap = (name: string, version: number, data: Record<string, string>) => ({
  metadata: { namespace: 'ns', name, resourceVersion: String(version) },
  data,
});

/** A watch that runs, and a server that lists one ConfigMap of each name and sends the events of a test. */
async function watching() {
  const streams = new Map<string, ServerResponse>();
  const state = { denies: '', listed: file('a') as Record<string, string> | undefined };
  const { kube, asked } = await kubeServer((response, { query, watch }) => {
    if (state.denies === (watch ? 'watch' : 'list')) return refuse(response, 403, 'Forbidden');
    const name = (query.get('fieldSelector') ?? '').replace('metadata.name=', '');
    if (watch) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      streams.set(name, response);
      response.on('close', () => streams.delete(name));
      return;
    }
    const items = state.listed === undefined ? [] : [configMap(name, 5, state.listed)];
    json(response, { kind: 'ConfigMapList', items, metadata: { resourceVersion: '5' } });
  });
  const stop = new AbortController();
  const watch = new ConfigMapWatch(kube, 'ns', FAST);
  const changed = vi.fn<(content: string) => void>();
  const failed = vi.fn<(problem: Problem) => void>();
  const ended = watch.run({ changed, failed }, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await ended;
  });
  return {
    asked,
    state,
    streams,
    watch,
    changed,
    failed,
    isOpen: (name: string) => soon(() => expect([...streams.keys()]).toEqual([name])),
    send: (type: string, object: ReturnType<typeof configMap>) =>
      streams.get(object.metadata.name)?.write(`${JSON.stringify({ type, object })}\n`),
  };
}

test('only the ConfigMap of the last sync is listed and watched, by name, and another one once the name changes', async () => {
  const { watch, asked, isOpen } = await watching();
  expect(asked).toEqual([]);
  watch.knows('one', file('a'));
  await isOpen('one');
  watch.knows('one', file('b'));
  watch.knows('two', file('a'));
  await isOpen('two');
  expect(asked.map(({ query, path }) => [path, query.get('fieldSelector')])).toEqual(
    ['one', 'one', 'two', 'two'].map((name) => ['/api/v1/namespaces/ns/configmaps', `metadata.name=${name}`]),
  );
});

test('changes of the file and of its texts are reported; our own writes and other keys are not', async () => {
  const { watch, changed, send, isOpen } = await watching();
  watch.knows('one', file('a'));
  await isOpen('one');
  watch.knows('one', file('b'));
  send('MODIFIED', configMap('one', 6, file('b')));
  send('MODIFIED', configMap('one', 7, { ...file('b'), 'model_list.yaml': 'x' }));
  send('MODIFIED', configMap('one', 8, file('c')));
  send('MODIFIED', configMap('one', 9, { ...file('b'), [HAND_WRITTEN]: 'd' }));
  send('DELETED', configMap('one', 10, file('b')));
  await soon(() => expect(changed).toHaveBeenCalledTimes(3));
  expect(changed.mock.calls.map(([content]) => content)).toEqual(
    [file('c'), { ...file('b'), [HAND_WRITTEN]: 'd' }, undefined].map(contentOf),
  );
});

test('what changed while the watch was interrupted is reported, also after 410 Gone', async () => {
  const { watch, changed, isOpen, state, streams, send, asked } = await watching();
  watch.knows('one', file('a'));
  await isOpen('one');
  const watches = () => asked.filter((each) => each.watch).length;
  streams.get('one')?.destroy();
  await soon(() => expect(watches()).toBe(2));
  await isOpen('one');
  send('MODIFIED', configMap('one', 6, file('b')));
  await soon(() => expect(changed.mock.calls).toEqual([[contentOf(file('b'))]]));
  state.listed = undefined;
  streams.get('one')?.end('{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}\n');
  await soon(() => expect(changed).toHaveBeenCalledWith(contentOf(undefined)));
});

test.each(['list', 'watch'])('if %s is denied, that is reported once, until it is granted', async (verb) => {
  const { watch, failed, state, asked, changed, isOpen } = await watching();
  state.denies = verb;
  watch.knows('one', file('a'));
  const denied = () => asked.filter((each) => (each.watch ? 'watch' : 'list') === verb);
  await soon(() => expect(denied().length).toBeGreaterThan(2));
  expect(failed.mock.calls).toEqual([
    [
      {
        where: 'ConfigMap ns/one',
        what: expect.stringMatching(
          new RegExp(`^changes by others are noticed only once per DISCOVERY_INTERVAL: cannot ${verb} it: `),
        ),
        fix: expect.stringContaining('get, list, watch and patch'),
      },
    ],
  ]);
  state.denies = '';
  await isOpen('one');
  expect(changed).not.toHaveBeenCalled();
});

test('a ConfigMap without the file is another content than none, because the file has to be written', () => {
  expect(contentOf({})).not.toBe(contentOf(undefined));
  expect(contentOf({ 'model_list.yaml': 'm: 1' })).toBe(contentOf({}));
});
