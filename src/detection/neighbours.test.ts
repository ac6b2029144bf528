import { describe, expect, test } from 'vitest';
import { type ServiceFields, service } from '../../test/fixtures/unit/service.ts';
import type { Service } from '../model/service.ts';
import { FormerSelectors } from './former-selectors.ts';
import { Neighbours } from './neighbours.ts';

const related = (services: readonly Service[], before?: Neighbours, former?: FormerSelectors): Neighbours => {
  const neighbours = new Neighbours(services, former, before);
  for (const _ of neighbours.relate());
  return neighbours;
};

const at = (name: string, selector: Record<string, string>, fields: ServiceFields = {}): Service =>
  service(name, { selector, ...fields });

const long = (last: string): Record<string, string> =>
  Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`k${n}`, n === 20 ? last : '']));

test('equal or nested selectors share Pods; the oldest Service comes first', () => {
  const [old, young] = ['2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z'];
  const narrow = at('narrow', { app: 'a', tier: 'x' }, { created: old });
  const wide = at('wide', { app: 'a' }, { created: young });
  const equal = at('equal', { tier: 'x', app: 'a' });
  const other = at('other', { app: 'b' });
  const neighbours = related([wide, equal, other, narrow]);
  expect(neighbours.of(wide).names).toEqual(['narrow', 'wide', 'equal']);
  expect(neighbours.of(narrow).names).toEqual(['narrow', 'wide', 'equal']);
  expect(neighbours.of(other).names).toEqual(['other']);
  expect(neighbours.of(at('none', {})).names).toEqual([]);
});

describe('a selector with more entries than are compared', () => {
  test('may select any Pods of its namespace', () => {
    const odd = at('odd', long('x'));
    const neighbours = related([odd, at('a', { app: 'a' }), at('b', { app: 'b' })]);
    expect(neighbours.of(odd).names).toEqual(['a', 'b', 'odd']);
    expect(neighbours.of(at('a', { app: 'a' })).names).toEqual(['a', 'odd']);
  });

  test('makes all Services of a large namespace share one list', () => {
    const many = Array.from({ length: 33 }, (_, n) => at(`odd-${n}`, long(`${n}`)));
    const plain = at('plain', { app: 'a' });
    const neighbours = related([...many, plain]);
    expect(neighbours.of(plain).names).toHaveLength(34);
    for (const each of many) expect(neighbours.of(each)).toBe(neighbours.of(plain));
  });

  test('also counts if a Service had it before', () => {
    const former = new FormerSelectors();
    former.record(at('odd', long('x')));
    const neighbours = related([at('odd', { app: 'z' }), at('a', { app: 'a' })], undefined, former);
    expect(neighbours.of(at('a', { app: 'a' })).names).toEqual(['a', 'odd']);
    expect(neighbours.of(at('odd', { app: 'z' })).names).toEqual(['odd']);
  });
});

describe('with the previous neighbours', () => {
  const a = at('a', { app: 'a' }, { clusterIPs: ['10.0.0.1'] });
  const twin = at('twin', { app: 'a', tier: 'x' }, { clusterIPs: ['10.0.0.2'] });
  const b = at('b', { app: 'b' });

  test('unchanged parts are the same object', () => {
    const before = related([a, twin, b]);
    const sharing = [a, twin, b].map((each) => before.of(each));
    const changed = at('a', { app: 'a' }, { clusterIPs: ['10.0.0.1'], labels: { team: 'shop' } });
    const now = related([changed, twin, at('c', { app: 'c' }), b], before);
    for (const [index, each] of [changed, twin, b].entries()) expect(now.of(each)).toBe(sharing[index]);
    expect(sharing[0]?.clusterIPs).toEqual({ a: ['10.0.0.1'], twin: ['10.0.0.2'] });
  });

  test.each([
    ['another cluster IP', at('a', { app: 'a' }, { clusterIPs: ['10.0.0.9'] }), ['a', 'twin']],
    ['no cluster IP', at('a', { app: 'a' }), ['a', 'twin']],
    ['another selector', at('a', { app: 'b' }, { clusterIPs: ['10.0.0.1'] }), ['twin']],
    ['another name', at('z', { app: 'a' }, { clusterIPs: ['10.0.0.1'] }), ['twin', 'z']],
  ])('%s counts', (_, changed, names) => {
    const before = related([a, twin, b]);
    const sharing = before.of(twin);
    const now = related([changed, twin, b], before).of(twin);
    expect(now).not.toBe(sharing);
    expect(now).toEqual(related([changed, twin, b]).of(twin));
    expect(now.names).toEqual(names);
  });
});
