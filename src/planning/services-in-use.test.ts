import { describe, expect, test } from 'vitest';
import type { PublishedTool } from '../model/published-tools.ts';
import {
  inUseNote,
  publishedInUse,
  type ServiceInUse,
  type StoredName,
  storedNames,
} from './services-in-use.ts';

const inUse = (name: string, others: readonly string[] = [], tool = `${name}.shop`): ServiceInUse => ({
  service: { cluster: '', namespace: 'shop', name },
  tool,
  others,
});
const tool = (service: string, alternates = '', name = `${service}.shop`): PublishedTool => ({
  ...{ name, type: 'loki', endpoint: '', description: '', namespace: 'shop' },
  metadata: { service, ...(alternates === '' ? {} : { alternates }) },
});

test('what published tools show is not stored', () => {
  const tools = [tool('loki', 'loki-read,loki-write', 'logs'), tool('tempo')];
  const all = [inUse('loki', ['loki-write', 'loki-read'], 'logs'), inUse('tempo')];
  expect(inUseNote(all, tools)).toEqual({ text: '', omitted: new Map() });
  expect(publishedInUse(tools, undefined)).toEqual([
    inUse('loki', ['loki-read', 'loki-write'], 'logs'),
    inUse('tempo'),
  ]);
});

test('Services that may take its place, and are gone, are stored', () => {
  const all = [inUse('loki', ['loki-gateway', 'loki-read'])];
  const tools = [tool('loki', 'loki-read')];
  const { text } = inUseNote(all, tools);
  expect(publishedInUse(tools, text)).toEqual(all);
});

test('what they do not show is read back, with its name, in its cluster', () => {
  const elsewhere: ServiceInUse = {
    service: { cluster: 'eu/west', namespace: 'shop', name: 'loki' },
    ...{ tool: 'logs-eu', others: [] },
  };
  const all = [inUse('loki', ['loki-read']), elsewhere, inUse('tempo', [], 'traces')];
  const { text } = inUseNote(all, []);
  expect(JSON.parse(text)).toEqual({
    shop: { loki: ['', 'loki-read'], tempo: ['traces'] },
    'eu/west/shop': { loki: ['logs-eu'] },
  });
  expect(new Set(publishedInUse([], text))).toEqual(new Set(all));
});

test.each<[string, readonly string[], string]>([
  ['fewer', ['loki-read'], 'loki-read,loki-write'],
  ['others', ['loki-write'], 'loki-read'],
])('%s than the tool shows are stored, and count', (_, others, alternates) => {
  const tools = [tool('loki', alternates, 'logs')];
  const { text } = inUseNote([inUse('loki', others, 'logs')], tools);
  expect(publishedInUse(tools, text)).toEqual([inUse('loki', others, 'logs')]);
});

test('what the annotation has comes first, so that others cannot crowd it out', () => {
  const { text } = inUseNote([inUse('victim')], []);
  expect(publishedInUse([tool('a'), tool('b')], text).map(({ service: { name } }) => name)).toEqual([
    'victim',
    'a',
    'b',
  ]);
});

test.each([
  'no JSON',
  '{"shop": {"Not a Service": ["x"]}}',
  '{"shop": {"loki": "x"}}',
  '{"shop": {"loki": [1]}}',
  '{"shop": {"loki": []}}',
])('%s says nothing', (text) => {
  expect(publishedInUse([], text)).toEqual([]);
});

test('when a backend came into use is stored if its Service is younger, also if a tool shows it', () => {
  const all = [{ ...inUse('loki', ['loki-read']), since: 1_764_000_000 }];
  const tools = [tool('loki', 'loki-read')];
  const { text } = inUseNote(all, tools);
  expect(JSON.parse(text)).toEqual({ shop: { loki: ['', 0, 1_764_000_000, 'loki-read'] } });
  expect(publishedInUse(tools, text)).toEqual(all);
});

test('those that take the place of an entry point back are stored, also if a tool shows it', () => {
  const all = [{ ...inUse('loki', ['loki-read']), since: 1_764_000_000, owners: ['loki-read'] }];
  const tools = [tool('loki', 'loki-read')];
  const { text } = inUseNote(all, tools);
  expect(JSON.parse(text)).toEqual({ shop: { loki: ['', 0, 1_764_000_000, 'loki-read', ['loki-read']] } });
  expect(publishedInUse(tools, text)).toEqual(all);
  const odd = '{"shop":{"loki":["","loki-read",["loki-read",1,"X"]]}}';
  expect(publishedInUse([], odd)).toEqual([{ ...inUse('loki', ['loki-read']), owners: ['loki-read'] }]);
});

test('those that take the place of an entry point back are stored without a time, too', () => {
  const all = [{ ...inUse('loki', ['loki-read']), owners: ['loki-read'] }];
  const tools = [tool('loki', 'loki-read')];
  expect(publishedInUse(tools, inUseNote(all, tools).text)).toEqual(all);
});

