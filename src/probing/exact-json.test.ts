import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isExactNumber, parseExactly } from './exact-json.ts';

const written = (text: string): string => JSON.stringify(parseExactly(text));

test.each([
  '1.00000000000000001',
  '12345678901234567890',
  '-9007199254740993',
  '0.1000000000000000055511151231257827',
  '1e400',
  '-1E+400',
  '1e-400',
  '1.23456789e-320',
  '1e99999999999999999999',
])('%s, which a double does not hold, is kept as it was', (number) => {
  expect(written(`{"a":[${number}]}`)).toBe(`{"a":[${number}]}`);
  expect(isExactNumber(parseExactly(number))).toBe(true);
});

test.each([
  ['1.0', '1'],
  ['1.00000000000000000000', '1'],
  ['1e3', '1000'],
  ['-0.0', '0'],
  ['0e999', '0'],
  ['9007199254740992', '9007199254740992'],
  ['100000000000000000000000', '1e+23'],
  ['0.00000000000000000001', '1e-20'],
  ['1.7976931348623157e308', '1.7976931348623157e+308'],
])('%s, which a double holds, is written as before', (number, before) => {
  expect(written(number)).toBe(before);
  expect(typeof parseExactly(number)).toBe('number');
});

test('digits in texts and keys are no numbers', () => {
  const text = '{"12345678901234567890":"1.00000000000000001"}';
  expect(parseExactly(text)).toEqual(JSON.parse(text));
});

test('a number is no key, and none in a text of quotes and backslashes is one', () => {
  expect(() => parseExactly('{12345678901234567890:1}')).toThrow(SyntaxError);
  expect(() => parseExactly('[012345678901234567890]')).toThrow(SyntaxError);
  for (const text of ['\\\\', '\\"', '\\\\\\"', ','])
    expect(written(`["${text}12345678901234567890",12345678901234567891,"1"]`)).toBe(
      `["${text}12345678901234567890",12345678901234567891,"1"]`,
    );
  expect(written('{"__proto__":[12345678901234567890]}')).toBe('{"__proto__":[12345678901234567890]}');
});

test('any JSON that a double holds is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      expect(parseExactly(text)).toEqual(JSON.parse(text));
    }),
  );
});

test('two integers are equal as texts only if they are equal', () => {
  fc.assert(
    fc.property(fc.bigInt(), fc.bigInt({ min: -2n, max: 2n }), (number, by) => {
      if (by !== 0n) expect(written(`[${number}]`)).not.toBe(written(`[${number + by}]`));
    }),
  );
});

test('a text of digits takes linear time', () => {
  for (const text of [
    `["${'\\\\'.repeat(100_000)}",12345678901234567890]`,
    `[${'"1234567890123456","a\\"",'.repeat(10_000)}12345678901234567890]`,
    `0.${'0'.repeat(200_000)}1`,
    '9'.repeat(200_000),
    `[${'1.5e-7,'.repeat(40_000)}1]`,
  ]) {
    const began = performance.now();
    parseExactly(text);
    expect(performance.now() - began).toBeLessThan(2_000);
  }
});
