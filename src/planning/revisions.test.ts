import { describe, expect, test } from 'vitest';
import type { Content, Revision } from '../model/revision.ts';
import { contentHash } from './content-hash.ts';
import {
  endsToRecord,
  inOrder,
  previousRevision,
  type RecordStep,
  recordStep,
  revisionsToPrune,
} from './revisions.ts';

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

const isValid = (overrides: string | undefined): boolean => overrides !== 'invalid';

const numbers = (revisions: readonly Revision[]): number[] => revisions.map(({ number }) => number);

test('each content has one revision; content that is published again gets the next number', () => {
  expect(numbers(recorded(content('a'), content('b'), content('c')))).toEqual([1, 2, 3]);
  expect(numbers(recorded(content('a'), content('a')))).toEqual([1]);
  const back = recorded(content('a'), content('b'), content('a'));
  expect(numbers(back)).toEqual([2, 3]);
  expect(back.at(-1)?.documents['toolset.json']).toBe('a');
});

test('the same documents with other overrides are another revision; none and an empty text differ', () => {
  expect(recorded(content('a'), content('a', ''), content('a', 'x'))).toHaveLength(3);
});

test('the end of a rollback updates the newest revision without a new number', () => {
  const held = { ...content('a'), rollback: { to: 1, from: 'sha256:1' } };
  const revisions = recorded(held);
  expect(recordStep(held, revisions, 'x', now)).toEqual({ do: 'nothing' });
  expect(recordStep(content('a'), revisions, 'x', now)).toMatchObject({ do: 'renumber', number: 1 });
});

test('the oldest are pruned, the newest never', () => {
  const revisions = recorded(content('a'), content('b'), content('c'));
  expect(numbers(revisionsToPrune(revisions, 2, undefined, isValid))).toEqual([1]);
  expect(numbers(revisionsToPrune(revisions, 0, undefined, isValid))).toEqual([1, 2]);
  expect(revisionsToPrune(revisions, 10, undefined, isValid)).toEqual([]);
  // Where the order is not what it should be, what is published stays all the same.
  expect(numbers(revisionsToPrune(revisions, 1, content('a'), isValid))).toEqual([2]);
});

test('the newest revision with valid overrides stays, beside those with invalid ones', () => {
  const revisions = recorded(
    content('a', 'old'),
    content('b', 'valid'),
    content('b', 'invalid'),
    content('c', 'invalid'),
  );
  expect(numbers(revisionsToPrune(revisions, 1, content('c', 'invalid'), isValid))).toEqual([1, 3]);
  expect(numbers(revisionsToPrune(revisions, 3, content('c', 'invalid'), isValid))).toEqual([1]);
});

test('what was published before a rollback stays while that is in effect', () => {
  const before = content('before');
  const revisions = recorded(content('a'), before, content('b'), content('a', 'x'), content('a', 'y'));
  const back = { ...content('a', 'y'), rollback: { to: 1, from: contentHash(before.documents) } };
  expect(numbers(revisionsToPrune(revisions, 2, content('a', 'y'), isValid))).toEqual([1, 2, 3]);
  expect(numbers(revisionsToPrune(revisions, 2, back, isValid))).toEqual([1, 3, 4]);
});

test('a burst of changes displaces its own revisions, and not the long-lived one before it', () => {
  const HOUR = 3_600_000;
  const start = now.getTime();
  let revisions: Revision[] = [];
  const publish = (text: string, at: number): void => {
    const step = recordStep(content(text), revisions, 'x', new Date(at));
    if (step.do === 'nothing') throw new Error('it changes nothing');
    const { name, number, published } = step;
    revisions.push({ ...content(text), name, number, created: '', published });
    const pruned = revisionsToPrune(revisions, 10, content(text), isValid);
    revisions = revisions.filter((each) => !pruned.includes(each));
  };
  const texts = (): (string | undefined)[] => revisions.map(({ documents }) => documents['toolset.json']);
  for (const day of [0, 1, 2]) publish(`day ${day}`, start + day * 24 * HOUR);
  const attack = start + 72 * HOUR;
  for (let n = 0; n < 2_000; n++) publish(`burst ${n}`, attack + n * 1_300);
  expect(revisions).toHaveLength(10);
  expect(texts().slice(0, 3)).toEqual(['day 0', 'day 1', 'day 2']);
  expect(texts().slice(-5)).toEqual([1_995, 1_996, 1_997, 1_998, 1_999].map((n) => `burst ${n}`));
});

