import { expect, test, vi } from 'vitest';
import { discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { idsOf } from '../controller/backend-ids.ts';
import { ReadModel } from '../controller/read-model.ts';
import type { DiscoveredService, Health } from '../model/discovery.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import { createApiService } from './api-service.ts';
import { Cooldown } from './cooldown.ts';

type Request = Parameters<ReturnType<typeof createApiService>['discover']>[0];
type Parts = ReturnType<Parameters<typeof createApiService>[0]>;

const backend = (namespace: string, name: string, type: string, health: Health): DiscoveredService => ({
  ...discovered(service('loki', { ports: ['http:3100'], namespace, name }), health),
  type,
});

/** What works for the API: a prober that remembers what it shall ask, and an engine whose next pass finds `next`. */
function setting(
  first: readonly DiscoveredService[],
  next: readonly DiscoveredService[],
  cooldown?: Cooldown,
) {
  const readModel = new ReadModel({ now: () => new Date(0) });
  const pass = (cycle: number, services: readonly DiscoveredService[]): void =>
    readModel.apply({
      ...{ kind: 'pass', cycle, services, ids: idsOf(services, new Map()) },
      ...{ problems: [], examined: 0, milliseconds: 1 },
    } as never);
  pass(1, first);
  const touched: string[] = [];
  const parts = {
    instance: {
      prober: {
        invalidateMatching(wanted: (key: ServiceKey) => boolean, all: boolean) {
          expect(all).toBe(true);
          for (const { service } of first) if (wanted(serviceKey(service))) touched.push(service.name);
        },
      },
    },
    engine: { cycle: 1, idle: Promise.resolve(), wake: () => setImmediate(() => pass(2, next)) },
  } as unknown as Parts;
  const { discover } = createApiService(
    () => parts,
    readModel,
    undefined as never,
    '0.0.0',
    undefined,
    cooldown,
  );
  return { discover: (request: Request) => discover(request, 'client'), touched };
}

const BEFORE = [
  backend('monitoring', 'prometheus', 'prometheus', 'healthy'),
  backend('monitoring', 'loki', 'loki', 'unhealthy'),
  backend('shop', 'tempo', 'tempo', 'healthy'),
];
const AFTER = [
  backend('monitoring', 'prometheus', 'prometheus', 'unhealthy'),
  backend('monitoring', 'loki', 'loki', 'unhealthy'),
  backend('shop', 'tempo', 'tempo', 'healthy'),
];

test.for([
  [
    'all',
    {},
    ['prometheus', 'loki', 'tempo'],
    { asked: 3, healthy: 1, unhealthy: 2, unknown: 0, changed: 1 },
  ],
  [
    'those of a namespace',
    { namespaces: ['shop'] },
    ['tempo'],
    { asked: 1, healthy: 1, unhealthy: 0, unknown: 0, changed: 0 },
  ],
  [
    'those of a type',
    { serviceTypes: ['loki'] },
    ['loki'],
    { asked: 1, healthy: 0, unhealthy: 1, unknown: 0, changed: 0 },
  ],
  [
    'those that are not healthy',
    { force: false },
    ['loki'],
    { asked: 1, healthy: 1, unhealthy: 2, unknown: 0, changed: 1 },
  ],
] as const)('a requested discovery probes %s, and returns the result', async ([, request, asked, told]) => {
  const { discover, touched } = setting(BEFORE, AFTER);
  expect(await discover(request as Request)).toEqual({ services: 3, ...told });
  expect(touched).toEqual(asked);
});

test('requested discoveries in a row probe again once in the interval, and all of them see the result', async () => {
  const { discover, touched } = setting(BEFORE, AFTER, new Cooldown(100));
  const shop = { namespaces: ['shop'] };
  await discover(shop);
  const others = Array.from({ length: 3 }, () => discover(shop));
  expect(touched).toEqual(['tempo']);
  for (const told of await Promise.all(others)) expect(told).toMatchObject({ services: 3, healthy: 1 });
  expect(touched).toEqual(['tempo', 'tempo']);
});

test('clients that ask for the documents of the known backends at once share them', async () => {
  const stages = { rules, detection: {} };
  const parts = { instance: { engine: { targets: [{}], stages } } } as unknown as Parts;
  const readModel = new ReadModel({ now: () => new Date(0) });
  const runs: PromiseWithResolvers<unknown>[] = [];
  const worker = {
    generate: () => {
      const run = Promise.withResolvers<unknown>();
      runs.push(run);
      return run.promise;
    },
  } as never;
  const { generate } = createApiService(() => parts, readModel, undefined as never, '0.0.0', worker);
  const [first, second] = [generate(undefined, 'ann'), generate(undefined, 'bob')];
  expect(runs).toHaveLength(1);
  runs[0]?.reject(new Error('busy'));
  await expect(first).rejects.toThrow('busy');
  await vi.waitUntil(() => runs.length === 2);
  const third = generate(undefined, 'ann');
  const generated = Buffer.from('{}');
  runs[1]?.resolve(generated);
  expect(await Promise.all([second, third])).toEqual([generated, generated]);
  expect(await generate(undefined, 'eve')).toBe(generated);
  expect(runs).toHaveLength(2);
});

test.each(['http://*.example.com', 'http://a..example.com', 'http://api.example.com:0', 'http://-/v1'])(
  'documents are not generated for an endpoint that cannot be called: %s',
  async (endpoint) => {
    const stages = { rules, detection: {} };
    const parts = { instance: { engine: { targets: [{}], stages } } } as unknown as Parts;
    const readModel = new ReadModel({ now: () => new Date(0) });
    const worker = { generate: (create: () => unknown) => create() } as never;
    const { generate } = createApiService(() => parts, readModel, undefined as never, '0.0.0', worker);
    const services = [{ name: 'a', namespace: 'b', type: 'thing', endpoint }];
    await expect(generate(services, 'client')).rejects.toMatchObject({
      errors: [{ pointer: '/services/0/endpoint' }],
    });
  },
);
