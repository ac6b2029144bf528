import { describe, expect, test } from 'vitest';
import { configMapsApi } from '../../../test/fixtures/unit/config-maps-api.ts';
import { FILE, JSON_FILE, parts, place } from '../../../test/fixtures/unit/sharded-config-map.ts';
import { observed } from '../../../test/fixtures/unit/toolset.ts';
import { type Documents, toolsetOf } from '../../model/documents.ts';
import { decideToKeep } from '../../planning/decide.ts';
import { plan } from '../../planning/plan.ts';
import { OwnerRefused, PublishConflict, ShardsRefused } from '../publisher.ts';
import { type ConfigMapPublisherOptions, configMapPublisher } from './config-map-publisher.ts';

const { signal } = new AbortController();

test('each part is in its own ConfigMap under its own key, with labels for finding it', async () => {
  const { publish, live, stored, planned } = await place();
  const answered = await publish(parts(100, 200, 300));
  expect([...stored.keys()].sort()).toEqual(['toolset', 'toolset-2', 'toolset-3']);
  expect(Object.keys(stored.get('toolset')?.data ?? {}).sort()).toEqual([FILE, JSON_FILE]);
  expect(stored.get('toolset')?.metadata.annotations).toMatchObject({ 'kubernaut.io/shards': '3' });
  expect(stored.get('toolset-3')).toMatchObject({
    metadata: {
      labels: {
        'app.kubernetes.io/component': 'toolset-config',
        'app.kubernetes.io/managed-by': 'dynamic-toolset',
        'kubernaut.io/configmap': 'toolset',
        'kubernaut.io/shard': '3',
      },
    },
    data: { [JSON_FILE]: 'x'.repeat(300) },
  });
  expect(observed(answered)?.toolset?.documents).toEqual(parts(100, 200, 300));
  expect((await live())?.toolset?.documents).toEqual(parts(100, 200, 300));
  expect((await planned(parts(100, 200, 300))).action).toBe('none');
});

test('a change of one part writes that part and the main ConfigMap', async () => {
  const { publish, writes } = await place();
  await publish(parts(100, 200, 300));
  await publish(parts(100, 200, 310));
  expect(writes).toEqual(['PATCH toolset-3', 'PATCH toolset']);
});

test('growing parts are written first and shrinking ones last, so that no tool is missing in between', async () => {
  const { publish, writes, texts } = await place();
  await publish(parts(500));
  await publish(parts(300, 200));
  expect(writes).toEqual(['PATCH toolset-2', 'PATCH toolset']);
  await publish(parts(350, 150));
  expect(writes).toEqual(['PATCH toolset', 'PATCH toolset-2']);
  await publish(parts(300, 200));
  expect(writes).toEqual(['PATCH toolset-2', 'PATCH toolset']);
  await publish(parts(500));
  expect(writes.filter((write) => write !== 'PATCH toolset')).toEqual(['DELETE toolset-2']);
  expect(writes.at(-1)).toBe('DELETE toolset-2');
  expect(texts()).toEqual({ toolset: 500 });
});

test('the annotation is removed with the last part', async () => {
  const { publish, stored, planned } = await place();
  await publish(parts(1, 2));
  await publish(parts(3));
  expect(stored.get('toolset')?.metadata.annotations).not.toHaveProperty('kubernaut.io/shards');
  expect((await planned(parts(3))).action).toBe('none');
});

test.each<[string, (place: Awaited<ReturnType<typeof configMapsApi>>) => void]>([
  ['deleted', ({ remove }) => remove('toolset-2')],
  [
    'edited',
    ({ put, stored }) =>
      put('toolset-2', { ...stored.get('toolset-2'), data: { [JSON_FILE]: 'something else' } }),
  ],
  [
    'without its labels',
    ({ put, stored }) => {
      const object = stored.get('toolset-2');
      put('toolset-2', { ...object, metadata: { name: 'toolset-2', ...object?.metadata, labels: {} } });
    },
  ],
])('a part that is %s is a difference, and is written again', async (_, change) => {
  const { api, publish, stored, planned } = await place();
  await publish(parts(10, 20));
  change(api);
  const decided = await planned(parts(10, 20));
  expect(decided).toMatchObject({ action: 'update', changes: ['data toolset.json#2'] });
  await publish(parts(10, 20));
  expect(stored.get('toolset-2')).toMatchObject({
    metadata: { labels: { 'kubernaut.io/shard': '2' } },
    data: { [JSON_FILE]: 'x'.repeat(20) },
  });
});

