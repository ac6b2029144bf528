/** What is in use after a pass, and what belongs to it. */
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import { compareText } from '../model/compare.ts';
import type { Candidate } from '../model/discovery.ts';
import { toolsetOf } from '../model/documents.ts';
import { partsOf } from '../model/key.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { bySeniority } from '../model/seniority.ts';
import type { ServiceKey } from '../model/service.ts';
import { timeText } from '../model/time-text.ts';
import { SERVICES_IN_USE } from '../planning/plan.ts';
import { inUseNote, publishedInUse } from '../planning/services-in-use.ts';
import {
  type Company,
  mayReplace,
  newcomersTo,
  ownersBefore,
  sinceOf,
  type Use,
  withAges,
} from './company.ts';
import { withHeirs } from './heirs.ts';
import { publishedEntryPoints, publishedUse, servicesInUseOf } from './published-use.ts';
import { useAfter } from './use-after.ts';

afterEach(() => vi.restoreAllMocks());

const way = (name: string, alternates: readonly string[] = [], more: Partial<Candidate> = {}): Candidate => ({
  ...candidate(service(name, { labels: { app: 'loki' }, selector: { app: name }, ports: ['http:3100'] })),
  alternates,
  ...more,
});
const keyed = (name: string): ServiceKey => keyFor(`monitoring/${name}`);
const company = (
  all: readonly string[],
  better: readonly string[] = [],
  hasWorked = true,
): [Set<string>, Set<string>, boolean] => [new Set(all), new Set(better), hasWorked];
const use = (
  entries: Readonly<Record<string, readonly [Set<string>, Set<string>, boolean] | undefined>>,
): Use => ({
  inUse: new Set(Object.keys(entries).map(keyed)),
  companions: new Map(
    Object.entries(entries).flatMap(([name, entry]) =>
      entry === undefined
        ? []
        : [[keyed(name), { all: entry[0], better: entry[1], hasWorked: entry[2] } satisfies Company]],
    ),
  ),
});
const NOTHING = use({});
interface Options {
  readonly fails?: boolean;
  readonly better?: readonly string[];
  readonly apart?: readonly Candidate[];
}
const chosen = (entryPoint: Candidate, { fails = false, better = [], apart = [] }: Options = {}) => ({
  ...{ entryPoint, fails, better, apart },
});
const NOW = 1_000;
/** A pass in which each chosen one is a backend. */
const passed = (before: Use, now: number, ...all: readonly ReturnType<typeof chosen>[]): Use => {
  const found = all.map(({ entryPoint }) => entryPoint);
  return useAfter(all, found, found, before, now);
};
/** The same, without times. */
const next = (before: Use, ...all: readonly ReturnType<typeof chosen>[]): Use => {
  const after = passed(before, NOW, ...all);
  const companions = [...after.companions].map(
    ([key, { since: _, established: __, ...rest }]) => [key, rest] as const,
  );
  return { ...after, companions: new Map(companions) };
};

describe('when a backend came into use', () => {
  const since = (after: Use) => Object.fromEntries([...sinceOf(after)].map(([key, { at }]) => [key, at]));
  const times = (entries: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(entries).map(([name, at]) => [keyed(name), at]));

  test('is the pass that found it first, and 0 if it was published before', () => {
    const before = passed(use({ old: undefined }), 1, chosen(way('old')), chosen(way('one')));
    expect(since(passed(before, 2, chosen(way('old')), chosen(way('one')), chosen(way('two'))))).toEqual(
      times({ old: 0, one: 1, two: 2 }),
    );
  });

  test('stays while its Service fails, is gone, or is created again', () => {
    let after = passed(NOTHING, 1, chosen(way('one')));
    after = passed(after, 2, chosen(way('one'), { fails: true }), chosen(way('two')));
    after = passed(after, 3, chosen(way('two')));
    expect(since(after)).toEqual(times({ one: 1, two: 2 }));
    expect(since(passed(after, 4, chosen(way('one')), chosen(way('two'))))).toEqual(
      times({ one: 1, two: 2 }),
    );
  });

  test('is unknown until it has worked', () => {
    const before = passed(NOTHING, 1, chosen(way('one'), { fails: true }));
    const after = passed(before, 2, chosen(way('one'), { fails: true }));
    expect(since(after)).toEqual(times({ one: Number.MAX_SAFE_INTEGER }));
    expect(since(passed(after, 3, chosen(way('one'))))).toEqual(times({ one: 3 }));
  });

  test('stays if another of its Services takes its place', () => {
    const before = passed(NOTHING, 1, chosen(way('one', ['two'])));
    expect(since(passed(before, 2, chosen(way('two', ['one']))))).toEqual(times({ two: 1 }));
    const heirs = withHeirs(before, [way('two')]);
    expect(since(passed(heirs, 2, chosen(way('two'))))).toEqual(times({ two: 1 }));
  });

  test('stays if a newer one with its Pods takes its place', () => {
    const before = passed(NOTHING, 1, chosen(way('one')));
    expect(since(passed(before, 2, chosen(way('two', ['one']))))).toEqual(times({ two: 1 }));
  });

  test('of one that was a part of it is its own', () => {
    const before = passed(NOTHING, 1, chosen(way('one', ['part'])));
    expect(since(passed(before, 5, chosen(way('one')), chosen(way('part'))))).toEqual(
      times({ one: 1, part: 5 }),
    );
  });

  test('of a newcomer beside it is its own', () => {
    const before = passed(NOTHING, 1, chosen(way('one')));
    const after = passed(before, 2, chosen(way('one', ['new']), { fails: true, apart: [way('new')] }));
    expect(since(passed(after, 3, chosen(way('one'), { fails: true, apart: [way('new')] })))).toEqual(
      times({ one: 1, new: 2 }),
    );
  });
});

