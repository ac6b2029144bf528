import { describe, expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import { assignNames, type Holder, NO_NAMING } from '../detection/names.ts';
import { type Candidate, problemLine } from '../model/discovery.ts';
import type { Seniority } from '../model/seniority.ts';
import type { ServiceKey } from '../model/service.ts';
import { inUseNote, storedNames } from '../planning/services-in-use.ts';
import { type KeptNames, keepNames, namesFrom, namesToPublish } from './kept-names.ts';
import { rememberedNames } from './naming.ts';

const asking = (
  name: string,
  displayName?: string,
  { namespace = 'monitoring', ...more }: Partial<Candidate> & { readonly namespace?: string } = {},
): Candidate => ({
  ...candidate(service(name, { namespace, labels: { app: 'loki' }, ports: ['http:3100'] })),
  displayName,
  ...(displayName === undefined ? {} : { displayNames: [displayName] }),
  ...more,
});
const HELD: ReadonlyMap<string, Holder> = new Map([
  ['Logs', { cluster: '', namespace: 'monitoring', members: ['loki', 'loki-read'] }],
]);
const NONE: KeptNames = new Map();
const [loki, read] = [asking('loki', 'Logs'), asking('loki-read')];
const thief = asking('thief', 'logs', { namespace: 'elsewhere' });
interface Options {
  readonly now: number;
  readonly held: ReadonlyMap<string, Holder>;
  /** Backends whose answers say that they are something else. */
  readonly others: readonly Candidate[];
  readonly since: ReadonlyMap<ServiceKey, Seniority>;
  /** The Services that ask for names by annotation, whatever backend they belong to. */
  readonly requests: ReadonlyMap<string, ReadonlySet<ServiceKey>>;
}
const pass = (
  all: readonly Candidate[],
  before: KeptNames = NONE,
  { now = 0, held = new Map(), others = [], since = new Map(), requests = new Map() }: Partial<Options> = {},
) => {
  const possible = [...all, ...others];
  return keepNames(all, { held, before, possible, asking: () => requests, since, now });
};
/** Who asks for a name and may have it, and who would get it. */
const told = ({ candidates, held }: ReturnType<typeof pass>) => ({
  asks: candidates.flatMap(({ service: { name }, displayName }) => (displayName === undefined ? [] : [name])),
  gets: assignNames(candidates, { ...NO_NAMING, held }).candidates.flatMap(({ service: { name }, tool }) =>
    tool.includes('.') ? [] : [name],
  ),
});

describe('a requested name of a backend', () => {
  const first = pass([loki, read, thief], NONE, { held: HELD });
  const KEPT = { asks: [], gets: [] };
  const BACK = { asks: ['loki'], gets: ['loki'] };
  const TAKEN = { asks: ['thief'], gets: ['thief'] };

  test('is kept while its Service is gone, in all namespaces, and goes back to it', () => {
    const gone = pass([thief], first.kept, { now: 5 });
    expect(told(gone)).toEqual(KEPT);
    expect(gone.candidates).toMatchObject([{ displayName: undefined, displayNames: [] }]);
    expect(gone.problems).toEqual([
      {
        where: 'Service elsewhere/thief',
        what: expect.stringMatching(
          /^asks for the tool name logs, and does not get it for up to ten minutes: /,
        ),
        fix: 'wait, or give it another name',
      },
    ]);
    const back = pass([thief, loki], pass([thief], gone.kept, { now: 9 }).kept, { now: 10 });
    expect(told(back)).toEqual(BACK);
    expect(back.problems.map(problemLine)).toEqual([
      'Service elsewhere/thief: asks for the tool name logs, and does not get it: the backend of Service monitoring/loki has that name; give it another name',
    ]);
    // What is published may be known later.
    expect(told(pass([thief, loki], back.kept, { now: 11 }))).toEqual(BACK);
  });

  test('is kept for ten minutes', () => {
    const at = (now: number) => told(pass([thief], pass([thief], first.kept, { now: 5 }).kept, { now }));
    expect(at(599_999)).toEqual(KEPT);
    expect(at(600_000)).toEqual(TAKEN);
  });

  test('is kept if one of its Services is gone, and the others do not ask for it', () => {
    expect(told(pass([thief, read], first.kept))).toEqual(KEPT);
    const both = asking('loki-read', undefined, { displayNames: ['Logs'] });
    expect(told(pass([thief, both], first.kept)).gets).toEqual(['loki-read']);
  });

  test('is kept if its Services go and come one after the other', () => {
    let names = first.kept;
    const steps: readonly (readonly Candidate[])[] = [[loki], [], [read], []];
    for (const [now, there] of steps.entries()) {
      const { kept } = pass([thief, ...there], names, { now });
      names = kept;
    }
    expect(told(pass([thief, loki], names, { now: 9 }))).toEqual(BACK);
    // It may have another entry point than before.
    const joined = asking('loki-gateway', 'Logs', { alternates: ['loki-read'] });
    expect(told(pass([thief, joined], names, { now: 9 })).gets).toEqual(['loki-gateway']);
  });

  test('is kept while it answers as something else, however long', () => {
    let names = first.kept;
    for (const now of [500_000, 1_000_000, 1_500_000]) {
      const wrong = pass([thief], names, { now, others: [loki, read] });
      expect(told(wrong)).toEqual(KEPT);
      names = wrong.kept;
    }
    expect(told(pass([thief, loki, read], names, { now: 2_000_000 }))).toEqual(BACK);
  });

  test('is kept as long as one of its Services asks for it, even if that belongs to no backend', () => {
    const keptAfter = (requests: Options['requests']) => {
      const { kept } = pass([thief], first.kept, { now: 500_000, requests });
      return told(pass([thief], kept, { now: 1_000_000, requests }));
    };
    expect(keptAfter(new Map([['logs', new Set([keyFor('monitoring/loki-read')])]]))).toEqual(KEPT);
    expect(keptAfter(new Map([['logs', new Set([keyFor('elsewhere/loki')])]]))).toEqual(TAKEN);
    expect(keptAfter(new Map([['other', new Set([keyFor('monitoring/loki')])]]))).toEqual(TAKEN);
  });

  test('is free for others of its namespace once its Services exist and none of them asks for it', () => {
    const other = asking('other', 'logs');
    const moved = { asks: ['other'], gets: ['other'] };
    expect(told(pass([other, asking('loki'), read, thief], first.kept))).toEqual(moved);
    expect(told(pass([other, thief], first.kept, { others: [asking('loki'), read] }))).toEqual(moved);
    expect(told(pass([other, loki, read, thief], first.kept))).toEqual(BACK);
    expect(told(pass([other, read, thief], first.kept))).toEqual(KEPT);
  });

  test('is free for all others ten minutes later', () => {
    const at = (now: number) => told(pass([asking('loki'), read, thief], first.kept, { now }));
    expect(at(599_999)).toEqual(KEPT);
    expect(at(600_000)).toEqual(TAKEN);
  });

  test('is kept for ten minutes if its Service is switched off, and none of its others asks for it', () => {
    const off = pass([thief], first.kept, { now: 1, others: [] });
    expect(told(off)).toEqual(KEPT);
    expect(told(pass([thief, loki], off.kept, { now: 599_000 }))).toEqual(BACK);
    expect(told(pass([thief], off.kept, { now: 600_001 }))).toEqual(TAKEN);
  });

  test('is not kept for a Service of that name in another namespace', () => {
    const same = asking('loki', 'Logs', { namespace: 'elsewhere' });
    expect(told(pass([same], first.kept))).toEqual(KEPT);
  });

  test('is kept over a restart, with the time', () => {
    const gone = pass([thief], pass([thief, loki], first.kept, { now: 1_000 }).kept, { now: 2_000 });
    const stored = namesToPublish(gone.kept, new Map());
    const { text } = inUseNote([], [], stored);
    expect(storedNames(text)).toEqual(stored);
    const read = namesFrom(storedNames(text), 3_000);
    expect(inUseNote([], [], namesToPublish(read, new Map())).text).toBe(text);
    expect(told(pass([thief], read, { now: 500_000 }))).toEqual(KEPT);
    expect(told(pass([thief, loki], read, { now: 500_000 }))).toEqual(BACK);
    expect(told(pass([thief], read, { now: 700_000 }))).toEqual(TAKEN);
    // A name that the annotation has for a failing Service.
    const note = '{"monitoring":{"loki":["Logs"]}}';
    const failing = pass([thief], NONE, { held: new Map(rememberedNames([], note)), others: [loki] });
    expect(namesToPublish(failing.kept, new Map())).toEqual([
      { name: 'Logs', cluster: '', namespace: 'monitoring', members: ['loki'], gone: undefined },
    ]);
    const wrong = pass([thief], first.kept, { now: 1_000, others: [loki] });
    const again = namesFrom(
      storedNames(inUseNote([], [], namesToPublish(wrong.kept, new Map())).text),
      9_000,
    );
    expect(again.get('logs')).toMatchObject({ at: 9_000, isAsked: true });
    expect(namesToPublish(wrong.kept, HELD)).toEqual([]);
  });
});

test('names that no Service requested are not kept, and without any, nothing is copied', () => {
  const held = new Map([['loki.monitoring', { cluster: '', namespace: 'monitoring', members: ['loki'] }]]);
  const all = [thief];
  const result = pass(all, NONE, { held });
  expect(result.kept.size).toBe(0);
  expect(result.candidates).toBe(all);
  expect(result.held).toBe(held);
});

test('a namespace has at most 100 names of backends that are gone, of those that came into use first, and takes none from others', () => {
  const many = Array.from({ length: 150 }, (_, index): [string, Holder] => [
    `a${index}`,
    { cluster: '', namespace: 'evil', members: [`gone-${index}`] },
  ]);
  const since = new Map(many.map((_, index) => [keyFor(`evil/gone-${index}`), { at: 150 - index }]));
  const there = many.map(([name, { members }]) => asking(members[0] ?? '', name, { namespace: 'evil' }));
  const all = pass([...there, loki], NONE, { held: new Map([...many, ...HELD]), since });
  expect(all.kept.size).toBe(151);
  const { kept } = pass([], all.kept, { now: 1 });
  expect(kept.size).toBe(101);
  for (const name of ['logs', 'a50']) expect(kept.has(name)).toBe(true);
  expect(kept.has('a49')).toBe(false);
});

test('the time that is published stays', () => {
  const { kept } = pass([], pass([loki], NONE, { held: HELD }).kept, { now: 5_000 });
  const [first] = namesToPublish(kept, new Map());
  const later = pass([], pass([loki], NONE, { held: HELD, now: 9_000 }).kept, { now: 12_000 }).kept;
  expect(namesToPublish(later, new Map())).not.toEqual([first]);
  expect(namesToPublish(later, new Map(), first === undefined ? [] : [first])).toEqual([first]);
});

test('names that were had longest are published first', () => {
  const there = ['a', 'b', 'c'].map((name) => asking(name, `name-${name}`));
  const holder = (name: string): Holder => ({ cluster: '', namespace: 'monitoring', members: [name] });
  const held = new Map(['a', 'b', 'c'].map((name) => [`name-${name}`, holder(name)]));
  const since = new Map([
    [keyFor('monitoring/a'), { at: 50 }],
    [keyFor('monitoring/b'), { at: 0 }],
    [keyFor('monitoring/c'), { at: 90 }],
  ]);
  const { kept } = pass(there, NONE, { held, since, now: 100 });
  expect(namesToPublish(pass([], kept, { now: 101 }).kept, new Map()).map(({ name }) => name)).toEqual([
    'name-b',
    'name-a',
    'name-c',
  ]);
});

test('a backend has at most 16 Services for which a name is kept, the latest ones', () => {
  let names = NONE;
  for (let index = 0; index < 30; index++) {
    const held = new Map([['x', { cluster: '', namespace: 'monitoring', members: [`s${index}`] }]]);
    names = pass([asking(`s${index}`, 'x')], names, { held, now: index }).kept;
  }
  expect(names.get('x')?.holder.members).toEqual(Array.from({ length: 16 }, (_, index) => `s${29 - index}`));
});