/** A history with a limit of ten, to which contents are published for some seconds each. */
function timeline() {
  const real = new Map<string, number>();
  let revisions: Revision[] = [];
  let at = now.getTime();
  const publish = (text: string, seconds: number): RecordStep => {
    const step = recordStep(content(text), revisions, 'x', new Date(at));
    at += seconds * 1_000;
    real.set(text, (real.get(text) ?? 0) + seconds * 1_000);
    if (step.do === 'nothing') return step;
    const ends = new Map(endsToRecord(revisions, step).map((end) => [end.name, end]));
    revisions = revisions
      .filter(({ name }) => name !== step.name)
      .map((each) => ({ ...each, ...ends.get(each.name) }));
    const { do: _, ...written } = step;
    revisions.push({ ...content(text), created: '', ...written });
    const pruned = revisionsToPrune(revisions, 10, content(text), isValid);
    revisions = revisions.filter((each) => !pruned.includes(each));
    return step;
  };
  const texts = (): (string | undefined)[] => revisions.map(({ documents }) => documents['toolset.json']);
  return { publish, texts, real };
}

const DAYS = 72 * 3_600;

test.each([1, 5, 60])(
  'what was published for days stays, also if it returns for %i s before a burst',
  (seconds) => {
    const { publish, texts } = timeline();
    publish('first', 3_600);
    publish('good', DAYS);
    for (let round = 0; round < 5; round++) {
      publish(`bad ${round}`, 1);
      publish('good', seconds);
      publish(`longer ${round}`, 600);
      for (let n = 0; n < 40; n++) publish(`burst ${round} ${n}`, 10);
      expect(texts()).toContain('good');
    }
  },
);

test('a brief revision does not inherit the time of one after it that is published again', () => {
  const { publish, texts } = timeline();
  for (let n = 0; n < 8; n++) publish(`brief ${n}`, 1);
  publish('good', DAYS);
  for (const text of ['x', 'good', 'y']) publish(text, 1);
  for (let n = 7; n > 2; n--) {
    const step = publish(`brief ${n}`, 1);
    if (step.do === 'renumber') expect(step.publishedBefore).toBe(1_000);
  }
  for (let n = 0; n < 30; n++) publish(`burst ${n}`, 1);
  expect(texts()).toContain('good');
});

test.each([
  [[1], 0],
  [[5], 3],
  [[60], 4],
  [[1, 5, 60], 3],
  [[60, 1], 2],
])(
  'what was published for days stays among stints of %j s, with rollbacks after each %i',
  (stints, every) => {
    const { publish, texts, real } = timeline();
    publish('first', 3_600);
    publish('good', DAYS);
    for (let n = 0; n < 300; n++) {
      const seconds = stints[n % stints.length] ?? 1;
      publish(`flap ${n}`, seconds);
      const target = texts()[n % 9];
      if (every > 0 && n % every === 0 && target !== undefined && target !== 'good') {
        const before = real.get(target);
        const step = publish(target, seconds);
        if (step.do === 'renumber') expect([target, step.publishedBefore]).toEqual([target, before]);
      }
      if (n % 30 === 0) publish('good', 1);
      expect(texts()).toContain('good');
    }
  },
);

