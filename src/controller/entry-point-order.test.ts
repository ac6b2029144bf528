/** The laws by which the ways into one backend are ordered, divided and tried. */
import { describe, expect, test } from 'vitest';
import { candidate, rules } from '../../test/fixtures/unit/detection.ts';
import { HEALTHY } from '../../test/fixtures/unit/engine.ts';
import { keyFor, offered, service } from '../../test/fixtures/unit/service.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Companions, Company } from './company.ts';
import { chooseEntryPoint, orderEntryPoints, splitCandidate, tryEntryPoints } from './entry-points.ts';

const GROUPED = { signal: 'group', detail: 'leads to the same backend as others' } as const;

/** A way into a Loki; all lead to the same Pods unless a test says otherwise. */
const way = (name: string, more: Partial<Candidate> & { part?: string } = {}): Candidate => {
  const { part, ...rest } = more;
  const selector = part === undefined ? { app: 'loki' } : { app: 'loki', part };
  const one = candidate(service(name, { labels: { app: 'loki' }, selector, ports: ['http:3100'] }));
  return { ...one, evidence: [...one.evidence, GROUPED], ...rest };
};
/** A backend with these ways, the preferred one first. */
const backend = (first: Candidate, ...rest: readonly Candidate[]): Candidate => {
  const names = [first, ...rest].map(({ service: { name } }) => name);
  const others = (name: string): string[] => names.filter((each) => each !== name);
  const of = (each: Candidate): Candidate => ({ ...each, alternates: others(each.service.name) });
  return { ...of(first), fallbacks: rest.map(of) };
};
const keys = (...names: string[]): ReadonlySet<ServiceKey> =>
  new Set(names.map((name) => keyFor(`monitoring/${name}`)));
const standing = ({
  inUse = keys(),
  named = keys(),
  companions = new Map() as Companions,
}: {
  inUse?: ReadonlySet<ServiceKey>;
  named?: ReadonlySet<ServiceKey>;
  companions?: Companions;
}) => ({ inUse, named, companions, now: 0 });
/** The company of an entry point in use. */
const company = (name: string, all: readonly string[], better: readonly string[] = []): Companions =>
  new Map([[keyFor(`monitoring/${name}`), { all: new Set(all), better: new Set(better), hasWorked: true }]]);
const nameOf = ({ service: { name } }: Candidate): string => name;
const namesOf = (one: Candidate): string[] => [one, ...one.fallbacks].map(nameOf);
const groupEvidence = ({ evidence }: Candidate): string[] =>
  evidence.filter(({ signal }) => signal === 'group').map(({ detail }) => detail);

