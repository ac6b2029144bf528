import { expect, test } from 'vitest';
import { Cooldown } from './cooldown.ts';

test('the first begins at once, those in the interval together at its end, and the next ones an interval later', async () => {
  let now = 0;
  const cooldown = new Cooldown(40, () => now);
  const began: string[] = [];
  const begin = (name: string): Promise<unknown> => cooldown.turn().then(() => began.push(`${name} ${now}`));
  await begin('first');
  const later = [begin('second'), begin('third')];
  await Promise.resolve();
  expect(began).toEqual(['first 0']);
  now = 40;
  await Promise.all(later);
  now = 41;
  const last = begin('fourth');
  await new Promise((resolve) => setImmediate(resolve));
  expect(began).toEqual(['first 0', 'second 40', 'third 40']);
  now = 80;
  await last;
  expect(began.at(-1)).toBe('fourth 80');
});

test('a request after a quiet interval begins at once', async () => {
  let now = 0;
  const cooldown = new Cooldown(1_000_000, () => now);
  await cooldown.turn();
  now = 1_000_000;
  await cooldown.turn();
});