test('without several parts, none are requested, and a remaining one is found by the number to look for', async () => {
  const first = await place();
  await first.publish(parts(1));
  await first.live();
  expect(new Set(first.reads)).toEqual(new Set(['GET toolset']));
  const second = await place({ lookFor: 3 });
  await second.publish(parts(1, 2, 3));
  const annotations = { ...second.stored.get('toolset')?.metadata.annotations };
  delete annotations['kubernaut.io/shards'];
  second.put('toolset', {
    ...second.stored.get('toolset'),
    metadata: { name: 'toolset', annotations },
  } as never);
  const { publisher } = {
    publisher: configMapPublisher(second.kube, { namespace: 'ns', name: 'toolset' }, { lookFor: 3 }),
  };
  const live = observed(await publisher.read(signal));
  await publisher.apply(plan({ documents: parts(1), tools: [] }, live, '1'), new Date(0), signal);
  expect([...second.stored.keys()]).toEqual(['toolset']);
});

test('remaining parts are looked for once', async () => {
  const { publish, live, reads } = await place({ lookFor: 3 });
  await publish(parts(1));
  expect(reads.filter((read) => read !== 'GET toolset')).toEqual(['GET toolset-2', 'GET toolset-3']);
  await live();
  expect(reads.filter((read) => read !== 'GET toolset')).toHaveLength(2);
});

test('a part whose name would be too long is rejected', async () => {
  const { kube, writes } = await configMapsApi();
  const publisher = configMapPublisher(kube, { namespace: 'ns', name: 'x'.repeat(252) });
  const decided = plan({ documents: parts(1, 2), tools: [] }, undefined, '1');
  await expect(publisher.apply(decided, new Date(0), signal)).rejects.toThrow(/name is too long/);
  expect(writes).toEqual([]);
});

test('a ConfigMap of others with the name of a part is never written or deleted, unless it is taken over', async () => {
  const theirs = { metadata: { name: 'toolset-3', labels: { team: 'a' } }, data: { [JSON_FILE]: 'theirs' } };
  const { publish, put, stored, writes } = await place({ lookFor: 4 });
  put('toolset-3', theirs);
  const refused = await publish(parts(1, 2, 3)).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ShardsRefused);
  expect(refused).toMatchObject({
    most: 2,
    message: expect.stringMatching(/ns\/toolset-3 was made by others.*--force/),
  });
  expect(writes).toEqual([]);
  await publish(parts(1, 2));
  expect(stored.get('toolset-3')).toMatchObject(theirs);
  const forced = await place({ lookFor: 4, force: true });
  forced.put('toolset-3', theirs);
  await forced.publish(parts(1, 2, 3));
  expect(forced.texts()).toEqual({ toolset: 1, 'toolset-2': 2, 'toolset-3': 3 });
});

test('one that others created meanwhile is left alone too, and so is the main ConfigMap of another toolset', async () => {
  const { publish, live, put, stored } = await place();
  await publish(parts(1));
  await live();
  const labels = {
    'app.kubernetes.io/managed-by': 'dynamic-toolset',
    'app.kubernetes.io/component': 'toolset-config',
  };
  put('toolset-2', {
    metadata: { name: 'toolset-2', labels, managedFields: [{ manager: 'dynamic-toolset' }] },
    data: {},
  });
  await expect(publish(parts(1, 2))).rejects.toThrow(ShardsRefused);
  expect(stored.get('toolset-2')?.data).toEqual({});
});

test('an immutable one is replaced when it changes, unless it has keys of others', async () => {
  const { publish, put, stored, writes, texts, publisher, remove } = await place();
  await publish(parts(1, 2, 3));
  put('toolset-2', { ...stored.get('toolset-2'), immutable: true });
  await publish(parts(1, 2, 4));
  expect(writes).toEqual(['PATCH toolset-3', 'PATCH toolset']);
  await publish(parts(1, 5, 4));
  expect(writes).toEqual(['DELETE toolset-2', 'PATCH toolset-2', 'PATCH toolset']);
  expect(texts()).toEqual({ toolset: 1, 'toolset-2': 5, 'toolset-3': 4 });
  expect(stored.get('toolset-2')?.immutable).toBeUndefined();
  const data = { ...stored.get('toolset-2')?.data, note: 'mine' };
  put('toolset-2', { ...stored.get('toolset-2'), data, immutable: true });
  const refused = await publish(parts(1, 6, 4)).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    most: 1,
    message: expect.stringMatching(
      /toolset-2 is immutable and others wrote note into it.*copy what you need/,
    ),
  });
  await publish(parts(1));
  expect(stored.get('toolset-2')).toMatchObject({ data, immutable: true });
  expect(stored.get('toolset-2')?.metadata.labels).toEqual({});
  expect(await publisher.isUsable?.(refused as ShardsRefused, signal)).toBe(false);
  remove('toolset-2');
  expect(await publisher.isUsable?.(refused as ShardsRefused, signal)).toBe(true);
});

