import { describe, expect, test } from 'vitest';
import { detected, options, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Service } from '../model/service.ts';
import { detect } from './detect.ts';

/** Each backend by the Service that was chosen, with the others that lead to it. */
function groups(...services: Service[]): Record<string, readonly string[]> {
  const ways = detected(...services).candidates.map(
    ({ service, alternates }) => [`${service.namespace}/${service.name}`, alternates] as const,
  );
  return Object.fromEntries(ways);
}

const loki = (name: string, fields: Parameters<typeof service>[1] = {}): Service =>
  service(name, { labels: { 'app.kubernetes.io/name': 'loki' }, ports: ['http-metrics:3100'], ...fields });
const prometheus = (name: string, fields: Parameters<typeof service>[1] = {}): Service =>
  service(name, { labels: { app: 'prometheus' }, ports: ['http-web:9090'], ...fields });

describe('selectors that contain one another', () => {
  const created = '2026-01-01T00:00:00Z';
  const wide = { selector: { app: 'prometheus' } };
  const narrow = { selector: { app: 'prometheus', team: 'b' } };

  test('are one backend in manifests, and two in a cluster, where the wider one may have Pods of others', () => {
    expect(groups(prometheus('w', wide), prometheus('prometheus', narrow))).toEqual({
      'monitoring/w': ['prometheus'],
    });
    const live = [prometheus('w', { ...wide, created }), prometheus('prometheus', { ...narrow, created })];
    expect(groups(...live)).toEqual({ 'monitoring/w': [], 'monitoring/prometheus': [] });
  });

  test('join nothing through a third one in a cluster', () => {
    const joint = { selector: { app: 'prometheus', instance: 'a', team: 'b' } };
    const live = [
      prometheus('one', { selector: { app: 'prometheus', instance: 'a' }, created }),
      prometheus('two', { ...narrow, created }),
      prometheus('joint', { ...joint, created }),
    ];
    expect(Object.values(groups(...live))).toEqual([[], [], []]);
  });

  test('for one replica each belong to the set, in a cluster too; the name of a Pod alone proves nothing there', () => {
    const replica = { 'statefulset.kubernetes.io/pod-name': 'p-0' };
    const of = { selector: { app: 'prometheus', ...replica }, created };
    expect(groups(prometheus('prometheus', { ...wide, created }), prometheus('p', of))).toEqual({
      'monitoring/prometheus': ['p'],
    });
    const alone = (name: string) => ({ selector: { 'statefulset.kubernetes.io/pod-name': name }, created });
    expect(groups(prometheus('a', alone('p-0')), prometheus('b', alone('p-1')))).toEqual({
      'monitoring/a': [],
      'monitoring/b': [],
    });
  });
});

test('Services whose product only the namespace names are parts of one installation', () => {
  const part = (name: string, namespace: string): Service =>
    service(name, { namespace, ports: ['http:3100'] });
  const services = [part('gateway', 'loki'), part('query-frontend', 'loki'), part('gateway', 'shop')];
  const { candidates } = detect(services, rules, options);
  expect(candidates.map(({ service, alternates }) => [service.namespace, service.name, alternates])).toEqual([
    ['loki', 'gateway', ['query-frontend']],
    ['shop', 'gateway', []],
  ]);
});

