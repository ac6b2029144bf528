import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DOCUMENT_KEYS, type Documents, type Generated } from '../model/documents.ts';
import type { Plan, Published } from '../model/published.ts';
import { plan } from './plan.ts';

const generated = (documents: Partial<Documents> = {}, tools = 3): Generated => ({
  documents: { 'toolset.json': '{"tools":[]}\n', 'custom_toolset.yaml': 'toolsets: {}\n', ...documents },
  tools,
  notes: [],
});

/** What is published after a plan was carried out: ours is as planned, and all else is as it was. */
function carriedOut(decided: Plan, before: Partial<Published> = {}): Published {
  return {
    data: { ...before.data, ...decided.documents },
    labels: { ...before.labels, ...decided.labels },
    annotations: { ...before.annotations, ...decided.annotations },
  };
}

describe('what is to be done', () => {
  test('nothing published yet: create all of it', () => {
    const decided = plan(generated(), undefined, '1.0.0');
    expect(decided.action).toBe('create');
    expect(decided.documents).toEqual(generated().documents);
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

  test('all as it should be: nothing', () => {
    const live = carriedOut(plan(generated(), undefined, '1'));
    expect(plan(generated(), live, '1')).toMatchObject({ action: 'none', changes: [] });
  });

  const live = carriedOut(plan(generated(), undefined, '1'));
  test.each<[string, Generated, Published, string, string[]]>([
    [
      'another document was generated',
      generated({ 'toolset.json': '{}\n' }),
      live,
      '1',
      ['data toolset.json', 'annotation kubernaut.io/content-hash'],
    ],
    [
      'somebody edited a document',
      generated(),
      { ...live, data: { ...live.data, 'custom_toolset.yaml': 'mine: true\n' } },
      '1',
      ['data custom_toolset.yaml'],
    ],
    [
      'somebody deleted a document',
      generated(),
      { ...live, data: { 'toolset.json': live.data['toolset.json'] ?? '' } },
      '1',
      ['data custom_toolset.yaml'],
    ],
    [
      'everything of ours is gone',
      generated(),
      { data: {}, labels: {}, annotations: {} },
      '1',
      [
        ...DOCUMENT_KEYS.map((key) => `data ${key}`),
        ...Object.keys(live.labels).map((key) => `label ${key}`),
        ...Object.keys(live.annotations).map((key) => `annotation ${key}`),
      ],
    ],
    [
      'somebody took our label for theirs',
      generated(),
      { ...live, labels: { ...live.labels, 'app.kubernetes.io/managed-by': 'Helm' } },
      '1',
      ['label app.kubernetes.io/managed-by'],
    ],
    ['a new version runs', generated(), live, '2', ['label app.kubernetes.io/version']],
    [
      'the count changed and the documents did not',
      generated({}, 4),
      live,
      '1',
      ['annotation kubernaut.io/discovered-services'],
    ],
  ])('%s: update', (_, wanted, now, version, changes) => {
    const decided = plan(wanted, now, version);
    expect(decided.action).toBe('update');
    expect([...decided.changes].sort()).toEqual([...changes].sort());
  });
});

describe('what belongs to others', () => {
  const ours = plan(generated(), undefined, '1');

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
    expect(plan(generated(), live, '1')).toMatchObject({ action: 'none', changes: [] });
    const changed = plan(generated({ 'toolset.json': 'other' }), live, '1');
    const planned = { ...changed.documents, ...changed.labels, ...changed.annotations };
    for (const part of [foreign.data, foreign.labels, foreign.annotations])
      for (const key of Object.keys(part ?? {})) expect(Object.keys(planned)).not.toContain(key);
  });
});

describe('laws', () => {
  const texts = fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true });
  const documents = fc.record({ 'toolset.json': fc.string(), 'custom_toolset.yaml': fc.string() });
  const published: fc.Arbitrary<Published | undefined> = fc.option(
    fc.record({ data: texts, labels: texts, annotations: texts }),
    { nil: undefined },
  );

  test('once carried out there is nothing left to do, whatever was there before', () => {
    fc.assert(
      fc.property(documents, fc.nat(), published, fc.string(), (given, tools, before, version) => {
        const wanted = generated(given, tools);
        const live = carriedOut(plan(wanted, before, version), before);
        expect(plan(wanted, live, version)).toMatchObject({ action: 'none', changes: [] });
      }),
    );
  });

  test('the hash follows from the documents, and from nothing else', () => {
    const hash = (given: Documents, tools: number, before: Published | undefined, version: string) =>
      plan(generated(given, tools), before, version).annotations['kubernaut.io/content-hash'];
    fc.assert(
      fc.property(documents, documents, fc.nat(), published, fc.string(), (a, b, tools, before, version) => {
        expect(hash(a, tools, before, version)).toBe(hash(a, 0, undefined, ''));
        const same = DOCUMENT_KEYS.every((key) => a[key] === b[key]);
        expect(hash(a, 0, undefined, '') === hash(b, 0, undefined, '')).toBe(same);
      }),
    );
  });

  test('text that moves from one document to the other changes the hash', () => {
    const hash = (a: string, b: string) =>
      plan(generated({ 'toolset.json': a, 'custom_toolset.yaml': b }), undefined, '1').annotations[
        'kubernaut.io/content-hash'
      ];
    expect(hash('ab', 'c')).not.toBe(hash('a', 'bc'));
    expect(hash('', 'x')).not.toBe(hash('x', ''));
  });
});

describe('overrides that cannot be read', () => {
  const live = carriedOut(plan(generated({}, 3), undefined, '1'));
  const next = generated({ 'toolset.json': '{"tools":[1]}\n' }, 9);

  test('the published documents and their number stay, and the fault is told', () => {
    const decided = plan(next, live, '1', { overrideError: 'line 2: broken' });
    expect(decided.documents).toEqual(generated().documents);
    expect(decided.annotations).toMatchObject({
      'kubernaut.io/discovered-services': '3',
      'kubernaut.io/override-error': 'line 2: broken',
    });
    expect(decided.changes).toEqual(['annotation kubernaut.io/override-error']);
  });

  test('while the fault stays the same there is nothing to do', () => {
    const told = carriedOut(plan(next, live, '1', { overrideError: 'line 2: broken' }), live);
    expect(plan(next, told, '1', { overrideError: 'line 2: broken' }).action).toBe('none');
  });

  test('mended: what was generated is published, and the annotation goes', () => {
    const told = carriedOut(plan(next, live, '1', { overrideError: 'line 2: broken' }), live);
    const decided = plan(next, told, '1');
    expect(decided.documents).toEqual(next.documents);
    expect(decided.annotations).not.toHaveProperty(['kubernaut.io/override-error']);
    expect(decided.changes).toContain('annotation kubernaut.io/override-error');
  });

  test('what was published last is kept, and not what somebody made of it since', () => {
    const edited = { ...live, data: { ...live.data, 'toolset.json': 'oops' } };
    const hold = { overrideError: 'line 2', documents: generated().documents };
    expect(plan(next, edited, '1', hold).documents).toEqual(generated().documents);
  });

  test('with nothing published yet there is nothing to keep: what was generated is published', () => {
    const before: Published = { data: { 'overrides.yaml': '{' }, labels: {}, annotations: {} };
    expect(plan(next, before, '1', { overrideError: 'line 1' }).documents).toEqual(next.documents);
  });
});
