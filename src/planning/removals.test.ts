import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toolset } from '../../test/fixtures/unit/toolset.ts';
import type { Documents } from '../model/documents.ts';
import {
  type Cause,
  countsOf,
  type FoundTools,
  failingTools,
  heldSince,
  type Loss,
  losses,
  type RemovalOptions,
  removals as removalsIn,
  stillGone,
  stillMissing,
} from './removals.ts';

interface ToolText {
  readonly name: string;
  readonly endpoint?: string;
  readonly service?: string | undefined;
}

function toolOf(text: string | ToolText) {
  const tool: ToolText = typeof text === 'string' ? { name: text, service: text } : text;
  const { name, service } = tool;
  const endpoint = tool.endpoint ?? `http://${name}:80`;
  return { name, endpoint, namespace: 'ns', metadata: service === undefined ? {} : { service } };
}

const documents = (...tools: (string | ToolText)[]): Documents => ({
  'toolset.json': JSON.stringify({ tools: tools.map(toolOf) }),
  'custom_toolset.yaml': '',
});
const found = (
  usable: readonly string[] = [],
  unusable: readonly (readonly [string, Cause])[] = [],
): FoundTools => ({ usable: new Set(usable), unusable: new Map(unusable) });

describe('a published tool is lost', () => {
  test.each<[string, Documents, Documents, FoundTools, [string, Cause][]]>([
    ['its Service is not seen any more', documents('a', 'b'), documents('b'), found(), [['a', 'gone']]],
    [
      'and why, where that is known',
      documents('a', 'b', 'c'),
      documents(),
      found(
        [],
        [
          ['a', 'unhealthy'],
          ['b', 'contradicted'],
          ['c', 'not ready'],
        ],
      ),
      [
        ['a', 'unhealthy'],
        ['b', 'contradicted'],
        ['c', 'not ready'],
      ],
    ],
    [
      'not if overrides left it out, because it is found and healthy',
      documents('a'),
      documents(),
      found(['a']),
      [],
    ],
    ['not if overrides had added it', documents({ name: 'a', service: undefined }), documents(), found(), []],
    [
      'not if it has another name now, and the same endpoint',
      documents({ name: 'a', endpoint: 'http://x:1', service: 's' }),
      documents({ name: 'b', endpoint: 'http://x:1', service: 't' }),
      found(),
      [],
    ],
    [
      'not if it has another name now, and the same Service',
      documents({ name: 'a', endpoint: 'http://x:1', service: 's' }),
      documents({ name: 'b', endpoint: 'http://x:2', service: 's' }),
      found(),
      [],
    ],
    [
      'nothing if the published document is not ours',
      { ...documents(), 'toolset.json': 'oops' },
      documents(),
      found(),
      [],
    ],
  ])('%s', (_, before, next, tools, lost) => {
    expect(
      losses(toolset(before).tools, toolset(next).tools, tools).map(({ tool, cause }) => [tool, cause]),
    ).toEqual(lost);
  });
  test('if nothing was published, nothing is lost', () => {
    expect(losses([], toolset(documents()).tools, found())).toEqual([]);
  });
});

const NOW = Date.parse('2026-01-01T00:00:00Z');
const HOLD: RemovalOptions = { hold: 300_000, once: false };
const lost = (cause: Cause, ...tools: string[]): Loss[] =>
  tools.map((tool) => ({ tool, namespace: 'ns', service: `ns/${tool}`, cause }));
/** What becomes of tools that all are of one namespace. */
const removals = (tools: readonly Loss[], all: number, ...rest: Rest) =>
  removalsIn(tools, new Map([['ns', all]]), ...rest);
type Rest = Parameters<typeof removalsIn> extends [unknown, unknown, ...infer R] ? R : never;
const held = (...args: Parameters<typeof removals>): readonly string[] => removals(...args).held;

