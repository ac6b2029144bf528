import { expect, test } from 'vitest';
import { CompressedMemory } from './compressed-memory.ts';

test('a value is returned as it was set', () => {
  const memory = new CompressedMemory<unknown>();
  memory.set('a', { text: 'ü\n'.repeat(1_000) });
  memory.set('b', ['x']);
  expect([memory.get('a'), memory.get('b'), memory.get('c')]).toEqual([
    { text: 'ü\n'.repeat(1_000) },
    ['x'],
    undefined,
  ]);
});

test('a value takes the place of the earlier one', () => {
  const memory = new CompressedMemory<string>();
  for (const value of ['x', 'y', 'y']) memory.set('a', value);
  expect(memory.get('a')).toBe('y');
});

test('a value is forgotten an hour after it was set last', () => {
  let now = 1;
  const memory = new CompressedMemory<string>(() => now);
  const pass = (minutes: number): void => {
    now += minutes * 60_000;
  };
  memory.set('a', 'x');
  pass(50);
  memory.set('a', 'x');
  pass(50);
  expect(memory.get('a')).toBe('x');
  pass(11);
  expect(memory.get('a')).toBeUndefined();
});

test('all values together have at most 4 MiB, the latest ones stay', () => {
  const memory = new CompressedMemory<string>();
  const noise = (seed: number): string =>
    Array.from({ length: 40_000 }, (_, n) => ((n * 2_654_435_761 + seed * 40_503) >>> 0).toString(36)).join(
      ' ',
    );
  for (let n = 0; n < 40; n++) memory.set(`${n}`, noise(n));
  const known = Array.from({ length: 40 }, (_, n) => memory.get(`${n}`) !== undefined);
  expect(known.slice(-5)).toEqual([true, true, true, true, true]);
  expect(known[0]).toBe(false);
});