describe('one backend, one tool', () => {
  test.each<[string, Service[], Record<string, string[]>]>([
    [
      'an ordinary Service before its headless twin',
      [loki('loki-headless', { headless: true }), loki('loki')],
      { 'monitoring/loki': ['loki-headless'] },
    ],
    [
      'a headless Service that is all there is',
      [loki('loki-headless', { headless: true })],
      { 'monitoring/loki-headless': [] },
    ],
    [
      'the gateway before the parts behind it',
      [loki('loki-querier'), loki('loki-gateway'), loki('loki-query-frontend')],
      { 'monitoring/loki-gateway': ['loki-querier', 'loki-query-frontend'] },
    ],
    [
      'the query frontend before the querier',
      [loki('loki-querier'), loki('loki-query-frontend')],
      { 'monitoring/loki-query-frontend': ['loki-querier'] },
    ],
    [
      "a gateway's headless twin and parts together",
      [
        loki('loki-gateway'),
        loki('loki-read'),
        loki('loki-read-headless', { headless: true }),
        loki('loki-write'),
        loki('loki-memberlist', { headless: true }),
      ],
      { 'monitoring/loki-gateway': ['loki-read', 'loki-read-headless'] },
    ],
    [
      'two Services with the same selector',
      [
        prometheus('metrics-b', { selector: { app: 'prometheus', shard: '0' } }),
        prometheus('metrics-lb', { selector: { shard: '0', app: 'prometheus' } }),
      ],
      { 'monitoring/metrics-b': ['metrics-lb'] },
    ],
    [
      'two instances stay two',
      [
        prometheus('prometheus-a', { selector: { app: 'prometheus', prometheus: 'a' } }),
        prometheus('prometheus-b', { selector: { app: 'prometheus', prometheus: 'b' } }),
      ],
      { 'monitoring/prometheus-a': [], 'monitoring/prometheus-b': [] },
    ],
    [
      'two instances in two namespaces stay two, though all else is the same',
      [
        loki('loki', { namespace: 'a', selector: { app: 'loki' } }),
        loki('loki', { namespace: 'b', selector: { app: 'loki' } }),
      ],
      { 'a/loki': [], 'b/loki': [] },
    ],
    [
      'two without a selector stay two',
      [prometheus('team-a-prometheus'), prometheus('team-b-prometheus')],
      { 'monitoring/team-a-prometheus': [], 'monitoring/team-b-prometheus': [] },
    ],
    [
      'each instance keeps its own headless twin',
      [
        loki('a-loki', { selector: { app: 'loki', instance: 'a' } }),
        loki('b-loki', { selector: { app: 'loki', instance: 'b' } }),
        loki('a-loki-headless', { headless: true, selector: { app: 'loki', instance: 'a' } }),
        loki('b-loki-headless', { headless: true, selector: { app: 'loki', instance: 'b' } }),
      ],
      { 'monitoring/a-loki': ['a-loki-headless'], 'monitoring/b-loki': ['b-loki-headless'] },
    ],
    [
      'different products with the same selector',
      [
        prometheus('prometheus', { selector: { pod: 'all-in-one' } }),
        loki('loki', { selector: { pod: 'all-in-one' } }),
      ],
      { 'monitoring/loki': [], 'monitoring/prometheus': [] },
    ],
    [
      'parts of one installation that is not called like the product',
      [loki('logs-gateway'), loki('logs-querier'), loki('logs-server'), loki('logs-query-frontend-lb')],
      { 'monitoring/logs-gateway': ['logs-querier', 'logs-query-frontend-lb', 'logs-server'] },
    ],
    [
      'parts of two installations stay apart',
      [loki('eu-logs-gateway'), loki('us-logs-gateway'), loki('eu-logs-querier'), loki('us-logs-querier')],
      {
        'monitoring/eu-logs-gateway': ['eu-logs-querier'],
        'monitoring/us-logs-gateway': ['us-logs-querier'],
      },
    ],
    [
      'installations with names or numbers, beside a part that may belong to any of them',
      [loki('loki-eu'), loki('loki-us'), loki('loki-2'), loki('loki-gateway')],
      {
        'monitoring/loki-2': [],
        'monitoring/loki-eu': [],
        'monitoring/loki-gateway': [],
        'monitoring/loki-us': [],
      },
    ],
    [
      'parts with unknown names of one release, and those of another',
      [
        loki('loki-gateway', { labels: { app: 'loki', release: 'a' } }),
        loki('loki-janitor', { labels: { app: 'loki', release: 'a' } }),
        loki('loki-eu', { labels: { app: 'loki', release: 'b' } }),
      ],
      { 'monitoring/loki-eu': [], 'monitoring/loki-gateway': ['loki-janitor'] },
    ],
    [
      'a part of an installation whose name comes last',
      [loki('loki-eu'), loki('loki-gateway-eu'), loki('loki-us'), loki('loki-gateway')],
      {
        'monitoring/loki-gateway': [],
        'monitoring/loki-gateway-eu': ['loki-eu'],
        'monitoring/loki-us': [],
      },
    ],
    [
      'an installation that is called like a part',
      [loki('gateway'), loki('querier')],
      { 'monitoring/gateway': [], 'monitoring/querier': [] },
    ],
    [
      'a chain of them: one has the selector of the second, which has the name of the third',
      [
        loki('front', { selector: { pod: 'g' } }),
        loki('logs-gateway', { selector: { pod: 'g' } }),
        loki('logs-querier'),
      ],
      { 'monitoring/logs-gateway': ['front', 'logs-querier'] },
    ],
    [
      'the surer of two that are as good, though its name is longer',
      [
        service('loki', { selector: { pod: 'l' }, ports: ['http:3100'] }),
        loki('logs-of-all', { selector: { pod: 'l' } }),
      ],
      { 'monitoring/logs-of-all': ['loki'] },
    ],
    [
      'the shorter of two that are as sure, else the first by name',
      ['logs-d', 'logs-b', 'logs-cc', 'logs-c'].map((name) => loki(name, { selector: { pod: 'l' } })),
      { 'monitoring/logs-b': ['logs-c', 'logs-cc', 'logs-d'] },
    ],
  ])('%s', (_, services, expected) => {
    expect(groups(...services)).toEqual(expected);
    expect(groups(...services.toReversed())).toEqual(expected);
  });

  test.each<[string, Service, Record<string, string[]>]>([
    [
      'the same selector, before a name that fits another',
      loki('b-loki-headless', { headless: true, selector: { app: 'loki', part: 'a' } }),
      { 'monitoring/a-loki': ['b-loki-headless'], 'monitoring/b-loki': [] },
    ],
    [
      'a selector within its own, before a name that fits another',
      loki('b-loki-headless', { headless: true, selector: { part: 'a' } }),
      { 'monitoring/a-loki': ['b-loki-headless'], 'monitoring/b-loki': [] },
    ],
    [
      'its name, where selectors say nothing',
      loki('b-loki-headless', { headless: true }),
      { 'monitoring/a-loki': [], 'monitoring/b-loki': ['b-loki-headless'] },
    ],
    [
      'the installation that it belongs to, where names say nothing',
      loki('nodes', { headless: true, labels: { app: 'loki', release: 'b' } }),
      { 'monitoring/a-loki': [], 'monitoring/b-loki': ['nodes'] },
    ],
    [
      'none, where a selector differs in one label and nothing else fits',
      loki('c-loki-headless', { headless: true, selector: { app: 'loki', part: 'c' } }),
      { 'monitoring/a-loki': [], 'monitoring/b-loki': [], 'monitoring/c-loki-headless': [] },
    ],
    [
      'none, where it belongs to another installation',
      loki('nodes', { headless: true, labels: { app: 'loki', release: 'c' } }),
      { 'monitoring/a-loki': [], 'monitoring/b-loki': [], 'monitoring/nodes': [] },
    ],
  ])('a headless Service joins by %s', (_, headless, expected) => {
    const ordinary = (name: string): Service =>
      loki(`${name}-loki`, { labels: { app: 'loki', release: name }, selector: { app: 'loki', part: name } });
    expect(groups(headless, ordinary('a'), ordinary('b'))).toEqual(expected);
  });

  test('a headless Service joins a group through any Service of it', () => {
    const pods = { pod: 'querier' };
    expect(
      groups(
        loki('logs-gateway'),
        loki('logs-querier', { selector: pods }),
        loki('nodes', { headless: true, selector: pods }),
      ),
    ).toEqual({ 'monitoring/logs-gateway': ['logs-querier', 'nodes'] });
  });

  test("an operator's single headless Service for two Prometheis joins one of them and merges none", () => {
    const operated = service('prometheus-operated', {
      headless: true,
      labels: { 'operated-prometheus': 'true' },
      selector: { 'app.kubernetes.io/name': 'prometheus' },
      ports: ['http-web:9090'],
    });
    const own = (name: string): Service =>
      prometheus(`${name}-prometheus`, {
        selector: { 'app.kubernetes.io/name': 'prometheus', prometheus: name },
      });
    const found = groups(operated, own('a'), own('b'));
    expect(Object.keys(found)).toEqual(['monitoring/a-prometheus', 'monitoring/b-prometheus']);
    expect(Object.values(found).flat()).toEqual(['prometheus-operated']);
  });

  test('the evidence lists the Services of the backend', () => {
    const [chosen] = detected(loki('loki-gateway'), loki('loki-querier')).candidates;
    expect(chosen?.evidence.find(({ signal }) => signal === 'group')?.detail).toContain('loki-querier');
  });

  test('an excluded write path is no entry point of the backend', () => {
    expect(groups(loki('loki'), loki('loki-distributor'))).toEqual({ 'monitoring/loki': [] });
  });
});
