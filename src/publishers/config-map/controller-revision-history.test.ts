import { expect, test } from 'vitest';
import { type RevisionsApi, revisionsApi } from '../../../test/fixtures/unit/revisions-api.ts';
import type { Content, Revision } from '../../model/revision.ts';
import { revisionHash } from '../../planning/content-hash.ts';
import type { History } from '../publisher.ts';
import { controllerRevisionHistory } from './controller-revision-history.ts';

const { signal } = new AbortController();
const TARGET = { namespace: 'ns', name: 'toolset' };
const now = new Date('2026-06-01T00:00:00Z');

const content = (text: string, more: Partial<Content> = {}): Content => ({
  documents: { 'toolset.json': text, 'custom_toolset.yaml': text },
  overrides: undefined,
  rollback: undefined,
  ...more,
});
const nameOf = ({ documents, overrides }: Content): string =>
  `toolset-revision-${revisionHash(documents, overrides).slice(0, 12)}`;
const shown = (revisions: readonly Revision[]): [number, string][] =>
  revisions.map(({ number, documents }) => [number, documents['toolset.json'] ?? '']);

async function history(limit = 10): Promise<RevisionsApi & { readonly history: History }> {
  const api = await revisionsApi();
  return Object.assign(api, { history: controllerRevisionHistory(api.kube, TARGET, limit, () => true) });
}

/** As release 0.1.0 left it: numbers 1 and 2, and `current` published again since. */
function plantOld({ plant }: RevisionsApi, ...contents: readonly Content[]): void {
  for (const [index, each] of contents.entries())
    plant(nameOf(each), index + 1, `2026-01-01T00:00:0${index}Z`, { ...each.documents });
}

test.each(['a&b', 'a<b', 'a>b', 'a\u2028b', 'a\u2029b', 'äß', '\\u0026', 'a\\&"'])(
  'a toolset with %j that returns is the newest again, and nothing else is written',
  async (text) => {
    const { history: kept, writes } = await history();
    for (const each of [content(text), content('other'), content(text)]) await kept.record(each, now, signal);
    expect(shown(await kept.list(signal))).toEqual([
      [2, 'other'],
      [3, text],
    ]);
    expect(writes).toEqual([
      `POST ${nameOf(content(text))}`,
      `PATCH ${nameOf(content(text))}`,
      `POST ${nameOf(content('other'))}`,
      `PATCH ${nameOf(content('other'))}`,
      `PATCH ${nameOf(content(text))}`,
    ]);
  },
);

test('a revision of release 0.1.0 that the server cannot update is replaced, the successor first', async () => {
  const api = await history();
  const [old, other] = [content('a&b'), content('other')];
  plantOld(api, old, other);
  const kept = await api.history.record(old, now, signal);
  expect(shown(kept)).toEqual([
    [2, 'other'],
    [3, 'a&b'],
  ]);
  expect(api.writes).toEqual([
    `PATCH ${nameOf(other)}`,
    `PATCH ${nameOf(old)}`,
    `POST ${nameOf(old)}-3`,
    `DELETE ${nameOf(old)}`,
  ]);
  expect(await api.history.list(signal)).toEqual(kept);
  // From then on it is one like others.
  for (const each of [other, old]) await api.history.record(each, now, signal);
  expect(shown(await api.history.list(signal)).at(-1)).toEqual([5, 'a&b']);
  expect(api.stored.size).toBe(2);
});

test('after a kill between the two, both exist and count once; the next publication cleans up', async () => {
  const api = await history();
  const [old, other] = [content('a&b'), content('other')];
  plantOld(api, old, other);
  api.refusing = (write) => (write.startsWith('DELETE') ? 500 : undefined);
  await expect(api.history.record(old, now, signal)).rejects.toThrow(/cannot keep ControllerRevisions/);
  expect(api.stored.size).toBe(3);
  expect(shown(await api.history.list(signal))).toEqual([
    [2, 'other'],
    [3, 'a&b'],
  ]);
  api.refusing = () => undefined;
  await api.history.record(content('new'), now, signal);
  expect([...api.stored.keys()].sort()).toEqual(
    [nameOf(other), nameOf(content('new')), `${nameOf(old)}-3`].sort(),
  );
});

