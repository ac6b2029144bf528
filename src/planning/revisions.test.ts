import { expect, test } from 'vitest';
import type { Content, Revision } from '../model/revision.ts';
import { previousRevision, recordStep, revisionsToPrune } from './revisions.ts';

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
  expect(numbers(revisionsToPrune(revisions, 2, undefined))).toEqual([1]);
  expect(numbers(revisionsToPrune(revisions, 0, undefined))).toEqual([1, 2]);
  expect(revisionsToPrune(revisions, 10, undefined)).toEqual([]);
  // Where the order is not what it should be, what is published stays all the same.
  expect(numbers(revisionsToPrune(revisions, 1, content('a')))).toEqual([2]);
});

test('a burst of changes pushes out its own revisions, and not what was published for long before it', () => {
  const HOUR = 3_600_000;
  const start = now.getTime();
  let revisions: Revision[] = [];
  const publish = (text: string, at: number): void => {
    const step = recordStep(content(text), revisions, 'x', new Date(at));
    if (step.do === 'nothing') throw new Error('it changes nothing');
    const { name, number, published } = step;
    revisions.push({ ...content(text), name, number, created: '', published });
    const pruned = revisionsToPrune(revisions, 10, content(text));
    revisions = revisions.filter((each) => !pruned.includes(each));
  };
  const texts = (): string[] => revisions.map(({ documents }) => documents['toolset.json']);
  for (const day of [0, 1, 2]) publish(`day ${day}`, start + day * 24 * HOUR);
  const attack = start + 72 * HOUR;
  for (let n = 0; n < 2_000; n++) publish(`burst ${n}`, attack + n * 1_300);
  expect(revisions).toHaveLength(10);
  expect(texts().slice(0, 3)).toEqual(['day 0', 'day 1', 'day 2']);
  expect(texts().slice(-5)).toEqual([1_995, 1_996, 1_997, 1_998, 1_999].map((n) => `burst ${n}`));
});

test('without bursts the oldest go first', () => {
  const HOUR = 3_600_000;
  let revisions: Revision[] = [];
  for (let n = 0; n < 100; n++) {
    const published = new Date(now.getTime() + n * HOUR).toISOString();
    revisions.push({ ...content(`${n}`), name: `x-${n}`, number: n, created: '', published });
    const pruned = revisionsToPrune(revisions, 10, undefined);
    revisions = revisions.filter((each) => !pruned.includes(each));
  }
  expect(numbers(revisions)).toEqual([90, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
});

test('the one to return to is the newest with other documents that can be used', () => {
  const revisions = recorded(content('a'), content('b'), content('c'), content('c', 'edited'));
  expect(previousRevision(revisions, content('c').documents)?.number).toBe(2);
  expect(previousRevision(revisions, undefined)?.number).toBe(4);
  expect(previousRevision(revisions, content('c').documents, ({ number }) => number < 2)?.number).toBe(1);
  expect(previousRevision(recorded(content('c')), content('c').documents)).toBeUndefined();
});
