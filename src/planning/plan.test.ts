import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DOCUMENT_KEYS, toolset } from '../../test/fixtures/unit/toolset.ts';
import type { Documents } from '../model/documents.ts';
import type { Plan, Published } from '../model/published.ts';
import type { Rollback } from '../model/revision.ts';
import { type Intent, isOurs, OWN_ANNOTATIONS, plan, rollbackOf } from './plan.ts';

const TOOLS = '{"tools":[{"name":"a"},{"name":"b"},{"name":"c"}]}\n';
const intended = (documents: Documents = {}, more: Partial<Intent> = {}): Intent => ({
  ...toolset({ 'toolset.json': TOOLS, 'custom_toolset.yaml': 'toolsets: {}\n', ...documents }),
  ...more,
});

/** What is published after a plan was carried out: ours is as planned, and all else is as it was. */
function carriedOut(decided: Plan, before: Partial<Published> = {}): Published {
  const others = Object.fromEntries(
    Object.entries(before.annotations ?? {}).filter(([key]) => !OWN_ANNOTATIONS.includes(key)),
  );
  return {
    data: { ...before.data, ...decided.documents },
    labels: { ...before.labels, ...decided.labels },
    annotations: { ...others, ...decided.annotations },
  };
}

describe('actions', () => {
  test('if nothing is published yet, create everything', () => {
    const decided = plan(intended(), undefined, '1.0.0');
    expect(decided.action).toBe('create');
    expect(decided.documents).toEqual(intended().documents);
    expect(decided.labels).toEqual({
      'app.kubernetes.io/name': 'dynamic-toolset',
      'app.kubernetes.io/component': 'toolset-config',
      'app.kubernetes.io/managed-by': 'dynamic-toolset',
      'app.kubernetes.io/version': '1.0.0',
    });
    expect(decided.annotations).toMatchObject({
      'kubernaut.io/discovered-services': '3',
      'kubernaut.io/content-hash': expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
    for (const key of DOCUMENT_KEYS) expect(decided.changes).toContain(`data ${key}`);
  });

  test('if everything is up to date, none', () => {
    const live = carriedOut(plan(intended(), undefined, '1'));
    expect(plan(intended(), live, '1')).toMatchObject({ action: 'none', changes: [] });
  });

  const live = carriedOut(plan(intended(), undefined, '1'));
  test.each<[string, Intent, Published, string, string[]]>([
    [
      'another document was generated',
      intended({ 'toolset.json': '{}\n' }),
      live,
      '1',
      [
        'data toolset.json',
        'annotation kubernaut.io/content-hash',
        'annotation kubernaut.io/discovered-services',
      ],
    ],
    [
      'someone edited a document',
      intended(),
      { ...live, data: { ...live.data, 'custom_toolset.yaml': 'mine: true\n' } },
      '1',
      ['data custom_toolset.yaml'],
    ],
    [
      'someone deleted a document',
      intended(),
      { ...live, data: { 'toolset.json': live.data['toolset.json'] ?? '' } },
      '1',
      ['data custom_toolset.yaml'],
    ],
    [
      'everything of ours is gone',
      intended(),
      { data: {}, labels: {}, annotations: {} },
      '1',
      [
        ...DOCUMENT_KEYS.map((key) => `data ${key}`),
        ...Object.keys(live.labels).map((key) => `label ${key}`),
        ...Object.keys(live.annotations).map((key) => `annotation ${key}`),
      ],
    ],
    [
      'someone changed our label',
      intended(),
      { ...live, labels: { ...live.labels, 'app.kubernetes.io/managed-by': 'Helm' } },
      '1',
      ['label app.kubernetes.io/managed-by'],
    ],
    ['a new version runs', intended(), live, '2', ['label app.kubernetes.io/version']],
    [
      'the overrides have a fault',
      intended({}, { overrideError: 'line 2: broken' }),
      live,
      '1',
      ['annotation kubernaut.io/override-error'],
    ],
    [
      'the overrides are valid again',
      intended(),
      carriedOut(plan(intended({}, { overrideError: 'line 2: broken' }), undefined, '1')),
      '1',
      ['annotation kubernaut.io/override-error'],
    ],
    [
      'a rollback holds',
      intended({}, { rollback: { to: 3, from: 'sha256:1' } }),
      live,
      '1',
      ['annotation kubernaut.io/rolled-back-to', 'annotation kubernaut.io/rolled-back-from'],
    ],
    [
      'it has another owner now',
      intended({}, { owner: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', uid: 'u2' } }),
      { ...live, owners: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', uid: 'u1' }] },
      '1',
      ['owner Deployment d'],
    ],
    [
      'a killed process left the overrides in our hands',
      intended(),
      { ...live, managers: ['dynamic-toolset', 'dynamic-toolset-restore'] },
      '1',
      ['owner of data overrides.yaml'],
    ],
  ])('%s: update', (_, wanted, now, version, changes) => {
    const decided = plan(wanted, now, version);
    expect(decided.action).toBe('update');
    expect([...decided.changes].sort()).toEqual([...changes].sort());
  });
});

describe('content of others', () => {
  const ours = plan(intended(), undefined, '1');

  test.each<[string, Partial<Published>]>([
    ['overrides.yaml', { data: { 'overrides.yaml': 'tools: {}\n' } }],
    ['another data key', { data: { 'notes.txt': 'mine' } }],
    ['a label', { labels: { team: 'sre', 'kubernaut.io/x': 'y' } }],
    [
      'an annotation',
      {
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration': '{}',
          'kubernaut.io/last-updated': 'x',
        },
      },
    ],
  ])('%s never counts', (_, foreign) => {
    const live = carriedOut(ours, foreign);
    expect(plan(intended(), live, '1')).toMatchObject({ action: 'none', changes: [] });
    const changed = plan(intended({ 'toolset.json': 'other' }), live, '1');
    const planned = { ...changed.documents, ...changed.labels, ...changed.annotations };
    for (const part of [foreign.data, foreign.labels, foreign.annotations])
      for (const key of Object.keys(part ?? {})) expect(Object.keys(planned)).not.toContain(key);
  });
});

describe('a deleted ConfigMap', () => {
  test('is restored with its overrides', () => {
    expect(plan(intended({}, { overrides: '# mine\r\n' }), undefined, '1').restore).toBe('# mine\r\n');
  });
  test('an existing one never gets overrides from us, and is changed in its observed state', () => {
    const live: Published = { data: {}, labels: {}, annotations: {}, version: '7' };
    const decided = plan(intended({}, { overrides: 'old' }), live, '1');
    expect(decided).not.toHaveProperty('restore');
    expect(decided.basis).toBe('7');
  });
});

test.each<[string, Partial<Published>, boolean]>([
  ['our label', { labels: { 'app.kubernetes.io/managed-by': 'dynamic-toolset' } }, true],
  [
    'fields that we own, with any label',
    { labels: { 'app.kubernetes.io/managed-by': 'x' }, managers: ['dynamic-toolset'] },
    true,
  ],
  ['a creation of ours that did not end', { managers: ['dynamic-toolset-restore'] }, true],
  [
    'a label of someone else',
    { labels: { 'app.kubernetes.io/managed-by': 'Helm' }, managers: ['helm'] },
    false,
  ],
  ['nothing of the kind', {}, false],
])('ours or not: %s', (_, parts, ours) => {
  expect(isOurs({ data: {}, labels: {}, annotations: {}, ...parts })).toBe(ours);
});

test.each<Rollback>([
  { to: 4, from: 'sha256:abc' },
  { to: 4, from: 'sha256:abc', inputs: 'sha256:def', accepted: 'one item' },
])('annotations of a rollback are read back unchanged: %j', (rollback) => {
  expect(rollbackOf(plan(intended({}, { rollback }), undefined, '1').annotations)).toEqual(rollback);
  expect(rollbackOf(plan(intended(), undefined, '1').annotations)).toBeUndefined();
});

test('what is no longer part of a rollback loses its annotation', () => {
  const rollback = { to: 4, from: 'sha256:abc' };
  const more = { ...rollback, inputs: 'sha256:def', accepted: 'one item' };
  const live = carriedOut(plan(intended({}, { rollback: more }), undefined, '1'));
  const annotations = ['kubernaut.io/rollback-accepts', 'kubernaut.io/inputs-hash'];
  const without = plan(intended({}, { rollback }), live, '1');
  expect(without.changes).toEqual(annotations.map((each) => `annotation ${each}`));
  for (const each of annotations) expect(Object.keys(without.annotations)).not.toContain(each);
  expect(plan(intended(), live, '1').changes).toEqual(
    expect.arrayContaining(annotations.map((each) => `annotation ${each}`)),
  );
});

describe('properties', () => {
  const texts = fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true });
  const documents = fc.record({ 'toolset.json': fc.string(), 'custom_toolset.yaml': fc.string() });
  const published: fc.Arbitrary<Published | undefined> = fc.option(
    fc.record({ data: texts, labels: texts, annotations: texts }),
    { nil: undefined },
  );

  test('applying a plan leaves nothing to do, whatever was there before', () => {
    fc.assert(
      fc.property(documents, published, fc.string(), (given, before, version) => {
        const wanted = intended(given);
        const live = carriedOut(plan(wanted, before, version), before);
        expect(plan(wanted, live, version)).toMatchObject({ action: 'none', changes: [] });
      }),
    );
  });

  test('the hash depends only on the documents', () => {
    const hash = (given: Documents, before: Published | undefined, version: string) =>
      plan(intended(given), before, version).annotations['kubernaut.io/content-hash'];
    fc.assert(
      fc.property(documents, documents, published, fc.string(), (a, b, before, version) => {
        expect(hash(a, before, version)).toBe(hash(a, undefined, ''));
        // Generated objects may have no prototype, which is no difference between documents.
        const same = isDeepStrictEqual({ ...a }, { ...b });
        expect(hash(a, undefined, '') === hash(b, undefined, '')).toBe(same);
      }),
    );
  });

  test('moving text from one document to another changes the hash', () => {
    const hash = (a: string, b: string) =>
      plan(intended({ 'toolset.json': a, 'custom_toolset.yaml': b }), undefined, '1').annotations[
        'kubernaut.io/content-hash'
      ];
    expect(hash('ab', 'c')).not.toBe(hash('a', 'bc'));
    expect(hash('', 'x')).not.toBe(hash('x', ''));
  });
});

test.each<[string, keyof Intent, string]>([
  ['the Services behind ids', 'backendGroups', 'backend-groups'],
  ['the tools, where documents cannot be read back', 'publishedTools', 'published-tools'],
  ['the Services in use', 'servicesInUse', 'services-in-use'],
  ['the namespaces that are searched', 'searched', 'searched-namespaces'],
])('%s: an annotation stays until something else is planned, or nothing', (_, field, name) => {
  const annotation = `kubernaut.io/${name}`;
  const live = carriedOut(plan(intended({}, { [field]: 'before' }), undefined, '1'));
  expect(live.annotations).toMatchObject({ [annotation]: 'before' });
  expect(plan(intended(), live, '1')).toMatchObject({ action: 'none', annotations: live.annotations });
  const changed = plan(intended({}, { [field]: 'after' }), live, '1');
  expect(changed.annotations).toEqual({ ...live.annotations, [annotation]: 'after' });
  expect(changed.changes).toEqual([`annotation ${annotation}`]);
  const removed = plan(intended({}, { [field]: '' }), live, '1');
  expect(removed.annotations).not.toHaveProperty([annotation]);
  expect(removed.changes).toEqual([`annotation ${annotation}`]);
  expect(plan(intended(), undefined, '1').annotations).not.toHaveProperty([annotation]);
});

test('a document whose key has binary data is written', () => {
  const live = { ...carriedOut(plan(intended(), undefined, '1')), binary: ['toolset.json', 'logo.png'] };
  expect(plan(intended(), live, '1')).toMatchObject({ action: 'update', changes: ['data toolset.json'] });
});

test('a hold that is over loses its annotations', () => {
  const hold = { removalHeld: 'since', inputs: 'sha256:def' };
  const held = carriedOut(plan(intended({}, hold), undefined, '1'));
  const annotations = ['kubernaut.io/removal-held', 'kubernaut.io/inputs-hash'];
  expect(annotations.map((each) => held.annotations[each])).toEqual(['since', 'sha256:def']);
  expect(plan(intended({}, hold), held, '1').action).toBe('none');
  expect(plan(intended(), held, '1').changes).toEqual(annotations.map((each) => `annotation ${each}`));
});

test('the annotation that releases held tools applies once', () => {
  const live = carriedOut(plan(intended(), undefined, '1'));
  const annotations = { ...live.annotations, 'kubernaut.io/allow-removal': 'true' };
  expect(plan(intended(), { ...live, annotations }, '1').changes).toEqual([
    'annotation kubernaut.io/allow-removal',
  ]);
});

test('a rollback that is over loses its annotations', () => {
  const rollback = { to: 3, from: 'sha256:1' };
  const live = carriedOut(plan(intended({}, { rollback }), undefined, '1'));
  expect(rollbackOf(live.annotations)).toEqual(rollback);
  expect(rollbackOf({ ...live.annotations, 'kubernaut.io/rolled-back-to': 'x' })).toEqual({
    ...rollback,
    to: 0,
  });
  expect(plan(intended(), live, '1').changes).toEqual([
    'annotation kubernaut.io/rolled-back-to',
    'annotation kubernaut.io/rolled-back-from',
  ]);
});

describe('other owners', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', uid: 'u1' };
  const live = carriedOut(plan(intended(), undefined, '1'));

  test('one owner among others is enough, and the plan names it', () => {
    const owners = [{ ...owner, uid: 'u2' }, owner];
    expect(plan(intended({}, { owner }), { ...live, owners }, '1')).toMatchObject({ action: 'none', owner });
    expect(plan(intended(), { ...live, owners }, '1')).not.toHaveProperty('owner');
  });

  test.each([
    ['dynamic-toolset', true],
    ['dynamic-toolset-restore', true],
    ['kubectl-edit', false],
  ])('without our label, the field manager %s among others identifies it: %s', (manager, expected) => {
    expect(isOurs({ ...live, labels: {}, managers: ['helm', manager] })).toBe(expected);
  });
});

test('overrides are restored with a recreated ConfigMap, and never written to an existing one', () => {
  const live = carriedOut(plan(intended(), undefined, '1'));
  expect(plan(intended({}, { overrides: 'mine' }), undefined, '1')).toMatchObject({ restore: 'mine' });
  expect(plan(intended(), undefined, '1')).not.toHaveProperty('restore');
  expect(plan(intended({}, { overrides: 'mine' }), live, '1')).not.toHaveProperty('restore');
});

test('a part that is no longer needed is a difference, and a key of others is not', () => {
  const first = plan(intended(), undefined, '1');
  const live = carriedOut(first);
  expect(plan(intended(), live, '1').action).toBe('none');
  const data = { ...live.data, 'toolset.json#2': '{}', 'toolset.json#3': '{}', 'notes#2': 'x' };
  expect(plan(intended(), { ...live, data }, '1')).toMatchObject({
    action: 'update',
    changes: ['data toolset.json#3', 'data toolset.json#2'],
  });
  const divided = intended({ 'toolset.json#2': '{}' });
  const parts = carriedOut(plan(divided, undefined, '1'));
  expect(plan(divided, parts, '1').action).toBe('none');
});

test('the number of ConfigMaps is an annotation while there are several', () => {
  const several = plan(intended({ 'toolset.json#2': TOOLS }), undefined, '1');
  expect(several.annotations).toMatchObject({ 'kubernaut.io/shards': '2' });
  const one = plan(intended(), carriedOut(several), '1');
  expect(one.annotations).not.toHaveProperty('kubernaut.io/shards');
  expect(one.changes).toContain('annotation kubernaut.io/shards');
});