test('what is stored does not change the name that is published, nor when the Service was created', () => {
  const { text } = inUseNote([inUse('loki', ['loki-gateway'], 'logs')], []);
  const created = '2026-01-01T00:00:00Z';
  const shown = tool('loki', '', 'newer-name');
  const tools = [{ ...shown, metadata: { ...shown.metadata, created } }];
  expect(publishedInUse(tools, text)).toEqual([
    { ...inUse('loki', ['loki-gateway'], 'newer-name'), created },
  ]);
  expect(publishedInUse(tools, undefined)).toEqual([{ ...inUse('loki', [], 'newer-name'), created }]);
});

test.each<[string, readonly unknown[], Partial<ServiceInUse>]>([
  ['a time alone is none', ['', 5, 'loki-read'], {}],
  ['a text is no time', ['', 'loki-read', 5], {}],
  ['what is no Service is left out', ['', 'loki-read', '../loki', 7], {}],
  ['a Service that is gone has two times', ['', 7, 5, 'loki-read'], { gone: { at: 7, used: 5 } }],
])('%s', (_, value, expected) => {
  expect(publishedInUse([], JSON.stringify({ shop: { loki: value } }))).toEqual([
    { ...inUse('loki', ['loki-read']), ...expected },
  ]);
});

test('of very many other Services, the first sixteen are written, and read', () => {
  const many = Array.from({ length: 20 }, (_, index) => `loki-${index}`);
  const first = many.slice(0, 16);
  const gone = { at: 7, used: 5 };
  const name = { name: 'logs', cluster: '', namespace: 'shop', members: many, gone };
  const { text } = inUseNote([{ ...inUse('loki', many), gone, owners: many }], [], [name]);
  expect(JSON.parse(text)).toEqual({
    shop: { loki: ['', 7, 5, ...first, first], '@logs': [7, 5, ...first] },
  });
  const longer = JSON.stringify({ shop: { loki: ['', 7, 5, ...many, many], '@logs': [7, 5, ...many] } });
  for (const each of [text, longer]) {
    expect(publishedInUse([], each)).toEqual([{ ...inUse('loki', first), gone, owners: first }]);
    expect(storedNames(each)).toEqual([{ ...name, members: first }]);
  }
});

test("people's own tools are no Services in use", () => {
  const { namespace: _, ...nowhere } = tool('loki');
  expect(publishedInUse([nowhere, { ...tool('loki'), metadata: {} }], undefined)).toEqual([]);
});

test('a name that is asked for now has no times', () => {
  const name = { name: 'logs', cluster: '', namespace: 'shop', members: ['loki'], gone: undefined };
  const { text } = inUseNote([], [], [name]);
  expect(JSON.parse(text)).toEqual({ shop: { '@logs': [0, 0, 'loki'] } });
  expect(storedNames(text)).toEqual([name]);
});

test.each([
  'no JSON',
  '{"shop": {"loki": ["", 7, 5, "loki-read"]}}',
  '{"shop": {"loki": [7, 5, "loki-read"]}}',
  '{"shop": {"@logs": 7}}',
  '{"shop": {"@logs": {"0": 7, "1": 5}}}',
  '{"shop": {"@logs": ["x", 5, "loki"]}}',
  '{"shop": {"@logs": [7, "x", "loki"]}}',
])('%s has no names', (text) => {
  expect(storedNames(text)).toEqual([]);
});

test('what is no Service is not read as one that a name belongs to', () => {
  expect(storedNames('{"shop": {"@logs": [7, 5, "loki", "../loki", 7]}}')).toMatchObject([
    { members: ['loki'] },
  ]);
});

describe('in very many namespaces', () => {
  const KIB = 1024;
  const gone = { at: 1_764_000_000, used: 60 };
  const since = 1_764_000_000;
  const places = Array.from({ length: 3_000 }, (_, index) => `team-${index}`);
  const all = (kind: object): ServiceInUse[] =>
    places.map((namespace) => ({
      ...{ service: { cluster: '', namespace, name: 'loki' }, tool: `loki.${namespace}`, others: [] },
      ...kind,
    }));
  const tools = places.map((namespace) => ({ ...tool('loki', '', `loki.${namespace}`), namespace }));
  const names = places.map((namespace) => ({
    ...{ name: 'logs', cluster: '', namespace, members: ['loki'], gone },
  }));

  test.each<[string, number, Parameters<typeof inUseNote>]>([
    ['unhealthy backends take', 16 * KIB, [all({}), []]],
    ['ages take', 16 * KIB, [all({ since }), tools]],
    ['deleted backends take', 24 * KIB, [all({ gone }), []]],
    ['names take', 24 * KIB, [[], [], names]],
  ])('%s no more than %i bytes', (_, most, given) => {
    const size = Buffer.byteLength(inUseNote(...given).text);
    expect(size).toBeLessThanOrEqual(most);
    expect(size).toBeGreaterThan(most / 2);
  });
});

