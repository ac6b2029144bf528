import { describe, expect, test } from 'vitest';
import { read, toolset } from '../../test/fixtures/unit/toolset.ts';
import type { Documents } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import { generate } from '../outputs/generate.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import type { ReadRevision } from '../planning/observed.ts';
import { rollbackOf } from '../planning/plan.ts';
import type { Publisher } from '../publishers/publisher.ts';
import { publish } from './publication.ts';

const good = generate([]).documents;
const other: Documents = { ...good, 'toolset.json': '{"tools": []}\n' };
const signal = new AbortController().signal;

/** A place to publish to where something spoils what is written. */
function place(spoil: (documents: Documents) => Documents): Publisher & { readonly applied: Documents[] } {
  let live: Published | undefined;
  const applied: Documents[] = [];
  return {
    target: 'the place',
    applied,
    read: async () => live,
    async apply({ documents, labels, annotations }) {
      applied.push(documents);
      live = { data: spoil(documents), labels, annotations };
      return live;
    },
  };
}
const revision = (number: number, documents: Documents) =>
  read({ name: `r${number}`, number, created: '', documents, overrides: undefined, rollback: undefined });
const publication = (publisher: Publisher) => ({
  publisher,
  version: '1',
  now: () => new Date(0),
  outputs: OUTPUTS,
  unwantedIn: () => [],
});
const cut = (documents: Documents): Documents => ({ ...documents, 'toolset.json': '{"tools": [' });

test('documents that are valid when they are read back stay', async () => {
  const publisher = place((documents) => documents);
  const ended = await publish(toolset(good), undefined, [], publication(publisher), signal);
  expect(ended.rolledBack).toBeUndefined();
  expect(publisher.applied).toEqual([good]);
});

test('a later external change is no fault of the publication', async () => {
  const publisher = place((documents) => documents);
  const busy: Publisher = {
    ...publisher,
    read: async () => ({ data: { ...good, 'toolset.json': '{}' }, labels: {}, annotations: {} }),
  };
  const revisions = [revision(1, other)];
  const ended = await publish(toolset(good), undefined, revisions, publication(busy), signal);
  expect(ended.rolledBack).toBeUndefined();
  expect(publisher.applied).toEqual([good]);
});

test('an unchanged state is not written', async () => {
  const publisher = place((documents) => documents);
  const { live } = await publish(toolset(good), undefined, [], publication(publisher), signal);
  const ended = await publish(toolset(good), live, [], publication(publisher), signal);
  expect(ended.plan.action).toBe('none');
  expect(publisher.applied).toHaveLength(1);
});

test('invalid documents are replaced by the newest valid revision, and that stays', async () => {
  const publisher = place((documents) =>
    documents['toolset.json'] === good['toolset.json'] ? cut(documents) : documents,
  );
  const revisions = [revision(4, other), revision(5, cut(other)), revision(6, good)];
  const ended = await publish(toolset(good), undefined, revisions, publication(publisher), signal);
  expect(ended.rolledBack).toMatchObject({
    to: { number: 4 },
    faults: expect.arrayContaining([expect.stringContaining('toolset.json')]),
  });
  expect(ended.live?.data).toEqual(other);
  expect(rollbackOf(ended.plan.annotations)?.to).toBe(4);
});

test('a document that is missing when it is read back is a fault', async () => {
  const publisher = place((documents) => {
    const { 'toolset.json': text, ...rest } = documents;
    return text === good['toolset.json'] ? rest : documents;
  });
  const owner = { apiVersion: 'v1', kind: 'Namespace', name: 'ns', uid: '1' };
  const intent = { ...toolset(good), owner };
  const ended = await publish(intent, undefined, [revision(4, other)], publication(publisher), signal);
  expect(ended.rolledBack).toMatchObject({ to: { number: 4 }, faults: ['a document is missing'] });
  expect(ended.plan.owner).toEqual(owner);
});

test('nothing is known of what cannot be read back', async () => {
  const publisher: Publisher = { ...place((documents) => documents), apply: async () => undefined };
  const ended = await publish(toolset(good), undefined, [revision(4, other)], publication(publisher), signal);
  expect([ended.live, ended.rolledBack]).toEqual([undefined, undefined]);
});

test('documents are checked again only if something changed them, or if they are from the history', async () => {
  const checked: Documents[] = [];
  const outputs = {
    ...OUTPUTS,
    faultsOf: (documents: Documents) => {
      checked.push(documents);
      return [];
    },
  };
  const published = async (documents: Documents, spoil: (all: Documents) => Documents, to?: number) => {
    checked.length = 0;
    const rollback = to === undefined ? undefined : { to, from: 'sha256:1', inputs: undefined };
    const intent = { ...toolset(documents), rollback };
    await publish(intent, undefined, [], { ...publication(place(spoil)), outputs }, signal);
    return checked.length;
  };
  expect(await published(good, (documents) => documents)).toBe(0);
  expect(await published(good, () => other)).toBe(1);
  expect(await published(other, (documents) => documents, 3)).toBe(1);
});

test('without a valid revision, it reports what is wrong and what to look for', async () => {
  await expect(publish(toolset(good), undefined, [], publication(place(cut)), signal)).rejects.toThrow(
    /the place cannot be used.*no revision to return to.*webhooks/,
  );
  const revisions = [revision(1, other)];
  await expect(publish(toolset(good), undefined, revisions, publication(place(cut)), signal)).rejects.toThrow(
    /and so is revision 1/,
  );
});

describe('a revision that would publish what is unwanted', () => {
  const unwanted = { where: 'Service shop/loki', what: 'is off', is: 'switched off' } as const;
  const rollBack = (revisions: readonly ReturnType<typeof revision>[]) => {
    const publisher = place((documents) =>
      documents['toolset.json'] === good['toolset.json'] ? cut(documents) : documents,
    );
    const unwantedIn = ({ number }: ReadRevision) => (number > 1 ? [unwanted] : []);
    return publish(toolset(good), undefined, revisions, { ...publication(publisher), unwantedIn }, signal);
  };
  const older = { ...other, 'toolset.json': '{"tools":  []}\n' };

  test('is skipped', async () => {
    const ended = await rollBack([revision(1, older), revision(2, other)]);
    expect(ended.rolledBack?.to.number).toBe(1);
  });

  test('is named if there is no other', async () => {
    await expect(rollBack([revision(3, older), revision(2, other)])).rejects.toThrow(
      'no revision to return to by itself: revision 2 has what is switched off now (Service shop/loki: is off);',
    );
  });
});