test('the order is that of the last publication, not of numbers', async () => {
  const api = await history();
  api.plant('a', 4, '2026-01-01T00:00:00Z', { ...content('first').documents });
  api.plant('b', 1, '2026-01-02T00:00:00Z', { ...content('second').documents });
  expect(shown(await api.history.list(signal))).toEqual([
    [4, 'first'],
    [1, 'second'],
  ]);
  expect(shown(await api.history.record(content('first'), now, signal))).toEqual([
    [1, 'second'],
    [5, 'first'],
  ]);
});

test('a revision that is published again keeps for how long it was published before', async () => {
  const api = await history();
  const at = (seconds: number): Date => new Date(now.getTime() + seconds * 1_000);
  const again = async (): Promise<Revision | undefined> =>
    (await api.history.list(signal)).find(({ documents }) => documents['toolset.json'] === 'a');
  await api.history.record(content('a'), at(0), signal);
  expect((await again())?.publishedBefore).toBeUndefined();
  await api.history.record(content('b'), at(60), signal);
  await api.history.record(content('a'), at(70), signal);
  expect((await again())?.publishedBefore).toBe(60_000);
  await api.history.record(content('b'), at(75), signal);
  await api.history.record(content('a'), at(80), signal);
  expect((await again())?.publishedBefore).toBe(65_000);
  for (const { metadata } of api.stored.values()) {
    Object.assign(metadata.annotations, { 'kubernaut.io/published-before-ms': 'long' });
    metadata.resourceVersion += '0';
  }
  expect((await again())?.publishedBefore).toBeUndefined();
});

test('when a publication ended is recorded on its revision, and removed when it is published again', async () => {
  const api = await history();
  const at = (seconds: number): Date => new Date(now.getTime() + seconds * 1_000);
  const ends = async (): Promise<(string | undefined)[]> =>
    (await api.history.list(signal)).map(({ publishedUntil }) => publishedUntil);
  await api.history.record(content('a'), at(0), signal);
  await api.history.record(content('b'), at(60), signal);
  expect(await ends()).toEqual([at(60).toISOString(), undefined]);
  const kept = await api.history.record(content('a'), at(70), signal);
  expect(kept.map(({ publishedUntil }) => publishedUntil)).toEqual([at(70).toISOString(), undefined]);
  expect(await ends()).toEqual([at(70).toISOString(), undefined]);
  // After a failed write, the newest revision is published further on.
  api.refusing = (request) => (request.startsWith('POST') ? 500 : undefined);
  await expect(api.history.record(content('c'), at(80), signal)).rejects.toThrow(/cannot keep/);
  api.refusing = () => undefined;
  await api.history.record(content('c'), at(90), signal);
  expect((await ends()).at(-2)).toBe(at(90).toISOString());
});

test('missing ends, as of earlier releases, are recorded once', async () => {
  const api = await history();
  plantOld(api, content('a'), content('b'), content('c'));
  await api.history.record(content('d'), now, signal);
  expect(api.writes.filter((write) => write.startsWith('PATCH'))).toHaveLength(3);
  expect((await api.history.list(signal)).map(({ publishedUntil }) => publishedUntil)).toEqual([
    '2026-01-01T00:00:01.000Z',
    '2026-01-01T00:00:02.000Z',
    now.toISOString(),
    undefined,
  ]);
  api.writes.length = 0;
  await api.history.record(content('e'), now, signal);
  expect(api.writes).toEqual([`PATCH ${nameOf(content('d'))}`, `POST ${nameOf(content('e'))}`]);
});

test.each([403, 422])(
  'a revision that cannot be annotated (%d) is no failure, and not tried again',
  async (code) => {
    const api = await history();
    await api.history.record(content('a'), now, signal);
    api.refusing = (request) => (request.startsWith('PATCH') ? code : undefined);
    expect(shown(await api.history.record(content('b'), now, signal)).at(-1)).toEqual([2, 'b']);
    api.writes.length = 0;
    await api.history.record(content('c'), now, signal);
    expect(api.writes).toEqual([`PATCH ${nameOf(content('b'))}`, `POST ${nameOf(content('c'))}`]);
  },
);

test('an abort while an end is recorded is passed on', async () => {
  const api = await history();
  await api.history.record(content('a'), now, signal);
  const stop = new AbortController();
  const reason = new Error('stopped');
  api.refusing = (request) => {
    if (request.startsWith('PATCH')) stop.abort(reason);
    return undefined;
  };
  await expect(api.history.record(content('b'), now, stop.signal)).rejects.toBe(reason);
  expect(api.stored.has(nameOf(content('b')))).toBe(false);
});

