import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { ToolOverride } from '../model/overrides.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { backendReferences, type KnownTypes, resolveOverrides } from './override-keys.ts';

const backend = (name: string, fields: Partial<DiscoveredService> = {}): DiscoveredService => ({
  ...discovered(service(name, { labels: { app: 'loki' }, ports: ['http:3100'] })),
  ...fields,
});
/** `monitoring/loki`, which `monitoring/loki-read` leads to as well. */
const LOKI = backend('loki', { alternates: ['loki-read'], displayNames: ['Team logs'], tool: 'Logs' });
const URL = 'http://mine:1';
const WHOLE = { type: 'loki', endpoint: URL, description: 'mine' };

const resolve = (tools: Record<string, ToolOverride>, found = [LOKI], types?: KnownTypes) =>
  resolveOverrides(found, overridesSchema.parse({ tools }), types);
/** What the backend LOKI gets. */
const change = (tools: Record<string, ToolOverride>, types?: KnownTypes) =>
  resolve(tools, [LOKI], types).changes.get(keyFor('monitoring/loki'));

describe('the target of a key', () => {
  const off = { enabled: false };

  test.each(['monitoring/loki', 'loki.monitoring', 'monitoring/loki-read', 'loki-read.monitoring'])(
    '%s is the backend of the Service',
    (key) => {
      const { changes, own, notes } = resolve({ [key]: off });
      expect([...changes]).toEqual([[keyFor('monitoring/loki'), { key, override: off }]]);
      expect([own, notes]).toEqual([[], []]);
    },
  );

  test('a backend has a key for each of its Services', () => {
    expect(backendReferences(LOKI)).toEqual(['monitoring/loki', 'monitoring/loki-read']);
  });

  test.each(['Logs', 'Team logs'])('%s, a display name, has no target: any owner may request it', (key) => {
    const { changes, notes } = resolve({ [key]: off });
    expect(changes.size).toBe(0);
    expect(notes).toEqual([
      {
        where: `overrides.yaml, tool ${key}`,
        what: `is skipped: ${key} is the display name of monitoring/loki`,
        fix: 'write monitoring/loki',
      },
    ]);
  });

  test.each([
    ['mine', 'mine'],
    ['shop/mine', 'mine.shop'],
    ['mine.shop', 'mine.shop'],
  ])('%s, without a discovered Service, is a tool of its own if complete', (key, name) => {
    expect(resolve({ [key]: WHOLE })).toEqual({
      changes: new Map(),
      own: [{ key, name, override: WHOLE }],
      notes: [],
    });
  });

  test('an empty list has no targets', () => {
    expect(resolve({})).toEqual({ changes: new Map(), own: [], notes: [] });
  });
});

