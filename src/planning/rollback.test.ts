import { describe, expect, test } from 'vitest';
import { observed, read, toolset } from '../../test/fixtures/unit/toolset.ts';
import type { Documents, Toolset } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import type { Revision } from '../model/revision.ts';
import { contentHash } from './content-hash.ts';
import { type Intent, plan } from './plan.ts';
import {
  beforeRollback,
  earlierRevisions,
  rollbackIntent,
  standingToolsets,
  standingWith,
} from './rollback.ts';

const documents = (text: string): Documents => ({ 'toolset.json': text, 'custom_toolset.yaml': text });
const revision = (number: number, text: string, more: Partial<Revision> = {}): Revision => ({
  name: `r${number}`,
  number,
  created: '',
  documents: documents(text),
  overrides: `of ${number}`,
  rollback: undefined,
  ...more,
});
const live = (intent: Intent, overrides?: string): Published => {
  const { documents: data, labels, annotations } = plan(intent, undefined, '1');
  return {
    data: { ...data, ...(overrides === undefined ? {} : { 'overrides.yaml': overrides }) },
    labels,
    annotations,
  };
};
const [first, second, third] = [revision(1, 'a'), revision(2, 'b'), revision(3, 'c')];
const from = contentHash(third.documents);
const earlier = { to: 2, from };

test.each<[string, Revision, Published | undefined, readonly Revision[], object]>([
  [
    'it holds against the current inputs, and keeps the current overrides',
    first,
    live(toolset(third.documents), 'mine'),
    [first, second, third],
    { documents: documents('a'), rollback: { to: 1, from }, overrides: 'mine' },
  ],
  [
    'after another rollback too, which is not an input',
    first,
    live({ ...toolset(second.documents), rollback: earlier }),
    [first, third, revision(4, 'b', { rollback: earlier })],
    { rollback: { to: 1, from } },
  ],
  [
    'a rollback to the result of the inputs holds nothing',
    third,
    live({ ...toolset(second.documents), rollback: earlier }),
    [first, third],
    { documents: documents('c'), rollback: undefined },
  ],
  [
    'after a deletion, the overrides are restored too',
    first,
    undefined,
    [first, second, third],
    { rollback: { to: 1, from }, overrides: 'of 3' },
  ],
  [
    'after a deletion during a rollback, the result of the inputs is still known',
    first,
    undefined,
    [first, third, revision(4, 'b', { rollback: earlier })],
    { rollback: { to: 1, from }, overrides: 'of 4' },
  ],
  [
    'without a hash in the ConfigMap, the newest revision has it',
    first,
    { ...live(toolset(third.documents)), annotations: {} },
    [first, second, third],
    { rollback: { to: 1, from } },
  ],
  [
    'without revisions, the hash of the published documents is enough',
    first,
    live(toolset(third.documents)),
    [],
    { rollback: { to: 1, from } },
  ],
  ['without any known result of the inputs, nothing is held', first, undefined, [], { rollback: undefined }],
])('%s', (_, to, there, revisions, expected) => {
  expect(rollbackIntent(read(to), observed(there), revisions.map(read))).toMatchObject(expected);
});

