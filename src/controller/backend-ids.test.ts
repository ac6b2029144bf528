import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { enginesOnFakeTimers, type RunningEngine } from '../../test/fixtures/unit/engine.ts';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Service } from '../model/service.ts';
import type { Groups } from '../planning/backend-groups.ts';
import { BackendIds, idsOf } from './backend-ids.ts';

let running: RunningEngine;
const startEngine = enginesOnFakeTimers();

const part = (name: string, day: number): Service => ({
  ...service(name, { labels: { app: 'loki' }, ports: ['http-metrics:3100'] }),
  created: `2026-01-0${day}T00:00:00Z`,
});
const GATEWAY = part('loki-gateway', 1);
const QUERY = part('loki-query-frontend', 1);
const OLDEST = part('loki', 1);

/** A process that starts, finds Services and publishes. @returns its ids by entry points */
async function start(place: MemoryPublisher, ...services: readonly Service[]) {
  running = startEngine({}, { publisher: place });
  const { source, told, settle } = running;
  source.sync(services);
  await settle();
  return () => {
    const { services: found = [], ids = new Map() } = told('pass').at(-1) ?? {};
    return Object.fromEntries(found.map(({ service: { name } }, index) => [name, [...ids.values()][index]]));
  };
}

test('an id survives restarts, whichever Service becomes the entry point or is deleted', async () => {
  const place = new MemoryPublisher();
  const first = await start(place, GATEWAY, QUERY, OLDEST);
  expect(first()).toEqual({ 'loki-gateway': 'monitoring/loki' });
  await running.stop();
  const second = await start(place, GATEWAY, QUERY);
  expect(second()).toEqual({ 'loki-gateway': 'monitoring/loki' });
  await running.stop();
  const third = await start(place, QUERY);
  expect(third()).toEqual({ 'loki-query-frontend': 'monitoring/loki' });
});

test('a new Service with the name of a deleted one does not get the id, and does not affect the other one', async () => {
  const place = new MemoryPublisher();
  await start(place, GATEWAY, OLDEST);
  await running.stop();
  await start(place, GATEWAY);
  await running.stop();
  // The same name, for other Pods.
  const taker = { ...service('loki', { labels: { app: 'tempo' }, ports: ['http:3200'] }) };
  const ids = (await start(place, taker, GATEWAY))();
  expect(ids['loki-gateway']).toBe('monitoring/loki');
  expect(ids.loki).toBe('monitoring/loki.2');
});

test('if the published state cannot be read at the start, its ids count as soon as it can', async () => {
  const place = new MemoryPublisher();
  await start(place, GATEWAY, OLDEST);
  await running.stop();
  place.before = () => {
    throw new Error('not now');
  };
  const ids = await start(place, GATEWAY);
  expect(ids()).toEqual({ 'loki-gateway': 'monitoring/loki-gateway' });
  place.before = () => {};
  await running.settle(60_000);
  expect(ids()).toEqual({ 'loki-gateway': 'monitoring/loki' });
  for (const { annotations } of place.applied)
    expect(annotations).toHaveProperty(['kubernaut.io/backend-groups']);
  await running.stop();
  expect((await start(place, GATEWAY))()).toEqual({ 'loki-gateway': 'monitoring/loki' });
});

test('a Service that leaves is stored at once, although no document changes, and one that comes later is none of it', async () => {
  const place = new MemoryPublisher();
  const gateway: Service = { ...GATEWAY, selector: { app: 'loki' } };
  await start(place, gateway, OLDEST, QUERY);
  const groups = () => JSON.parse(place.live?.annotations['kubernaut.io/backend-groups'] ?? '{}');
  expect(groups()).toEqual({ monitoring: { loki: ['loki-gateway', '', 'loki-query-frontend'] } });
  running.source.upsert({ ...QUERY, name: 'loki-querier', selector: gateway.selector });
  await running.settle();
  expect(groups()).toEqual({ monitoring: { loki: ['loki-gateway', '', 'loki-query-frontend'] } });
  running.source.sync([gateway, QUERY]);
  await running.settle();
  expect(groups()).toEqual({ monitoring: { loki: ['loki-gateway', 'loki-query-frontend'] } });
});