describe('when a backend came into use, after a restart', () => {
  const HOUR = 3_600_000;
  /** The clock of a process that started some hours after 1970. */
  const startAt = (hours: number): void => {
    vi.spyOn(performance, 'timeOrigin', 'get').mockReturnValue(hours * HOUR);
  };
  const made = (name: string, hours: number): Candidate => {
    const one = way(name);
    return { ...one, service: { ...one.service, created: timeText(hours * HOUR) } };
  };
  /** What another process reads of what is published. @param found the published backends */
  const restarted = (before: Use, now: number, found: readonly Candidate[], hours: number): Use => {
    const shown = found.map((each) => ({
      ...each,
      tool: `${each.service.name}.monitoring`,
    }));
    const tools = found.map(({ service: { name, namespace, created = '' } }) => ({
      ...{ name: `${name}.monitoring`, type: 'loki', endpoint: '', description: '', namespace },
      metadata: { service: name, created },
    }));
    const { text } = inUseNote(servicesInUseOf(before, shown as never, [], now), tools);
    startAt(hours);
    return publishedUse({ present: toolsetOf({}, () => tools), annotations: { [SERVICES_IN_USE]: text } });
  };
  const hoursOf = (after: Use, hours: number) =>
    Object.fromEntries(
      [...sinceOf(after)].map(([key, { at }]) => [partsOf(key).name, Math.round(at / HOUR + hours)]),
    );

  test('is when its Service was created, the first time', () => {
    startAt(10);
    const [same, again, gone] = [made('same', 2), made('again', 3), made('gone', 4)];
    const first = [same, again, gone].map((each) => chosen(each));
    const before = withAges(passed(use({}), HOUR, ...first), []);
    const replaced = made('again', 12);
    const later = passed(before, 3 * HOUR, chosen(same), chosen(replaced));
    const after = restarted(later, 4 * HOUR, [same, replaced], 20);
    const known = withAges(after, [same, replaced, made('gone', 21)]);
    expect(hoursOf(known, 20)).toEqual({ same: 2, again: 3, gone: 4 });
    // And after another one.
    const next = restarted(passed(known, HOUR, chosen(same), chosen(replaced)), HOUR, [same, replaced], 30);
    expect(hoursOf(withAges(next, [same, replaced]), 30)).toEqual({ same: 2, again: 3, gone: 4 });
  });

  test('is in the same order as before, whatever the ages of Services, and which of them are gone', () => {
    const HOURS = [1, 2, 3, 4, 5, 6];
    const hour = fc.constantFrom(...HOURS);
    fc.assert(
      fc.property(fc.array(fc.tuple(hour, hour, fc.boolean()), { maxLength: 8 }), (times) => {
        startAt(0);
        // A Service is there when it comes into use, and may be created again later.
        const all = times.map(([age, since, isGone], index) => ({
          first: made(`s${index}`, Math.min(age, since)),
          last: made(`s${index}`, age),
          since,
          isGone,
          isLate: age < since,
        }));
        let last = use({});
        for (const hour of HOURS)
          last = passed(
            last,
            hour * HOUR + 1,
            ...all.filter(({ since }) => since <= hour).map(({ first }) => chosen(first)),
          );
        const found = all.filter(({ isGone }) => !isGone).map((each) => each.last);
        last = passed(last, 7 * HOUR, ...found.map((each) => chosen(each)));
        const sorted = (after: Use): string[] =>
          [...sinceOf(after)]
            .map(([key, since]) => ({ name: partsOf(key).name, since }))
            .toSorted((a, b) => bySeniority(a.since, b.since) || compareText(a.name, b.name))
            .map(({ name }) => name)
            // Of several at once, only the Services that are there say which one is older.
            .filter((name) =>
              all.some(({ first, isGone, isLate }) => first.service.name === name && !(isGone && isLate)),
            );
        const before = sorted(last);
        const after = withAges(restarted(last, 8 * HOUR, found, 20), found);
        expect(sorted(after)).toEqual(before);
      }),
    );
  });

  test('is when its Service had been created by the publication, also if that is gone now', () => {
    startAt(20);
    const created = new Date(3 * HOUR).toISOString();
    const tools = [
      { name: 'gone.monitoring', type: 'loki', endpoint: '', description: '', namespace: 'monitoring' },
    ].map((each) => ({ ...each, metadata: { service: 'gone', created } }));
    const known = publishedUse({ present: toolsetOf({}, () => tools), annotations: {} });
    expect(hoursOf(known, 20)).toEqual({ gone: 3 });
    const { vanished } = passed(known, HOUR, chosen(way('other')));
    expect(vanished?.get(keyed('gone'))).toEqual({ at: HOUR, used: 18 * HOUR });
  });

  test('does not change who takes a place back', () => {
    startAt(10);
    const before = passed(use({}), HOUR, chosen(way('server', ['gateway'])));
    const later = passed(before, 3 * HOUR, chosen(way('gateway', ['server'])));
    const owners = new Set(['server']);
    expect(ownersBefore(keyed('gateway'), later)).toEqual(owners);
    const after = restarted(later, 4 * HOUR, [way('gateway', ['server'])], 20);
    expect(ownersBefore(keyed('gateway'), after)).toEqual(owners);
    const back = passed(after, HOUR, chosen(way('server', ['gateway'])));
    expect(ownersBefore(keyed('server'), back)).toEqual(new Set());
    expect(mayReplace('gateway', keyed('server'), back, 2 * HOUR)).toBe(false);
    // Both of them worked in the first ten minutes.
    const soon = passed(before, HOUR + 1, chosen(way('gateway', ['server']), { better: ['server'] }));
    expect(ownersBefore(keyed('gateway'), soon)).toEqual(new Set());
    expect(mayReplace('server', keyed('gateway'), soon, 9 * HOUR)).toBe(true);
  });

  test('is published alike by two processes, whatever each of them saw first', () => {
    const HOURS = [1, 2, 3];
    const hours = fc.constantFrom(...HOURS);
    fc.assert(
      fc.property(fc.array(fc.tuple(hours, hours, hours), { maxLength: 8 }), (times) => {
        startAt(0);
        const found = times.map(([age], index) => made(`s${index}`, age));
        const shown = found.map((each) => ({ ...each, tool: `${each.service.name}.monitoring` }));
        const seenAt = (which: 1 | 2): Use => {
          let last = use({});
          for (const hour of HOURS)
            last = passed(
              last,
              hour * HOUR + which * 400,
              ...found.filter((_, index) => (times[index]?.[which] ?? 0) <= hour).map((each) => chosen(each)),
            );
          return last;
        };
        let note = '';
        const publishes = (one: Use): string => {
          const told = servicesInUseOf(one, shown as never, publishedInUse([], note), 9 * HOUR);
          note = inUseNote(told, []).text;
          return note;
        };
        const [one, other] = [seenAt(1), seenAt(2)];
        // Each time can make another one misleading, so it takes some turns.
        for (let turn = 0; turn < 4; turn++) for (const each of [one, other]) publishes(each);
        const agreed = note;
        expect(publishes(other)).toBe(agreed);
        expect(publishes(one)).toBe(agreed);
        // And when they see that one of them is gone, too.
        const without = (last: Use, hour: number): Use =>
          passed(last, hour * HOUR + 700, ...found.slice(1).map((each) => chosen(each)));
        const [later, latest] = [without(one, 5), without(other, 6)];
        for (let turn = 0; turn < 4; turn++) for (const each of [later, latest]) publishes(each);
        const gone = note;
        expect(publishes(latest)).toBe(gone);
        expect(publishes(later)).toBe(gone);
        // A process that starts has nothing to write, either.
        startAt(0.3 / 3_600);
        const there = found.slice(1);
        const read = publishedUse({
          present: toolsetOf({}, () => []),
          annotations: { [SERVICES_IN_USE]: note },
        });
        const fresh = passed(withAges(read, there), 7 * HOUR, ...there.map((each) => chosen(each)));
        expect(publishes(fresh)).toBe(gone);
        startAt(0);
      }),
    );
  });

  test('is when its Service was created, also where another one is preferred', () => {
    startAt(10);
    const both = { ...made('two', 12), fallbacks: [made('one', 11)] };
    expect(sinceOf(withAges(use({ one: company([]) }), [both])).get(keyed('one'))?.at).toBe(HOUR);
  });

  test('of what another process published meanwhile is when its Service was created, and nothing is stored', () => {
    startAt(10);
    const one = made('one', 11);
    const known = withAges(use({ one: company([]) }), [one]);
    expect(sinceOf(known).get(keyed('one'))?.at).toBe(HOUR);
    const shown = { ...one, tool: 'one.monitoring' } as never;
    expect(servicesInUseOf(known, [shown], [], 2 * HOUR)).toEqual([
      { service: expect.objectContaining({ name: 'one' }), tool: 'one.monitoring', others: [] },
    ]);
  });
});

