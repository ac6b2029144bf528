/** Who takes the place of an entry point that is gone, and what comes back after another one did. */
import { describe, expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import type { Candidate } from '../model/discovery.ts';
import { partsOf } from '../model/key.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Company, Use } from './company.ts';
import { withHeirs, withReturned } from './heirs.ts';

const keyed = (name: string): ServiceKey => keyFor(`monitoring/${name}`);
/** A backend with these entry points, the preferred one first. */
const group = (...names: readonly string[]): Candidate => {
  const way = (name: string): Candidate => ({
    ...candidate(service(name, { labels: { app: 'loki' }, selector: { app: name }, ports: ['http:3100'] })),
    alternates: names.filter((each) => each !== name),
  });
  const [first = '', ...rest] = names;
  return { ...way(first), fallbacks: rest.map(way) };
};
/** The company of an entry point that came into use at some time. */
const company = (at: number, all: readonly string[], more: Partial<Company> = {}): Company => ({
  ...{ all: new Set(all), better: new Set(), hasWorked: true, since: { at } },
  ...more,
});
const use = (companies: Readonly<Record<string, Company>>): Use => {
  const companions = new Map(Object.entries(companies).map(([name, each]) => [keyed(name), each]));
  return { inUse: new Set(companions.keys()), companions, vanished: new Map() };
};
const namesOf = ({ inUse }: Use): string[] => [...inUse].map((key) => partsOf(key).name);

describe('the place of an entry point that is gone', () => {
  const before = use({ g: company(1, ['b', 'c'], { established: new Set(['g', 'c']) }), x: company(2, []) });

  test('goes to the preferred one of its company, which is as old and gives it back', () => {
    const heirs = withHeirs(before, [group('x'), group('c', 'b')]);
    expect(namesOf(heirs)).toEqual(['g', 'x', 'c']);
    expect(heirs.companions.get(keyed('c'))).toEqual(
      company(1, ['b', 'g'], { better: new Set(['g']), established: new Set(['g', 'c']) }),
    );
    expect(heirs.vanished).toBe(before.vanished);
  });

  test('goes to one only', () => {
    expect(namesOf(withHeirs(before, [group('x'), group('b'), group('c')]))).toEqual(['g', 'x', 'b']);
  });
});

describe('a Service that was deleted and is created again, and leads to another backend now', () => {
  /** That of which it was a part. */
  const OLD = company(5, ['r', 'p'], { better: new Set(['p']), established: new Set(['o', 'r']) });

  test('becomes a backend of its own if the other one is newer, with its old company', () => {
    const before = use({ o: OLD, n: company(6, []) });
    const after = withReturned(before, [group('o'), group('n', 'r')]);
    expect(namesOf(after)).toEqual(['o', 'n', 'r']);
    expect(after.companions.get(keyed('r'))).toEqual({ ...OLD, all: new Set(['p', 'o']), better: new Set() });
    expect(after.companions.get(keyed('n'))).toBe(before.companions.get(keyed('n')));
    expect(after.vanished).toBe(before.vanished);
  });

  test.each<[string, Record<string, Company>, readonly Candidate[]]>([
    ['the other one is older', { o: OLD, n: company(4, []) }, [group('n', 'r')]],
    ['the other one came at the same time', { o: OLD, n: company(5, []) }, [group('n', 'r')]],
    [
      'one of several others is older',
      { o: OLD, n: company(6, []), m: company(4, []) },
      [group('n', 'm', 'r')],
    ],
    ['it leads to its own backend, too', { o: OLD, n: company(6, []) }, [group('n', 'o', 'r')]],
    ['it leads to no backend in use', { o: OLD }, [group('o'), group('r', 'q')]],
    ['it was not established', { o: company(5, ['r']), n: company(6, []) }, [group('n', 'r')]],
    [
      'it is a backend of its own already',
      { o: OLD, n: company(6, []), r: company(7, []) },
      [group('n', 'r')],
    ],
  ])('stays as it is if %s', (_, companies, candidates) => {
    const before = use(companies);
    expect(withReturned(before, candidates)).toEqual(before);
  });

  test('belongs to the oldest of the backends of which it was a part', () => {
    const older = company(3, ['r'], { established: new Set(['p', 'r']) });
    const newer = company(6, []);
    for (const companies of [
      { o: OLD, p: older, n: newer },
      { p: older, o: OLD, n: newer },
    ])
      expect(withReturned(use(companies), [group('n', 'r')]).companions.get(keyed('r'))?.since?.at).toBe(3);
  });
});