describe('the order of entry points', () => {
  const [a, b, c] = [way('a'), way('b'), way('c')];

  test('does not change without a reason, and the object is the same', () => {
    for (const one of [a, backend(a, b, c)]) {
      expect(orderEntryPoints(one, standing({}))).toBe(one);
      expect(orderEntryPoints(one, standing({ named: keys('a') }))).toBe(one);
      const together = company('a', ['b', 'c']);
      expect(orderEntryPoints(one, standing({ inUse: keys('a'), companions: together }))).toBe(one);
    }
  });

  test('stays as it is where nobody knows to which Pods the one in use leads', () => {
    const unknown = (name: string): Candidate =>
      candidate(service(name, { labels: { app: 'loki' }, ports: ['http:3100'] }));
    const all = backend(unknown('a'), unknown('b'));
    expect(orderEntryPoints(all, standing({}))).toBe(all);
    const ordered = orderEntryPoints(all, standing({ inUse: keys('a') }));
    expect([namesOf(ordered), ordered.newcomers]).toEqual([['a', 'b'], ['b']]);
  });

  test('is the same object as before while nothing changes', () => {
    const all = backend(a, b, c);
    const companions = company('a', ['b', 'c']);
    expect(orderEntryPoints(all, standing({ inUse: keys('a'), companions })).newcomers).toBeUndefined();
    const other = backend(way('x', { part: '1' }), way('y', { part: '2' }));
    const first = orderEntryPoints(other, standing({ inUse: keys('y') }));
    expect(first.newcomers).toEqual(['x']);
    expect(orderEntryPoints(other, standing({ inUse: keys('y') }))).toBe(first);
    expect(orderEntryPoints(other, standing({ inUse: keys('x') }))).not.toBe(first);
    const parts = splitCandidate(other, standing({ inUse: keys('x', 'y') }));
    expect(parts).toHaveLength(2);
    expect(splitCandidate(other, standing({ inUse: keys('x', 'y') }))).toBe(parts);
  });

  test('is another one if anything has changed', () => {
    const all = backend(a, b, c, way('d'), way('e'), way('f'));
    const order = (who: Parameters<typeof standing>[0]) => orderEntryPoints(all, standing(who));
    const why = (who: Parameters<typeof standing>[0]) => groupEvidence(order(who)).at(-1);
    expect(why({ inUse: keys('b'), named: keys('b') })).toMatch(/a person named it$/);
    expect(why({ inUse: keys('b') })).toMatch(/is in use; a came later$/);
    const others = (name: string) => ['a', 'b', 'c', 'd', 'e', 'f'].filter((each) => each !== name);
    for (const name of ['e', 'f']) {
      const companions = company(name, others(name));
      expect(namesOf(order({ inUse: keys(name), companions }))).toEqual([name, 'a', 'b', 'c']);
    }
    for (const [name, rest] of [
      ['c', ['b', 'd']],
      ['d', ['b', 'c']],
    ] as const) {
      const companions = company(name, others(name), ['a']);
      const young = new Map([...companions].map(([key, each]) => [key, { ...each, since: { at: 0 } }]));
      expect(namesOf(order({ inUse: keys(name), companions: young }))).toEqual(['a', name, ...rest]);
    }
    for (const newcomers of [['f'], ['e', 'f']]) {
      const companions = company(
        'a',
        ['b', 'c', 'd', 'e'].filter((name) => !newcomers.includes(name)),
      );
      expect(order({ inUse: keys('a'), companions }).newcomers).toEqual(newcomers);
    }
  });

  test('has the one in use before others, where a better one comes first', () => {
    const all = backend(a, b, c, way('d'));
    const companions = new Map(
      [...company('c', ['a', 'b', 'd'], ['a'])].map(([key, each]) => [key, { ...each, since: { at: 0 } }]),
    );
    expect(namesOf(orderEntryPoints(all, standing({ inUse: keys('c'), companions })))).toEqual([
      ...['a', 'c', 'b', 'd'],
    ]);
  });

  test('has newcomers last', () => {
    const companions = company('a', ['c', 'd']);
    const all = backend(a, b, c, way('d'));
    expect(namesOf(orderEntryPoints(all, standing({ inUse: keys('a'), companions })))).toEqual([
      ...['a', 'c', 'd', 'b'],
    ]);
  });

  test('starts with the one that overrides name, with evidence, and has each once', () => {
    const ordered = orderEntryPoints(backend(a, b, c), standing({ named: keys('b') }));
    expect(namesOf(ordered)).toEqual(['b', 'a', 'c']);
    expect(groupEvidence(ordered).at(-1)).toBe('leads to the same backend as a, c, and a person named it');
    expect(ordered.evidence.length).toBe(b.evidence.length + 1);
    for (const fallback of ordered.fallbacks) {
      expect(fallback.fallbacks).toEqual([]);
      expect(groupEvidence(fallback)).toEqual([]);
      expect(fallback.evidence.length).toBe(a.evidence.length - 1);
    }
  });

  test.each([
    ['other Pods', { part: 'a' }],
    ['the same Pods', {}],
  ])('starts with the one in use, if the better one came later, with %s', (_, pods) => {
    const [newer, used, other] = [way('a', pods), way('b'), way('c', { part: 'c' })];
    const all = backend(newer, used, other);
    const ordered = orderEntryPoints(all, standing({ inUse: keys('b') }));
    expect(namesOf(ordered)).toEqual(['b', 'a', 'c']);
    expect(groupEvidence(ordered).at(-1)).toMatch(/is in use; a came later$/);
    // A person's word counts for more.
    expect(namesOf(orderEntryPoints(all, standing({ inUse: keys('b'), named: keys('a') })))).toEqual([
      'a',
      'b',
      'c',
    ]);
    expect(namesOf(orderEntryPoints(all, standing({ inUse: keys('b'), named: keys('c') })))).toEqual([
      'c',
      'b',
      'a',
    ]);
  });

  describe('with a better one that did not work from the beginning', () => {
    const all = backend(way('a', { part: 'a' }), way('b', { part: 'b' }), way('c'));
    /** The order some minutes after the backend worked first. @param more of the company of the one in use */
    const orderAfter = (minutes: number | undefined, more: Partial<Company> = {}): readonly string[] => {
      const since = minutes === undefined ? {} : { since: { at: 1 } };
      const companions = new Map(
        [...company('b', ['a', 'c'], ['a'])].map(([key, each]) => [key, { ...each, ...since, ...more }]),
      );
      const now = 1 + (minutes ?? 0) * 60_000;
      return namesOf(orderEntryPoints(all, { ...standing({ inUse: keys('b'), companions }), now }));
    };
    const [FIRST, LATER] = [
      ['a', 'b', 'c'],
      ['b', 'a', 'c'],
    ];

    test('starts with it for ten minutes', () => {
      expect([orderAfter(9.9), orderAfter(10), orderAfter(undefined)]).toEqual([FIRST, LATER, LATER]);
      expect(orderAfter(10, { hasWorked: false })).toEqual(FIRST);
    });

    test('starts with it at any time once it is established', () => {
      expect(orderAfter(90, { established: new Set(['a', 'b']) })).toEqual(FIRST);
    });

    test('starts with one that is established instead of the one in use, whatever is preferred', () => {
      expect(orderAfter(90, { established: new Set(['c']), better: new Set() })).toEqual(['c', 'b', 'a']);
      expect(orderAfter(90, { established: new Set(['gone']) })).toEqual(LATER);
    });
  });

  test('continues with named ones, and then those in use; four are kept', () => {
    const all = backend(a, b, c, way('d'), way('e'), way('f'));
    expect(namesOf(orderEntryPoints(all, standing({})))).toEqual(['a', 'b', 'c', 'd']);
    expect(namesOf(orderEntryPoints(all, standing({ inUse: keys('e') })))).toEqual(['e', 'a', 'b', 'c']);
    const both = standing({ inUse: keys('f'), named: keys('a', 'e') });
    expect(namesOf(orderEntryPoints(all, both))).toEqual(['a', 'e', 'f', 'b']);
  });

  test('has those that are only hints if they are in use or named', () => {
    const all = backend(a, way('b', { certainty: 'hint' }), c);
    expect(namesOf(orderEntryPoints(all, standing({})))).toEqual(['a', 'c']);
    expect(namesOf(orderEntryPoints(all, standing({ inUse: keys('b') })))).toEqual(['b', 'a', 'c']);
    expect(namesOf(orderEntryPoints(all, standing({ named: keys('b') })))).toEqual(['b', 'a', 'c']);
    expect(namesOf(orderEntryPoints(all, standing({ inUse: keys('b'), named: keys('c') })))).toEqual([
      ...['c', 'b', 'a'],
    ]);
    expect(namesOf(orderEntryPoints(all, standing({ named: keys('a', 'b') })))).toEqual(['a', 'b', 'c']);
  });

  test('has the oldest among the few, however good the names of newer ones are', () => {
    const made = (name: string, day: number) => {
      const one = way(name);
      return { ...one, service: { ...one.service, created: `2026-01-0${day}T00:00:00Z` } };
    };
    const newer = ['a', 'b', 'c', 'd', 'e'].map((name) => made(name, 2));
    const all = backend(newer[0] as Candidate, ...newer.slice(1), made('z', 1), made('y', 3));
    expect(namesOf(orderEntryPoints(all, standing({})))).toEqual(['a', 'b', 'c', 'z']);
    expect(namesOf(orderEntryPoints(all, standing({ inUse: keys('z') })))).toEqual(['z', 'a', 'b', 'c']);
  });
});

