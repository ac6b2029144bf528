import { describe, expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import { assignNames, type Holder, NO_NAMING } from '../detection/names.ts';
import { type Candidate, problemLine } from '../model/discovery.ts';
import type { Seniority } from '../model/seniority.ts';
import type { ServiceKey } from '../model/service.ts';
import { inUseNote, storedNames } from '../planning/services-in-use.ts';
import { type KeptName, type KeptNames, keepNames, namesFrom, namesToPublish } from './kept-names.ts';
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

  test('is kept for ten minutes after it was last asked for', () => {
    const alone = asking('loki', undefined, { displayNames: ['Logs'] });
    const late = pass([alone], first.kept, { now: 700_000 });
    expect(late.candidates[0]).toBe(alone);
    const at = (now: number) => told(pass([thief], late.kept, { now }));
    expect([at(1_299_999), at(1_300_000)]).toEqual([KEPT, TAKEN]);
    // Also if its backend still has it.
    expect(pass([asking('loki')], first.kept, { now: 600_000, held: HELD }).kept.size).toBe(0);
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
    expect(told(pass([other, asking('loki', undefined, { alternates: ['loki-read'] })], first.kept))).toEqual(
      moved,
    );
    expect(told(pass([other, loki, read, thief], first.kept))).toEqual(BACK);
    expect(told(pass([other, read, thief], first.kept))).toEqual(KEPT);
    const far = asking('other', 'logs');
    const elsewhere = { ...far, service: { ...far.service, cluster: 'far' } };
    expect(told(pass([elsewhere, asking('loki'), read], first.kept))).toEqual(KEPT);
  });

  test('is refused to a backend that has another one, too, which it keeps', () => {
    const both = ['Mine', 'Logs'];
    const own = pass([asking('other', 'Mine', { displayNames: both, namespace: 'elsewhere' })], first.kept);
    expect(own.candidates).toMatchObject([{ displayName: 'Mine', displayNames: ['Mine'] }]);
    expect(own.problems).toEqual([]);
    const others = pass(
      [asking('other', undefined, { displayNames: both, namespace: 'elsewhere' })],
      first.kept,
    );
    expect(others.candidates).toMatchObject([{ displayName: undefined, displayNames: ['Mine'] }]);
    expect(others.problems).toEqual([]);
    const { displayNames: _, ...plain } = asking('other', 'Logs', { namespace: 'elsewhere' });
    const [refused] = pass([plain], first.kept).candidates;
    expect([refused?.displayName, refused?.displayNames]).toEqual([undefined, undefined]);
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
    const far = { ...loki, service: { ...loki.service, cluster: 'far' } };
    expect(told(pass([far], first.kept))).toEqual(KEPT);
  });

  test('is kept for the Services that had it before, unless they are of another namespace', () => {
    const held = (namespace: string, name: string) =>
      new Map([['Logs', { cluster: '', namespace, members: [name] }]]);
    const members = (all: ReturnType<typeof pass>) => all.kept.get('logs')?.holder.members;
    expect(members(pass([], first.kept, { held: held('monitoring', 'new') }))).toEqual([
      'new',
      'loki',
      'loki-read',
    ]);
    expect(members(pass([], first.kept, { held: held('elsewhere', 'new') }))).toEqual(['new']);
    const far = new Map([['Logs', { cluster: 'far', namespace: 'monitoring', members: ['new'] }]]);
    expect(members(pass([], first.kept, { held: far }))).toEqual(['new']);
  });

  test('is kept beside names that nobody requested', () => {
    const usual = ['a.monitoring', { cluster: '', namespace: 'monitoring', members: ['a'] }] as const;
    expect([...pass([loki], NONE, { held: new Map([...HELD, usual]) }).held.keys()]).toEqual([
      'Logs',
      'a.monitoring',
    ]);
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
    // A tool that does not show all of its Services does not say it.
    const part = new Map([['Logs', { cluster: '', namespace: 'monitoring', members: ['loki'] }]]);
    expect(namesToPublish(wrong.kept, part)).toHaveLength(1);
  });

  test('is kept over a restart, with how long it was had', () => {
    const since = new Map([[keyFor('monitoring/loki'), { at: 20_000 }]]);
    const { kept } = pass([loki], NONE, { held: HELD, since, now: 60_000 });
    const stored = namesToPublish(pass([], kept, { now: 61_000 }).kept, new Map());
    const seconds = Math.round((performance.timeOrigin + 60_000) / 1_000);
    expect(stored).toMatchObject([{ name: 'Logs', gone: { at: seconds, used: 40 } }]);
    expect(namesToPublish(namesFrom(stored, 70_000), new Map())).toEqual(stored);
    const later = new Map([[keyFor('monitoring/loki'), { at: 50_000 }]]);
    const again = pass([loki], kept, { held: HELD, since: later, now: 70_000 });
    expect(again.kept.get('logs')?.since).toBe(20_000);
    // It is unknown when the backend came into use.
    const fresh = pass([], pass([loki], NONE, { held: HELD, now: 60_000 }).kept, { now: 61_000 }).kept;
    expect(namesToPublish(fresh, new Map())).toMatchObject([{ gone: { used: 0 } }]);
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

describe('of many names of backends that are gone', () => {
  /** A name that was had for some time, up to some time. */
  const gone = (name: string, at: number, had: number, namespace = 'evil'): readonly [string, KeptName] =>
    [
      name,
      {
        name,
        holder: { cluster: '', namespace, members: [`of-${name}`] },
        at,
        isAsked: false,
        since: at - had,
      },
    ] as const;
  const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

  test('those that were had longest are kept', () => {
    const many = range(101).map((index) => gone(`a${index}`, 1_000 + ((index * 37) % 101), index));
    const last = gone('shortest', 2_000, 0);
    const { kept } = pass([], new Map([...many.slice(50), last, ...many.slice(1, 50)]), { now: 2_000 });
    expect(kept.size).toBe(100);
    expect(kept.has('shortest')).toBe(false);
  });

  test('those that were had latest are kept of those that were had equally long', () => {
    const { kept } = pass([], new Map(range(101).map((index) => gone(`a${index}`, 1_000 + index, 500))), {
      now: 2_000,
    });
    expect(kept.size).toBe(100);
    expect(kept.has('a0')).toBe(false);
  });

  test('a thousand are kept in all namespaces', () => {
    const many = range(11).flatMap((namespace) =>
      range(100).map((index) => gone(`a${namespace}-${index}`, 1_000, 500, `evil-${namespace}`)),
    );
    expect(pass([], new Map(many), { now: 2_000 }).kept.size).toBe(1_000);
  });

  test('those that are asked for take no room', () => {
    const there = range(60).map((index) => asking(`b${index}`, `b${index}`, { namespace: 'evil' }));
    const held = new Map(
      there.map(({ service: { name } }) => [name, { cluster: '', namespace: 'evil', members: [name] }]),
    );
    const { kept } = pass(there, new Map(range(100).map((index) => gone(`a${index}`, 1_000, 500))), {
      ...{ held, now: 2_000 },
      since: new Map(there.map(({ service: { name } }) => [keyFor(`evil/${name}`), { at: 0 }])),
    });
    expect(kept.size).toBe(160);
  });

  test('those that were had longest are published first, whether they are asked for or not', () => {
    const asked = ([name, one]: ReturnType<typeof gone>) => [name, { ...one, isAsked: true }] as const;
    const names: KeptNames = new Map([
      gone('b', 900, 300),
      asked(gone('c', 5_000, 200)),
      gone('d', 400, 100),
      asked(gone('a', 6_000, 400)),
    ]);
    expect(namesToPublish(names, new Map()).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
  });
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