describe('what is in use after a pass', () => {
  test('is what was chosen, with the others of its backend', () => {
    expect(next(NOTHING, chosen(way('a', ['b', 'c']), { better: ['b'] }))).toEqual(
      use({ a: company(['b', 'c'], ['b']) }),
    );
    const late = way('a', ['b', 'c'], { newcomers: ['c'] });
    expect(next(NOTHING, chosen(late, { better: ['b', 'c'] }))).toEqual(use({ a: company(['b'], ['b']) }));
  });

  test('is without what is too new to be part of the same installation, whatever Pods it has', () => {
    const members = [
      { name: 'old', created: '2026-01-01T00:00:00Z', roles: [] },
      { name: 'older-elsewhere', created: '2025-01-01T00:00:00Z', roles: [] },
      { name: 'a', created: '2026-01-02T00:00:00Z', roles: [] },
      { name: 'b', created: '2026-01-02T00:10:00Z', roles: [] },
      { name: 'late', created: '2026-01-02T00:10:01Z', roles: [] },
    ];
    const { service: plain } = way('a');
    const a = way('a', ['b', 'late', 'old', 'older-elsewhere'], {
      ...{ service: { ...plain, created: '2026-01-02T00:00:00Z' }, members, samePods: ['late', 'old'] },
    });
    const { companions } = passed(NOTHING, NOW, chosen(a));
    expect([...companions.values()]).toEqual([
      {
        all: new Set(['b', 'old', 'older-elsewhere']),
        better: new Set(),
        hasWorked: true,
        since: { at: NOW, created: '2026-01-02T00:00:00Z' },
      },
    ]);
  });

  test('does not gain others once it has worked, whether it fails or not', () => {
    const before = use({ a: company(['b']) });
    for (const fails of [false, true])
      expect(next(before, chosen(way('a', ['b', 'c']), { fails }))).toEqual(before);
  });

  test('gains others until it works', () => {
    const failing = next(NOTHING, chosen(way('a', ['b']), { fails: true }));
    expect(failing).toEqual(use({ a: company(['b'], ['b'], false) }));
    const more = next(failing, chosen(way('a', ['b', 'c']), { fails: true }));
    expect(more).toEqual(use({ a: company(['b', 'c'], ['b', 'c'], false) }));
    const works = next(more, chosen(way('a', ['b', 'c', 'd'])));
    expect(works).toEqual(use({ a: company(['b', 'c'], ['b', 'c']) }));
  });

  test('has the company of the one whose place it takes, which may come back', () => {
    const before = use({ a: company(['b', 'c']) });
    const taken = next(before, chosen(way('b', ['a', 'c', 'new']), { better: ['a', 'new'] }));
    expect(taken).toEqual(use({ b: company(['c', 'a'], ['a']) }));
    const gone = next(before, chosen(way('b', ['c', 'new'])));
    expect(gone).toEqual(use({ b: company(['c', 'a'], ['a']) }));
    expect(next(use({ a: company(['b'], [], false) }), chosen(way('b', ['a']), { fails: true }))).toEqual(
      use({ b: company(['a'], [], false) }),
    );
  });

  test('includes newcomers that are used besides it, without company', () => {
    const before = use({ a: company([]) });
    const both = next(before, chosen(way('a', ['n']), { fails: true, apart: [way('n')] }));
    expect(both).toEqual(use({ a: company([]), n: company([]) }));
    expect(next(both, chosen(way('a')), chosen(way('n', ['x'])))).toEqual(both);
  });

  test('includes what vanished, with its company, unless that took its place', () => {
    const before = use({ a: company(['b']), x: company([]) });
    const gone = next(before, chosen(way('x')));
    expect(gone).toEqual({ ...before, vanished: new Map([[keyed('a'), { at: NOW, used: NOW }]]) });
    expect(next(gone, chosen(way('x')))).toEqual(gone);
    expect(next(gone, chosen(way('a', ['n'])), chosen(way('x')))).toEqual(before);
    expect(next(before, chosen(way('n')), chosen(way('x'))).inUse).toEqual(
      new Set(['a', 'x', 'n'].map(keyed)),
    );
    expect(next(before, chosen(way('b')), chosen(way('x'))).inUse).toEqual(new Set(['b', 'x'].map(keyed)));
  });

  test('has one that takes a place and works in the first ten minutes, which gives it back to none', () => {
    const first = passed(NOTHING, 1, chosen(way('server', ['gateway'])));
    const taken = passed(first, 2, chosen(way('gateway', ['server']), { fails: true }));
    const owners = (fails: boolean) =>
      ownersBefore(keyed('gateway'), passed(taken, 3, chosen(way('gateway', ['server']), { fails })));
    expect([owners(true), owners(false)]).toEqual([new Set(['server']), new Set()]);
  });

  test('includes what answers as something else, and nothing of it vanished', () => {
    const before = use({ b: company([]) });
    const after = useAfter([chosen(way('a', ['b']), { fails: true })], [], [], before, NOW);
    expect([after.inUse, after.vanished]).toEqual([new Set([keyed('a')]), undefined]);
    const pending = way('a', ['b']);
    const both = use({ a: company([]), b: company([]) });
    const later = useAfter([], [pending], [pending], both, NOW);
    expect([later.inUse, later.vanished]).toEqual([new Set([keyed('a')]), undefined]);
  });

  test('does not include what was merged into another one, or has become a part of it', () => {
    const before = use({ a: company([]), b: company([]) });
    const [a, b] = [way('a'), way('b')];
    expect(useAfter([chosen(a), chosen(b)], [a, b], [a], before, NOW).inUse).toEqual(new Set([keyed('a')]));
    expect(next(before, chosen(way('a', ['b']))).inUse).toEqual(new Set([keyed('a')]));
  });

  test('has those first that were in use before', () => {
    const before = use({ b: company([]), a: company([]) });
    expect([...next(before, chosen(way('c')), chosen(way('a')), chosen(way('b'))).inUse]).toEqual(
      ['b', 'a', 'c'].map(keyed),
    );
  });

  test('includes a pending backend, with its company', () => {
    const before = use({ a: company(['b']) });
    expect(useAfter([], [way('a')], [way('a')], before, NOW)).toEqual(before);
  });

  describe('of many that vanished', () => {
    const DAY = 24 * 3_600_000;
    /** Which remain of Services that vanished before, each with its namespace, the time, and how long it was in use. */
    const remaining = (
      now: number,
      ...all: readonly (readonly [name: string, at: number, used: number, namespace?: string])[]
    ): ReadonlySet<string> => {
      const gone = all.map(
        ([name, at, used, namespace = 'monitoring']) =>
          [keyFor(`${namespace}/${name}`), { at, used }] as const,
      );
      const before = {
        inUse: new Set(gone.map(([key]) => key)),
        companions: new Map(),
        vanished: new Map(gone),
      };
      return new Set([...useAfter([], [], [], before, now).inUse].map((key) => partsOf(key).name));
    };
    const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

    test('includes those that were in use longest, whenever they vanished', () => {
      const others = range(100).map((index) => [`a${index}`, (index * 37) % 100, 500 + index] as const);
      const kept = remaining(1_000, ...others.slice(50), ['short', 900, 499], ...others.slice(0, 50));
      expect([kept.size, kept.has('short')]).toEqual([100, false]);
    });

    test('includes the latest of those that were in use equally long', () => {
      const kept = remaining(1_000, ...range(101).map((index) => [`a${index}`, index, 500] as const));
      expect([kept.size, kept.has('a0')]).toEqual([100, false]);
    });

    test('includes those of the last day before all others', () => {
      const recent = range(100).map((index) => [`a${index}`, index + 10, 1] as const);
      const with_ = (at: number) => remaining(DAY + 9, ['long', at, 900], ...recent);
      expect([with_(8).has('long'), with_(9).has('long')]).toEqual([false, true]);
    });

    test('includes the latest of those before that', () => {
      const old = range(101).map((index) => [`a${index}`, (index * 37) % 101, 1_000 - index] as const);
      const kept = remaining(2 * DAY, ...old);
      expect([kept.size, kept.has('a0')]).toEqual([100, false]);
    });

    test('includes a thousand in all namespaces', () => {
      const all = range(11).flatMap((namespace) =>
        range(100).map((index) => [`a${namespace}-${index}`, 1, 1, `n${namespace}`] as const),
      );
      expect(remaining(1_000, ...all).size).toBe(1_000);
    });

    const shop = chosen(
      candidate(service('quiet', { namespace: 'shop', labels: { app: 'loki' }, ports: ['http:3100'] })),
    );
    const afterMany = (start: number) => {
      let after = passed(passed(NOTHING, 1, chosen(way('first'))), 2, chosen(way('first')), shop);
      after = passed(after, 3);
      for (let index = 0; index < 150; index++)
        after = passed(after, start + index, chosen(way(`a-${index}`)));
      return [...after.inUse];
    };

    test('includes those that were in use longest, whenever that was, and those of other namespaces', () => {
      let after = NOTHING;
      for (let index = 0; index < 150; index++) after = passed(after, index, chosen(way(`a-${index}`)));
      after = passed(after, 1_000, chosen(way('long')), shop);
      after = passed(after, 2_000, chosen(way('late')));
      after = passed(after, 2_100);
      const kept = [...after.inUse];
      expect(kept).toHaveLength(1 + 100);
      for (const key of [keyFor('shop/quiet'), keyed('long'), keyed('late')])
        expect(kept).toContainEqual(key);
    });

    test('a day later includes the latest ones before those', () => {
      const kept = afterMany(4 + 24 * 3_600_000);
      expect(kept).toHaveLength(1 + 100 + 1);
      for (const key of [keyFor('shop/quiet'), keyed('a-49'), keyed('a-149')])
        expect(kept).toContainEqual(key);
      for (const key of ['first', 'a-48'].map(keyed)) expect(kept).not.toContainEqual(key);
    });
  });
});