describe('a backend with several Services in use', () => {
  const one = way('one', { part: '1' });
  const two = way('two', { part: '2' });
  test.each<[string, Candidate, ReadonlySet<ServiceKey>]>([
    ['only one is', backend(one, two), keys('two')],
    ['none is', backend(one, two), keys()],
    ['there is no other way', one, keys('one')],
  ])('stays one if %s', (_, all, inUse) => {
    expect(splitCandidate(all, standing({ inUse: inUse }))).toEqual([all]);
    expect(splitCandidate(all, standing({ inUse: inUse }))[0]).toBe(all);
  });

  test('is several even if they lead to the same Pods, because they may change that', () => {
    const parts = splitCandidate(backend(way('a'), way('b')), standing({ inUse: keys('a', 'b') }));
    expect(parts.map(nameOf)).toEqual(['a', 'b']);
  });

  test.each([
    ['first', way('all'), two],
    ['second', two, way('all')],
  ])('is several where one leads to some of the Pods of the other, which comes %s', (_, first, second) => {
    const parts = splitCandidate(backend(first, second), standing({ inUse: keys('all', 'two') }));
    expect(parts.map(nameOf)).toEqual([nameOf(first), nameOf(second)]);
  });

  test('is split, each part with its own Services', () => {
    const whole = backend(
      {
        ...one,
        samePods: ['one', 'two', 'one-more'],
        members: ['one', 'two'].map((name) => ({ name })) as never,
      },
      two,
    );
    const [first, second, ...more] = splitCandidate(whole, standing({ inUse: keys('one', 'two') }));
    expect(more).toEqual([]);
    expect(first).toMatchObject({
      alternates: [],
      samePods: ['one'],
      members: [{ name: 'one' }],
      fallbacks: [],
    });
    expect(second).toMatchObject({ service: { name: 'two' }, alternates: [], samePods: [] });
    expect(second?.members).toMatchObject([{ name: 'two' }]);
    for (const each of [first, second]) expect(each && groupEvidence(each)).toEqual([]);
    expect(first?.evidence.length).toBe(one.evidence.length - 1);
  });

  test('is split even where nobody knows their Pods', () => {
    const { samePods: _, members: __, ...plain } = one;
    const parts = splitCandidate(backend(plain, two), standing({ inUse: keys('one', 'two') }));
    expect(parts.map((each) => [nameOf(each), each.alternates])).toEqual([
      ['one', []],
      ['two', []],
    ]);
  });

  test('gives each other Service to the one with which it was one backend', () => {
    const all = backend(one, two, way('x', { part: 'x' }), way('y', { part: 'y' }));
    const parts = (...of: readonly (readonly [string, string])[]) => {
      const companions: Companions = new Map(
        of.map(([name, other]) => [
          keyFor(`monitoring/${name}`),
          { all: new Set([other]), better: new Set(), hasWorked: true },
        ]),
      );
      return splitCandidate(all, standing({ inUse: keys('one', 'two'), companions })).map((each) => [
        nameOf(each),
        each.alternates,
        namesOf(each),
      ]);
    };
    expect(parts(['two', 'y'], ['one', 'x'])).toEqual([
      ['one', ['x'], ['one', 'x']],
      ['two', ['y'], ['two', 'y']],
    ]);
    expect(parts()).toEqual([
      ['one', ['x', 'y'], ['one', 'x', 'y']],
      ['two', [], ['two']],
    ]);
  });

  test('gives it to the one with its Pods, and a name without an entry point to the first one', () => {
    const all = { ...backend(one, two, way('x', { part: '2' })), alternates: ['z', 'two', 'x', 'far'] };
    expect(
      splitCandidate(all, standing({ inUse: keys('one', 'two') })).map((each) => [
        nameOf(each),
        each.alternates,
      ]),
    ).toEqual([
      ['one', ['far', 'z']],
      ['two', ['x']],
    ]);
  });
});

