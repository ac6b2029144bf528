import { expect, test } from 'vitest';
import { observed, read, toolset } from '../../test/fixtures/unit/toolset.ts';
import type { Documents } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import type { Revision } from '../model/revision.ts';
import { contentHash } from './content-hash.ts';
import { type Intent, plan } from './plan.ts';
import { rollbackIntent } from './rollback.ts';

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
