import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

describe('parseDuration', () => {
  test.each([
    ['300ms', 300],
    ['30s', 30_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['1h30m', 5_400_000],
    ['1h30m10.5s', 5_410_500],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1.s', 1_000],
    ['0h5m', 300_000],
    ['5m5m', 600_000],
    ['1500us', 1.5],
    ['1500µs', 1.5],
    ['1500μs', 1.5],
    ['2000000ns', 2],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBeCloseTo(milliseconds, 9);
  });

  test.each([
    '',
    '5',
    '0',
    '0s',
    '-5m',
    '5 m',
    ' 5m',
    '5m ',
    '5M',
    '1d',
    '5mins',
    'm',
    '.s',
    '1..5s',
    '1e3s',
    '1h-30m',
    '1h30',
    '0x10s',
    '５m',
    'five minutes',
    'NaNs',
    `${'9'.repeat(400)}h`,
  ])('%j is not a duration', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test('calls are independent of each other', () => {
    expect(parseDuration('1h30')).toBeUndefined();
    expect(parseDuration('30m')).toBe(1_800_000);
    expect(parseDuration('')).toBeUndefined();
    expect(parseDuration('30m')).toBe(1_800_000);
  });

  test('rejects a long hostile text', () => {
    expect(parseDuration(`${'1'.repeat(1_000_000)}x`)).toBeUndefined();
    expect(parseDuration(`${'1s'.repeat(200_000)}x`)).toBeUndefined();
  });
});

describe('formatDuration', () => {
  test.each([
    [1, '1ms'],
    [500, '500ms'],
    [1_000, '1s'],
    [1_500, '1500ms'],
    [60_000, '1m'],
    [90_000, '90s'],
    [3_600_000, '1h'],
    [5_400_000, '90m'],
    [86_400_000, '24h'],
  ])('%d ms is %s, and parses back', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
    expect(parseDuration(text)).toBe(milliseconds);
  });
});
