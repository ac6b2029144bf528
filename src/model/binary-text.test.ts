import fc from 'fast-check';
import { expect, test } from 'vitest';
import { binaryIn, encodingFault, textOfBinary, textsOf } from './binary-text.ts';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const latin1 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

test('UTF-8 is read as it is, with its byte order mark', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const read = textOfBinary(Buffer.from(`\uFEFF${text}`).toString('base64'));
      expect(read).toBe(`\uFEFF${text}`);
      expect(encodingFault(read)).toBeUndefined();
    }),
  );
});

test('no byte of anything else is lost', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = textOfBinary(base64(bytes));
      expect(binaryIn(text) ?? Buffer.from(text).toString('base64')).toBe(base64(bytes));
      expect(encodingFault(text) === undefined).toBe(binaryIn(text) === undefined);
    }),
  );
});

test('the fault names the place and what to do', () => {
  const text = textOfBinary(latin1('# Lokis\n# für Team A\ntools: {}\n'));
  expect(encodingFault(text)).toMatchObject({
    line: 2,
    column: 4,
    message: expect.stringContaining('set its key in binaryData to null'),
  });
});

test('a key is found in data and in binaryData', () => {
  const there = { data: { a: '1' }, binaryData: { b: latin1('2'), c: latin1('ü') } };
  expect(textsOf(there)).toEqual({ a: '1', b: '2', c: '!!binary "/A=="\n' });
  expect(textsOf({})).toEqual({});
});
