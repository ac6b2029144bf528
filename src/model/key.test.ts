import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareKeys, displayKey, displayNamespace, HOME_CLUSTER, keyOf, partsOf } from './key.ts';

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,6}[a-z0-9])?$/);
const cluster = fc.oneof(
  fc.constant(HOME_CLUSTER),
  label,
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  fc.constantFrom('a/b', '%2F', 'arn:aws:eks:eu-west-1:111122223333:cluster/prod'),
);
const object = fc.record({
  cluster,
  kind: fc.constantFrom('Service', 'HTTPRoute'),
  namespace: label,
  name: label,
});

describe('a key', () => {
  test('has all parts of its object', () => {
    fc.assert(
      fc.property(object, (one) => {
        expect(partsOf(keyOf(one))).toEqual(one);
      }),
    );
  });

  test('is equal for equal objects only, and so is its display form', () => {
    fc.assert(
      fc.property(object, object, (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        expect(keyOf(one) === keyOf(other)).toBe(isSame);
        expect(displayKey(one) === displayKey(other)).toBe(isSame);
        const isSamePlace = one.cluster === other.cluster && one.namespace === other.namespace;
        expect(displayNamespace(one) === displayNamespace(other)).toBe(isSamePlace);
      }),
    );
  });

  test('sorts like namespace and name in one cluster', () => {
    fc.assert(
      fc.property(object, object, (one, other) => {
        const [a, b] = [one, other].map((each) => ({ ...each, cluster: HOME_CLUSTER, kind: 'Service' }));
        const [x, y] = [a, b].map((each) => `${each?.namespace}/${each?.name}`);
        if (a === undefined || b === undefined || x === undefined || y === undefined) return;
        expect(Math.sign(compareKeys(keyOf(a), keyOf(b)))).toBe(x < y ? -1 : x > y ? 1 : 0);
      }),
    );
  });

  test('is short in the home cluster, and names any other cluster and kind', () => {
    const loki = { cluster: HOME_CLUSTER, namespace: 'monitoring', name: 'loki' };
    expect(displayKey(loki)).toBe('monitoring/loki');
    expect(displayKey({ ...loki, cluster: 'east' })).toBe('east/monitoring/loki');
    expect(displayKey({ ...loki, cluster: 'east', kind: 'HTTPRoute' })).toBe(
      'HTTPRoute east/monitoring/loki',
    );
  });
});