describe('a tool that the configuration excludes', () => {
  const excludes =
    (...names: string[]) =>
    ({ name }: { readonly name: string }) =>
      names.includes(name) ? 'off' : undefined;

  test('is not lost, whatever its state', () => {
    const before = documents('a', 'b', 'c');
    const unusable = found([], [['b', 'unhealthy']]);
    const lost = losses(toolset(before).tools, [], unusable, excludes('a', 'b'));
    expect(lost.map(({ tool }) => tool)).toEqual(['c']);
  });

  test('does not count', () => {
    expect(countsOf(toolset(documents('a', 'b', 'c')).tools, excludes('a', 'b'))).toEqual(
      new Map([['ns', 1]]),
    );
  });
});

describe('threshold', () => {
  test.each<[string, number, number, boolean]>([
    ['more than half, and three', 3, 5, true],
    ['all of three', 3, 3, true],
    ['half of six', 3, 6, false],
    ['both of two', 2, 2, true],
    ['two of three', 2, 3, false],
    ['the only one', 1, 1, false],
  ])('%s', (_, gone, all, isHeld) => {
    const tools = lost('gone', ...['a', 'b', 'c'].slice(0, gone));
    expect(held(tools, all, undefined, NOW, HOLD)).toHaveLength(isHeld ? gone : 0);
  });
});