describe('several keys of one backend are one change', () => {
  const said = (description: string): ToolOverride => ({ description });

  test.each<[string, string, string]>([
    ['the chosen Service', 'loki.monitoring', 'monitoring/loki-read'],
    ['NAMESPACE/SERVICE', 'monitoring/loki', 'loki.monitoring'],
    ['NAMESPACE/SERVICE of another Service', 'monitoring/loki-read', 'loki-read.monitoring'],
  ])('%s wins, in any order', (_, strong, weak) => {
    const words = [
      [strong, said('strong')],
      [weak, said('weak')],
    ] as const;
    for (const order of [words, words.toReversed()])
      expect(change(Object.fromEntries(order))).toMatchObject({ key: strong, override: said('strong') });
  });

  test('of two other Services the first by name wins', () => {
    const both = { ...LOKI, alternates: ['b', 'a'] };
    const tools = { 'monitoring/b': said('b'), 'monitoring/a': said('a') };
    expect([...resolve(tools, [both]).changes.values()]).toMatchObject([{ key: 'monitoring/a' }]);
  });

  test('fields and metadata are merged, and the stronger key wins', () => {
    expect(
      change({
        'loki.monitoring': { type: 'mimir', description: 'weak', metadata: { team: 'weak', site: 'x' } },
        'monitoring/loki': { description: 'strong', metadata: { team: 'strong' } },
        'monitoring/loki-read': { namespace: 'apps' },
      }),
    ).toEqual({
      key: 'monitoring/loki',
      override: {
        type: 'mimir',
        description: 'strong',
        namespace: 'apps',
        metadata: { team: 'strong', site: 'x' },
      },
    });
  });

  test('whichever key disables it wins', () => {
    const [on, off] = [{ enabled: true }, { enabled: false }];
    expect(change({ 'monitoring/loki': on, 'loki.monitoring': off })?.override.enabled).toBe(false);
    expect(change({ 'monitoring/loki': {}, 'loki.monitoring': on })?.override.enabled).toBe(true);
    expect(change({ 'monitoring/loki': {}, 'loki.monitoring': {} })?.override).not.toHaveProperty('enabled');
  });

  test('that is reported, with the key that wins', () => {
    const { notes } = resolve({
      'loki.monitoring': said('a'),
      'monitoring/loki': said('b'),
      'monitoring/loki-read': said('c'),
    });
    expect(notes).toEqual([
      {
        where: 'overrides.yaml, tools monitoring/loki, loki.monitoring, monitoring/loki-read',
        what: 'address one backend, monitoring/loki, so what monitoring/loki says wins',
        fix: 'merge them under one key',
      },
    ]);
    expect(resolve({ 'monitoring/loki': {} }).notes).toEqual([]);
  });

  test('a weaker key that switches it off is named', () => {
    const [weak, strong] = [{ 'loki.monitoring': { enabled: false } }, { 'monitoring/loki': said('b') }];
    expect(resolve({ ...weak, ...strong }).notes[0]?.what).toBe(
      'address one backend, monitoring/loki, so what monitoring/loki says wins, but loki.monitoring switches it off',
    );
    const off = { 'monitoring/loki': { enabled: false }, 'loki.monitoring': { enabled: true } };
    expect(resolve(off).notes[0]?.what).toMatch(/so what monitoring\/loki says wins$/);
  });

  test('keys that only approve are no conflict, since an approval is of one Service', () => {
    const approved = {
      'monitoring/loki': { approved: true },
      'monitoring/loki-read': { approved: false },
    } as const;
    expect(resolve({ ...approved, 'loki.monitoring': said('a') }).notes).toEqual([]);
  });

  test('two keys of a custom tool are one tool', () => {
    const { own, notes } = resolve({
      'mine.shop': { ...WHOLE, description: 'weak' },
      'shop/mine': { endpoint: 'http://strong:1' },
    });
    expect(own).toEqual([
      {
        key: 'shop/mine',
        name: 'mine.shop',
        override: { ...WHOLE, description: 'weak', endpoint: 'http://strong:1', metadata: {} },
      },
    ]);
    expect(notes).toEqual([
      expect.objectContaining({ what: 'address one tool, so what shop/mine says wins' }),
    ]);
  });
});

describe('a URL without a type keeps the published type of its tool', () => {
  const types: KnownTypes = {
    published: new Map([
      [keyFor('monitoring/loki'), 'loki'],
      [keyFor('shop/gone'), 'tempo'],
    ]),
    descriptionOf: (type) => (type === 'unheard-of' ? undefined : `a ${type}`),
  };

  test.each<[string, ToolOverride, ToolOverride]>([
    ['of the published tool', { endpoint: URL }, { endpoint: URL, type: 'loki', description: 'a loki' }],
    [
      "a user's type and description take precedence",
      { endpoint: URL, type: 'mimir', metadata: { team: 'a' } },
      { endpoint: URL, type: 'mimir', description: 'a mimir', metadata: { team: 'a' } },
    ],
    [
      "a person's description stays",
      { endpoint: URL, description: 'mine' },
      { endpoint: URL, type: 'loki', description: 'mine' },
    ],
  ])('%s', (_, override, expected) => {
    const key = 'monitoring/loki';
    expect(change({ [key]: override }, types)).toEqual({ key, override: expected, isCompleted: true });
  });

  test('a tool that no key mentions has the type alone', () => {
    const override = { endpoint: URL, type: 'unheard-of' };
    expect(change({ 'monitoring/loki': override }, types)).toEqual({ key: 'monitoring/loki', override });
  });

  test.each<[string, ToolOverride]>([
    ['without a URL', { description: 'x' }],
    ['with all that a tool takes', WHOLE],
  ])('a change %s is complete', (_, override) => {
    expect(change({ 'monitoring/loki': override }, types)).toEqual({ key: 'monitoring/loki', override });
  });

  test('without a published type it stays open', () => {
    const override = { endpoint: URL };
    expect(change({ 'monitoring/loki': override })).toEqual({ key: 'monitoring/loki', override });
    expect(change({ 'loki-read.monitoring': override }, types)).toEqual({
      key: 'loki-read.monitoring',
      override,
    });
  });

  test('its tool stays while the Service is gone, which is reported until an operator writes the type', () => {
    const { own, notes } = resolve({ 'shop/gone': { endpoint: URL } }, [], types);
    expect(own).toEqual([
      {
        key: 'shop/gone',
        name: 'gone.shop',
        override: { endpoint: URL, type: 'tempo', description: 'a tempo' },
        isCompleted: true,
      },
    ]);
    expect(notes).toEqual([
      {
        where: 'overrides.yaml, tool shop/gone',
        what: 'stays as it is published, as tempo: its Service is no backend that is known now',
        fix: 'write type: tempo, so that it does not depend on what is published',
      },
    ]);
    expect(resolve({ 'shop/gone': { endpoint: URL, type: 'tempo' } }, [], types).notes).toEqual([]);
    expect(resolve({ 'shop/gone': { endpoint: URL, enabled: false } }, [], types).notes).toEqual([]);
  });
});