describe('the revisions that are earlier', () => {
  const numbers = (there: Published | undefined, ...history: readonly Revision[]): number[] =>
    earlierRevisions(observed(there), history.map(read)).map(({ number }) => number);
  const holding = (text: string, to: number): Published =>
    live({ ...toolset(documents(text)), rollback: { to, from } });
  const stop = (number: number, text: string, to: number): Revision =>
    revision(number, text, { rollback: { to, from } });

  test('are all, while no rollback holds', () => {
    expect(numbers(live(toolset(third.documents)), first, second, third)).toEqual([1, 2, 3]);
  });

  test('are those before the one that holds, without the one from before the rollback', () => {
    expect(numbers(holding('b', 2), first, third, stop(4, 'b', 2))).toEqual([1]);
    expect(numbers(holding('a', 1), third, stop(4, 'b', 2), stop(5, 'a', 1))).toEqual([]);
  });

  test('have no documents that were rolled back, whatever their overrides', () => {
    const again = revision(0, 'c');
    expect(numbers(holding('b', 2), again, first, third, stop(4, 'b', 2))).toEqual([1]);
    expect(numbers(holding('a', 1), revision(0, 'b'), third, stop(4, 'b', 2), stop(5, 'a', 1))).toEqual([]);
  });

  test('are before everything that the rollback was at, also after a return to a number of its own', () => {
    const bad = revision(8, 'bad');
    const history = [first, second, bad, revision(9, 'c'), stop(11, 'y', 3), stop(12, 'x', 10)];
    expect(numbers(holding('x', 10), ...history)).toEqual([1, 2]);
  });

  test('do not include what the inputs produced while removals were held', () => {
    const inputs = contentHash(second.documents);
    const rollback = { to: 4, from, inputs };
    const there = live({ ...toolset(documents('d')), rollback });
    expect(numbers(there, first, second, third, revision(5, 'd', { rollback }))).toEqual([1]);
  });

  test('do not include what is published, even if the history does not say so', () => {
    expect(numbers(holding('b', 3), first, second, revision(5, 'c'))).toEqual([1]);
  });

  test('do not depend on earlier rollbacks from the same documents, which have ended', () => {
    const history = [first, revision(3, 'y'), stop(4, 'b', 2), revision(5, 'c'), stop(6, 'b', 4)];
    expect(numbers(holding('b', 4), ...history)).toEqual([1, 3]);
  });

  test('are known without the revision from before the rollback, which may be pruned', () => {
    expect(numbers(holding('y', 3), first, second, stop(4, 'y', 3))).toEqual([1, 2]);
  });

  test('are all, also the one that holds, if the ConfigMap was deleted', () => {
    expect(numbers(undefined, first, third, stop(4, 'b', 2))).toEqual([1, 3, 4]);
  });
});

const texts = (toolsets: readonly Toolset[]): (string | undefined)[] =>
  toolsets.map((each) => each.documents['toolset.json']);
const held = revision(4, 'b', { rollback: earlier });

describe('what was published last as the inputs had it', () => {
  const published = live(toolset(third.documents));
  const { 'custom_toolset.yaml': _, ...partial } = published.data;

  test.each<[string, Published | undefined, readonly Revision[], string[]]>([
    ['is what is published, and then the history', published, [first, second], ['c', 'b', 'a']],
    [
      'is what was published before an edit',
      { ...published, data: live(toolset(documents('edited'))).data },
      [first, second, third],
      ['c', 'edited', 'b', 'a'],
    ],
    [
      'is from before a rollback that holds',
      live({ ...toolset(second.documents), rollback: earlier }),
      [first, third, held],
      ['c', 'b', 'b', 'a'],
    ],
    ['is the history if the ConfigMap was deleted', undefined, [first, second, third], ['c', 'b', 'a']],
    [
      'is from before the rollback that held when the ConfigMap was deleted',
      undefined,
      [first, third, held],
      ['c', 'b', 'a'],
    ],
    [
      'is the history if a document was removed',
      { ...published, data: partial },
      [first, third, second],
      ['c', 'b', 'a'],
    ],
    [
      'is the newest that is known if that from before the rollback is not',
      live({ ...toolset(second.documents), rollback: earlier }),
      [first],
      ['b', 'a'],
    ],
    ['is nothing in the beginning', undefined, [], []],
  ])('%s', (_, there, revisions, expected) => {
    expect(texts(standingToolsets(observed(there), revisions.map(read)))).toEqual(expected);
  });

  test.each<[string, Intent, readonly Revision[], string[]]>([
    ['is what is about to be published', toolset(third.documents), [first, second], ['c', 'b', 'a']],
    [
      'is from before a rollback that is about to be published',
      { ...toolset(second.documents), rollback: earlier },
      [first, third],
      ['c', 'b', 'a'],
    ],
  ])('%s', (_, intent, revisions, expected) => {
    expect(texts(standingWith(intent, revisions.map(read)))).toEqual(expected);
  });
});

test.each<[string, Published | undefined, readonly Revision[], string | undefined]>([
  [
    'while a rollback holds, the toolset from before it is known',
    live({ ...toolset(second.documents), rollback: earlier }),
    [first, third, held],
    'c',
  ],
  ['even if the ConfigMap was deleted', undefined, [first, third, held], 'c'],
  [
    'but not if the history does not have it',
    live({ ...toolset(second.documents), rollback: earlier }),
    [first, held],
    undefined,
  ],
  ['nor if none holds', live(toolset(third.documents)), [first, held, third], undefined],
])('%s', (_, there, revisions, expected) => {
  const before = beforeRollback({ live: observed(there), revisions: revisions.map(read) });
  expect(before?.documents['toolset.json']).toBe(expected);
});