describe('scope', () => {
  const of = (namespace: string, ...tools: string[]): Loss[] =>
    tools.map((tool) => ({ tool, namespace, service: `${namespace}/${tool}`, cause: 'unhealthy' }));

  test('a namespace that loses most of its tools is held, however many tools others have', () => {
    const all = new Map([
      ['monitoring', 4],
      ['evil', 60],
    ]);
    const tools = of('monitoring', 'a', 'b', 'c', 'd');
    expect(removalsIn(tools, all, undefined, NOW, HOLD).held).toEqual(['a', 'b', 'c', 'd']);
    expect(removalsIn([...tools, ...of('evil', 'x')], all, undefined, NOW, HOLD)).toMatchObject({
      held: ['a', 'b', 'c', 'd'],
      released: [{ tool: 'x' }],
    });
  });

  const counts = (all: Record<string, number>) => new Map(Object.entries(all));
  const heldIn = (tools: readonly Loss[], all: Record<string, number>): readonly string[] =>
    removalsIn(tools, counts(all), undefined, NOW, HOLD).held;
  const many = (namespace: string, count: number): Loss[] =>
    of(namespace, ...Array.from({ length: count }, (_, index) => `${namespace}-${index}`));

  test.each<[string, readonly Loss[], Record<string, number>, number]>([
    ['three namespaces lose their only tool', [...many('a', 1), ...many('b', 1), ...many('c', 1)], {}, 3],
    ['two namespaces lose all that is published', [...many('a', 5), ...many('b', 1)], {}, 6],
    ['most is lost, whichever namespace is left out', [...many('a', 9), ...many('b', 3)], { b: 5 }, 12],
  ])('an outage holds all: %s', (_, tools, more, expected) => {
    const own = Map.groupBy(tools, ({ namespace }) => namespace);
    const all = { ...Object.fromEntries([...own].map(([name, each]) => [name, each.length])), ...more };
    expect(heldIn(tools, all)).toHaveLength(expected);
  });

  test('a namespace that removes all of its many tools delays no removal elsewhere', () => {
    const evil = many('evil', 60);
    const tools = [...evil, ...of('shop', 'old'), ...of('apps', 'only')];
    const all = { evil: 60, shop: 4, apps: 1, monitoring: 8 };
    expect(heldIn(tools, all)).toEqual(evil.map(({ tool }) => tool));
    const before = removalsIn(evil, counts(all), undefined, NOW, HOLD);
    const after = removalsIn(tools, counts(all), before.note, NOW + 20_000, HOLD);
    expect(after.released.map(({ tool }) => tool)).toEqual(['old', 'only']);
    const gone = evil.map((each) => ({ ...each, at: NOW }));
    const rest = counts({ shop: 4, apps: 1, monitoring: 8 });
    expect(removalsIn(tools.slice(60), rest, undefined, NOW + 20_000, HOLD, gone).held).toEqual([]);
  });

  test('whatever one namespace removes, others that remove at most half of their tools are not held', () => {
    const share = fc
      .integer({ min: 1, max: 8 })
      .chain((all) => fc.record({ all: fc.constant(all), lost: fc.nat(Math.floor(all / 2)) }));
    fc.assert(
      fc.property(
        fc.array(share, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 99 }),
        (others, size) => {
          const all = Object.fromEntries(others.map((each, index) => [`ns-${index}`, each.all]));
          const ordinary = others.flatMap(({ lost }, index) => many(`ns-${index}`, lost));
          const held = heldIn([...ordinary, ...many('evil', size)], { ...all, evil: size });
          expect(held.filter((tool) => !tool.startsWith('evil'))).toEqual([]);
        },
      ),
    );
  });

  test('recently removed tools count with new removals', () => {
    const first = removals(lost('unhealthy', 'a', 'b'), 4, undefined, NOW, HOLD);
    expect(first.held).toEqual([]);
    const gone = first.released.map((each) => ({ ...each, at: NOW }));
    expect(held(lost('unhealthy', 'c'), 2, undefined, NOW + 20_000, HOLD, gone)).toEqual(['c']);
    expect(held(lost('unhealthy', 'c'), 2, undefined, NOW + 300_000, HOLD, gone)).toEqual([]);
    expect(held(lost('unhealthy', 'c'), 20, undefined, NOW + 20_000, HOLD, gone)).toEqual([]);
  });

  const failingIn = (namespace: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({ namespace, service: `${namespace}/failing-${index}` }));

  test('failing tools, which are not lost yet, count with those that are', () => {
    const failing = (count: number) => failingIn('ns', count);
    const one = lost('unhealthy', 'a');
    expect(removals(one, 4, undefined, NOW, HOLD, [], failing(2)).held).toEqual(['a']);
    expect(removals(one, 6, undefined, NOW, HOLD, [], failing(2)).held).toEqual([]);
    expect(removals([], 4, undefined, NOW, HOLD, [], failing(4)).held).toEqual([]);
    // Those of one namespace hold nothing elsewhere.
    const evil = failingIn('evil', 9);
    const all = new Map([
      ['ns', 4],
      ['evil', 9],
    ]);
    expect(removalsIn(one, all, undefined, NOW, HOLD, [], evil).held).toEqual([]);
  });

  test('of failing tools, published ones with a Service count, which the configuration does not exclude', () => {
    const { tools } = toolset(documents('a', 'b', 'c', { name: 'mine', service: undefined }));
    const state = { ...found(['a', 'b', 'mine', 'new']), failing: new Set(['a', 'b', 'mine', 'new']) };
    const failing = failingTools(tools, state, ({ name }) => (name === 'b' ? 'off' : undefined));
    expect(failing).toEqual([{ namespace: 'ns', service: 'ns/a' }]);
  });

  test("operators' tools do not count", () => {
    const counts = countsOf(toolset(documents('a', 'b', { name: 'mine', service: undefined })).tools);
    expect(counts).toEqual(new Map([['ns', 2]]));
  });
});

test('a hold continues when others are lost, and when some come back', () => {
  const tools = lost('gone', 'a', 'b', 'c', 'd');
  const first = removalsIn(tools, new Map([['ns', 4]]), undefined, NOW, HOLD);
  const more = new Map([
    ['ns', 4],
    ['evil', 40],
  ]);
  const half = tools.slice(2);
  expect(removalsIn(half, more, first.note, NOW + 20_000, HOLD).held).toEqual(['c', 'd']);
  expect(removalsIn(lost('gone', 'd'), more, first.note, NOW + 299_000, HOLD).held).toEqual(['d']);
  expect(removalsIn(lost('gone', 'd'), more, first.note, NOW + 300_000, HOLD).held).toEqual([]);
});

