/** What is in use after a pass, and what belongs to it. */
import { describe, expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import type { Candidate } from '../model/discovery.ts';
import { toolsetOf } from '../model/documents.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import type { ServiceKey } from '../model/service.ts';
import { SERVICES_IN_USE } from '../planning/plan.ts';
import {
  awaitedNames,
  type Company,
  type Moment,
  newcomersTo,
  publishedUse,
  servicesInUseOf,
  type Use,
  useAfter,
  withHeirs,
} from './company.ts';

const way = (name: string, alternates: readonly string[] = [], more: Partial<Candidate> = {}): Candidate => ({
  ...candidate(service(name, { labels: { app: 'loki' }, selector: { app: name }, ports: ['http:3100'] })),
  alternates,
  ...more,
});
const keyed = (name: string): ServiceKey => keyFor(`monitoring/${name}`);
const company = (
  all: readonly string[],
  better: readonly string[] = [],
  hasWorked = true,
): [Set<string>, Set<string>, boolean] => [new Set(all), new Set(better), hasWorked];
const use = (
  entries: Readonly<Record<string, readonly [Set<string>, Set<string>, boolean] | undefined>>,
): Use => ({
  inUse: new Set(Object.keys(entries).map(keyed)),
  companions: new Map(
    Object.entries(entries).flatMap(([name, entry]) =>
      entry === undefined
        ? []
        : [[keyed(name), { all: entry[0], better: entry[1], hasWorked: entry[2] } satisfies Company]],
    ),
  ),
});
const NOTHING = use({});
interface Options {
  readonly fails?: boolean;
  readonly better?: readonly string[];
  readonly apart?: readonly Candidate[];
}
const chosen = (entryPoint: Candidate, { fails = false, better = [], apart = [] }: Options = {}) => ({
  ...{ entryPoint, fails, better, apart },
});
const moment: Moment = { now: 1_000, held: new Map() };
/** A pass in which each chosen one is a backend. */
const next = (before: Use, ...all: readonly ReturnType<typeof chosen>[]): Use => {
  const found = all.map(({ entryPoint }) => entryPoint);
  return useAfter(all, found, found, before, moment);
};

describe('what is in use after a pass', () => {
  test('is what was chosen, with the others of its backend', () => {
    expect(next(NOTHING, chosen(way('a', ['b', 'c']), { better: ['b'] }))).toEqual(
      use({ a: company(['b', 'c'], ['b']) }),
    );
    const late = way('a', ['b', 'c'], { newcomers: ['c'] });
    expect(next(NOTHING, chosen(late, { better: ['b', 'c'] }))).toEqual(use({ a: company(['b'], ['b']) }));
  });

  test('is without what is too new to be part of the same installation, and may have the place of what is older', () => {
    const members = [
      { name: 'old', created: '2026-01-01T00:00:00Z', roles: [] },
      { name: 'older-elsewhere', created: '2025-01-01T00:00:00Z', roles: [] },
      { name: 'a', created: '2026-01-02T00:00:00Z', roles: [] },
      { name: 'b', created: '2026-01-02T00:10:00Z', roles: [] },
      { name: 'late', created: '2026-01-02T00:10:01Z', roles: [] },
    ];
    const { service: plain } = way('a');
    const a = way('a', ['b', 'late', 'old', 'older-elsewhere'], {
      ...{ service: { ...plain, created: '2026-01-02T00:00:00Z' }, members, samePods: ['late', 'old'] },
    });
    const { companions } = next(NOTHING, chosen(a));
    expect([...companions.values()]).toEqual([
      { all: new Set(['b', 'old', 'older-elsewhere']), better: new Set(), hasWorked: true, on: 'old' },
    ]);
  });

  test('does not gain others once it has worked, whether it fails or not', () => {
    const before = use({ a: company(['b']) });
    for (const fails of [false, true])
      expect(next(before, chosen(way('a', ['b', 'c']), { fails }))).toEqual(before);
  });

  test('gains others until it works', () => {
    const failing = next(NOTHING, chosen(way('a', ['b']), { fails: true }));
    expect(failing).toEqual(use({ a: company(['b'], ['b'], false) }));
    const more = next(failing, chosen(way('a', ['b', 'c']), { fails: true }));
    expect(more).toEqual(use({ a: company(['b', 'c'], ['b', 'c'], false) }));
    const works = next(more, chosen(way('a', ['b', 'c', 'd'])));
    expect(works).toEqual(use({ a: company(['b', 'c'], ['b', 'c']) }));
  });

  test('has the company of the one whose place it takes, which may come back', () => {
    const before = use({ a: company(['b', 'c']) });
    const taken = next(before, chosen(way('b', ['a', 'c', 'new']), { better: ['a', 'new'] }));
    expect(taken).toEqual(use({ b: company(['c', 'a'], ['a']) }));
    const gone = next(before, chosen(way('b', ['c', 'new'])));
    expect(gone).toEqual(use({ b: company(['c', 'a'], ['a']) }));
    expect(next(use({ a: company(['b'], [], false) }), chosen(way('b', ['a']), { fails: true }))).toEqual(
      use({ b: company(['a'], [], false) }),
    );
  });

  test('includes newcomers that are used besides it, without company', () => {
    const before = use({ a: company([]) });
    const both = next(before, chosen(way('a', ['n']), { fails: true, apart: [way('n')] }));
    expect(both).toEqual(use({ a: company([]), n: company([]) }));
    expect(next(both, chosen(way('a')), chosen(way('n', ['x'])))).toEqual(both);
  });

  test('includes what vanished, with its company, unless that took its place', () => {
    const before = use({ a: company(['b']), x: company([]) });
    const gone = next(before, chosen(way('x')));
    expect(gone).toEqual({ ...before, vanished: new Map([[keyed('a'), { at: 1_000, tool: undefined }]]) });
    expect(next(gone, chosen(way('x')))).toEqual(gone);
    expect(next(gone, chosen(way('a', ['n'])), chosen(way('x')))).toEqual(before);
    expect(next(before, chosen(way('n')), chosen(way('x'))).inUse).toEqual(
      new Set(['a', 'x', 'n'].map(keyed)),
    );
    expect(next(before, chosen(way('b')), chosen(way('x'))).inUse).toEqual(new Set(['b', 'x'].map(keyed)));
  });

  test('does not include what was merged into another one, or has become a part of it', () => {
    const before = use({ a: company([]), b: company([]) });
    const [a, b] = [way('a'), way('b')];
    expect(useAfter([chosen(a), chosen(b)], [a, b], [a], before, moment).inUse).toEqual(
      new Set([keyed('a')]),
    );
    expect(next(before, chosen(way('a', ['b']))).inUse).toEqual(new Set([keyed('a')]));
  });

  test('keeps the name of what vanished for ten minutes', () => {
    const before = use({ a: company([]), x: company([]) });
    const held = new Map([['Logs', { cluster: '', namespace: 'monitoring', members: ['a', 'other'] }]]);
    const gone = useAfter([chosen(way('x'))], [way('x')], [way('x')], before, { now: 5_000, held });
    expect(gone.vanished).toEqual(new Map([[keyed('a'), { at: 5_000, tool: 'Logs' }]]));
    const later = useAfter([chosen(way('x'))], [way('x')], [way('x')], gone, { now: 9_000, held: new Map() });
    expect(later.vanished).toEqual(gone.vanished);
    expect(awaitedNames(later, 5_000 + 599_999)).toEqual(new Map([['logs', keyed('a')]]));
    expect(awaitedNames(later, 5_000 + 600_000)).toEqual(new Map());
    expect(awaitedNames(next(later, chosen(way('a')), chosen(way('x'))), 9_000)).toEqual(new Map());
  });

  test('has those first that were in use before', () => {
    const before = use({ b: company([]), a: company([]) });
    expect([...next(before, chosen(way('c')), chosen(way('a')), chosen(way('b'))).inUse]).toEqual(
      ['b', 'a', 'c'].map(keyed),
    );
  });

  test('includes a pending backend, with its company', () => {
    const before = use({ a: company(['b']) });
    expect(useAfter([], [way('a')], [way('a')], before, moment)).toEqual(before);
  });

  test('includes the latest of many that vanished, and those of other namespaces', () => {
    let now = next(
      NOTHING,
      chosen(
        candidate(service('quiet', { namespace: 'shop', labels: { app: 'loki' }, ports: ['http:3100'] })),
      ),
    );
    for (let index = 0; index < 150; index++) now = next(now, chosen(way(`a-${index}`)));
    const kept = [...now.inUse];
    expect(kept).toHaveLength(1 + 101);
    expect(kept).toContainEqual(keyFor('shop/quiet'));
    expect(kept).toContainEqual(keyed('a-49'));
    expect(kept).not.toContainEqual(keyed('a-48'));
  });
});

describe('an entry point whose Service is gone', () => {
  const group = (...names: readonly string[]): Candidate => {
    const [first = '', ...rest] = names;
    return { ...way(first, rest), fallbacks: rest.map((name) => way(name)) };
  };

  test('is followed by the best of its company, not by a newcomer', () => {
    const before = use({ gone: company(['b', 'c']) });
    expect(withHeirs(before, [way('x'), group('n', 'c', 'b')])).toEqual(
      use({ gone: company(['b', 'c']), c: company(['b', 'gone'], ['gone']) }),
    );
    const apart = use({ gone: company(['b']), n: company([]) });
    expect(withHeirs(apart, [group('n', 'b')]).inUse).toEqual(new Set(['gone', 'n', 'b'].map(keyed)));
  });

  test.each<[string, Use, readonly Candidate[]]>([
    ['it is there', use({ a: company(['b']) }), [group('a', 'b')]],
    ['it is there, and another one is preferred', use({ a: company(['b']) }), [group('b', 'a')]],
    ['it is there, though not as an entry point', use({ a: company(['b']) }), [way('b', ['a'])]],
    [
      'one of its company is in use',
      use({ gone: company(['b', 'c']), b: company(['c']) }),
      [group('c', 'b')],
    ],
    ['it has no company', use({ gone: company([]) }), [group('n')]],
    ['its company is gone, too', use({ gone: company(['b']) }), [group('n')]],
  ])('is not followed if %s', (_, before, candidates) => {
    expect(withHeirs(before, candidates)).toEqual(before);
  });
});

describe('an entry point that has the place of another one, because it leads to its Pods', () => {
  const selecting = (name: string, selector: Readonly<Record<string, string>>): Candidate => {
    const one = way(name);
    return { ...one, service: { ...one.service, selector } };
  };
  const owner = selecting('owner', { app: 'x' });
  const grouped = (first: Candidate, second: Candidate): Candidate => ({
    ...first,
    alternates: [second.service.name],
    fallbacks: [second],
  });
  const before: Use = use({ helper: company(['owner', 'c']) });
  const on: Use = {
    ...before,
    companions: new Map([...before.companions].map(([key, each]) => [key, { ...each, on: 'owner' }])),
  };

  test('says whose place it is', () => {
    const taken = next(use({ owner: company(['c']) }), chosen(way('helper', ['owner', 'c'])));
    expect([...taken.companions.values()]).toMatchObject([{ all: new Set(['c', 'owner']), on: 'owner' }]);
    const again = next(taken, chosen(way('other', ['owner', 'helper', 'c'])));
    expect([...again.companions.values()]).toMatchObject([{ on: 'owner' }]);
    const back = next(taken, chosen(way('owner', ['helper', 'c'])));
    expect([...back.companions.values()]).toEqual([
      { all: new Set(['c', 'helper']), better: new Set(), hasWorked: true },
    ]);
  });

  test('keeps it while it leads to them, or the owner is gone', () => {
    const within = selecting('helper', { app: 'x', part: 'y' });
    expect(withHeirs(on, [grouped(within, owner)])).toEqual(on);
    expect(withHeirs(on, [selecting('helper', { app: 'evil' })])).toEqual(on);
  });

  test('loses it if it leads to others', () => {
    const strayed = selecting('helper', { app: 'evil' });
    expect(withHeirs(on, [grouped(strayed, owner)])).toEqual(use({ owner: company(['c']) }));
    expect(withHeirs(before, [grouped(strayed, owner)])).toEqual(before);
  });
});

describe('newcomers', () => {
  const created = (time: string): Partial<Candidate> => ({
    service: { ...way('first').service, created: time },
  });
  const NAMED = new Set<ServiceKey>();
  const one = way('one', ['first'], {
    service: { ...way('one').service, selector: { app: 'first', part: '1' } },
  });

  test('are those that the company of the one in use does not know, and that lead to other Pods', () => {
    const first = way('first', ['b', 'n', 'one']);
    const points = [first, way('b'), way('n'), one];
    expect(newcomersTo(first, points, use({ first: company(['b']) }), NAMED)).toEqual(['n']);
    expect(newcomersTo(first, points, use({ first: undefined }), NAMED)).toEqual(['b', 'n']);
    expect(newcomersTo(first, points, use({ first: company([]) }), new Set([keyed('n')]))).toEqual(['b']);
  });

  test.each([
    ['before anything is in use', NOTHING],
    ['before the one in use has worked', use({ first: company([], [], false) })],
  ])('are those that are more than ten minutes younger, %s', (_, before) => {
    const members = [
      { name: 'soon', created: '2026-01-01T00:10:00Z', roles: [] },
      { name: 'late', created: '2026-01-01T00:10:01Z', roles: [] },
      { name: 'undated', roles: [] },
    ];
    const first = way('first', ['soon', 'late', 'undated'], { ...created('2026-01-01T00:00:00Z'), members });
    expect(newcomersTo(first, [first, way('soon'), way('late')], before, NAMED)).toEqual(['late']);
    const { created: _created, ...undated } = first.service;
    expect(newcomersTo({ ...first, service: undated }, [first], before, NAMED)).toEqual([]);
  });
});

describe('what is published', () => {
  const tool = (name: string, more: Partial<PublishedTool> = {}): PublishedTool => ({
    ...{ name, type: 'loki', endpoint: 'http://x', description: 'x', namespace: 'monitoring' },
    metadata: { service: name },
    ...more,
  });
  const live = (tools: readonly PublishedTool[], note?: string) => ({
    present: toolsetOf({}, () => tools),
    annotations: note === undefined ? {} : { [SERVICES_IN_USE]: note },
  });

  test('are entry points, with the others of their backends, and what the annotation adds', () => {
    const read = tool('a', { metadata: { service: 'a', alternates: 'b,c' } });
    expect(publishedUse(live([read]))).toEqual(use({ a: company(['b', 'c']) }));
    expect(publishedUse(live([read], '{"monitoring":{"x":["","y"]}}'))).toEqual(
      use({ a: company(['b', 'c']), x: company(['y']) }),
    );
    expect(publishedUse(undefined)).toEqual(NOTHING);
    const { namespace: _namespace, ...nowhere } = tool('a');
    expect(publishedUse(live([nowhere, tool('b', { metadata: {} })]))).toEqual(NOTHING);
  });

  test('are those that exist and have worked', () => {
    const now = use({
      a: company(['b']),
      never: company(['x'], [], false),
      gone: company([]),
      hint: company([]),
    });
    const found = [{ ...way('a'), tool: 'logs' }, way('never')];
    expect(
      servicesInUseOf({ ...now, vanished: new Map([[keyed('gone'), { at: 0, tool: undefined }]]) }, found),
    ).toMatchObject([
      { service: { name: 'a' }, tool: 'logs', others: ['b'] },
      { service: { name: 'hint' }, tool: 'hint.monitoring', others: [] },
    ]);
  });
});