test('the ends to record are that of the newest, and those that are missing or cannot be right', () => {
  const at = (time: number) => new Date(now.getTime() + time).toISOString();
  const revision = (n: number, publishedUntil?: string): Revision => ({
    ...content(`${n}`),
    name: `x-${n}`,
    number: n,
    created: '',
    published: at(n * 100),
    publishedUntil,
  });
  const revisions = [
    revision(0, at(10)),
    revision(1),
    revision(2, 'long'),
    revision(3, at(200)),
    revision(4, at(9_999)),
    revision(5, at(505)),
  ];
  const step = recordStep(content('new'), revisions, 'x', new Date(at(600)));
  if (step.do === 'nothing') throw new Error('it changes nothing');
  expect(endsToRecord(revisions, step)).toEqual(
    [1, 2, 3, 4, 5].map((n) => ({ name: `x-${n}`, publishedUntil: at((n + 1) * 100) })),
  );
  const again = recordStep(content('0'), revisions, 'x', new Date(at(600)));
  expect(again).toMatchObject({ publishedBefore: 10 });
  const held: Content = { ...content('5'), rollback: { to: 1, from: 'sha256:1' } };
  const same = recordStep(held, revisions, 'x', new Date(at(600)));
  if (same.do === 'nothing') throw new Error('it changes nothing');
  expect(same).toMatchObject({ publishedBefore: 100 });
  expect(endsToRecord(revisions, same).map(({ name }) => name)).not.toContain('x-5');
});

test('a publication adds to the time of earlier ones', () => {
  const at = (time: number) => new Date(now.getTime() + time);
  const first: Revision = {
    ...content('a'),
    name: 'x-a',
    number: 1,
    created: '',
    published: at(0).toISOString(),
  };
  const second: Revision = {
    ...content('b'),
    name: 'x-b',
    number: 2,
    created: '',
    published: at(70).toISOString(),
  };
  const again = (known: Revision) => recordStep(content('a'), [known, second], 'x', at(100));
  expect(again(first)).toMatchObject({ do: 'renumber', publishedBefore: 70 });
  expect(again({ ...first, publishedBefore: 1_000 })).toMatchObject({ publishedBefore: 1_070 });
  expect(again({ ...first, published: undefined })).toMatchObject({ publishedBefore: 0 });
  const held: Content = { ...content('b'), rollback: { to: 1, from: 'sha256:1' } };
  expect(recordStep(held, [first, second], 'x', at(100))).toMatchObject({ number: 2, publishedBefore: 30 });
});

test('of the older half, revisions that were published only briefly are pruned, relative to their age', () => {
  /** Revisions 1, 2, … at these milliseconds; each was published until the next one was. */
  const at = (...times: number[]): Revision[] =>
    times.map((time, index) => ({
      ...content(`${index}`),
      name: `x-${index}`,
      number: index + 1,
      created: '',
      published: new Date(now.getTime() + time).toISOString(),
    }));
  // The fourth was there for a millisecond, and is of the newest half of the limit.
  expect(numbers(revisionsToPrune(at(0, 100, 150, 174, 175), 3, undefined, isValid))).toEqual([1, 2]);
  expect(numbers(revisionsToPrune(at(0, 100, 101, 102, 103, 104), 4, undefined, isValid))).toEqual([2, 3]);
  expect(numbers(revisionsToPrune(at(0, 100, 101, 102, 103, 104), 4, content('1'), isValid))).toEqual([3, 4]);
  expect(numbers(revisionsToPrune(at(0, 0, 0), 2, undefined, isValid))).toEqual([1]);
  for (const limit of [3, 4, 10])
    expect(revisionsToPrune(at(0, 1, 2), limit, undefined, isValid)).toEqual([]);
  expect(revisionsToPrune([], 1, undefined, isValid)).toEqual([]);
});

