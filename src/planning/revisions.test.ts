import { expect, test } from 'vitest';
import type { Content, Revision } from '../model/revision.ts';
import { previousRevision, recordStep, surplus } from './revisions.ts';

const now = new Date('2026-01-01T00:00:00Z');

const content = (text: string, overrides?: string): Content => ({
  documents: { 'toolset.json': text, 'custom_toolset.yaml': text },
  overrides,
  rollback: undefined,
});

/** Revisions as they come to be when contents are recorded one after the other. */
function recorded(...contents: readonly Content[]): Revision[] {
  let revisions: Revision[] = [];
  for (const each of contents) {
    const step = recordStep(each, revisions, 'x', now);
    if (step.do === 'nothing') continue;
    revisions = revisions.filter(({ name }) => name !== step.name);
    const { name, number, published } = step;
    revisions.push({ ...each, name, number, created: '', published });
  }
  return revisions;
}

const numbers = (revisions: readonly Revision[]): number[] => revisions.map(({ number }) => number);

test('each content has one revision; what is published again gets the next number', () => {
  expect(numbers(recorded(content('a'), content('b'), content('c')))).toEqual([1, 2, 3]);
  expect(numbers(recorded(content('a'), content('a')))).toEqual([1]);
  const back = recorded(content('a'), content('b'), content('a'));
  expect(numbers(back)).toEqual([2, 3]);
  expect(back.at(-1)?.documents['toolset.json']).toBe('a');
});

test('the same documents with other overrides are another revision; none and an empty text are not the same', () => {
  expect(recorded(content('a'), content('a', ''), content('a', 'x'))).toHaveLength(3);
});

test('a rollback that ended is taken from the newest revision without a new number', () => {
  const held = { ...content('a'), rollback: { to: 1, from: 'sha256:1' } };
  const revisions = recorded(held);
  expect(recordStep(held, revisions, 'x', now)).toEqual({ do: 'nothing' });
  expect(recordStep(content('a'), revisions, 'x', now)).toMatchObject({ do: 'renumber', number: 1 });
});

test('the oldest are let go, and the newest never', () => {
  const revisions = recorded(content('a'), content('b'), content('c'));
  expect(numbers(surplus(revisions, 2, undefined))).toEqual([1]);
  expect(numbers(surplus(revisions, 0, undefined))).toEqual([1, 2]);
  expect(surplus(revisions, 10, undefined)).toEqual([]);
  // Where the order is not what it should be, what is published stays all the same.
  expect(numbers(surplus(revisions, 1, content('a')))).toEqual([2]);
});

test('the one to return to is the newest with other documents that can be used', () => {
  const revisions = recorded(content('a'), content('b'), content('c'), content('c', 'edited'));
  expect(previousRevision(revisions, content('c').documents)?.number).toBe(2);
  expect(previousRevision(revisions, undefined)?.number).toBe(4);
  expect(previousRevision(revisions, content('c').documents, ({ number }) => number < 2)?.number).toBe(1);
  expect(previousRevision(recorded(content('c')), content('c').documents)).toBeUndefined();
});