test('a clock that is behind does not change the order', async () => {
  const { history: kept } = await history();
  await kept.record(content('a'), now, signal);
  await kept.record(content('b'), new Date('2020-01-01T00:00:00Z'), signal);
  expect(shown(await kept.list(signal)).at(-1)).toEqual([2, 'b']);
});

test('the oldest are pruned, the published one never', async () => {
  const { history: kept, stored } = await history(2);
  for (const text of ['a', 'b', 'c']) await kept.record(content(text), now, signal);
  expect([...stored.keys()]).toEqual([nameOf(content('b')), nameOf(content('c'))]);
  expect(shown(await kept.record(content('b'), now, signal))).toEqual([
    [3, 'c'],
    [4, 'b'],
  ]);
});

test('the annotation about Services in use is that of the last publication', async () => {
  const { history: kept } = await history();
  const notes = async (servicesInUse: string | undefined) =>
    (await kept.record(content(servicesInUse ?? 'none', { servicesInUse }), now, signal)).map(
      (each) => each.servicesInUse,
    );
  expect(await notes('{"a":1}')).toEqual(['{"a":1}']);
  expect(await notes(undefined)).toEqual(['{"a":1}', undefined]);
  const again = content('{"a":1}', { servicesInUse: '{"b":2}' });
  await kept.record(again, now, signal);
  expect((await kept.list(signal)).map((each) => each.servicesInUse)).toEqual([undefined, '{"b":2}']);
  await kept.record(content('none'), now, signal);
  await kept.record(content('{"a":1}'), now, signal);
  expect((await kept.list(signal)).at(-1)?.servicesInUse).toBeUndefined();
});

test('a rollback is marked on the revision until it ends', async () => {
  const { history: kept } = await history();
  const held = content('a', { rollback: { to: 1, from: 'sha256:x' } });
  expect((await kept.record(held, now, signal)).at(-1)?.rollback).toEqual(held.rollback);
  const ended = await kept.record(content('a'), now, signal);
  expect(ended.at(-1)).toMatchObject({ number: 1, rollback: undefined });
});

test('a name that an object of others has is not disputed', async () => {
  const api = await history();
  const wanted = content('a');
  api.stored.set(nameOf(wanted), { metadata: { name: nameOf(wanted) } } as never);
  expect(shown(await api.history.record(wanted, now, signal))).toEqual([[1, 'a']]);
  expect(api.stored.has(`${nameOf(wanted)}-1`)).toBe(true);
});

test('an error of the server is short and shows no document', async () => {
  const api = await history();
  const secret = content('a&b', { overrides: 'api_key: S3CR3T' });
  api.plant(nameOf(secret), 1, '2026-01-01T00:00:00Z', {
    ...secret.documents,
    'overrides.yaml': secret.overrides ?? '',
  });
  api.plant('newer', 2, '2026-01-02T00:00:00Z', { ...content('b').documents });
  api.refusing = (write) => (write.startsWith('POST') ? 422 : undefined);
  const failure = await api.history.record(secret, now, signal).catch((error: Error) => error);
  expect(String(failure)).toMatch(/cannot keep ControllerRevisions in namespace ns/);
  expect(String(failure)).not.toContain('S3CR3T');
});

test('the newest revision is not written again', async () => {
  const { history: kept, writes } = await history();
  for (const _ of ['first', 'second']) await kept.record(content('a'), now, signal);
  expect(writes).toEqual([`POST ${nameOf(content('a'))}`]);
});

test('a revision from a rollback is marked as such', async () => {
  const { history: kept } = await history();
  for (const text of ['a', 'b']) await kept.record(content(text), now, signal);
  const rollback = { to: 1, from: 'sha256:b' };
  const revisions = await kept.record(content('a', { rollback }), now, signal);
  expect(revisions.at(-1)).toMatchObject({ number: 3, rollback });
  expect((await kept.list(signal)).at(-1)).toMatchObject({ number: 3, rollback });
});

