import { describe, expect, test } from 'vitest';
import { parts, place } from '../../../test/fixtures/unit/sharded-config-map.ts';
import { observed } from '../../../test/fixtures/unit/toolset.ts';
import { PublishConflict } from '../publisher.ts';

const { signal } = new AbortController();

test('a part with keys of others is not deleted: ours are removed, theirs stay, and it is used again', async () => {
  const lines: string[] = [];
  const { publish, put, stored, texts, writes, live } = await place({ onKept: (line) => lines.push(line) });
  await publish(parts(1, 2), { uid: 'a' });
  const part = stored.get('toolset-2');
  put('toolset-2', {
    ...part,
    metadata: {
      ...part?.metadata,
      labels: { ...part?.metadata.labels, team: 'sre' },
      managedFields: [
        {
          manager: 'dynamic-toolset-shard',
          fieldsV1: { 'f:metadata': { 'f:ownerReferences': { 'k:{"uid":"a"}': {} } } },
        },
      ],
    } as never,
    data: { ...part?.data, note: 'mine', 'runbook.md': '# mine' },
  });
  await publish(parts(3), { uid: 'a' });
  expect(writes).not.toContain('DELETE toolset-2');
  const kept = stored.get('toolset-2');
  expect(kept?.data).toEqual({ note: 'mine', 'runbook.md': '# mine' });
  expect(kept?.metadata.labels).toEqual({ team: 'sre' });
  expect(kept?.metadata.annotations).toEqual({ 'kubernaut.io/former-shard': 'toolset-2' });
  expect(kept?.metadata.ownerReferences).toEqual([]);
  expect(lines).toEqual([
    'ConfigMap ns/toolset-2 has no part of the toolset any more; it is kept, because others wrote note, runbook.md into it',
  ]);
  await publish(parts(4));
  expect(writes).toEqual(['PATCH toolset']);
  await publish(parts(1, 2));
  expect(texts()).toEqual({ toolset: 1, 'toolset-2': 2 });
  expect(stored.get('toolset-2')).toMatchObject({
    data: { note: 'mine' },
    metadata: { labels: { team: 'sre' } },
  });
  expect(stored.get('toolset-2')?.metadata.annotations).not.toHaveProperty('kubernaut.io/former-shard');
  expect((await live())?.toolset?.documents).toEqual(parts(1, 2));
  await publish(parts(1));
  expect(stored.get('toolset-2')?.data).toEqual({ note: 'mine', 'runbook.md': '# mine' });
  expect(lines).toHaveLength(2);
});

test('the annotation of a former part counts only under its own name, and not on another toolset', async () => {
  const { publish, put, stored } = await place();
  const annotations = { 'kubernaut.io/former-shard': 'toolset-3' };
  put('toolset-2', { metadata: { name: 'toolset-2', annotations }, data: { note: 'mine' } });
  await expect(publish(parts(1, 2))).rejects.toThrow(/made by others/);
  put('toolset-2', {
    metadata: {
      name: 'toolset-2',
      annotations: { 'kubernaut.io/former-shard': 'toolset-2' },
      labels: { 'app.kubernetes.io/managed-by': 'dynamic-toolset' },
    },
    data: { note: 'mine' },
  });
  await expect(publish(parts(1, 2))).rejects.toThrow(/made by others/);
  put('toolset-2', {
    metadata: {
      name: 'toolset-2',
      annotations: { 'kubernaut.io/former-shard': 'toolset-2' },
      labels: { 'kubernaut.io/shard': '2' },
    },
    data: { note: 'mine' },
  });
  await expect(publish(parts(1, 2))).rejects.toThrow(/made by others/);
  expect(stored.get('toolset-2')?.data).toEqual({ note: 'mine' });
});

test('a former part is used again, also after its field managers were lost with a backup', async () => {
  const { publish, put, texts } = await place();
  put('toolset-2', {
    metadata: { name: 'toolset-2', annotations: { 'kubernaut.io/former-shard': 'toolset-2' } },
    data: { note: 'mine' },
  });
  await publish(parts(1, 2));
  expect(texts()).toEqual({ toolset: 1, 'toolset-2': 2 });
});

test('a part with binary data of others is not deleted', async () => {
  const { publish, put, stored, writes } = await place();
  await publish(parts(1, 2));
  put('toolset-2', { ...stored.get('toolset-2'), binaryData: { logo: 'AAAA' } } as never);
  await publish(parts(1));
  expect(writes).not.toContain('DELETE toolset-2');
  expect(stored.get('toolset-2')).toMatchObject({ binaryData: { logo: 'AAAA' } });
});

test('a removed part leaves the others known', async () => {
  const { publish } = await place();
  await publish(parts(1, 2, 3));
  expect(observed(await publish(parts(1, 2)))?.toolset?.documents).toEqual(parts(1, 2));
});

describe('a part that others wrote into, and that is not needed any more', () => {
  test('is none of what is published, and the other parts are', async () => {
    const { publish, put, stored } = await place();
    await publish(parts(1, 2, 3));
    const part = stored.get('toolset-3');
    put('toolset-3', { ...part, data: { ...part?.data, note: 'mine' } });
    expect(observed(await publish(parts(1, 2)))?.toolset?.documents).toEqual(parts(1, 2));
    expect(stored.get('toolset-3')?.data).toEqual({ note: 'mine' });
  });

  const theirs = async () => {
    const it = await place();
    await it.publish(parts(1, 2), { uid: 'a' });
    const part = it.stored.get('toolset-2');
    const fieldsV1 = { 'f:metadata': { 'f:ownerReferences': { 'k:{"uid":"a"}': {} } } };
    it.put('toolset-2', {
      ...part,
      metadata: {
        ...part?.metadata,
        labels: { ...part?.metadata.labels, 'app.kubernetes.io/name': 'theirs' },
        ownerReferences: [...(part?.metadata.ownerReferences ?? []), { uid: 'theirs' }],
        managedFields: [{ manager: 'dynamic-toolset-shard', fieldsV1 }],
      } as never,
      data: { ...part?.data, note: 'mine' },
    });
    return it;
  };

  test('keeps their owner and their value of a label', async () => {
    const { publish, stored } = await theirs();
    const answered = await publish(parts(1), { uid: 'a' });
    expect(stored.get('toolset-2')?.metadata).toMatchObject({
      labels: { 'app.kubernetes.io/name': 'theirs' },
      ownerReferences: [{ uid: 'theirs' }],
    });
    expect(observed(answered)?.toolset?.documents).toEqual(parts(1));
  });

  test('is left as it is where they write at the same time', async () => {
    const { planned, publisher, put, stored } = await theirs();
    const decided = await planned(parts(1));
    put('toolset-2', { ...stored.get('toolset-2'), data: { note: 'more' } });
    await expect(publisher.apply(decided, new Date(0), signal)).rejects.toThrow(PublishConflict);
    expect(stored.get('toolset-2')?.data).toEqual({ note: 'more' });
  });
});