test('after a denial, permission is checked without a write, and only once more', async () => {
  const { api, publish, publisher, writes } = await place();
  await publish(parts(1));
  api.refusing = (request) => (request === 'PATCH toolset-2' ? 403 : undefined);
  const isUsable = (error: unknown) => publisher.isUsable?.(error as ShardsRefused, signal);
  const refused = await publish(parts(1, 2)).catch((error: unknown) => error);
  writes.length = 0;
  expect(await isUsable(refused)).toBe(false);
  api.allowing = (verb) => verb === 'patch';
  expect(await isUsable(refused)).toBe(false);
  expect(writes).toEqual([]);
  api.allowing = () => true;
  expect(await isUsable(refused)).toBe(true);
  // A webhook denies it.
  const again = await publish(parts(1, 2)).catch((error: unknown) => error);
  expect(again).toBeInstanceOf(ShardsRefused);
  expect(await isUsable(again)).toBe(false);
});

test('parts that may no longer be read are no external change, and the warning says how to delete them', async () => {
  const { api, publish, publisher, live, planned } = await place();
  await publish(parts(1, 2, 3));
  api.refusing = (request) => (request.startsWith('GET toolset-') ? 403 : undefined);
  const seen = await live();
  expect(seen?.unread).toEqual([2, 3]);
  expect(
    decideToKeep({
      live: seen,
      revisions: [],
      own: toolsetOf(parts(1, 2, 3), () => []),
      overrides: undefined,
    })?.drift,
  ).toBeUndefined();
  const decided = await planned(parts(4, 2, 3));
  await expect(publisher.apply(decided, new Date(0), signal)).rejects.toThrow(
    /toolset-2, toolset-3 may keep outdated tools.*kubectl -n ns delete configmap toolset-2 toolset-3$/,
  );
});

test.each([
  ['GET', 'may not read ConfigMap ns/toolset-2'],
  ['PATCH', 'may not write ConfigMap ns/toolset-2'],
])(
  'without the permission to %s it, it is rejected with what to grant, and without parts nothing is reported',
  async (verb, said) => {
    const { api, publish, live, writes } = await place({ lookFor: 4 });
    api.refusing = (request) => (request.startsWith(`${verb} toolset-`) ? 403 : undefined);
    await publish(parts(1));
    await live();
    const refused = await publish(parts(1, 2)).catch((error: unknown) => error);
    expect(refused).toMatchObject({ most: 1, message: expect.stringContaining(said) });
    expect((refused as Error).message).toMatch(
      /grant get, list, watch, create, patch and delete on ConfigMaps.*toolset-2/,
    );
    expect(writes).not.toContain('PATCH toolset');
  },
);

test('a concurrent write of a part is a conflict', async () => {
  const { api, publish, planned, publisher, put, stored } = await place();
  await publish(parts(1, 2));
  const decided = await planned(parts(1, 3));
  put('toolset-2', { ...stored.get('toolset-2') });
  await expect(publisher.apply(decided, new Date(0), signal)).rejects.toThrow(PublishConflict);
  expect(api.stored.get('toolset-2')?.data[JSON_FILE]).toBe('xx');
});

test('a part gets the owner of the main ConfigMap, also after a change', async () => {
  const { publish, stored, writes } = await place();
  await publish(parts(1, 2), { uid: 'a' });
  await publish(parts(1, 2), { uid: 'b' });
  expect(writes).toContain('PATCH toolset-2');
  expect(stored.get('toolset-2')?.metadata.ownerReferences).toMatchObject([{ uid: 'b' }]);
});

const annotated = (shards: string) => ({
  metadata: { name: 'toolset', annotations: { 'kubernaut.io/shards': shards } },
});
const isOfPart = (read: string): boolean => read !== 'GET toolset';