test('without bursts, the oldest are pruned first', () => {
  const HOUR = 3_600_000;
  let revisions: Revision[] = [];
  for (let n = 0; n < 100; n++) {
    const published = new Date(now.getTime() + n * HOUR).toISOString();
    revisions.push({ ...content(`${n}`), name: `x-${n}`, number: n, created: '', published });
    const pruned = revisionsToPrune(revisions, 10, undefined, isValid);
    revisions = revisions.filter((each) => !pruned.includes(each));
  }
  expect(numbers(revisions)).toEqual([90, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
});

test('a rollback returns to the newest valid revision with other documents', () => {
  const revisions = recorded(content('a'), content('b'), content('c'), content('c', 'edited'));
  expect(previousRevision(revisions, content('c').documents)?.number).toBe(2);
  expect(previousRevision(revisions, undefined)?.number).toBe(4);
  expect(previousRevision(revisions, content('c').documents, ({ number }) => number < 2)?.number).toBe(1);
  expect(previousRevision(recorded(content('c')), content('c').documents)).toBeUndefined();
});

describe('the order of a history', () => {
  const at = (name: string, published: string | undefined, created: string, number = 1): Revision => ({
    ...content(name),
    name,
    number,
    created,
    published,
  });
  const names = (...revisions: Revision[]): string[] => inOrder(revisions).map(({ name }) => name);

  test.each<[string, Revision[], string[]]>([
    [
      'by the time of the last publication, regardless of the numbers',
      [at('a', '2026-01-03T00:00:00Z', '', 1), at('b', '2026-01-01T00:00:00Z', '', 9)],
      ['b', 'a'],
    ],
    [
      'by creation time, if there is no other',
      [at('a', undefined, '2026-01-03T00:00:00Z'), at('b', 'oops', '2026-01-02T00:00:00Z')],
      ['b', 'a'],
    ],
    [
      'one without any time is the oldest',
      [at('a', '2026-01-03T00:00:00Z', ''), at('b', undefined, '')],
      ['b', 'a'],
    ],
    [
      'the time of publication takes precedence over the creation time',
      [at('a', '2026-01-03T00:00:00Z', '2026-01-01T00:00:00Z'), at('b', undefined, '2026-01-02T00:00:00Z')],
      ['b', 'a'],
    ],
    ['by number at the same time', [at('a', undefined, '', 2), at('b', undefined, '', 1)], ['b', 'a']],
    ['by name at the same number too', [at('b', undefined, ''), at('a', undefined, '')], ['a', 'b']],
    ['by name, as it was already', [at('a', undefined, ''), at('b', undefined, '')], ['a', 'b']],
  ])('%s', (_, revisions, expected) => {
    expect(names(...revisions)).toEqual(expected);
  });

  test('has each content once, where it was published last', () => {
    const twice = { ...at('a', '2026-01-01T00:00:00Z', ''), name: 'older' };
    expect(names(at('a', '2026-01-03T00:00:00Z', ''), at('b', '2026-01-02T00:00:00Z', ''), twice)).toEqual([
      'b',
      'a',
    ]);
  });
});

test('the time of a publication is never before the newest revision, even if the clock is behind', () => {
  const [first] = recorded(content('a')) as [Revision];
  expect(first.published).toBe('2026-01-01T00:00:00.000Z');
  const behind = new Date('2025-01-01T00:00:00Z');
  expect(recordStep(content('b'), [first], 'x', behind)).toMatchObject({
    published: '2026-01-01T00:00:00.001Z',
  });
  const later = new Date('2026-01-02T00:00:00Z');
  expect(recordStep(content('b'), [first], 'x', later)).toMatchObject({ published: later.toISOString() });
  expect(recordStep(content('b'), [], 'x', new Date(0))).toMatchObject({
    published: '1970-01-01T00:00:00.000Z',
  });
});

test('another rollback of the same content is recorded', () => {
  const held = (to: number, from: string): Content => ({ ...content('a'), rollback: { to, from } });
  const revisions = recorded(held(1, 'sha256:1'));
  expect(recordStep(held(2, 'sha256:1'), revisions, 'x', now)).toMatchObject({ do: 'renumber', number: 1 });
  expect(recordStep(held(1, 'sha256:2'), revisions, 'x', now)).toMatchObject({ do: 'renumber', number: 1 });
});

test('a revision is named after its content, in twelve digits', () => {
  const step = recordStep(content('a'), [], 'x', now);
  expect(step).toMatchObject({ do: 'create', name: expect.stringMatching(/^x-[0-9a-f]{12}$/), number: 1 });
});