describe('an entry point whose Service is gone', () => {
  const group = (...names: readonly string[]): Candidate => {
    const [first = '', ...rest] = names;
    return { ...way(first, rest), fallbacks: rest.map((name) => way(name)) };
  };

  test('is followed by the best of its company, not by a newcomer', () => {
    const before = use({ gone: company(['b', 'c']) });
    const { inUse, companions } = withHeirs(before, [way('x'), group('n', 'c', 'b')]);
    const expected = use({ gone: company(['b', 'c']), c: company(['b', 'gone'], ['gone']) });
    expect(inUse).toEqual(expected.inUse);
    // It takes its place back.
    expect(companions.get(keyed('c'))).toEqual({
      ...expected.companions.get(keyed('c')),
      established: new Set(['gone']),
    });
    const apart = use({ gone: company(['b']), n: company([]) });
    expect(withHeirs(apart, [group('n', 'b')]).inUse).toEqual(new Set(['gone', 'n', 'b'].map(keyed)));
  });

  test.each<[string, Use, readonly Candidate[]]>([
    ['it is there', use({ a: company(['b']) }), [group('a', 'b')]],
    ['it is there, and another one is preferred', use({ a: company(['b']) }), [group('b', 'a')]],
    ['it is there, though not as an entry point', use({ a: company(['b']) }), [way('b', ['a'])]],
    [
      'one of its company is in use',
      use({ gone: company(['b', 'c']), b: company(['c']) }),
      [group('c', 'b')],
    ],
    ['it has no company', use({ gone: company([]) }), [group('n')]],
    ['its company is gone, too', use({ gone: company(['b']) }), [group('n')]],
  ])('is not followed if %s', (_, before, candidates) => {
    expect(withHeirs(before, candidates)).toEqual(before);
  });
});

