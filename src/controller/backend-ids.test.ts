import { expect, test } from 'vitest';
import { enginesOnFakeTimers, type RunningEngine } from '../../test/fixtures/unit/engine.ts';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Service } from '../model/service.ts';

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
