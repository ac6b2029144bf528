import fc from 'fast-check';
import { expect, test } from 'vitest';
import { options, rules } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import { problemLine } from '../model/discovery.ts';
import { NONE } from '../model/seniority.ts';
import type { Service } from '../model/service.ts';
import { detect, examine } from './detect.ts';
import { limitNamespace } from './limit-namespace.ts';
import type { Member } from './member.ts';

const loki = (name: string, created: string, fields: Parameters<typeof service>[1] = {}): Service => ({
  ...service(name, { labels: { app: 'loki' }, ports: ['http:3100'], ...fields }),
  created,
});
const member = (one: Service): Member => examine(one, rules, options).member as Member;
const names = (members: readonly Member[]): string[] => members.map(({ match }) => match.service.name);

const old = loki('z-old', '2026-01-01T00:00:00Z');
const flood = Array.from({ length: 30 }, (_, index) =>
  loki(`a${String(index).padStart(2, '0')}x`, '2026-06-01T00:00:00Z'),
);

test('the oldest Services of a namespace stay, and one line names the excess ones and the setting', () => {
  const { kept, problem } = limitNamespace([...flood, old].map(member), 10);
  expect(names(kept)).toEqual(['z-old', ...flood.slice(0, 9).map(({ name }) => name)]);
  expect(problem && problemLine(problem)).toBe(
    'namespace monitoring: 21 of its 31 Services that look like backends are left out, the newest (a09x, a10x, a11x, a12x, a13x, …): the limit is 10 for each namespace; raise MAX_NAMESPACE_SERVICES (--max-namespace-services), or keep Services out with the annotation kubernaut.io/toolset: "false"',
  );
});

test('all Services up to the limit stay', () => {
  const members = [old, ...flood.slice(0, 3)].map(member);
  expect(limitNamespace(members, 4)).toEqual({ kept: members });
});

test('applications that are only scraped displace no backend, however old they are', () => {
  const scraped = Array.from({ length: 5 }, (_, index) =>
    service(`app${index}`, { annotations: { 'prometheus.io/scrape': 'true' }, ports: ['http:8080'] }),
  ).map((one): Service => ({ ...one, created: '2020-01-01T00:00:00Z' }));
  expect(names(limitNamespace([...scraped, old].map(member), 2).kept)).toEqual(['z-old', 'app0']);
});

test('what is in use stays, also if its Service was created again, and of these, what came into use first', () => {
  const used = (name: string, at: number) => [keyFor(`monitoring/${name}`), { at }] as const;
  const members = [old, ...flood].map(member);
  const since = new Map([used('a05x', 30), used('a20x', 10), used('a07x', 20)]);
  expect(names(limitNamespace(members, 4, new Set(), since).kept)).toEqual(['a20x', 'a07x', 'a05x', 'z-old']);
  // If it is unknown when one came into use, the age of its Service counts.
  const unknown = new Map([...since, used('z-old', 0), used('a01x', -1)]);
  expect(names(limitNamespace(members, 4, new Set(), unknown).kept)).toEqual([
    'z-old',
    'a01x',
    'a20x',
    'a07x',
  ]);
});

test('a hint that was chosen and has never proven itself is not in use', () => {
  const scraped = service('app', { annotations: { 'prometheus.io/scrape': 'true' }, ports: ['http:8080'] });
  const members = [{ ...scraped, created: '2020-01-01T00:00:00Z' }, old].map(member);
  const since = (at: number) => new Map([[keyFor('monitoring/app'), { at }]]);
  expect(names(limitNamespace(members, 1, new Set(), since(NONE.at)).kept)).toEqual(['z-old']);
  expect(names(limitNamespace(members, 1, new Set(), since(5)).kept)).toEqual(['app']);
});

test('the order of Services does not matter', () => {
  const members = [...flood, old].map(member);
  fc.assert(
    fc.property(fc.shuffledSubarray(members, { minLength: members.length }), (shuffled) => {
      expect(limitNamespace(shuffled, 7)).toEqual(limitNamespace(members, 7));
    }),
  );
});

test('a namespace over its limit does not affect others', () => {
  const other = { ...loki('loki', '2026-07-01T00:00:00Z'), namespace: 'shop' };
  const { candidates, problems } = detect([...flood, other], rules, { ...options, maxNamespaceServices: 5 });
  expect(candidates.map(({ service }) => service.namespace).sort()).toEqual([
    ...Array(5).fill('monitoring'),
    'shop',
  ]);
  expect(problems).toHaveLength(1);
});