describe('newcomers', () => {
  const created = (time: string): Partial<Candidate> => ({
    service: { ...way('first').service, created: time },
  });
  const NAMED = new Set<ServiceKey>();

  test('are those that the company of the one in use does not know, unless people name them', () => {
    const first = way('first', ['b', 'n'], { samePods: ['b', 'n'] });
    expect(newcomersTo(first, use({ first: company(['b']) }), NAMED)).toEqual(['n']);
    expect(newcomersTo(first, use({ first: undefined }), NAMED)).toEqual(['b', 'n']);
    expect(newcomersTo(first, use({ first: company([]) }), new Set([keyed('n')]))).toEqual(['b']);
  });

  test.each([
    ['before anything is in use', NOTHING],
    ['before the one in use has worked', use({ first: company([], [], false) })],
  ])('are those that are more than ten minutes younger, %s', (_, before) => {
    const members = [
      { name: 'soon', created: '2026-01-01T00:10:00Z', roles: [] },
      { name: 'late', created: '2026-01-01T00:10:01Z', roles: [] },
      { name: 'undated', roles: [] },
    ];
    const first = way('first', ['soon', 'late', 'undated'], { ...created('2026-01-01T00:00:00Z'), members });
    expect(newcomersTo(first, before, NAMED)).toEqual(['late']);
    const { created: _created, ...undated } = first.service;
    expect(newcomersTo({ ...first, service: undated }, before, NAMED)).toEqual([]);
  });
});

