import { expect, test } from 'vitest';
import { meantNamespace, meantService } from './meant-service.ts';

test.each([
  ['a Service of the same namespace', 'shop/lokii', ['shop/loki', 'shopp/lokii'], 'shop/loki'],
  [
    'none of another namespace, if some are known in this one',
    'shop/loki',
    ['shop/mimir', 'shopp/loki'],
    undefined,
  ],
  ['one of another namespace, if none is known in this one', 'shpo/loki', ['shop/loki'], 'shop/loki'],
  ['the whole Service for a part', 'shop/lgtm:3000', ['shop/lgtm', 'shop/lgtm:3100'], 'shop/lgtm'],
  ['no other part', 'shop/lgtm:3000', ['shop/lgtm:3100'], undefined],
  ['a part of a similar Service', 'shop/lgmt:3100', ['shop/lgtm', 'shop/lgtm:3100'], 'shop/lgtm:3100'],
  ['none of the same name elsewhere', 'shop/loki', ['team/loki'], undefined],
])('suggests %s', (_, key, known, expected) => expect(meantService(key, known)).toBe(expected));

test('suggests a namespace only if the one that is named has no backends', () => {
  expect(meantNamespace('shopp', ['shop'], ['shop'])).toBe('shop');
  expect(meantNamespace('shop', ['shopp'], ['shop', 'shopp'])).toBeUndefined();
});