test('while everything stays, the time of removable tools does not restart', () => {
  const first = removals(lost('gone', 'a', 'b', 'c'), 4, undefined, NOW, HOLD);
  // One more is lost later, and what the first three were held for is over.
  const all = lost('gone', 'a', 'b', 'c', 'd');
  const second = removals(all, 4, first.noteOfAll, NOW + 290_000, HOLD);
  const third = removals(all, 4, second.noteOfAll, NOW + 310_000, HOLD);
  expect(third.held).toEqual(['d']);
  expect(removals(all, 4, third.noteOfAll, NOW + 590_000, HOLD).held).toEqual([]);
});

describe('duration', () => {
  test.each<[Cause, number]>([
    ['gone', 300_000],
    ['contradicted', 300_000],
    ['unhealthy', 300_000],
    ['not ready', 15_000],
  ])('%s: %d ms', (cause, milliseconds) => {
    const tools = lost(cause, 'a', 'b', 'c');
    const first = removals(tools, 3, undefined, NOW, HOLD);
    expect(first).toMatchObject({ until: NOW + milliseconds, due: milliseconds });
    expect(held(tools, 3, first.note, NOW + milliseconds - 1, HOLD)).toEqual(['a', 'b', 'c']);
    expect(held(tools, 3, first.note, NOW + milliseconds, HOLD)).toEqual([]);
  });
  test('a shorter setting applies to all causes', () => {
    const options = { hold: 1_000, once: false };
    expect(removals(lost('not ready', 'a', 'b'), 2, undefined, NOW, options).due).toBe(1_000);
  });
  test('per tool: one that is lost later stays longer', () => {
    const first = removals(lost('gone', 'a', 'b', 'c'), 4, undefined, NOW, HOLD);
    const all = lost('gone', 'a', 'b', 'c', 'd');
    const second = removals(all, 4, first.note, NOW + 200_000, HOLD);
    expect(second.held).toEqual(['a', 'b', 'c', 'd']);
    const third = removals(all, 4, second.note, NOW + 300_000, HOLD);
    expect(third).toMatchObject({ held: ['d'], due: 200_000 });
  });
  test('a tool that came back starts again', () => {
    const first = removals(lost('gone', 'a', 'b', 'c'), 3, undefined, NOW, HOLD);
    const back = removals([], 3, first.note, NOW + 100_000, HOLD);
    expect(back).toMatchObject({ held: [], released: [], until: undefined, due: undefined, note: undefined });
  });
  test('a start in the future, from a clock that was ahead, at most doubles it', () => {
    const ahead = removals(lost('gone', 'a', 'b'), 2, undefined, NOW + 86_400_000, HOLD);
    const again = removals(lost('gone', 'a', 'b'), 2, ahead.note, NOW, HOLD);
    expect(again.due).toBe(300_000);
    expect(held(lost('gone', 'a', 'b'), 2, again.note, NOW + 300_000, HOLD)).toEqual([]);
  });
  test.each(['', 'oops', '2026-01-01T00:00:00Z', 'x 12345678', '; ;'])(
    'an invalid note (%j) counts as none',
    (note) => {
      expect(removals(lost('gone', 'a', 'b'), 2, note, NOW, HOLD).due).toBe(300_000);
    },
  );
});

