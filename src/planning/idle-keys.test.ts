import { describe, expect, test } from 'vitest';
import { idleKeyExplainer } from './idle-keys.ts';
import type { ToolKind } from './tools.ts';

const KIND: ToolKind = { description: '', mappings: {} };
const KINDS = new Map([
  ['loki', KIND],
  ['tempo', KIND],
]);
const KEYS = ['monitoring/loki', 'monitoring/*', 'loki'];
const LATER = 'it counts as soon as one is found';
const UNKNOWN = 'applies to nothing: no such backend is known now';
const NO_TYPE = 'applies to nothing: there is no detector of this type';

const explain = (key: string, kinds: ReadonlyMap<string, ToolKind> = KINDS, keys = KEYS): string => {
  const { what, fix } = idleKeyExplainer({ keys, kinds })(key);
  return `${what}; ${fix}`;
};

describe('it is said why a key addresses no backend, and what to do', () => {
  test.each<[string, string, string]>([
    ['a type of which there is none', 'tempo', `${UNKNOWN}; ${LATER}`],
    ['a typo in a type', 'tmpo', `${NO_TYPE}; did you mean tempo?`],
    ['a type like no other', 'nonsense', `${NO_TYPE}; write a type, NAMESPACE/SERVICE or NAMESPACE/*`],
    [
      'a typo in a Service',
      'monitoring/lokii',
      `${UNKNOWN}; did you mean monitoring/loki? Otherwise ${LATER}`,
    ],
    ['a typo in a namespace', 'monitorng/*', `${UNKNOWN}; did you mean monitoring/*? Otherwise ${LATER}`],
    ['a Service like no other', 'shop/orders', `${UNKNOWN}; ${LATER}`],
  ])('%s', (_, key, expected) => {
    expect(explain(key)).toBe(expected);
  });

  test('the only type there is may be meant', () => {
    expect(explain('lokki', new Map([['loki', KIND]]))).toBe(`${NO_TYPE}; did you mean loki?`);
  });

  test('a type is not called unknown while no types are known', () => {
    expect(explain('lokki', new Map(), ['monitoring/loki', 'loki'])).toBe(`${UNKNOWN}; ${LATER}`);
  });
});

test('the first twenty keys get suggestions for Services, because these take time', () => {
  const why = idleKeyExplainer({ keys: KEYS, kinds: KINDS });
  const suggested = Array.from({ length: 22 }, () => why('monitoring/lokii').fix?.startsWith('did you mean'));
  expect(suggested).toEqual(Array.from({ length: 22 }, (_, index) => index < 20));
});