test('of the revisions, which are large, only those that others wrote are read again', async () => {
  const api = await history();
  const [old, other] = [content('a&b'), content('other')];
  plantOld(api, old, other);
  await api.history.record(content('new'), now, signal);
  expect(api.reads.splice(0)).toEqual([nameOf(old), nameOf(other)]);
  // These create, renumber, annotate and delete.
  for (const each of [old, content('new'), content('more'), other])
    await api.history.record(each, now, signal);
  expect(shown(await api.history.list(signal)).at(-1)).toEqual([7, 'other']);
  expect(api.reads.splice(0)).toEqual([]);
  api.plant('theirs', 9, '2026-07-01T00:00:00Z', { ...content('theirs').documents });
  api.stored.delete(nameOf(content('more')));
  expect(shown(await api.history.list(signal)).slice(-2)).toEqual([
    [7, 'other'],
    [9, 'theirs'],
  ]);
  expect(api.reads.splice(0)).toEqual(['theirs']);
  const changed = api.stored.get('theirs');
  if (changed === undefined) throw new Error('it is gone');
  Object.assign(changed, { revision: 10 });
  changed.metadata.resourceVersion = 'other';
  expect(shown(await api.history.list(signal)).at(-1)).toEqual([10, 'theirs']);
  expect(api.reads).toEqual(['theirs']);
});

test('a revision that another process published again while its end is recorded is read again', async () => {
  const api = await history();
  await api.history.record(content('a'), now, signal);
  api.refusing = (request) => {
    const stored = api.stored.get(nameOf(content('a')));
    if (request.startsWith('PATCH') && stored !== undefined) {
      stored.revision = 7;
      stored.metadata.annotations['kubernaut.io/last-published'] = '2026-07-01T00:00:00Z';
    }
    return undefined;
  };
  await api.history.record(content('b'), now, signal);
  expect(shown(await api.history.list(signal))).toEqual([
    [2, 'b'],
    [7, 'a'],
  ]);
});

test('a revision that was deleted and created with other content is read again', async () => {
  const api = await history();
  await api.history.record(content('a'), now, signal);
  api.stored.clear();
  api.plant(nameOf(content('a')), 1, '2026-01-01T00:00:00Z', { ...content('b').documents });
  expect(shown(await api.history.list(signal))).toEqual([[1, 'b']]);
});

test('an object of others with our labels is no revision', async () => {
  const api = await history();
  api.plant('theirs', 7, '2026-01-01T00:00:00Z', {});
  api.stored.set('odd', { metadata: { name: 'odd' }, data: 1 } as never);
  expect(await api.history.list(signal)).toEqual([]);
  expect(shown(await api.history.record(content('a'), now, signal))).toEqual([[1, 'a']]);
  expect([...api.stored.keys()]).toEqual(['theirs', 'odd', nameOf(content('a'))]);
});

test('an old revision that another process has deleted already is no failure', async () => {
  const api = await history(1);
  await api.history.record(content('a'), now, signal);
  api.refusing = (request) => (request.startsWith('DELETE') ? 404 : undefined);
  expect(shown(await api.history.record(content('b'), now, signal))).toEqual([[2, 'b']]);
});

test.each([404, 409])('a conflict (%d) is tried again at once', async (code) => {
  const api = await history();
  for (const text of ['a', 'b']) await api.history.record(content(text), now, signal);
  let times = 0;
  api.refusing = (request) => (request.startsWith('PATCH') && times++ === 0 ? code : undefined);
  expect(shown(await api.history.record(content('a'), now, signal)).at(-1)).toEqual([3, 'a']);
});

test('conflicts without an end are a failure after the fourth', async () => {
  const api = await history();
  api.refusing = (request) => (request.startsWith('POST') ? 409 : undefined);
  await expect(api.history.record(content('a'), now, signal)).rejects.toThrow(
    /cannot keep ControllerRevisions in namespace ns/,
  );
  expect(api.writes).toHaveLength(4);
});

test('a revision that may not be changed is not replaced', async () => {
  const api = await history();
  for (const text of ['a', 'b']) await api.history.record(content(text), now, signal);
  api.writes.length = 0;
  api.refusing = (request) => (request.startsWith('PATCH') ? 403 : undefined);
  await expect(api.history.record(content('a'), now, signal)).rejects.toThrow(/cannot keep/);
  expect(api.writes).toEqual([`PATCH ${nameOf(content('b'))}`, `PATCH ${nameOf(content('a'))}`]);
});

test('a rejected list is reported with the fix, and an abort is passed on unchanged', async () => {
  const api = await history();
  api.refusing = (request) => (request === 'GET' ? 403 : undefined);
  await expect(api.history.list(signal)).rejects.toThrow(
    /cannot list ControllerRevisions in namespace ns: .*grant it/,
  );
  const reason = new Error('stopped');
  const stopped = AbortSignal.abort(reason);
  await expect(api.history.list(stopped)).rejects.toBe(reason);
  await expect(api.history.record(content('a'), now, stopped)).rejects.toBe(reason);
});
