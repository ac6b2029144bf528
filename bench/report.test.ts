import { describe, expect, it, test } from 'vitest';
import { type Row, ratioOf, reached, table } from './report.ts';
import { median, percentile } from './statistics.ts';

const floor = { what: 'a raw list', value: 20 };

test.each<[string, Partial<Row>, number | undefined, boolean | undefined]>([
  ['a row without floor and goal has neither a ratio nor a verdict', {}, undefined, undefined],
  ['a value within its goal reaches it', { goal: { value: 50 } }, undefined, true],
  ['a value over its goal misses it', { goal: { value: 49 } }, undefined, false],
  ['a ratio within its goal reaches it', { floor, goal: { ratio: 2.5 } }, 2.5, true],
  ['a ratio over its goal misses it', { floor, goal: { ratio: 2 } }, 2.5, false],
  [
    'a floor of zero gives neither a ratio nor a verdict',
    { floor: { what: 'rest', value: 0 }, goal: { ratio: 2 } },
    undefined,
    undefined,
  ],
])('%s', (_, fields, ratio, met) => {
  const row: Row = { what: 'pass', value: 50, unit: 'ms', ...fields };
  expect(ratioOf(row)).toBe(ratio);
  expect(reached(row)).toBe(met);
});

describe('the table', () => {
  it('shows the figure, the floor, the ratio, the goal, and whether the goal is met', () => {
    const rows: Row[] = [
      { what: 'pass', value: 51.239, unit: 'ms', floor, goal: { ratio: 2 }, note: 'median of 3' },
      { what: 'detect', value: 0.0123, unit: 'ms' },
    ];
    expect(table({ name: 'pass', rows })).toBe(
      [
        '## pass',
        '',
        '| what   | ours     | floor                | ratio  | goal        | met |',
        '| ------ | -------- | -------------------- | ------ | ----------- | --- |',
        '| pass   | 51.2 ms  | 20.0 ms (a raw list) | 2.56 × | ≤ 2 × floor | NO  |',
        '| detect | 0.012 ms |                      |        |             |     |',
        '',
        '- pass: median of 3',
        '',
      ].join('\n'),
    );
  });
});

describe('statistics', () => {
  const values = [40, 10, 30, 20];
  it.each([
    [0.5, 20],
    [0.75, 30],
    [0.99, 40],
    [0, 10],
  ])('the percentile %d is %d', (share, value) => {
    expect(percentile(values, share)).toBe(value);
  });

  it('an empty list is an error', () => {
    expect(() => median([])).toThrow(/no values/);
  });
});