describe('what is published', () => {
  const tool = (name: string, more: Partial<PublishedTool> = {}): PublishedTool => ({
    ...{ name, type: 'loki', endpoint: 'http://x', description: 'x', namespace: 'monitoring' },
    metadata: { service: name },
    ...more,
  });
  const live = (tools: readonly PublishedTool[], note?: string) => ({
    present: toolsetOf({}, () => tools),
    annotations: note === undefined ? {} : { [SERVICES_IN_USE]: note },
  });

  test('are entry points, with the others of their backends, and what the annotation adds', () => {
    const read = tool('a', { metadata: { service: 'a', alternates: 'b,c' } });
    expect(publishedUse(live([read]))).toEqual(use({ a: company(['b', 'c']) }));
    expect(publishedUse(live([read], '{"monitoring":{"x":["","y"]}}'))).toEqual(
      use({ a: company(['b', 'c']), x: company(['y']) }),
    );
    expect(publishedUse(undefined)).toEqual(NOTHING);
    const { namespace: _namespace, ...nowhere } = tool('a');
    expect(publishedUse(live([nowhere, tool('b', { metadata: {} })]))).toEqual(NOTHING);
  });

  test('are those that are gone, for a day, with the time and after the others', () => {
    const before = use({ gone: company(['b']), a: company([]) });
    const now = performance.now();
    const gone = passed(before, now, chosen(way('a')));
    const told = servicesInUseOf(gone, [way('a')], [], now + 24 * 3_600_000);
    const at = Math.round((performance.timeOrigin + now) / 1_000);
    const used = at - Math.round(performance.timeOrigin / 1_000);
    expect(told).toEqual([
      { service: expect.objectContaining({ name: 'a' }), tool: 'a.monitoring', others: [] },
      {
        service: expect.objectContaining({ name: 'gone' }),
        tool: 'gone.monitoring',
        others: ['b'],
        gone: { at, used },
      },
    ]);
    const { text } = inUseNote(told, []);
    const again = publishedUse(live([], text));
    expect(again.vanished).toEqual(
      new Map([[keyed('gone'), { at: at * 1_000 - performance.timeOrigin, used: used * 1_000 }]]),
    );
    expect(inUseNote(servicesInUseOf(again, [way('a')], [], now), []).text).toBe(text);
    expect(passed(again, now, chosen(way('a'))).vanished).toEqual(again.vanished);
    expect(servicesInUseOf(gone, [way('a')], [], now + 24 * 3_600_000 + 1)).toHaveLength(1);
  });

  test('are in use with the names that are kept', () => {
    const stored = { name: 'Logs', cluster: '', namespace: 'monitoring', members: ['a'], gone: undefined };
    const { text } = inUseNote([], [], [stored]);
    expect([...(publishedUse(live([], text)).keptNames?.keys() ?? [])]).toEqual(['logs']);
    expect(publishedUse(live([])).keptNames).toBeUndefined();
  });

  test('are entry points, and none before anything is published', () => {
    expect(publishedEntryPoints(live([tool('a')]))).toEqual(new Set([keyed('a')]));
    expect(publishedEntryPoints(undefined)).toEqual(new Set());
  });

  describe('have the time since when they are in use', () => {
    const at = (milliseconds: number): Partial<Candidate> => ({
      service: {
        ...way('a').service,
        created: new Date(Math.round(performance.timeOrigin / 1_000) * 1_000 + milliseconds).toISOString(),
      },
    });
    const start = Math.round(performance.timeOrigin / 1_000);
    const SINCE = {
      at: start * 1_000 - performance.timeOrigin + 60_000,
      created: new Date(start * 1_000 + 40_000).toISOString(),
    };
    const told = (
      created: number,
      since: Company['since'] | undefined = SINCE,
    ): readonly (number | undefined)[] => {
      const { inUse, companions } = use({ a: company([]) });
      const known = new Map([...companions].map(([key, each]) => [key, { ...each, since }] as const));
      return servicesInUseOf({ inUse, companions: known }, [way('a', [], at(created))], [], 100_000).map(
        (each) => each.since,
      );
    };

    test('only if their Services were created again, and then that of the first ones', () => {
      expect([told(40_000), told(41_000)]).toEqual([[undefined], [start + 40]]);
    });

    /** Which have a time, of backends with these times since the start, in seconds. */
    const aged = (
      ...all: readonly (Partial<Company> & {
        readonly name: string;
        readonly created?: number;
        readonly at: number;
      })[]
    ): readonly string[] => {
      const start = Math.round(performance.timeOrigin / 1_000) * 1_000;
      const found = all.flatMap(({ name, created }) =>
        created === undefined
          ? []
          : {
              ...way(name),
              service: { ...way(name).service, created: new Date(start + created * 1_000).toISOString() },
            },
      );
      const companions = new Map(
        all.map(({ name, created: _, at, ...more }) => [
          keyed(name),
          {
            ...{ all: new Set<string>(), better: new Set<string>(), hasWorked: true },
            since: { at: start - performance.timeOrigin + at * 1_000 },
            ...more,
          },
        ]),
      );
      const gone = all.filter(({ created }) => created === undefined);
      const vanished = new Map(gone.map(({ name }) => [keyed(name), { at: 90_000, used: 1_000 }]));
      return servicesInUseOf({ inUse: new Set(companions.keys()), companions, vanished }, found, [], 100_000)
        .filter(({ since }) => since !== undefined)
        .map(({ service: { name } }) => name);
    };

    test('only if the ages of their Services give another order', () => {
      expect(aged({ name: 'a', created: 5, at: 20 }, { name: 'b', created: 10, at: 30 })).toEqual([]);
      expect(aged({ name: 'a', created: 10, at: 20 }, { name: 'b', created: 5, at: 30 })).toEqual(['b']);
      expect(aged({ name: 'a', created: 10, at: 20 }, { name: 'b', created: 5, at: 20 })).toEqual([]);
      expect(aged({ name: 'a', created: 10, at: 20 }, { name: 'b', created: 10, at: 20 })).toEqual([]);
      expect(aged({ name: 'a', created: 10, at: 20 }, { name: 'b', created: 10, at: 30 })).toEqual(['b']);
      // The Service of the first one is gone.
      expect(aged({ name: 'a', at: 20 }, { name: 'b', created: 10, at: 30 })).toEqual(['b']);
      // The first one has never worked.
      const never = { name: 'a', created: 25, at: 20, hasWorked: false };
      expect(aged(never, { name: 'b', created: 22, at: 30 })).toEqual([]);
    });

    test('only if it is known', () => {
      expect(told(66_000, { at: 0 })).toEqual([undefined]);
    });
  });

  test('start with those that were in use longest', () => {
    const since = (milliseconds: number) => ({ since: { at: milliseconds } });
    const { inUse, companions } = use({ a: company([]), b: company([]), c: company([]) });
    const aged = (key: ServiceKey, each: Company): Company =>
      key === keyed('a') ? { ...each, ...since(50) } : { ...each, ...since(10) };
    const all: Use = {
      inUse,
      companions: new Map([...companions].map(([key, each]) => [key, aged(key, each)])),
    };
    const order = (used: number) =>
      servicesInUseOf({ ...all, vanished: new Map([[keyed('b'), { at: 900, used }]]) }, [], [], 1_000).map(
        ({ service: { name } }) => name,
      );
    expect([order(400), order(970)]).toEqual([
      ['c', 'a', 'b'],
      ['c', 'b', 'a'],
    ]);
  });

  test('have the Services that take a place back in order', () => {
    const { inUse, companions } = use({ a: company(['c', 'b']) });
    const established = new Set(['c', 'b']);
    const known = new Map([...companions].map(([key, each]) => [key, { ...each, established }]));
    expect(servicesInUseOf({ inUse, companions: known }, [])).toMatchObject([{ owners: ['b', 'c'] }]);
  });

  test('include those of which only the published tool is known', () => {
    expect(servicesInUseOf(use({ a: undefined }), [way('a')])).toMatchObject([{ service: { name: 'a' } }]);
  });

  test('are those that exist and have worked', () => {
    const now = use({
      a: company(['b']),
      never: company(['x'], [], false),
      hint: company([]),
    });
    const found = [{ ...way('a'), tool: 'logs' }, way('never')];
    expect(servicesInUseOf(now, found)).toMatchObject([
      { service: { name: 'a' }, tool: 'logs', others: ['b'] },
      { service: { name: 'hint' }, tool: 'hint.monitoring', others: [] },
    ]);
  });
});
