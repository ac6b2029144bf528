import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { PacedLines } from './paced-lines.ts';

const numbered = (many: number, from = 0): string[] => Array.from({ length: many }, (_, n) => `${from + n}`);

function paced() {
  const written: string[] = [];
  const lines = new PacedLines((line) => void written.push(line));
  return { lines, written };
}

test('few lines are written at once', () => {
  const { lines, written } = paced();
  for (const line of numbered(20)) lines.add(line);
  expect(written).toEqual(numbered(20));
});

test('a burst is spread over turns of the event loop, in order, and lines that come meanwhile follow it', async () => {
  const { lines, written } = paced();
  for (const line of numbered(45)) lines.add(line);
  expect(written).toHaveLength(20);
  await turn();
  expect(written).toHaveLength(40);
  lines.add('45');
  expect(written).toHaveLength(40);
  await turn();
  expect(written).toEqual(numbered(46));
});

test('each turn has its own share, whether it began with lines that waited or not', async () => {
  const { lines, written } = paced();
  for (const line of numbered(35)) lines.add(line);
  await turn();
  expect(written).toHaveLength(35);
  for (const line of numbered(10, 35)) lines.add(line);
  await turn();
  expect(written).toEqual(numbered(45));
});

test('all that wait are written on request, and nothing twice', async () => {
  const { lines, written } = paced();
  for (const line of numbered(100)) lines.add(line);
  lines.flush();
  expect(written).toEqual(numbered(100));
  await turn();
  expect(written).toHaveLength(100);
});

test('no more than 10,000 lines wait', () => {
  const { lines, written } = paced();
  for (const line of numbered(10_021)) lines.add(line);
  expect(written).toEqual(numbered(10_021));
});