describe('a process with a single pass', () => {
  const once = { hold: 300_000, once: true };
  test.each<Cause>(['unhealthy', 'contradicted'])('one failed probe removes no tool: %s', (cause) => {
    const first = removals(lost(cause, 'a'), 5, undefined, NOW, once);
    expect(first.held).toEqual(['a']);
    expect(held(lost(cause, 'a'), 5, first.note, NOW + 30_000, once)).toEqual([]);
  });
  test.each<Cause>(['gone', 'not ready'])(
    'information from Kubernetes needs no confirmation: %s',
    (cause) => {
      expect(held(lost(cause, 'a'), 5, undefined, NOW, once)).toEqual([]);
    },
  );
  test('a hold ends in a later run', () => {
    const tools = lost('unhealthy', 'a', 'b', 'c');
    const first = removals(tools, 4, undefined, NOW, once);
    const second = removals(tools, 4, first.note, NOW + 60_000, once);
    expect(second.held).toEqual(['a', 'b', 'c']);
    expect(held(tools, 4, second.note, NOW + 300_000, once)).toEqual([]);
  });
});

test('for any sequence of losses, a tool that stays lost is removed after the hold', () => {
  const tool: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const pass = fc.record({ missed: fc.uniqueArray(tool), after: fc.integer({ min: 0, max: 200_000 }) });
  fc.assert(
    fc.property(fc.array(pass, { minLength: 1, maxLength: 30 }), (passes) => {
      let now = NOW;
      let note: string | undefined;
      const since = new Map<string, number>();
      for (const { missed, after } of passes) {
        now += after;
        for (const name of since.keys()) if (!missed.includes(name)) since.delete(name);
        const result = removals(lost('gone', ...missed), 5, note, now, HOLD);
        for (const name of missed) {
          // What is remembered is forgotten where too few were missed, so it may only have begun later.
          if (!result.held.includes(name)) since.delete(name);
          else if (!since.has(name)) since.set(name, now);
          expect(now - (since.get(name) ?? now)).toBeLessThan(300_000 + 1_000);
        }
        note = result.note;
      }
    }),
  );
});

test('removed tools count for as long as a hold lasts, even if the clock was set back', () => {
  const at = (time: number) => ({ tool: 'a', namespace: 'ns', service: 'ns/a', at: time });
  const times = [NOW - 300_000, NOW - 299_999, NOW, NOW + 1].map(at);
  expect(stillGone(times, NOW, 300_000)).toEqual([at(NOW - 299_999), at(NOW)]);
});

test('removed tools count in an outage of several namespaces, otherwise only in their own namespace', () => {
  const all = new Map([
    ['a', 3],
    ['b', 4],
  ]);
  const gone = ['x', 'y', 'z'].map((tool) => ({ tool, namespace: 'a', service: `a/${tool}`, at: NOW }));
  const inB = (tool: string): Loss => ({ tool, namespace: 'b', service: `b/${tool}`, cause: 'unhealthy' });
  const one = [inB('b-0')];
  expect(removalsIn(one, all, undefined, NOW, HOLD, gone)).toMatchObject({ held: [], released: one });
  // Of a namespace of which nothing is left, too: six of seven are lost, and five of six.
  const left = new Map([['b', 4]]);
  const three = ['b-0', 'b-1', 'b-2'].map(inB);
  expect(removalsIn(three, left, undefined, NOW, HOLD, gone).held).toHaveLength(3);
});