const LONG = 'x'.repeat(50);

test.each<[string, object, ServiceInUse, readonly PublishedTool[]]>([
  ['deleted backends displace no unhealthy one', { gone: { at: 7, used: 5 } }, inUse(LONG), []],
  [
    'unhealthy backends displace no age of a healthy one',
    { since: 7 },
    { ...inUse(LONG), since: 5 },
    [tool(LONG)],
  ],
])('many %s', (_, kind, kept, tools) => {
  const many = Array.from({ length: 800 }, (_, index) => ({ ...inUse(`${LONG}-${index}`), ...kind }));
  expect(publishedInUse(tools, inUseNote([...many, kept], tools).text)).toContainEqual(kept);
});

test('many deleted Services, or existing ones, displace no names, and no others', () => {
  const gone = { at: 1_764_000_000, used: 60 };
  const many = (kind: object) =>
    Array.from({ length: 400 }, (_, index) => ({ ...inUse(`${'x'.repeat(55)}-${index}`), ...kind }));
  const name = { name: 'logs', cluster: '', namespace: 'shop', members: ['loki'], gone };
  const long = { ...inUse('loki'), gone: { at: 1_764_000_000, used: 600 } };
  const { text } = inUseNote([...many({}), long, ...many({ gone })], [], [name]);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(80 * 1024);
  expect(storedNames(text)).toEqual([name]);
  expect(publishedInUse([], text)).toContainEqual(long);
});

test('the times of many healthy backends displace no unhealthy one', () => {
  const names = Array.from({ length: 800 }, (_, index) => `${'x'.repeat(40)}-${index}`);
  const healthy = names.map((name) => ({ ...inUse(name), since: 1_764_000_000 }));
  const { text, omitted } = inUseNote(
    [...healthy, inUse('loki')],
    names.map((name) => tool(name)),
  );
  expect(publishedInUse([], text)).toContainEqual(inUse('loki'));
  expect(publishedInUse([], text)).toContainEqual(healthy[0]);
  expect(omitted.get('shop')).toBeGreaterThan(400);
});

test('very many namespaces displace none that was in use longer', () => {
  const gone = (used: number) => ({ at: 1_764_000_000, used });
  const short = Array.from({ length: 2_000 }, (_, index) => ({
    ...{ name: 'x', cluster: '', namespace: `t${index}`, members: ['x'], gone: gone(10) },
  }));
  const names = ['a-name', 'another-name', 'a-third-name'].map((name) => ({
    ...{ name, cluster: '', namespace: 'shop', members: ['loki', 'loki-gateway'], gone: gone(600) },
  }));
  const { text } = inUseNote([], [], [...names, ...short]);
  expect(storedNames(text)).toEqual(expect.arrayContaining(names));
  // One with many takes only a part of what is for the longest, so others have some of it.
  const many = Array.from(
    { length: 400 },
    (_, index) => ({ ...names[0], name: `long-${index}` }) as StoredName,
  );
  const other = { ...(names[0] as StoredName), namespace: 'other', name: 'b'.repeat(60) };
  expect(storedNames(inUseNote([], [], [...many, other, ...short]).text)).toContainEqual(other);
});

test('a namespace with many leaves room for others, and one with many Services is cut', () => {
  const many = Array.from({ length: 3_000 }, (_, index) => inUse(`loki-with-a-long-name-${index}`));
  const other: ServiceInUse = {
    ...inUse('loki'),
    service: { cluster: '', namespace: 'other', name: 'loki' },
  };
  const { text, omitted } = inUseNote([...many, { ...other, tool: 'logs' }], []);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(80 * 1024);
  expect([...omitted.keys()]).toEqual(['shop']);
  expect(publishedInUse([], text)).toContainEqual({ ...other, tool: 'logs' });
  const crowd = Array.from({ length: 30 }, (_, index) => `loki-${index}`);
  const [kept] = publishedInUse([], inUseNote([inUse('loki', crowd)], []).text);
  expect(kept?.others).toEqual(crowd.slice(0, 16));
});

test('parts of Services are stored and read back', () => {
  const all = [inUse('lgtm:3100', ['loki'], 'lgtm_3100.shop'), inUse('loki', ['lgtm:3100'])];
  const names = [{ name: 'logs', cluster: '', namespace: 'shop', members: ['lgtm:3100'], gone: undefined }];
  const { text } = inUseNote(all, [], names);
  expect(publishedInUse([], text)).toEqual(all);
  expect(storedNames(text)).toEqual(names);
});
