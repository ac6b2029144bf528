import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { oneLine } from './text.ts';

describe('oneLine', () => {
  test.each([
    ['as it is', 'as it is'],
    ['  spaces   between\u00a0and around ', 'spaces between and around'],
    ['line\nfeed\r\nand\vother\fbreaks\u0085here', 'line feed and other breaks here'],
    ['line\u2028and\u2029paragraph', 'line and paragraph'],
    ['nul\u0000, escape\u001b[2J, delete\u007f', 'nul , escape [2J, delete'],
    ['C1 \u009b31m', 'C1 31m'],
    ['bidi \u202eoverride\u202c and \u2067isolate\u2069', 'bidi override and isolate'],
    ['zero\u200bwidth\u200d, soft\u00adhyphen, mark\ufeff', 'zero width , soft hyphen, mark'],
    ['hidden \u{e0048}\u{e0049}tags', 'hidden tags'],
    ['private \ue000 and unassigned \u0378', 'private and unassigned'],
    ['half \ud83d of a pair', 'half of a pair'],
    ['ünï¢ödé 漢字 🚀', 'ünï¢ödé 漢字 🚀'],
    ['', ''],
    ['\n\t\u200b', ''],
  ])('%j becomes %j', (text, line) => {
    expect(oneLine(text, 100)).toBe(line);
  });

  test.each([
    ['12345', 5, '12345'],
    ['123456', 5, '1234…'],
    ['🚀🚀🚀', 3, '🚀🚀🚀'],
    ['🚀🚀🚀🚀', 3, '🚀🚀…'],
  ])('%j within %i characters is %j', (text, max, line) => {
    expect(oneLine(text, max)).toBe(line);
  });

  test('a text of many megabytes is truncated', () => {
    expect(oneLine(' \u200b'.repeat(5_000_000), 200)).toBe('');
    expect(oneLine('x\u202e'.repeat(5_000_000), 200)).toHaveLength(200);
  });

  test.each([
    '\u{115f}',
    '\u{3164}',
    '\u{34f}',
    '\u{180b}',
    '\u{ffa0}',
    '\u{e0041}',
    '\u{e0101}',
    '\u{2065}',
  ])('U+%s hides nothing in it', (unseen) => {
    expect(oneLine(`a${unseen}b`, 10)).toBe('a b');
  });

  test('an emoji stays, without its variation selector', () => {
    expect(oneLine('\u2764\ufe0f logs', 10)).toBe('\u2764 logs');
  });

  test('for any input: short, one line, well-formed, and idempotent', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('a', ' ', '\n', '\ud800') }),
    );
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 30 }), (text, max) => {
        const line = oneLine(text, max);
        expect([...line].length).toBeLessThanOrEqual(max);
        expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\p{DI}]|^\s|\s$|\s\s/u);
        expect(line.isWellFormed()).toBe(true);
        expect(oneLine(line, max)).toBe(line);
      }),
    );
  });
});