describe('a Service counts once, whatever its tools are called', () => {
  const named = (tool: string, service: string, namespace = 'ns') => ({
    ...{ tool, namespace, service: `${namespace}/${service}` },
  });
  const loss = (tool: string, service: string): Loss => ({ ...named(tool, service), cause: 'gone' });
  const gone = (tool: string, service: string, namespace?: string) => ({
    ...named(tool, service, namespace),
    at: NOW,
  });

  test('a Service that went under another name before is no second loss', () => {
    expect(held([loss('n2', 's')], 1, undefined, NOW, HOLD, [gone('n1', 's')])).toEqual([]);
    const both = [gone('n1', 's'), gone('n2', 's')];
    expect(held([loss('n3', 's')], 1, undefined, NOW, HOLD, both)).toEqual([]);
    // Of three Services, one went under two names, and another goes now.
    expect(held([loss('a', 'a')], 2, undefined, NOW, HOLD, both)).toEqual([]);
    // Other Services do count.
    expect(held([loss('n2', 's')], 1, undefined, NOW, HOLD, [gone('n1', 't')])).toEqual(['n2']);
  });

  test('several tools of one Service are one loss, of those that fail too', () => {
    const tools = ['a', 'b', 'c'].map((tool) => loss(tool, 's'));
    expect(held(tools, 1, undefined, NOW, HOLD)).toEqual([]);
    expect(held(tools, 1, undefined, NOW, HOLD, [], [{ namespace: 'ns', service: 'ns/s' }])).toEqual([]);
    const published = ['a', 'b', 'c'].map((name) => ({ name, service: 's' }));
    expect(countsOf(toolset(documents(...published)).tools)).toEqual(new Map([['ns', 1]]));
  });

  test('so are the parts of a Service', () => {
    const parts = [3000, 3100, 9090].map((port) => ({ name: `s_${port}`, service: `s:${port}` }));
    const before = toolset(documents({ name: 's', service: 's' }, ...parts)).tools;
    expect(countsOf(before)).toEqual(new Map([['ns', 1]]));
    const lost = losses(before, [], { usable: new Set(), unusable: new Map() });
    expect(new Set(lost.map(({ service }) => service))).toEqual(new Set(['ns/s']));
    const others = toolset(documents({ name: 's', service: 's' })).tools;
    const found = { usable: new Set<string>(), unusable: new Map() };
    expect(losses(before, others, found).map(({ tool }) => tool)).toEqual(['s_3000', 's_3100', 's_9090']);
  });

  test('a Service that is published again is not missing, and names of other namespaces change nothing', () => {
    const { tools } = toolset(documents({ name: 'n2', service: 's' }, 'kept'));
    const renamed = gone('n1', 's');
    const moved = gone('kept', 'former');
    const away = gone('n1', 't');
    const elsewhere = gone('kept', 's', 'other');
    expect(stillMissing([renamed, moved, away, elsewhere], tools)).toEqual([away, elsewhere]);
  });
});

describe('the note', () => {
  test('says since when each tool is held', () => {
    const { note } = removals(lost('gone', 'a', 'b'), 2, undefined, NOW, HOLD);
    expect([heldSince(note, 'a'), heldSince(note, 'c'), heldSince(undefined, 'a')]).toEqual([
      NOW,
      undefined,
      undefined,
    ]);
  });

  test('has the times in order, in any order of losses', () => {
    const first = removals(lost('gone', 'a', 'b', 'c'), 4, undefined, NOW, HOLD);
    const second = removals(lost('gone', 'd', 'c', 'b', 'a'), 4, first.note, NOW + 200_000, HOLD);
    expect(second.note).toMatch(
      /^2026-01-01T00:00:00Z( [0-9a-f]{8}){3}; 2026-01-01T00:03:20Z( [0-9a-f]{8}){1}$/,
    );
  });

  test('with an invalid time counts as none, and starts no hold', () => {
    const { note = '' } = removals(lost('gone', 'a', 'b'), 2, undefined, NOW, HOLD);
    const broken = note.replace('2026-01-01T00:00:00Z', '2026-99-01T00:00:00Z');
    expect(removals(lost('gone', 'a', 'b'), 2, broken, NOW, HOLD)).toMatchObject({
      held: ['a', 'b'],
      due: 300_000,
    });
  });
});

test('of holds with several ends, the first is due and the last is reported', () => {
  const tools = [...lost('not ready', 'a', 'b'), ...lost('gone', 'c')];
  expect(removals(tools, 3, undefined, NOW, HOLD)).toMatchObject({ until: NOW + 300_000, due: 15_000 });
});

test('a tool that moved to another Service and address under its name is not lost', () => {
  const before = documents({ name: 'a', endpoint: 'http://x:1', service: 's' });
  const after = documents({ name: 'a', endpoint: 'http://y:1', service: 't' });
  expect(losses(toolset(before).tools, toolset(after).tools, found())).toEqual([]);
});
