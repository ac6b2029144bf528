/** Which of several Services of the same Pods stands for them. */
import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { keyFor, offered, service } from '../../test/fixtures/unit/service.ts';
import type { Approvals } from '../model/approvals.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Companions, Company } from './company.ts';
import { mergeProven } from './same-pods.ts';

const proven = (found: DiscoveredService): DiscoveredService => ({
  ...found,
  verdict: { ...found.verdict, proof: 'proven' },
});
/** A proven Loki on the same Pods as all others. */
const loki = (name: string, fields: Parameters<typeof service>[1] = {}): DiscoveredService =>
  proven(
    discovered(
      service(name, { labels: { app: 'loki' }, selector: { app: 'loki' }, ports: ['http:3100'], ...fields }),
    ),
  );
const keys = (...names: string[]): ReadonlySet<ServiceKey> =>
  new Set(names.map((name) => keyFor(`monitoring/${name}`)));
const companionsOf = (all: Readonly<Record<string, Partial<Company>>>): Companions =>
  new Map(
    Object.entries(all).map(([name, company]) => [
      keyFor(`monitoring/${name}`),
      { all: new Set(), better: new Set(), hasWorked: true, ...company },
    ]),
  );
const NOTHING = { inUse: keys(), companions: companionsOf({}) };
interface Who {
  readonly inUse?: ReadonlySet<ServiceKey>;
  readonly companions?: Companions;
  readonly named?: ReadonlySet<ServiceKey>;
  readonly approvals?: Approvals;
}
/** The backends that there are, whatever the order of their Services. */
const merged = (found: readonly DiscoveredService[], who: Who = {}): string[] => {
  const namesOf = (all: readonly DiscoveredService[]): string[] =>
    mergeProven(all, { ...NOTHING, ...who }, who.named, who.approvals)
      .map(({ service: { name }, alternates }) => [name, ...alternates].join('+'))
      .sort();
  const names = namesOf(found);
  expect(namesOf(found.toReversed())).toEqual(names);
  return names;
};

describe('of Services of the same Pods that prove to be one product', () => {
  const retyped = loki('a');
  test.each<[string, DiscoveredService, DiscoveredService]>([
    ['whose labels name it', loki('bbb'), { ...retyped, verdict: { ...retyped.verdict, provenAs: 'loki' } }],
    ['that is not headless', loki('bbb'), loki('a', { headless: true })],
    ['that is identified best', { ...loki('bbb'), certainty: 'label' }, { ...loki('a'), certainty: 'name' }],
    ['with the shortest name', loki('z'), loki('aa')],
    ['with the first name', loki('a'), loki('b')],
  ])('the one %s stands for both', (_, best, other) => {
    expect(merged([best, other])).toEqual([`${best.service.name}+${other.service.name}`]);
  });

  test('one has all that is known of them', () => {
    const member = (name: string, day: number) => ({ name, created: `2026-01-0${day}T00:00:00Z`, roles: [] });
    const best: DiscoveredService = {
      ...loki('a'),
      alternates: ['own', 'late', 'pod'],
      newcomers: ['late'],
      samePods: ['pod'],
      members: [member('a', 2), member('own', 4)],
      clusterIPs: { a: ['10.0.0.1'] },
    } as never;
    const other: DiscoveredService = {
      ...loki('bb'),
      alternates: ['bb-pod', 'bb-other'],
      samePods: ['bb-pod'],
      members: [member('bb', 3), member('bb-other', 1)],
      clusterIPs: { bb: ['10.0.0.2'] },
    } as never;
    const [one, ...more] = mergeProven([other, best, loki('ccc')], NOTHING);
    expect(more).toEqual([]);
    expect(one).toMatchObject({
      service: { name: 'a' },
      alternates: ['bb', 'bb-other', 'bb-pod', 'ccc', 'late', 'own', 'pod'],
      samePods: ['bb', 'bb-pod', 'ccc', 'pod'],
      newcomers: ['bb-other', 'late'],
      clusterIPs: { a: ['10.0.0.1'], bb: ['10.0.0.2'] },
    });
    expect(one?.members?.map(({ name }) => name)).toEqual(['bb-other', 'a', 'bb', 'own', 'ccc']);
    expect(one?.evidence).toEqual([
      ...best.evidence,
      { signal: 'group', detail: 'leads to the same Pods as bb, ccc, and both prove to be loki' },
    ]);
  });
});

describe('Services stay apart', () => {
  const custom = (name: string, type: string) =>
    proven(discovered(offered(name, { type }, { selector: { app: 'loki' } })));
  test.each<[string, DiscoveredService, DiscoveredService]>([
    [
      'if one is unhealthy',
      loki('a'),
      { ...loki('b'), verdict: { ...loki('b').verdict, health: 'unhealthy' } },
    ],
    ['without selectors', loki('a', { selector: {} }), loki('b', { selector: {} })],
    [
      'if one has an endpoint elsewhere',
      loki('a'),
      { ...loki('b'), endpoint: { ...loki('b').endpoint, host: 'loki.example.com' } },
    ],
    ['if their owners say that they are different', custom('a', 'orders-api'), custom('b', 'stock-api')],
    ['if only the owner of one says what it is', { ...loki('a') }, { ...custom('b', 'x'), type: 'loki' }],
  ])('%s', (_, one, other) => {
    expect(merged([one, other])).toEqual(['a', 'b']);
  });

  test('if both are in use and have worked, and they are the same objects', () => {
    const both = [loki('a'), loki('b')];
    const found = mergeProven(both, { ...NOTHING, inUse: keys('a', 'b') });
    expect(found.map((each, index) => each === both[index])).toEqual([true, true]);
  });
});

describe('of Services in use', () => {
  const both = [loki('a'), loki('b')];
  const server = (name: string) =>
    proven(
      discovered(
        service(name, { labels: { app: 'mcp-server' }, selector: { app: 'x' }, ports: ['mcp:8000'] }),
      ),
    );
  const approved: Approvals = new Map([[keyFor('monitoring/b'), { refused: false, as: ['mcp'] }]]);

  test.each<[string, readonly DiscoveredService[], Who]>([
    ['one in use comes first', both, { inUse: keys('b') }],
    ['one that people named comes first', both, { inUse: keys('a', 'b'), named: keys('b') }],
    [
      'one that people approved comes before one that they named',
      [server('a'), server('b')],
      { inUse: keys('a', 'b'), named: keys('a'), approvals: approved },
    ],
    [
      'one that has worked comes first',
      both,
      { inUse: keys('a', 'b'), companions: companionsOf({ a: { hasWorked: false }, b: {} }) },
    ],
    [
      'one to whose company the other one belongs comes first',
      both,
      {
        inUse: keys('a', 'b'),
        companions: companionsOf({
          a: { hasWorked: false },
          b: { hasWorked: false, all: new Set(['a']) },
        }),
      },
    ],
  ])('%s', (_, found, who) => {
    expect(merged(found, who)).toEqual(['b+a']);
  });
});
