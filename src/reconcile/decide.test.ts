import { expect, test } from 'vitest';
import type { Documents } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import { contentHash } from './content-hash.ts';
import { decide, type Situation } from './decide.ts';
import { type Intent, plan } from './plan.ts';

const documents = (...names: string[]): Documents => ({
  'toolset.json': JSON.stringify({ tools: names.map((name) => ({ name })) }),
  'custom_toolset.yaml': `toolsets: {}# ${names}\n`,
});
const published = (intent: Intent, data: Readonly<Record<string, string>> = {}): Published => {
  const { documents: written, labels, annotations } = plan(intent, undefined, '1');
  return { data: { ...written, ...data }, labels, annotations };
};
const all = documents('a', 'b', 'c', 'd');
const situation = (parts: Partial<Situation>): Situation => ({
  generated: all,
  overrideError: undefined,
  live: published({ documents: all }),
  own: undefined,
  overrides: undefined,
  revisions: [],
  unhealthy: new Set(),
  mayShrink: false,
  ...parts,
});
const revision = (number: number, content: Documents) => ({
  name: `r${number}`,
  number,
  created: '',
  documents: content,
  overrides: undefined,
  rollback: undefined,
});

test('what the inputs give is published', () => {
  const decision = decide(situation({ generated: documents('x') }));
  expect(decision.intent.documents).toEqual(documents('x'));
  expect(decision).toMatchObject({ drift: undefined, lost: [], rollback: undefined });
});

test('a removal of most tools for reasons of health is kept, until it may be', () => {
  const sick = situation({ generated: documents('a'), unhealthy: new Set(['b', 'c', 'd']) });
  expect(decide(sick)).toMatchObject({ intent: { documents: all }, lost: ['b', 'c', 'd'] });
  expect(decide({ ...sick, mayShrink: true }).intent.documents).toEqual(documents('a'));
});

test('what somebody edited is not what is kept: the last published is, from memory or from the history', () => {
  const live = published({ documents: all }, { 'toolset.json': 'oops' });
  const broken = situation({ live, overrideError: 'line 2', generated: documents() });
  const kept = { documents: all, overrideError: 'line 2' };
  expect(decide({ ...broken, own: all }).intent).toMatchObject(kept);
  expect(
    decide({ ...broken, revisions: [revision(1, documents('x')), revision(2, all)] }).intent,
  ).toMatchObject(kept);
});

test('drift is what changed after it was published; another publisher of ours is none', () => {
  const edited = published({ documents: all }, { 'toolset.json': 'oops' });
  expect(decide(situation({ live: edited, own: all })).drift).toEqual({
    keys: ['toolset.json'],
    published: all,
  });
  expect(decide(situation({ live: edited })).drift?.keys).toEqual(['toolset.json', 'custom_toolset.yaml']);
  const another = published({ documents: documents('x') });
  expect(decide(situation({ live: another, own: all })).drift).toBeUndefined();
  const foreign = { data: { 'toolset.json': 'theirs' }, labels: {}, annotations: {} };
  expect(decide(situation({ live: foreign })).drift).toBeUndefined();
});

test('a rollback holds while the inputs give the same, and ends with the first other documents', () => {
  const rollback = { to: 2, from: contentHash(all) };
  const live = published({ documents: documents('old'), rollback });
  const held = decide(situation({ live, own: all }));
  expect(held).toMatchObject({
    intent: { documents: documents('old'), rollback },
    rollback: 'holds',
    drift: undefined,
  });
  const ended = decide(situation({ live, generated: documents('new') }));
  expect(ended).toMatchObject({ intent: { documents: documents('new') }, rollback: 'ended' });
  expect(ended.intent.rollback).toBeUndefined();
});

test('a rollback is not forgotten with the ConfigMap, nor while the overrides are broken', () => {
  const rollback = { to: 2, from: contentHash(all) };
  const revisions = [revision(1, all), { ...revision(2, documents('old')), rollback }];
  expect(decide(situation({ live: undefined, revisions })).intent).toMatchObject({
    documents: documents('old'),
    rollback,
  });
  const live = published({ documents: documents('old'), rollback });
  expect(decide(situation({ live, overrideError: 'line 1' })).intent).toMatchObject({
    documents: documents('old'),
    rollback,
  });
});

test('with nothing published yet and broken overrides, what was generated without them is published', () => {
  expect(decide(situation({ live: undefined, overrideError: 'line 1' })).intent).toMatchObject({
    documents: all,
    overrideError: 'line 1',
  });
});

test('where all was deleted, what was published last counts: another process may have done it', () => {
  const back = documents('a');
  const from = contentHash(all);
  const rolledBack = { ...revision(3, back), rollback: { to: 1, from } };
  const gone = situation({ live: undefined, own: all, revisions: [revision(2, all), rolledBack] });
  expect(decide(gone)).toMatchObject({ intent: { documents: back, rollback: { to: 1 } }, rollback: 'holds' });
  // What could not be recorded is newer than what was.
  const unrecorded = situation({
    live: undefined,
    own: documents('b'),
    overrideError: 'line 2',
    revisions: [revision(2, all)],
  });
  expect(decide(unrecorded).intent.documents).toEqual(documents('b'));
});
