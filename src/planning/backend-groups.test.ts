import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignIds, type BackendGroup } from '../model/backend-id.ts';
import { toolsetOf } from '../model/documents.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { type Groups, groupsNote, publishedGroups } from './backend-groups.ts';
import { BACKEND_GROUPS } from './plan.ts';

const tool = (namespace: string, service: string, cluster?: string): PublishedTool => ({
  ...{ name: `${service}.${namespace}`, type: 'loki', endpoint: '', description: '', namespace },
  ...(cluster === undefined ? {} : { cluster }),
  metadata: { service },
});
const group = (namespace: string, ...names: string[]): BackendGroup => ({
  namespace,
  members: names.map((name) => ({ name, roles: [] })),
});
const observed = (tools: readonly PublishedTool[], text: string | undefined) => ({
  present: toolsetOf({}, () => tools),
  annotations: text === undefined ? {} : { [BACKEND_GROUPS]: text },
});
/** What another process reads of what one published. */
const published = (groups: Groups, tools: readonly PublishedTool[]): Groups =>
  publishedGroups(observed(tools, groupsNote(groups, tools).text || undefined));

describe('the published state has the Services behind an id', () => {
  test('nothing is stored for backends of one Service, whose id is its name', () => {
    const groups = new Map([['a/loki', group('a', 'loki')]]);
    expect(groupsNote(groups, [tool('a', 'loki')]).text).toBe('');
    expect(published(groups, [tool('a', 'loki')])).toEqual(groups);
  });

  test.each<[string, readonly string[]]>([
    ['the entry point changes', ['loki-read', 'loki']],
    ['the entry point is deleted', ['loki-read']],
    ['the Service with the name of the id is deleted', ['loki-gateway', 'loki-read']],
    ['an older one joins', ['aaa', 'loki-gateway']],
  ])('%s while no process runs: the id stays', (_, names) => {
    const groups = new Map([['a/loki', group('a', 'loki', 'loki-gateway', 'loki-read')]]);
    const before = published(groups, [tool('a', 'loki-gateway')]);
    expect(assignIds([group('a', ...names)], before)).toEqual(['a/loki']);
  });

  test('an id whose Service is deleted is not given to a new Service of that name', () => {
    const groups = new Map([['a/loki', group('a', 'loki-gateway')]]);
    const before = published(groups, [tool('a', 'loki-gateway')]);
    expect(assignIds([group('a', 'loki'), group('a', 'loki-gateway')], before)).toEqual([
      'a/loki.2',
      'a/loki',
    ]);
  });

  test('clusters and namespaces are separate', () => {
    const groups = new Map([
      ['a/loki', group('a', 'loki-gateway')],
      ['eu/west/a/loki', group('eu/west/a', 'loki-gateway', 'loki')],
    ]);
    const tools = [tool('a', 'loki-gateway'), tool('a', 'loki-gateway', 'eu/west')];
    expect(published(groups, tools)).toEqual(groups);
  });

  test('unpublished backends are not stored', () => {
    const groups = new Map([['a/loki', group('a', 'loki', 'loki-gateway')]]);
    expect(groupsNote(groups, [tool('b', 'loki')]).text).toBe('');
  });

  test('a backend of several Services is stored, also if the one with the name of the id is its entry point', () => {
    const groups = new Map([['a/loki', group('a', 'loki', 'loki-gateway')]]);
    expect(published(groups, [tool('a', 'loki')])).toEqual(groups);
  });

  test('of very many Services, the entry point and the oldest are stored', () => {
    const members = Array.from({ length: 12 }, (_, index) => ({
      name: `loki-${index}`,
      created: `20${30 - index}-01-01T00:00:00Z`,
      roles: [],
    }));
    const groups = new Map([['a/loki', { namespace: 'a', members }]]);
    expect(JSON.parse(groupsNote(groups, [tool('a', 'loki-1')]).text)).toEqual({
      a: { loki: ['loki-1', ...[11, 10, 9, 8, 7, 6, 5].map((index) => `loki-${index}`)] },
    });
  });

  test("people's own tools have no id, because no Service is behind them", () => {
    const { namespace: _, ...nowhere } = tool('a', 'loki');
    expect(publishedGroups(observed([nowhere, { ...tool('a', 'loki'), metadata: {} }], undefined))).toEqual(
      new Map(),
    );
  });
});

