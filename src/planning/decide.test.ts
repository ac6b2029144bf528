import { describe, expect, test } from 'vitest';
import { observed, read, toolNames, toolset } from '../../test/fixtures/unit/toolset.ts';
import type { Documents } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import type { Revision } from '../model/revision.ts';
import { contentHash } from './content-hash.ts';
import {
  type Decision,
  decide as decideOn,
  type Inputs,
  decideToKeep as keepOn,
  lastPublished as lastPublishedOf,
} from './decide.ts';
import { type Intent, plan as planOf } from './plan.ts';
import { rollbackIntent } from './rollback.ts';

const documents = (...names: string[]): Documents => ({
  'toolset.json': JSON.stringify({
    tools: names.map((name) => ({ name, endpoint: `http://${name}:80`, metadata: { service: name } })),
  }),
  'custom_toolset.yaml': `toolsets: {}# ${names}\n`,
});
type Intended = Omit<Intent, 'tools'>;
const plan = (intent: Intended, live: Published | undefined, version: string) =>
  planOf({ ...intent, tools: toolset(intent.documents).tools }, live, version);
const published = (intent: Intended, data: Readonly<Record<string, string>> = {}): Published => {
  const { documents: written, labels, annotations } = plan(intent, undefined, '1');
  return { data: { ...written, ...data }, labels, annotations };
};
const NOW = Date.parse('2026-01-01T00:00:00Z');
const all = documents('a', 'b', 'c', 'd');
/** What a decision is made on, with documents in the place of toolsets. */
interface Given extends Omit<Inputs, 'generated' | 'withHeld' | 'withoutTools'> {
  readonly live: Published | undefined;
  readonly own: Documents | undefined;
  readonly overrides: string | undefined;
  readonly revisions: readonly Revision[];
  readonly generated: Documents;
  readonly withHeld: (held: readonly string[], published: Documents) => Documents | undefined;
}
const situationOf = ({ live, own, revisions, generated, withHeld, ...given }: Given) => ({
  ...given,
  live: observed(live),
  own: own === undefined ? undefined : toolset(own),
  revisions: revisions.map(read),
  generated: toolset(generated),
  withHeld(held: readonly string[], { documents: before }: { readonly documents: Documents }) {
    const apart = withHeld(held, before);
    return apart === undefined ? undefined : toolset(apart);
  },
  withoutTools: () => toolset(documents()),
});
const lastPublished = (given: Given): Documents | undefined => lastPublishedOf(situationOf(given))?.documents;
const decide = (given: Given): Decision => decideOn(situationOf(given));
const keptOf = (given: Given): Intent => {
  const kept = keepOn(situationOf(given));
  if (kept === undefined) throw new Error('nothing is kept');
  return kept.intent;
};
const decideToKeep = (given: Given): Decision | undefined => keepOn(situationOf(given));
const situation = (parts: Partial<Given>): Given => ({
  generated: all,
  overrideError: undefined,
  live: published(toolset(all)),
  own: undefined,
  overrides: undefined,
  revisions: [],
  found: { usable: new Set(), unusable: new Map() },
  removal: { hold: 300_000, once: false },
  now: NOW,
  withHeld: (held, before) => documents(...toolNames(before).filter((name) => held.includes(name)), 'a'),
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

test('publishes what the inputs give', () => {
  const decision = decide(situation({ generated: documents('a', 'b', 'x') }));
  expect(decision.intent.documents).toEqual(documents('a', 'b', 'x'));
  expect(decision).toMatchObject({ drift: undefined, held: { held: [] }, rollback: undefined });
});

describe('most tools would be removed at once', () => {
  const shrunk = situation({ generated: documents('a') });
  test('they stay, and everything else follows the inputs', () => {
    const { intent, held } = decide(shrunk);
    expect(held).toEqual({ held: ['b', 'c', 'd'], until: NOW + 300_000, due: 300_000 });
    expect(intent.documents).toEqual(documents('b', 'c', 'd', 'a'));
    expect(intent.removalHeld).toMatch(/^2026-01-01T00:00:00Z( [0-9a-f]{8}){3}$/);
  });
  test('if they cannot be reconstructed, everything published stays', () => {
    expect(decide({ ...shrunk, withHeld: () => undefined }).intent.documents).toEqual(all);
  });
  test("the hold continues from the ConfigMap's annotation, and ends", () => {
    const live = published(decide(shrunk).intent);
    const later = { ...shrunk, live, now: NOW + 299_000 };
    expect(decide(later).held.due).toBe(1_000);
    const over = decide({ ...later, now: NOW + 300_000 });
    expect(over.intent).toMatchObject({ documents: documents('a'), overrides: undefined });
    expect(over.intent).not.toHaveProperty('removalHeld', expect.anything());
  });
  test('an operator ends it by force, or by an annotation, which is then removed', () => {
    expect(decide({ ...shrunk, removal: undefined }).intent.documents).toEqual(documents('a'));
    const before = published(toolset(all));
    const allowing = (value: string): Published => ({
      ...before,
      annotations: { ...before.annotations, 'kubernaut.io/allow-removal': value },
    });
    const { intent } = decide({ ...shrunk, live: allowing('true') });
    expect(intent.documents).toEqual(documents('a'));
    expect(plan(intent, allowing('true'), '1').changes).toContain('annotation kubernaut.io/allow-removal');
    expect(decide({ ...shrunk, live: allowing('false') }).held.held).toEqual(['b', 'c', 'd']);
  });
  test('a deleted ConfigMap is restored with them', () => {
    expect(decide({ ...shrunk, live: undefined, own: all }).intent.documents).toEqual(
      documents('b', 'c', 'd', 'a'),
    );
  });
  test('a hold is not forgotten while the overrides are broken', () => {
    const live = published(decide(shrunk).intent);
    expect(decide({ ...shrunk, live, overrideError: 'line 1' }).intent.removalHeld).toBe(
      live.annotations['kubernaut.io/removal-held'],
    );
  });
});

describe('new documents cannot be published', () => {
  const edited = published(toolset(all), { 'toolset.json': 'oops' });
  test.each<[string, Partial<Given>]>([
    ['the published ones are intact', {}],
    ['after a manual edit, this process knows them', { live: edited, own: all }],
    ['after a manual edit, a revision has them', { live: edited, revisions: [revision(1, all)] }],
    ['after a deletion, this process knows them', { live: undefined, own: all }],
    ['after a deletion, a revision has them', { live: undefined, revisions: [revision(1, all)] }],
  ])('the last good ones stay: %s', (_, parts) => {
    expect(decideToKeep(situation(parts))?.intent.documents).toEqual(all);
  });
  test('an unknown manual edit is replaced by the newest revision', () => {
    const older = documents('a');
    expect(
      decideToKeep(situation({ live: edited, revisions: [revision(1, older)] }))?.intent.documents,
    ).toEqual(older);
  });
  test('lasting states last: a rollback, broken overrides, held tools', () => {
    const rollback = { to: 2, from: 'sha256:x' };
    const live = published({ ...toolset(all), rollback, overrideError: 'line 1', removalHeld: 'x' });
    expect(plan(decideToKeep(situation({ live }))?.intent ?? { documents: all }, live, '1').action).toBe(
      'none',
    );
  });
  test('if nothing was ever published, nothing stays', () => {
    expect(decideToKeep(situation({ live: undefined }))).toBeUndefined();
  });
});

test('instead of an edit, the last published state is kept, from memory or from the history', () => {
  const live = published(toolset(all), { 'toolset.json': 'oops' });
  const broken = situation({ live, overrideError: 'line 2', generated: documents() });
  const kept = { documents: all, overrideError: 'line 2' };
  expect(decide({ ...broken, own: all }).intent).toMatchObject(kept);
  expect(
    decide({ ...broken, revisions: [revision(1, documents('x')), revision(2, all)] }).intent,
  ).toMatchObject(kept);
});

test('drift is a change after the publication; another publisher of ours causes none', () => {
  const edited = published(toolset(all), { 'toolset.json': 'oops' });
  expect(decide(situation({ live: edited, own: all })).drift).toEqual({
    keys: ['toolset.json'],
    published: all,
  });
  expect(decide(situation({ live: edited })).drift?.keys).toEqual(['toolset.json', 'custom_toolset.yaml']);
  const { 'kubernaut.io/content-hash': _, ...unhashed } = edited.annotations;
  expect(decide(situation({ live: { ...edited, annotations: unhashed }, own: all })).drift?.keys).toEqual([
    'toolset.json',
  ]);
  const another = published(toolset(documents('x')));
  expect(decide(situation({ live: another, own: all })).drift).toBeUndefined();
  const foreign = { data: { 'toolset.json': 'theirs' }, labels: {}, annotations: {} };
  expect(decide(situation({ live: foreign })).drift).toBeUndefined();
});

test('a rollback holds while the inputs give the same, and ends with the first different documents', () => {
  const rollback = { to: 2, from: contentHash(all) };
  const live = published({ ...toolset(documents('old')), rollback });
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

describe('a rollback while removals are held', () => {
  const shrunk = situation({ generated: documents('a') });
  const held = published(decide(shrunk).intent);
  const withHeld = documents('b', 'c', 'd', 'a');
  const revisions = [revision(1, documents('b', 'c', 'd', 'e')), revision(2, withHeld)];
  const [before] = revisions.map(read);
  if (before === undefined) throw new Error('there is one');
  const back = rollbackIntent(before, observed(held), revisions.map(read));
  const live = published(back);

  test('holds while the inputs stay the same, also after the end of the hold', () => {
    for (const now of [NOW, NOW + 300_000, NOW + 900_000]) {
      const decision = decide({ ...shrunk, revisions, live, now });
      expect(decision).toMatchObject({ rollback: 'holds', held: { held: [] } });
      expect(decision.intent.documents).toEqual(documents('b', 'c', 'd', 'e'));
      expect(plan(decision.intent, live, '1').changes).toEqual([]);
    }
  });

  test('ends when the inputs change', () => {
    const decision = decide({ ...shrunk, revisions, live, generated: documents('a', 'b') });
    expect(decision.rollback).toBe('ended');
  });

  test('keeps the times of the held tools, so that they stay until then, however few are still missing', () => {
    const stays = published(rollbackIntent(read(revision(2, withHeld)), observed(held), revisions.map(read)));
    const during = published(decide({ ...shrunk, revisions, live: stays }).intent);
    const later = { ...shrunk, revisions, live: during, generated: documents('a', 'b', 'c', 'e') };
    expect(decide({ ...later, now: NOW + 200_000 })).toMatchObject({
      rollback: 'ended',
      held: { held: ['d'] },
    });
    expect(decide({ ...later, now: NOW + 300_000 }).held.held).toEqual([]);
  });

  test('survives deletion of the ConfigMap', () => {
    const recorded = [...revisions, { ...revision(3, before.documents), rollback: back.rollback }];
    expect(decide({ ...shrunk, revisions: recorded, live: undefined }).rollback).toBe('holds');
  });

  test('survives broken overrides', () => {
    const broken = published(decide({ ...shrunk, revisions, live, overrideError: 'line 1' }).intent);
    expect(decide({ ...shrunk, revisions, live: broken }).rollback).toBe('holds');
    expect(plan(keptOf({ ...shrunk, revisions, live }), live, '1').changes).toEqual([]);
  });

  test('after broken overrides during the hold, holds too', () => {
    const broken = published(decide({ ...shrunk, revisions, live: held, overrideError: 'line 1' }).intent);
    const after = published(rollbackIntent(before, observed(broken), revisions.map(read)));
    expect(decide({ ...shrunk, revisions, live: after }).rollback).toBe('holds');
  });

  test('ends with the toolset from before it, or with the one that the inputs produce', () => {
    const current = revisions.map(read);
    const rollbackTo = (to: Documents, isEnd = false) =>
      rollbackIntent(read(revision(9, to)), observed(live), current, undefined, isEnd);
    expect(rollbackTo(withHeld, true).rollback).toBeUndefined();
    expect(rollbackTo(documents('a')).rollback).toBeUndefined();
    expect(rollbackTo(documents('b')).rollback).toEqual({ ...back.rollback, to: 9 });
    // A further rollback may follow before serve decides.
    const ended = published(rollbackTo(withHeld, true));
    const again = published(rollbackIntent(before, observed(ended), current));
    expect(decide({ ...shrunk, revisions, live: again }).rollback).toBe('holds');
  });

  test.each([
    ['at once', held],
    ['after another one', live],
  ])('to what is published keeps the held tools after the end of the hold: %s', (_, there) => {
    const current = revisions.map(read);
    const stays = rollbackIntent(current[1] ?? before, observed(there), current);
    expect(stays.rollback).toMatchObject({ to: 2 });
    const decision = decide({ ...shrunk, revisions, live: published(stays), now: NOW + 900_000 });
    expect(decision).toMatchObject({ rollback: 'holds', intent: { documents: withHeld } });
  });
});

test('a rollback survives deletion of the ConfigMap, and broken overrides', () => {
  const rollback = { to: 2, from: contentHash(all) };
  const revisions = [revision(1, all), { ...revision(2, documents('old')), rollback }];
  expect(decide(situation({ live: undefined, revisions })).intent).toMatchObject({
    documents: documents('old'),
    rollback,
  });
  const live = published({ ...toolset(documents('old')), rollback });
  expect(decide(situation({ live, overrideError: 'line 1' })).intent).toMatchObject({
    documents: documents('old'),
    rollback,
  });
});

test.each([
  ['nothing', undefined],
  ['only overrides', { ...published(toolset(all)), data: { 'overrides.yaml': '[' }, annotations: {} }],
  ['only documents that were edited', { ...published(toolset(all)), data: documents('x') }],
])('with %s in the cluster and broken overrides, no tool is published', (_, live) => {
  expect(decide(situation({ live, overrideError: 'line 1' })).intent).toMatchObject({
    documents: documents(),
    tools: [],
    overrideError: 'line 1',
  });
});

test('an object that was replaced by one with broken overrides gets the last toolset of the history', () => {
  const live = { ...published(toolset(all)), data: { 'overrides.yaml': '[' }, annotations: {} };
  const replaced = situation({
    live,
    overrideError: 'line 1',
    revisions: [revision(1, documents('a')), revision(2, documents('b'))],
  });
  expect(decide(replaced).intent).toMatchObject({ documents: documents('b'), overrideError: 'line 1' });
});

test('after a deletion, the last publication counts, even by another process', () => {
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

describe('the documents that were published last', () => {
  const pointing = (to: Documents, data: Readonly<Record<string, string>>): Published => ({
    ...published({ documents: to }),
    data,
  });

  test('are the newest revision, if nothing refers to another one', () => {
    const { 'kubernaut.io/content-hash': _, ...annotations } = published({ documents: all }).annotations;
    const live = { ...published({ documents: all }, { 'toolset.json': 'oops' }), annotations };
    const revisions = [revision(1, documents('old')), revision(2, all)];
    expect(lastPublished(situation({ live, revisions }))).toEqual(all);
    expect(lastPublished(situation({ live: { ...live, labels: {} }, revisions }))).toBeUndefined();
  });

  test('are the ones that the hash identifies, if a document is missing', () => {
    const live = pointing(all, { 'custom_toolset.yaml': all['custom_toolset.yaml'] ?? '' });
    const revisions = [revision(1, documents('old')), revision(2, all), revision(3, documents('new'))];
    expect(lastPublished(situation({ live, revisions }))).toEqual(all);
    expect(decide(situation({ live, revisions })).drift).toEqual({ keys: ['toolset.json'], published: all });
  });

  test('are the current ones, if they are unchanged and unknown to this process', () => {
    expect(lastPublished(situation({}))).toEqual(all);
  });
});

test('the current ones stay, if others publish into them and none of ours are known', () => {
  const foreign: Published = {
    data: { 'toolset.json': '{}', 'custom_toolset.yaml': 'toolsets: {}' },
    labels: {},
    annotations: {},
  };
  expect(decideToKeep(situation({ live: foreign, revisions: [revision(1, all)] }))?.intent.documents).toEqual(
    foreign.data,
  );
});

test('a document of ours with a key of others beside it has no drift', () => {
  expect(decide(situation({ live: published({ documents: all }, { mine: 'x' }) })).drift).toBeUndefined();
});

describe('some tools are removed while others stay', () => {
  const [before, now] = [documents('a', 'b', 'c', 'd', 'e'), documents('a', 'x')];
  const found: Inputs['found'] = { usable: new Set(), unusable: new Map([['b', 'not ready']]) };
  test('if the others cannot be reconstructed, nothing is removed, and each keeps the start of its hold', () => {
    const start = situation({ live: published({ documents: before }), generated: now, found });
    const first = published(decide({ ...start, withHeld: () => undefined }).intent);
    const second = decide({ ...start, live: first, now: NOW + 20_000, withHeld: () => undefined });
    expect(second).toMatchObject({ intent: { documents: before }, released: [] });
    expect(second.intent.removalHeld).toMatch(/^2026-01-01T00:00:00Z( [0-9a-f]{8}){4}$/);
    const apart = decide({ ...start, live: first, now: NOW + 20_000 });
    expect(apart.released.map(({ tool }) => tool)).toEqual(['b']);
    expect(apart.intent.removalHeld).toMatch(/^2026-01-01T00:00:00Z( [0-9a-f]{8}){3}$/);
  });
});

test('a tool that came back counts as present', () => {
  const gone = ['b', 'c', 'x'].map((tool) => ({ tool, namespace: '', service: `/${tool}`, at: NOW - 1_000 }));
  const parts = { live: published({ documents: documents('a', 'b', 'c', 'd', 'e') }), gone };
  // Of five tools and one that went, two go: no mass.
  expect(decide(situation({ ...parts, generated: documents('a', 'b', 'c') })).held.held).toEqual([]);
});
