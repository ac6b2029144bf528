import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonBody } from './json-body.ts';

test('escapes what Go escapes, in keys too, and in lower case', () => {
  expect(jsonBody({ 'a&b': '<a>\u2028\u2029' })).toBe('{"a\\u0026b":"\\u003ca\\u003e\\u2028\\u2029"}');
});

test('for any text, the meaning is the same, and none of the five characters is left', () => {
  const text = fc.string({
    unit: fc.constantFrom('&', '<', '>', '\u2028', '\u2029', '\\', '"', 'u0026', 'a', '\n'),
  });
  fc.assert(
    fc.property(fc.dictionary(text, text), (value) => {
      const body = jsonBody(value);
      expect(body).not.toMatch(/[&<>\u2028\u2029]/);
      expect(JSON.parse(body)).toEqual({ ...value });
    }),
  );
});