describe('texts from others', () => {
  test.each([
    'x',
    '[]',
    'null',
    '{"a":null}',
    '{"a":{"loki":"loki"}}',
    '{"a":{"b/loki":["loki"]}}',
    '{"a":{"loki":["../b/loki"]}}',
    '{"a":{"loki":[7]}}',
    '{"a":{"loki":["loki-gateway","loki",7]}}',
    '{"a":{"loki-gateway":[""],"tempo":["loki-gateway","tempo"]}}',
  ])('%s counts as absent', (text) => {
    expect(publishedGroups(observed([tool('a', 'loki')], text))).toEqual(
      new Map([['a/loki', group('a', 'loki')]]),
    );
  });

  test('no backend gets the id of another one that is published, or a Service of it', () => {
    const tools = [tool('a', 'loki'), tool('a', 'loki-gateway')];
    const text = '{"a":{"loki":["loki-gateway","loki-read"],"other":["loki-read","loki"]}}';
    expect(publishedGroups(observed(tools, text))).toEqual(
      new Map([['a/loki', group('a', 'loki-gateway', 'loki-read')]]),
    );
  });

  test('nothing is known of backends that are not published', () => {
    const text = '{"a":{"tempo":["tempo","tempo-query"]}}';
    expect(publishedGroups(observed([tool('a', 'loki')], text))).toEqual(
      new Map([['a/loki', group('a', 'loki')]]),
    );
  });

  test('a backend has at most eight Services', () => {
    const names = ['loki', ...Array.from({ length: 9 }, (_, index) => `loki-${index}`)];
    const groups = publishedGroups(observed([tool('a', 'loki')], JSON.stringify({ a: { loki: names } })));
    expect(groups).toEqual(new Map([['a/loki', group('a', ...names.slice(0, 8))]]));
  });

  test('no text gives a backend an id of another namespace, and no Service is in two groups', () => {
    const name = fc.constantFrom('loki', 'loki.2', 'b', '', 'b/loki', '../b', '__proto__');
    const content = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'a/b', '__proto__'),
      fc.dictionary(name, fc.array(fc.oneof(name, fc.constant(1)), { maxLength: 12 })),
    );
    const tools = [tool('a', 'loki'), tool('b', 'loki'), tool('b', 'b')];
    fc.assert(
      fc.property(content, (each) => {
        const groups = publishedGroups(observed(tools, JSON.stringify(each)));
        const members = [...groups.values()].flatMap(({ namespace, members }) =>
          members.map((member) => `${namespace}/${member.name}`),
        );
        expect(new Set(members).size).toBe(members.length);
        for (const [id, { namespace }] of groups) expect(id.slice(0, id.lastIndexOf('/'))).toBe(namespace);
      }),
    );
  });
});

test('many backends of one namespace leave room for those of others, and omissions are reported', () => {
  const long = (index: number): string => `${'x'.repeat(50)}-${index}`;
  const many = Array.from({ length: 2_000 }, (_, index) => group('greedy', `s-${index}`, long(index)));
  const groups = new Map([
    ...many.map((each, index) => [`greedy/s-${index}`, each] as const),
    ['shop/loki', group('shop', 'loki', 'loki-gateway')],
  ]);
  const tools = [...many.map((_, index) => tool('greedy', long(index))), tool('shop', 'loki-gateway')];
  const { text, omitted } = groupsNote(groups, tools);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(48 * 1024);
  expect([...omitted.keys()]).toEqual(['greedy']);
  expect(JSON.parse(text).shop).toEqual({ loki: ['loki-gateway', ''] });
  const kept = Object.keys(JSON.parse(text).greedy).length;
  expect(kept + (omitted.get('greedy') ?? 0)).toBe(2_000);
  // Which ones are omitted does not depend on the order in which they were found.
  expect(groupsNote(new Map([...groups].reverse()), tools).text).toBe(text);
});

test('a part keeps its id, and that of a backend which it was in', () => {
  const groups = new Map([
    ['a/lgtm:3100', group('a', 'lgtm:3100', 'loki')],
    ['a/lgtm:3200.2', group('a', 'lgtm:3200', 'tempo')],
  ]);
  const tools = [tool('a', 'lgtm:3100'), tool('a', 'tempo')];
  const before = published(groups, tools);
  expect([...before.keys()]).toEqual([...groups.keys()]);
  expect(assignIds([group('a', 'loki'), group('a', 'lgtm:3200')], before)).toEqual([...groups.keys()]);
});