describe('a key without a target is reported', () => {
  const told = (key: string, override: ToolOverride = {}, found = [LOKI]) => {
    const { changes, own, notes } = resolve({ [key]: override }, found);
    expect([changes.size, own]).toEqual([0, []]);
    return notes.map(({ where, what, fix }) => {
      expect(where).toBe(`overrides.yaml, tool ${key}`);
      return `${what}; ${fix}`;
    });
  };
  const NONE = 'matches no backend that is known now';
  const LACKS = `${NONE}, and to be your own tool it lacks`;
  const LATER = 'it counts as soon as that Service is found';
  const NO_TYPE =
    'has a URL and is not published: its type is not known, since its Service is no backend that is known now; give it a type, for example type: loki';

  test.each<[string, string, ToolOverride, string]>([
    ['a Service that may come', 'shop/tempo', {}, `${NONE}; ${LATER}`],
    [
      'a Service that was mistyped',
      'monitoring/loky',
      {},
      `${NONE}; did you mean monitoring/loki? Otherwise ${LATER}`,
    ],
    [
      'the same by name',
      'loki-raed.monitoring',
      {},
      `${NONE}; did you mean monitoring/loki-read? Otherwise ${LATER}`,
    ],
    ['a Service with a URL', 'shop/tempo', { endpoint: URL }, NO_TYPE],
    [
      'a Service with a URL that is switched off',
      'shop/tempo',
      { endpoint: URL, enabled: false },
      `${NONE}; ${LATER}`,
    ],
    ['half a tool', 'half', { type: 'loki' }, `${LACKS} endpoint, description; write NAMESPACE/SERVICE`],
    [
      'a Service without its namespace',
      'loki',
      {},
      `${LACKS} type, endpoint, description; did you mean monitoring/loki? Otherwise write NAMESPACE/SERVICE`,
    ],
    ['a free name that is switched off', 'half', { enabled: false }, `${NONE}; write NAMESPACE/SERVICE`],
    [
      'half a tool with a URL',
      'half',
      { endpoint: URL },
      `${LACKS} type, description; write NAMESPACE/SERVICE`,
    ],
  ])('%s', (_, key, override, expected) => {
    expect(told(key, override)).toEqual([expected]);
  });

  test('a Service that is not a backend but has the Pods of one gets the key that applies to these Pods', () => {
    const found = { ...LOKI, sharesPods: [LOKI.service.name, 'loki-internal'] };
    expect(told('monitoring/loki-internal', { enabled: false }, [found])).toEqual([
      'names a Service that is not a backend, but has Pods of monitoring/loki: only enabled: false and approved: false count for these Pods; for anything else, write monitoring/loki',
    ]);
  });

  test('a Service without its namespace, of which there are several, is not suggested', () => {
    const other = { ...LOKI, service: { ...LOKI.service, namespace: 'tenant' } };
    expect(told('loki', {}, [LOKI, other])).toEqual([
      `${LACKS} type, endpoint, description; write NAMESPACE/SERVICE`,
    ]);
  });

  test('a Service of another cluster is never suggested, because no key can address it', () => {
    const east = backend('loki-east', {});
    const other = { ...east, service: { ...east.service, cluster: 'e' } };
    expect(told('monitoring/loki-eas', {}, [other])).toEqual([`${NONE}; ${LATER}`]);
  });

  test('at most twenty keys get suggestions, because these take time', () => {
    const keys = Array.from({ length: 30 }, (_, n) => `monitoring/loki${String(n).padStart(2, '0')}`);
    const { notes } = resolve(Object.fromEntries(keys.map((key) => [key, {}])));
    expect(notes.map(({ fix }) => fix?.startsWith('did you mean'))).toEqual(keys.map((_, n) => n < 20));
  });
});

test('Services that share Pods with thousands of others cost nothing, unless a key may name one of these', () => {
  let reads = 0;
  const names = new Proxy(
    Array.from({ length: 1_500 }, (_, n) => `s${n}`),
    {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1;
        return Reflect.get(target, key);
      },
    },
  );
  const many = Array.from({ length: 500 }, (_, n) => backend(`s${n}`, { sharesPods: names }));
  const off = { enabled: false };
  resolve({ 'monitoring/s1': off, 'shop/other': off }, many);
  expect(reads).toBe(0);
  expect(resolve({ 'monitoring/s1400': off }, many).notes[0]?.what).toContain('has Pods of monitoring/s0');
  expect(reads).toBeLessThan(2_000);
});
