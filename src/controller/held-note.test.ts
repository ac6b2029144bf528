import { expect, test } from 'vitest';
import { heldNote } from './held-note.ts';

test('there is no note if no tool is held', () => {
  expect(heldNote({ held: [], until: undefined, due: undefined }, 'the place')).toBeUndefined();
});
