import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Candidate } from '../model/discovery.ts';
import { serviceKey } from '../model/service.ts';
import { limitCandidates } from './limit-candidates.ts';

const candidate = (namespace: string, name: string, created?: string): Candidate =>
  ({
    mappings: {},
    service: { cluster: '', namespace, name, created },
    fallbacks: [],
    tool: `${name}.${namespace}`,
  }) as unknown as Candidate;

const namesOf = (candidates: readonly Candidate[]): string[] => candidates.map(({ tool }) => tool);

test('all candidates up to the limit are kept unchanged', () => {
  const detection = { candidates: [candidate('a', 'x'), candidate('b', 'y')], services: [], problems: [] };
  expect(limitCandidates(detection, 2)).toBe(detection);
});

test('a namespace with very many does not displace those of others; excess ones are reported', () => {
  const flood = Array.from({ length: 100 }, (_, index) =>
    candidate('a', `x${String(index).padStart(3, '0')}`),
  );
  const few = [candidate('b', 'prometheus'), candidate('c', 'loki'), candidate('c', 'tempo')];
  const { candidates, problems } = limitCandidates(
    { candidates: [...flood, ...few], services: [], problems: [] },
    10,
  );
  expect(namesOf(candidates)).toEqual([
    ...flood.slice(0, 7).map(({ tool }) => tool),
    'prometheus.b',
    'loki.c',
    'tempo.c',
  ]);
  expect(problems).toEqual([
    {
      where: 'all namespaces',
      what: expect.stringMatching(
        /^93 of 103 backends are left out \(a\/x007, .*, …\): the limit is 10, which namespaces share, and a has the most, 100$/,
      ),
      fix: expect.stringContaining('MAX_BACKENDS'),
    },
  ]);
});

test('of one namespace, named ones come first, then those in use, then older ones, whatever their names are', () => {
  const later = Array.from({ length: 5 }, (_, index) => candidate('a', `a${index}`, `2026-02-0${5 - index}`));
  const [old, used] = [candidate('a', 'old', '2026-01-01'), candidate('a', 'used', '2026-03-01')];
  const behind = { ...candidate('a', 'front'), fallbacks: [candidate('a', 'behind')] };
  const detection = { candidates: [...later, behind, old, used], services: [], problems: [] };
  const inUseSince = new Map(
    [used, ...behind.fallbacks].map(({ service }) => [serviceKey(service), { at: 0 }] as const),
  );
  const { candidates } = limitCandidates(detection, 4, { inUseSince });
  expect(namesOf(candidates)).toEqual(['a4.a', 'front.a', 'old.a', 'used.a']);
  const named = new Set(later.slice(0, 1).map(({ service }) => serviceKey(service)));
  expect(namesOf(limitCandidates(detection, 3, { inUseSince, named }).candidates)).toEqual([
    'a0.a',
    'front.a',
    'used.a',
  ]);
});

test.each([
  ['each of several namespaces', ['a/x', 'b/x', 'c/x'], 'which namespaces share, and each of the 3 has 1'],
  [
    'some of them',
    ['a/x', 'b/x', 'b/y', 'c/x', 'c/y'],
    'which namespaces share, and 2 have the most, 2 each (b, c)',
  ],
  ['only one namespace', ['a/x', 'a/y', 'a/z'], 'and all of them are in namespace a'],
])('the problem tells the truth if the most are in %s', (_, keys, who) => {
  const candidates = keys.map((key) => candidate(key.slice(0, 1), key.slice(2)));
  const { problems, beyond } = limitCandidates({ candidates, services: [], problems: [] }, 2);
  expect(problems[0]?.what.endsWith(`: the limit is 2, ${who}`)).toBe(true);
  expect(beyond).toMatchObject({
    candidates: candidates.filter((each) =>
      problems[0]?.what.includes(`${each.service.namespace}/${each.service.name}`),
    ),
    limit: {
      what: `${keys.length} backends were found: the limit is 2, ${who}`,
      fix: problems[0]?.fix,
      setting: { key: 'maxBackends', enough: keys.length },
    },
  });
});

test('never more than the limit, in the same order, and no namespace gets two more than another that needs more', () => {
  const some = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(50)), { maxLength: 60 });
  fc.assert(
    fc.property(some, fc.integer({ min: 1, max: 40 }), (pairs, most) => {
      const unique = [...new Set(pairs.map(([namespace, name]) => `${namespace}/${name}`))].sort();
      const all = unique.map((key) => candidate(key.slice(0, 1), key.slice(2)));
      const { candidates } = limitCandidates({ candidates: all, services: [], problems: [] }, most);
      expect(candidates).toHaveLength(Math.min(most, all.length));
      expect(candidates).toEqual(all.filter((each) => candidates.includes(each)));
      const count = (list: readonly Candidate[], namespace: string): number =>
        list.filter(({ service }) => service.namespace === namespace).length;
      for (const greedy of ['a', 'b', 'c'])
        for (const other of ['a', 'b', 'c'])
          if (count(candidates, other) < count(all, other))
            expect(count(candidates, greedy)).toBeLessThanOrEqual(count(candidates, other) + 1);
    }),
  );
});