describe('the tried entry points', () => {
  const verdict = (more: Partial<Verdict>): Verdict => ({ ...HEALTHY, proof: 'unproven', ...more });
  const LOGIN = verdict({ reason: '401' });
  const DEAD = verdict({ health: 'unhealthy', fault: 'timeout', reason: '502' });
  const UNKNOWN = verdict({ health: 'unknown', reason: 'not probed' });
  const LOST = verdict({ health: 'unknown', fault: 'connection', reason: 'away' });
  const STRANGER = verdict({ proof: 'contradicted', reason: 'another' });

  /** The ways in the order in which they were asked, and the chosen one. */
  const tried = (all: Candidate, who: Parameters<typeof standing>[0], ...answers: readonly Verdict[]) => {
    const steps = tryEntryPoints(all, standing(who), rules);
    const asked: string[] = [];
    let step = steps.next();
    while (step.done !== true) {
      asked.push(nameOf(step.value));
      step = steps.next(answers[asked.length - 1] as Verdict);
    }
    const chosen = chooseEntryPoint(all, step.value);
    return {
      asked,
      used: nameOf(chosen.entryPoint),
      better: chosen.better,
      evidence: chosen.entryPoint.evidence.length,
      why: groupEvidence(chosen.entryPoint).filter((each) => each !== GROUPED.detail),
    };
  };
  const abc = backend(way('a'), way('b'), way('c'));
  const used = (name: string) => ({ inUse: keys(name) });

  test.each<[string, Parameters<typeof standing>[0], readonly Verdict[], readonly string[], string]>([
    ['it is proven', {}, [HEALTHY], ['a'], 'a'],
    ['nothing speaks against it, and no other is in use', {}, [LOGIN], ['a'], 'a'],
    ['it is in use, and nothing speaks against it', used('a'), [UNKNOWN], ['a'], 'a'],
    ['it works, and a person named it', { ...used('b'), named: keys('a') }, [LOGIN], ['a'], 'a'],
  ])('end with the preferred one if %s', (_, who, answers, asked, name) => {
    expect(tried(abc, who, ...answers)).toMatchObject({ asked, used: name, why: [] });
  });

  test.each<[string, Parameters<typeof standing>[0], readonly Verdict[], readonly string[], string]>([
    ['the one in use, though it is not proven', used('b'), [LOGIN, LOGIN], ['a', 'b'], 'b'],
    ['the one in use, of which nothing is known', used('b'), [DEAD, UNKNOWN], ['a', 'b'], 'b'],
    ['the next one that works', {}, [DEAD, DEAD, LOGIN], ['a', 'b', 'c'], 'c'],
    [
      'the next one that works, where the one in use fails',
      used('c'),
      [DEAD, DEAD, LOGIN],
      ['a', 'c', 'b'],
      'b',
    ],
    ['one that works, where the one in use is lost', used('b'), [LOST, LOST, LOGIN], ['a', 'b', 'c'], 'c'],
    ['a living one rather than a stranger', {}, [STRANGER, LOGIN], ['a', 'b'], 'b'],
    ['no other one that is unknown', {}, [DEAD, UNKNOWN, LOGIN], ['a', 'b', 'c'], 'c'],
    ['one that works though a person named a dead one', { named: keys('a') }, [DEAD, LOGIN], ['a', 'b'], 'b'],
  ])('end with %s', (_, who, answers, asked, name) => {
    const result = tried(abc, who, ...answers);
    expect([result.asked, result.used]).toEqual([asked, name]);
    expect(result.evidence).toBe(abc.evidence.length + 1);
    expect(result.why).toEqual([
      expect.stringMatching(`^a is preferred, and ${name} is used until it works: Service a: `),
    ]);
  });

  test.each<[string, Parameters<typeof standing>[0], string]>([
    ['the preferred one', {}, 'a'],
    ['the one in use', used('b'), 'b'],
  ])('end with %s if none works, with all results', (_, who, name) => {
    const { asked, used: last, why } = tried(abc, who, DEAD, STRANGER, DEAD);
    expect([asked, last]).toEqual([['a', 'b', 'c'], name]);
    expect(why).toEqual([expect.stringMatching(/^no entry point works: .*; .*; /)]);
    for (const each of ['a: ', 'b: ', 'c: ']) expect(why[0]).toContain(each);
  });

  test('end with the one in use, without evidence, if all are unreachable', () => {
    expect(tried(abc, used('b'), LOST, LOST, LOST)).toMatchObject({
      asked: ['a', 'b', 'c'],
      used: 'b',
      why: [],
    });
  });

  test('for a mere hint, only a proven one can be used', () => {
    const hint = backend(way('a', { certainty: 'hint' }), way('b', { certainty: 'hint' }));
    expect(tried(hint, {}, LOGIN, HEALTHY).used).toBe('b');
    expect(tried(hint, {}, HEALTHY)).toMatchObject({ asked: ['a'], used: 'a' });
  });

  test('of a kind that cannot prove itself, end with the preferred one once it works', () => {
    const own = (name: string): Candidate => candidate(offered(name, {}, { selector: { app: 'x' } }));
    const mcp = (name: string): Candidate =>
      candidate(service(name, { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
    expect(tried(backend(own('a'), own('b')), used('b'), LOGIN).used).toBe('a');
    expect(tried(backend(own('a'), own('b')), used('b'), DEAD, LOGIN).used).toBe('b');
    // An MCP server can: it answers as one.
    expect(tried(backend(mcp('a'), mcp('b')), used('b'), LOGIN, LOGIN).used).toBe('b');
  });

  test('that are only hints stay while they are in use and their state is unknown, and others otherwise', () => {
    const hint = (name: string) => way(name, { certainty: 'hint' });
    const all = backend(hint('a'), way('b'));
    expect(tried(all, used('a'), UNKNOWN)).toMatchObject({ asked: ['a'], used: 'a' });
    expect(tried(all, used('a'), DEAD, HEALTHY).used).toBe('b');
    expect(tried(all, {}, UNKNOWN, HEALTHY).used).toBe('b');
    // None works: the one that is more than a hint.
    expect(tried(all, {}, UNKNOWN, UNKNOWN).used).toBe('b');
    expect(tried(backend(way('b'), hint('a')), used('a'), UNKNOWN, UNKNOWN).used).toBe('a');
  });

  test('are chosen with the names of those that are preferred to them', () => {
    const all = backend(way('a'), way('b'), way('c'));
    expect(tried(all, {}, DEAD, LOGIN).better).toEqual(['a']);
    expect(tried(all, {}, HEALTHY).better).toEqual([]);
    expect(tried(all, used('b'), DEAD, LOST, DEAD).better).toEqual(['a']);
  });
});