test('a new leader takes over the ids of the previous one', async () => {
  const place = new MemoryPublisher();
  const ids = await start(place, GATEWAY, OLDEST);
  const note = JSON.stringify({ monitoring: { older: ['loki-gateway', 'loki'] } });
  place.annotate('kubernaut.io/backend-groups', note);
  running.engine.onStartedLeading();
  await running.settle();
  expect(ids()).toEqual({ 'loki-gateway': 'monitoring/older' });
});

test('a rollback and a broken overrides.yaml keep the annotation', async () => {
  const place = new MemoryPublisher();
  await start(place, GATEWAY, OLDEST);
  const groups = () => place.live?.annotations['kubernaut.io/backend-groups'];
  const before = groups();
  expect(before).toBe('{"monitoring":{"loki":["loki-gateway",""]}}');
  place.edit('overrides.yaml', 'tools: [');
  await running.settle();
  expect(place.live?.annotations).toHaveProperty('kubernaut.io/override-error');
  expect(groups()).toBe(before);
});

describe('ids', () => {
  /** A backend with these Services, the entry point first. */
  const backend = (name: string, ...others: readonly string[]): DiscoveredService => ({
    ...discovered(service(name, { labels: { app: 'loki' }, ports: ['http:3100'] })),
    alternates: others,
    members: [name, ...others].map((each) => ({ name: each, roles: [] })),
  });
  const groups = (all: Readonly<Record<string, readonly string[]>>): Groups =>
    new Map(
      Object.entries(all).map(([id, names]) => [
        `monitoring/${id}`,
        { namespace: 'monitoring', members: names.map((name) => ({ name, roles: [] })) },
      ]),
    );
  /** The ids of backends, without the namespace. */
  const given = (ids: BackendIds, ...found: readonly DiscoveredService[]): string[] =>
    [...ids.assign(found).values()].map((id) => id.replace('monitoring/', ''));

  test('of this process stay where others are published', () => {
    const ids = new BackendIds();
    expect(given(ids, backend('a'), backend('b', 'aa'))).toEqual(['a', 'aa']);
    given(ids, backend('a'), backend('b'));
    ids.restore(groups({ older: ['a'] }));
    expect(given(ids, backend('a'), backend('b'))).toEqual(['older', 'aa']);
  });

  test('that are published take precedence', () => {
    const ids = new BackendIds();
    given(ids, backend('b', 'aa', 'd'));
    given(ids, backend('b', 'd'));
    ids.restore(groups({ other: ['d'] }));
    expect(given(ids, backend('b'))).toEqual(['b']);
    ids.restore(groups({ b: ['c'] }));
    expect(given(ids, backend('c'))).toEqual(['b']);
  });

  test('that are published stay while their backends are not found', () => {
    const ids = new BackendIds();
    ids.restore(groups({ older: ['a'] }));
    given(ids);
    expect(given(ids, backend('a'))).toEqual(['older']);
    ids.keep(groups({}));
    given(ids);
    expect(given(ids, backend('a'))).toEqual(['a']);
  });

  test('belong to the Services of now', () => {
    const ids = new BackendIds();
    ids.restore(groups({ older: ['a', 'b'] }));
    given(ids, backend('a'));
    expect(ids.groups.get('monitoring/older')?.members.map(({ name }) => name)).toEqual(['a']);
  });

  test('belong to one backend each', () => {
    const ids = new BackendIds();
    const first = backend('a', 'x');
    expect(given(ids, first)).toEqual(['a']);
    expect(given(ids, first, backend('b', 'x'))).toEqual(['a', 'b']);
  });

  test('of a single discovery are those that are published', () => {
    expect([...idsOf([backend('a'), backend('b')], groups({ older: ['a'] })).values()]).toEqual([
      'monitoring/older',
      'monitoring/b',
    ]);
  });
});