test('no more than fifteen other ConfigMaps are read, whatever somebody writes into the annotation', async () => {
  const { put, live, reads } = await place();
  put('toolset', annotated('1000000'));
  await live();
  expect(reads.filter(isOfPart)).toHaveLength(15);
});

test('parts that may not be read count as unread only if the main ConfigMap counts them', async () => {
  const { api, put, live } = await place({ lookFor: 4 });
  put('toolset', annotated('2'));
  api.refusing = (request) => (isOfPart(request) && request.startsWith('GET') ? 403 : undefined);
  expect((await live())?.unread).toEqual([2]);
});

describe('whether documents can be divided is checked', () => {
  const check = async (change: (place: Awaited<ReturnType<typeof configMapsApi>>) => void) => {
    const { api, publish, publisher, writes } = await place();
    await publish(parts(1, 2));
    change(api);
    await publisher.read(signal);
    writes.length = 0;
    const checked = await publisher.checkShards?.(parts(1, 2, 3), signal);
    expect(writes).toEqual([]);
    return checked;
  };

  test('and nothing is wrong with parts of ours, or that do not exist', async () => {
    expect(await check(() => {})).toEqual({ unread: [] });
  });

  test.each([
    [2, 1],
    [3, 2],
  ])('and part %i, which others made, leaves room in %i', async (shard, most) => {
    const checked = await check(({ put }) => put(`toolset-${shard}`, { data: { a: 'b' } }));
    expect(checked?.refused).toMatchObject({
      most,
      message: expect.stringContaining(`ConfigMap ns/toolset-${shard} was made by others`),
    });
  });

  test('and a part that may not be read is named', async () => {
    const checked = await check((api) => {
      api.refusing = (request) => (request === 'GET toolset-3' ? 403 : undefined);
    });
    expect(checked).toEqual({ unread: ['ConfigMap ns/toolset-3'] });
  });

  test('and another failure to read is one of the check', async () => {
    const { api, publisher } = await place();
    api.refusing = (request) => (request === 'GET toolset-2' ? 400 : undefined);
    await expect(publisher.checkShards?.(parts(1, 2), signal)).rejects.toThrow(
      /cannot read the other parts of ConfigMap ns\/toolset/,
    );
    const reason = new Error('stopped');
    await expect(publisher.checkShards?.(parts(1, 2), AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

test('a part that cannot be read for another reason is a failure', async () => {
  const { api, publish, live, publisher } = await place();
  await publish(parts(1, 2));
  api.refusing = (request) => (request === 'GET toolset-2' ? 400 : undefined);
  await expect(live()).rejects.toThrow(/cannot read ConfigMap ns\/toolset/);
  const refused = new ShardsRefused(1, 'no');
  await expect(publisher.isUsable?.(refused, signal)).rejects.toThrow(
    /cannot read the other parts of ConfigMap ns\/toolset/,
  );
  const reason = new Error('stopped');
  await expect(publisher.isUsable?.(refused, AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('a part without any data is a difference', async () => {
  const { publish, put, stored, planned } = await place();
  await publish(parts(1, 2));
  const { data: _, ...rest } = stored.get('toolset-2') ?? {};
  put('toolset-2', { ...rest, data: undefined as never });
  expect(await planned(parts(1, 2))).toMatchObject({ changes: ['data toolset.json#2'] });
});

test('a part whose name is just short enough is written', async () => {
  const { kube, writes } = await configMapsApi();
  const publisher = configMapPublisher(kube, { namespace: 'ns', name: 'x'.repeat(251) });
  await publisher.apply(plan({ documents: parts(1, 2), tools: [] }, undefined, '1'), new Date(0), signal);
  expect(writes).toHaveLength(2);
});

test('what was read is not read again to be written', async () => {
  const { publish, planned, publisher, reads } = await place();
  await publish(parts(1, 2));
  const decided = await planned(parts(1, 3));
  reads.length = 0;
  await publisher.apply(decided, new Date(0), signal);
  expect(reads).toEqual([]);
});

test('fields of others are taken over in parts that are there, and in those only', async () => {
  const { publish, forced, put, stored, planned, publisher } = await place();
  await publish(parts(1, 2));
  expect(forced).toEqual([]);
  await publish(parts(1, 3));
  expect(forced).toEqual(['toolset-2', 'toolset']);
  const decided = await planned(parts(1, 3, 4));
  const part = stored.get('toolset-2');
  // Another process of ours is quicker.
  const labels = { ...part?.metadata.labels, 'kubernaut.io/shard': '3' };
  put('toolset-3', { ...part, metadata: { ...part?.metadata, name: 'toolset-3', labels } });
  forced.length = 0;
  const answered = await publisher.apply(decided, new Date(0), signal);
  expect(forced).toContain('toolset-3');
  expect(observed(answered)?.toolset?.documents).toEqual(parts(1, 3, 4));
});

test('a part is written again for another owner only, also beside owners of others', async () => {
  const { publish, put, stored, writes } = await place();
  await publish(parts(1, 2), { uid: 'a' });
  const part = stored.get('toolset-2');
  const ownerReferences = [{ uid: 'theirs' }, ...(part?.metadata.ownerReferences ?? [])];
  put('toolset-2', { ...part, metadata: { ...part?.metadata, name: 'toolset-2', ownerReferences } });
  await publish(parts(3, 2), { uid: 'a' });
  expect(writes).toEqual(['PATCH toolset']);
});

test('a part with two documents is written if one of them changes', async () => {
  const { publish, writes } = await place();
  const two = (text: string): Documents => ({ ...parts(1, 2), 'other.json': '{}', 'other.json#2': text });
  await publish(two('a'));
  await publish(two('b'));
  expect(writes).toEqual(['PATCH toolset-2', 'PATCH toolset']);
});

test('what tools move to is written first, however much people write into their overrides', async () => {
  const { publish, put, stored, writes } = await place();
  await publish(parts(300, 200));
  const main = stored.get('toolset');
  put('toolset', { ...main, data: { ...main?.data, 'overrides.yaml': '#'.repeat(10_000) } });
  await publish(parts(350, 150));
  expect(writes).toEqual(['PATCH toolset', 'PATCH toolset-2']);
});

describe('a part that may not be written', () => {
  const refusedOf = (promise: Promise<unknown>): Promise<ShardsRefused> =>
    promise.then(
      () => Promise.reject(new Error('it was written')),
      (error) => error,
    );
  /** One that is denied a request to a part. */
  const denied = async (verb: string, options: ConfigMapPublisherOptions = {}) => {
    const it = await place(options);
    const allowed = new Set<string>();
    it.api.allowing = (asked) => allowed.has(asked);
    const deny = () => {
      it.api.refusing = (request) => (request === `${verb} toolset-2` ? 403 : undefined);
    };
    const grant = () => {
      it.api.refusing = () => undefined;
    };
    const isUsable = (refused: ShardsRefused) => it.publisher.isUsable?.(refused, signal);
    return { ...it, allowed, deny, grant, isUsable };
  };

  test('is made with the rights to create and patch, and changed with the right to patch', async () => {
    const { publish, allowed, deny, grant, isUsable } = await denied('PATCH');
    await publish(parts(1));
    deny();
    const absent = await refusedOf(publish(parts(1, 2)));
    for (const verb of ['create', 'patch']) {
      allowed.clear();
      allowed.add(verb);
      expect(await isUsable(absent)).toBe(false);
    }
    grant();
    await publish(parts(1, 2));
    deny();
    const present = await refusedOf(publish(parts(1, 3)));
    allowed.clear();
    expect(await isUsable(present)).toBe(false);
    allowed.add('patch');
    expect(await isUsable(present)).toBe(true);
    expect(await isUsable(await refusedOf(publish(parts(1, 3))))).toBe(false);
  });

  test('may be denied anew after it was written, and the old denial does not count', async () => {
    const { publish, allowed, deny, grant, isUsable, put, stored, remove } = await denied('PATCH');
    await publish(parts(1));
    deny();
    allowed.add('patch').add('create');
    for (const usable of [true, false])
      expect(await isUsable(await refusedOf(publish(parts(1, 2))))).toBe(usable);
    grant();
    await publish(parts(1, 2));
    deny();
    expect(await isUsable(await refusedOf(publish(parts(1, 3))))).toBe(true);
    grant();
    await publish(parts(1, 3));
    allowed.clear();
    put('toolset-2', { ...stored.get('toolset-2'), immutable: true, data: { note: 'mine' } });
    const refused = await refusedOf(publish(parts(1, 4)));
    remove('toolset-2');
    expect([await isUsable(refused), await isUsable(refused)]).toEqual([true, true]);
  });

  test.each([false, true])('is not usable while it cannot be read; taken over: %s', async (force) => {
    const { publish, deny, grant, isUsable, live } = await denied('GET', { force });
    await publish(parts(1));
    await live();
    deny();
    const refused = await refusedOf(publish(parts(1, 2)));
    expect(await isUsable(refused)).toBe(false);
    grant();
    expect(await isUsable(refused)).toBe(true);
  });

  test('without a leftover part, the error does not mention old tools', async () => {
    const { api, kube } = await place();
    api.refusing = (request) => (request === 'PATCH toolset-2' ? 403 : undefined);
    const publisher = configMapPublisher(kube, { namespace: 'ns', name: 'toolset' });
    const decided = plan({ documents: parts(1, 2), tools: [] }, undefined, '1');
    await expect(publisher.apply(decided, new Date(0), signal)).rejects.toThrow(/MAX_SHARDS=1$/);
  });

  test('a leftover part is named in the error', async () => {
    const { publish, deny } = await denied('PATCH');
    await publish(parts(1, 2));
    deny();
    await expect(publish(parts(1, 3))).rejects.toThrow(/toolset-2 may keep.*delete configmap toolset-2$/);
  });

  test('leftover parts are looked for again as soon as they may be read', async () => {
    const { publish, grant, deny, isUsable, put, stored, allowed, live } = await denied('PATCH', {
      lookFor: 3,
    });
    await publish(parts(1, 2, 3));
    deny();
    allowed.add('patch');
    const refused = await refusedOf(publish(parts(1, 4, 3)));
    await publish(parts(1));
    const main = stored.get('toolset');
    expect(stored.size).toBe(1);
    grant();
    const labels = {
      'app.kubernetes.io/name': 'dynamic-toolset',
      'app.kubernetes.io/component': 'toolset-config',
      'app.kubernetes.io/managed-by': 'dynamic-toolset',
      'kubernaut.io/configmap': 'toolset',
      'kubernaut.io/shard': '3',
    };
    put('toolset-3', { metadata: { name: 'toolset-3', labels }, data: { [JSON_FILE]: 'of the past' } });
    await live();
    expect(await isUsable(refused)).toBe(true);
    await publish(parts(2));
    expect([...stored.keys()]).toEqual([main?.metadata.name]);
  });

  test('a refused owner does not stop the use of a part', async () => {
    const { api, publish } = await place();
    api.message = 'cannot set an ownerRef on a resource you cannot delete';
    api.refusing = (request) => (request === 'PATCH toolset-2' ? 403 : undefined);
    await expect(publish(parts(1, 2), { uid: 'a' })).rejects.toThrow(OwnerRefused);
  });

  test('an immutable part that may not be deleted is not used', async () => {
    const { publish, put, stored, deny, allowed, isUsable } = await denied('DELETE');
    await publish(parts(1, 2));
    put('toolset-2', { ...stored.get('toolset-2'), immutable: true });
    deny();
    const refused = await refusedOf(publish(parts(1, 3)));
    expect(refused).toMatchObject({ most: 1, message: expect.stringContaining('may not delete ConfigMap') });
    expect(await isUsable(refused)).toBe(false);
    allowed.add('delete');
    expect(await isUsable(refused)).toBe(true);
    await publish(parts(1));
    expect(stored.get('toolset-2')).toMatchObject({ immutable: true, metadata: { labels: {} } });
  });

  test('a conflict while an immutable part is replaced does not stop its use', async () => {
    const { publish, put, stored, planned, publisher } = await place();
    await publish(parts(1, 2));
    put('toolset-2', { ...stored.get('toolset-2'), immutable: true });
    const decided = await planned(parts(1, 3));
    put('toolset-2', { ...stored.get('toolset-2') });
    await expect(publisher.apply(decided, new Date(0), signal)).rejects.toThrow(PublishConflict);
  });

  test('an immutable ConfigMap of somebody else is left alone, even if it would be taken over', async () => {
    const { publish, put, stored } = await place({ force: true });
    put('toolset-2', { metadata: { name: 'toolset-2' }, data: { [JSON_FILE]: 'theirs' }, immutable: true });
    await expect(publish(parts(1, 2))).rejects.toThrow(/toolset-2 is immutable/);
    expect(stored.get('toolset-2')?.data).toEqual({ [JSON_FILE]: 'theirs' });
  });
});
