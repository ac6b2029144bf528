import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Credentials } from '../model/credentials.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { idleCredentials } from './idle-credentials.ts';
import { discoveredTool, type ToolKind } from './tools.ts';

const backend = (key: string, fields: Partial<DiscoveredService> = {}): DiscoveredService => {
  const [namespace = '', name = ''] = key.split('/');
  return {
    ...discovered(service(name, { namespace, labels: { app: 'loki' }, ports: ['http:3100'] })),
    ...fields,
  };
};
const LOKI = backend('monitoring/loki', { alternates: ['loki-write'], samePods: [] });
const KIND: ToolKind = { description: '', mappings: {} };
const kinds = new Map([
  ['loki', KIND],
  ['tempo', KIND],
]);
const NAME = { apiKey: 'KEY' };
const of = (...namespaces: string[]) => ({ ...NAME, namespaces });

/** The notes about credentials, on one line each. Nothing is published unless a test says so. */
const told = (
  credentials: Credentials,
  found: readonly DiscoveredService[] = [LOKI],
  tools = found.map(discoveredTool),
  known = kinds,
): string[] =>
  idleCredentials(credentials, tools, { found, kinds: known }).map(
    ({ where, what, fix }) => `${where}: ${what}; ${fix}`,
  );

describe('credentials in use are no mistake', () => {
  test.each<[string, Credentials]>([
    ['of a Service', { 'monitoring/loki': NAME }],
    ['of a type', { loki: of('monitoring') }],
    ['of a type for all namespaces', { loki: of('*') }],
  ])('%s', (_, credentials) => {
    expect(told(credentials)).toEqual([]);
  });

  test('even if their backend is not published, because it waits or is unhealthy', () => {
    expect(told({ 'monitoring/loki': NAME, loki: of('monitoring') }, [LOKI], [])).toEqual([]);
  });

  test('even if the tool has no discovered part, because an operator added it', () => {
    const own = { ...discoveredTool(LOKI), key: 'mine', namespace: 'apps', added: true as const };
    expect(told({ loki: of('apps') }, [], [own])).toEqual([]);
  });
});

describe('credentials of a Service that are unused', () => {
  const NONE = 'apply to nothing: no backend that is known now has this Service';
  const LATER = 'they count as soon as that Service is found';

  test.each<[string, string, string]>([
    [
      'another Service of the backend is its entry point',
      'monitoring/loki-write',
      'apply to nothing now: the entry point of its backend is monitoring/loki, another Service; write monitoring/loki, if you trust that Service with them',
    ],
    ['it may come', 'shop/orders', `${NONE}; ${LATER}`],
    ['it was mistyped', 'monitoring/lokki', `${NONE}; did you mean monitoring/loki? Otherwise ${LATER}`],
    ['one of that name is in another namespace', 'kube-system/loki', `${NONE}; ${LATER}`],
  ])('%s', (_, key, expected) => {
    expect(told({ [key]: NAME })).toEqual([`credentials ${key}: ${expected}`]);
  });

  test('a typo is considered before a namesake elsewhere', () => {
    const found = [backend('far-away/loki'), backend('monitoring/loki')];
    expect(told({ 'monitorin/loki': NAME }, found)[0]).toContain('did you mean monitoring/loki?');
  });

  test('at most twenty keys get suggestions, because these take time', () => {
    const keys = Array.from({ length: 30 }, (_, n) => `monitoring/loki${String(n).padStart(2, '0')}`);
    const lines = told(Object.fromEntries(keys.map((key) => [key, NAME])));
    expect(lines.map((line) => line.includes('did you mean'))).toEqual(keys.map((_, n) => n < 20));
  });
});

describe('credentials of a type that are unused', () => {
  const LATER = 'they count as soon as one is found';

  test.each<[string, Credentials, string]>([
    [
      'there is no such detector',
      { grafana: of('*') },
      'credentials grafana: apply to nothing: there is no detector of this type; write a type, or NAMESPACE/SERVICE',
    ],
    [
      'it was mistyped',
      { lokki: of('*') },
      'credentials lokki: apply to nothing: there is no detector of this type; did you mean loki?',
    ],
    [
      'none is known at all',
      { tempo: of('*') },
      `credentials tempo: apply to nothing: no tempo is known anywhere now; ${LATER}`,
    ],
    [
      'none is known there',
      { tempo: of('a', 'b') },
      `credentials tempo: apply to nothing: no tempo is known in a, b now; ${LATER}`,
    ],
    [
      'the namespace was mistyped',
      { loki: of('apps', 'monitorin') },
      `credentials loki: apply to nothing: no loki is known in apps, monitorin now; did you mean the namespace monitoring? Otherwise ${LATER}`,
    ],
    [
      'one is elsewhere',
      { loki: of('apps') },
      `credentials loki: apply to nothing: no loki is known in apps now; ${LATER}`,
    ],
  ])('%s', (_, credentials, expected) => {
    expect(told(credentials)).toEqual([expected]);
  });

  test('of several namespaces the one with the same spelling is suggested, and no other', () => {
    const found = [backend('monitoring/loki'), backend('shop/loki')];
    expect(told({ loki: of('sohp') }, found)[0]).toContain('did you mean the namespace shop?');
    expect(told({ loki: of('elsewhere') }, found)[0]).not.toContain('did you mean');
  });

  test('no type is unknown if no types are known', () => {
    expect(told({ grafana: of('*') }, [], [], new Map())).toEqual([
      `credentials grafana: apply to nothing: no grafana is known anywhere now; ${LATER}`,
    ]);
  });
});

describe('a misspelt namespace is reported, even if others get the credentials', () => {
  const found = [
    backend('monitoring/loki'),
    backend('shop/loki'),
    backend('apps/tempo', { detector: 'tempo' }),
  ];

  test.each<[string, string[], string[]]>([
    [
      'one that is like one with such a backend',
      ['monitoring', 'shpo'],
      ['credentials loki: name the namespace shpo, where no loki is known; did you mean shop?'],
    ],
    ['not one that is like none', ['monitoring', 'elsewhere'], []],
    ['not one that is like one that is named as well', ['monitoring', 'shop', 'shpo'], []],
    ['not one where another type is', ['monitoring', 'aps'], []],
    ['not one that has such a backend', ['monitoring', 'shop'], []],
    ['not *', ['*'], []],
  ])('%s', (_, namespaces, expected) => {
    expect(told({ loki: of(...namespaces) }, found)).toEqual(expected);
  });
});
