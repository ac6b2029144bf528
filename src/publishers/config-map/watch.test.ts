/** What a ConfigMap publisher makes of the events of its informers, which are those of a test. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { configMapsApi } from '../../../test/fixtures/unit/config-maps-api.ts';
import { observed } from '../../../test/fixtures/unit/toolset.ts';
import type { InformerEvent, InformerOptions } from '../../kubernetes/informer.ts';
import type { Documents } from '../../model/documents.ts';
import { plan } from '../../planning/plan.ts';
import { configMapPublisher } from './config-map-publisher.ts';

type Tell = (event: InformerEvent<string | undefined>) => void;

/** The informers that run, by the ConfigMap that they watch; the same map also where this file is loaded again. */
const informers = vi.hoisted(() => {
  const kept = globalThis as { watchedInformers?: Map<string, Tell> };
  kept.watchedInformers ??= new Map();
  return kept.watchedInformers;
});
vi.mock('../../kubernetes/informer.ts', () => ({
  runInformer: (
    _: unknown,
    { fieldSelector = '' }: InformerOptions<string | undefined>,
    tell: Tell,
    signal: AbortSignal,
  ): Promise<void> => {
    const name = fieldSelector.replace('metadata.name=', '');
    informers.set(name, tell);
    return new Promise((resolve) => {
      const end = (): void => {
        if (informers.get(name) === tell) informers.delete(name);
        resolve();
      };
      if (signal.aborted) end();
      // A connection takes a while to close.
      signal.addEventListener('abort', () => void setTimeout(end, name === 'toolset' ? 0 : 20));
    });
  },
}));

let stop: AbortController;
beforeEach(() => {
  informers.clear();
  stop = new AbortController();
});
afterEach(() => stop.abort());

const FAILURE = { kind: 'failure', doing: 'watch', error: new Error('gone'), retryIn: 1 } as const;
const parts = (...texts: readonly string[]): Documents => ({
  'custom_toolset.yaml': 'toolsets: {}\n',
  ...Object.fromEntries(
    texts.map((text, index) => [index === 0 ? 'toolset.json' : `toolset.json#${index + 1}`, text]),
  ),
});

async function watched() {
  const api = await configMapsApi();
  const publisher = configMapPublisher(api.kube, { namespace: 'ns', name: 'toolset' });
  const { signal } = stop;
  const publish = async (...texts: readonly string[]): Promise<void> => {
    const live = observed(await publisher.read(signal));
    await publisher.apply(plan({ documents: parts(...texts), tools: [] }, live, '1'), new Date(0), signal);
  };
  const changed = vi.fn();
  const failed = vi.fn<(error: Error) => void>();
  await publish('a', 'b');
  const watching = publisher.watch?.(changed, failed, signal);
  return {
    ...api,
    api,
    publisher,
    publish,
    changed,
    failed,
    watching,
    tell: (name: string, event: InformerEvent<string | undefined>) => informers.get(name)?.(event),
    /** The state of an object as it is stored now. */
    version: (name: string) => api.stored.get(name)?.metadata.resourceVersion,
  };
}

const BOTH = ['toolset', 'toolset-2'];

test.each(BOTH)('an external write to %s is a change, and our own is not', async (name) => {
  const { tell, version, publish, changed, put, stored } = await watched();
  const event = (item: string | undefined) =>
    ({ kind: 'upsert', key: name, item, before: undefined }) as const;
  tell(name, { kind: 'synced', items: new Map([[name, version(name)]]) });
  await publish('c', 'd');
  tell(name, event(version(name)));
  expect(changed).not.toHaveBeenCalled();
  put(name, { ...stored.get(name) });
  tell(name, event(version(name)));
  expect(changed).toHaveBeenCalledTimes(1);
  tell(name, { kind: 'synced', items: new Map([[name, 'another']]) });
  expect(changed).toHaveBeenCalledTimes(2);
  tell(name, { kind: 'synced', items: new Map() });
  expect(changed).toHaveBeenCalledTimes(3);
});

test.each(BOTH)('the deletion of %s is a change, whatever its state was', async (name) => {
  const { tell, version, changed } = await watched();
  tell(name, { kind: 'delete', key: name, item: version(name) });
  expect(changed).toHaveBeenCalledTimes(1);
});

test.each([
  ['toolset', /cannot watch ConfigMap ns\/toolset: /],
  ['toolset-2', /cannot watch the other parts of ConfigMap ns\/toolset: /],
])(
  'a watch of %s that fails is reported once until it works again, and is no news',
  async (name, message) => {
    const { tell, version, changed, failed } = await watched();
    tell(name, FAILURE);
    tell(name, FAILURE);
    expect(failed.mock.calls.map(([error]) => error.message)).toEqual([expect.stringMatching(message)]);
    tell(name, { kind: 'recovered' });
    tell(name, FAILURE);
    expect(failed).toHaveBeenCalledTimes(2);
    tell(name, { kind: 'synced', items: new Map([[name, version(name)]]) });
    tell(name, FAILURE);
    expect(failed).toHaveBeenCalledTimes(3);
    expect(changed).not.toHaveBeenCalled();
  },
);

test('parts are watched while they are there, each by one informer', async () => {
  const { publish, put, watching } = await watched();
  const running = () => [...informers.keys()].sort();
  expect(running()).toEqual(['toolset', 'toolset-2']);
  const first = informers.get('toolset-2');
  await publish('a', 'b', 'c');
  expect(running()).toEqual(['toolset', 'toolset-2', 'toolset-3']);
  expect(informers.get('toolset-2')).toBe(first);
  await publish('a');
  await vi.waitFor(() => expect(running()).toEqual(['toolset']));
  await publish('a', 'b');
  expect(running()).toEqual(['toolset', 'toolset-2']);
  expect(informers.get('toolset-2')).not.toBe(first);
  put('toolset-3', { data: {} });
  stop.abort();
  await watching;
  expect(running()).toEqual([]);
});

test('nothing is watched after the end, even if it is read again', async () => {
  const { publisher, put, stored, watching } = await watched();
  stop.abort();
  await watching;
  const { signal } = new AbortController();
  const main = stored.get('toolset');
  put('toolset', {
    ...main,
    metadata: { name: 'toolset', annotations: { ...main?.metadata.annotations, 'kubernaut.io/shards': '3' } },
  });
  put('toolset-3', { ...stored.get('toolset-2') });
  await publisher.read(signal);
  expect([...informers.keys()]).toEqual([]);
});

test('a ConfigMap without read permission is not watched', async () => {
  const { publish, api, publisher } = await watched();
  await publish('a', 'b', 'c');
  api.refusing = (request) => (request === 'GET toolset-3' ? 403 : undefined);
  await publisher.read(stop.signal);
  await vi.waitFor(() => expect([...informers.keys()].sort()).toEqual(['toolset', 'toolset-2']));
});

test('a watch whose signal is aborted already ends at once', async () => {
  const { publisher, watching } = await watched();
  stop.abort();
  await watching;
  await publisher.watch?.(
    () => {},
    () => {},
    AbortSignal.abort(),
  );
});
