import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { forbidden } from './forbidden.ts';

const loki = discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));
const off = (...keys: readonly string[]): Overrides => ({
  ...NO_OVERRIDES,
  tools: Object.fromEntries(keys.map((key) => [key, { enabled: false }])),
});
const own = (name: string, endpoint = 'https://logs.example.com/'): PublishedTool => ({
  name,
  type: 'loki',
  endpoint,
  description: '',
  metadata: {},
});
const named = (
  services: readonly DiscoveredService[],
  tools: readonly PublishedTool[],
  overrides: Overrides,
  standing: readonly DiscoveredService[] = [],
  past: readonly DiscoveredService[] = [],
) =>
  forbidden({ services, own: tools }, { standing, past: () => past }, overrides).map(
    ({ where, what }) => `${where}: ${what}`,
  );

const OFF = 'Service monitoring/loki: overrides.yaml switches it off';

describe('a backend', () => {
  test.each(['monitoring/loki', 'loki.monitoring'])('is off by its key %s', (key) => {
    expect(named([loki], [], off(key))).toEqual([OFF]);
    expect(named([loki], [], off(key), [loki])).toEqual([OFF]);
  });

  test('is off by another Service of it, unless that is no longer one', () => {
    const both = { ...loki, alternates: ['loki-read'] };
    expect(named([both], [], off('monitoring/loki-read'))).toEqual([OFF]);
    expect(named([both], [], off('monitoring/loki-read'), [both])).toEqual([OFF]);
    expect(named([both], [], off('monitoring/loki-read'), [loki])).toEqual([]);
  });

  test('is off by a Service to whose Pods it leads, unless that is published', () => {
    const beside = { ...loki, sharesPods: ['loki-read'] };
    const why =
      'Service monitoring/loki: it leads to Pods of monitoring/loki-read, which overrides.yaml switches off';
    expect(named([beside], [], off('monitoring/loki-read'))).toEqual([why]);
    expect(named([beside], [], off('monitoring/loki-read'), [loki])).toEqual([why]);
    expect(named([beside], [], off('monitoring/loki-read'), [beside])).toEqual([]);
    const away = { ...loki, targets: ['db.shop.svc'] };
    expect(named([away], [], off('shop/db'))).toEqual([why.replace('monitoring/loki-read', 'shop/db')]);
  });

  test.each(['loki', 'Logs', 'other/loki'])('is not off by the key %s', (key) => {
    expect(named([{ ...loki, tool: 'Logs' }], [], off(key))).toEqual([]);
  });

  test('may be another name of a Service of its namespace that is off, unless it is published', () => {
    const why =
      'Service monitoring/loki: it is not published now, and may lead to Pods of monitoring/other, which overrides.yaml switches off; if it does not, write enabled: true for monitoring/loki there';
    expect(named([loki], [], off('monitoring/other'))).toEqual([why]);
    const [retyped, moved] = [
      { ...loki, type: 'alertmanager' },
      { ...loki, endpoint: { ...loki.endpoint, port: 3101 } },
    ];
    expect(named([loki], [], off('monitoring/other'), [retyped])).toEqual([why]);
    expect(named([loki], [], off('monitoring/other'), [moved])).toEqual([why]);
    expect(named([loki], [], off('monitoring/other'), [loki])).toEqual([]);
    const on = { ...off('monitoring/other').tools, 'monitoring/loki': { enabled: true } };
    expect(named([loki], [], { ...NO_OVERRIDES, tools: on })).toEqual([]);
  });

  test('is no other name of a Service that was known as another product', () => {
    const other = discovered(service('other', { labels: { app: 'tempo' }, ports: ['http:3200'] }));
    expect(other.type).toBe('tempo');
    expect(named([loki], [], off('monitoring/other'), [], [other])).toEqual([]);
    expect(named([loki], [], off('monitoring/other'), [other])).toEqual([]);
    expect(named([loki], [], off('monitoring/other'), [], [{ ...other, type: 'loki' }])).toHaveLength(1);
    expect(named([loki], [], off('monitoring/other'), [], [{ ...other, detector: 'custom' }])).toHaveLength(
      1,
    );
  });

  test('of another cluster is not addressed', () => {
    const there = { ...loki, service: { ...loki.service, cluster: 'east' } };
    expect(named([there], [], off('monitoring/loki'))).toEqual([]);
  });
});

describe("a user's own tool", () => {
  test.each<[string, string]>([
    ['logs', 'logs'],
    ['loki.monitoring', 'loki.monitoring'],
    ['loki.monitoring', 'monitoring/loki'],
  ])('%s is off by %s', (name, key) => {
    expect(named([], [own(name)], off(key))).toEqual([`tool ${name}: overrides.yaml switches it off`]);
    expect(named([], [own('other')], off(key))).toEqual([]);
  });

  test('is not wanted if overrides refuse the Service to which it leads, unless it is still in overrides', () => {
    const tool = own('logs', 'http://loki.monitoring:3100');
    const refusing = (more: Overrides['tools'] = {}): Overrides => ({
      ...NO_OVERRIDES,
      tools: { 'monitoring/loki': { approved: false }, ...more },
    });
    const why = 'tool logs: it leads to a Service that overrides.yaml refuses';
    expect(named([], [tool], refusing())).toEqual([why]);
    const listed = { type: 'loki', endpoint: tool.endpoint, description: 'Logs' };
    expect(named([], [tool], refusing({ logs: listed }))).toEqual([]);
    expect(named([], [own('logs', 'http://tempo.monitoring:3200')], refusing())).toEqual([]);
  });

  test('is off by the Service to which it leads, unless it is still in overrides', () => {
    const tool = own('logs', 'http://loki.monitoring:3100');
    const service = off('monitoring/loki');
    expect(named([], [tool], service)).toEqual(['tool logs: overrides.yaml switches it off']);
    const tools = { ...service.tools, logs: { endpoint: tool.endpoint } };
    expect(named([], [tool], { ...service, tools })).toEqual([]);
  });
});
