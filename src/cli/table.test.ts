import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columns, table } from './table.ts';

const rows = [
  ['NAME', 'WHY', 'HEALTH'],
  ['a', 'because of a label thatt is rather long', 'healthy'],
  ['a-longer-name', 'short', 'unknown'],
];

test('a table that fits is not truncated', () => {
  expect(columns(rows, 80, [1])).toEqual(columns(rows));
});

test('only the flexible column of a wide table is truncated', () => {
  const lines = columns(rows, 50, [1]).map((row) => row.join(''));
  expect(lines.map((line) => line.length).toSorted((a, b) => b - a)[0]).toBe(50);
  expect(lines[1]).toContain('because of a label that\u2026   healthy');
  expect(lines[2]).toContain('a-longer-name   short');
});

test('at least ten characters of a cell remain, however narrow the terminal', () => {
  expect(columns(rows, 1, [1])[1]?.[1]).toBe('because o\u2026   ');
});

test('the last text column is the flexible one', () => {
  expect(
    table(
      [
        ['N', 'CHANGES'],
        ['1', '+first, +second, +third'],
      ],
      16,
    ),
  ).toBe('N   CHANGES\n1   +first, +se\u2026\n');
});

test('rows are never wider than the terminal, if truncation can achieve that', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ maxLength: 60 }), fc.string({ maxLength: 60, unit: 'grapheme' })), {
        minLength: 1,
      }),
      fc.integer({ min: 80, max: 150 }),
      (cells, width) => {
        for (const row of columns(cells, width, [1, 0]))
          expect([...row.join('')].length).toBeLessThanOrEqual(width);
      },
    ),
  );
});
