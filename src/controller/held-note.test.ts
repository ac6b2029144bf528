import { expect, test } from 'vitest';
import { heldNote } from './held-note.ts';

const until = Date.parse('2026-01-01T00:05:00Z');
const noteOf = (...held: string[]) => heldNote({ held, until, due: 1 }, 'the place')?.what;

test('held tools are counted, and five of them are named', () => {
  expect(noteOf('a')).toMatch(/^1 tool is gone, .* until .*: a$/);
  expect(noteOf('a', 'b', 'c', 'd', 'e')).toMatch(/^5 tools are gone, .*: a, b, c, d, e$/);
  expect(noteOf('a', 'b', 'c', 'd', 'e', 'f', 'g')).toMatch(/: a, b, c, d, e and 2 more$/);
});

test('there is no note if no tool is held', () => {
  expect(heldNote({ held: [], until: undefined, due: undefined }, 'the place')).toBeUndefined();
});
