import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { options, rules } from '../../test/fixtures/unit/detection.ts';
import { keyFor, offered, type ServiceFields, service } from '../../test/fixtures/unit/service.ts';
import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import { detect } from './detect.ts';
import { FormerSelectors } from './former-selectors.ts';
import { LiveDetection } from './live.ts';

/** Remembers nothing. */
const forgetful = (): FormerSelectors =>
  new FormerSelectors({ selectors: 1, namespace: 1, services: 0, namespaces: 1 });

/** More entries than are compared. */
const long = Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`k${n}`, '']));

const some = fc
  .record({
    name: fc.constantFrom('prometheus', 'prometheus-operated', 'loki', 'loki-gateway', 'loki-read', 'shop'),
    namespace: fc.constantFrom('monitoring', 'default', 'shop'),
    app: fc.constantFrom('prometheus', 'loki', 'shop', 'elasticsearch-exporter'),
    selector: fc.constantFrom({}, { app: 'x' }, { app: 'x', part: 'y' }, long),
    created: fc.constantFrom(undefined, '2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z'),
    clusterIPs: fc.constantFrom(undefined, ['10.0.0.1'], ['10.0.0.2', 'fd00::2']),
    headless: fc.boolean(),
    ports: fc.subarray([
      'web:9090',
      'http-metrics:3100',
      'http:80',
      'tempo:3200',
      'loki:3100',
      'prometheus:9090',
    ]),
    says: fc.option(fc.constantFrom({ name: 'mine' }, { name: 'yours', type: 'loki' })),
    versioned: fc.boolean(),
  })
  .map(({ name, app, says, versioned, created, clusterIPs, ...rest }) => {
    const known = { ...(created && { created }), ...(clusterIPs && { clusterIPs }) };
    const fields = { labels: { app }, ...rest, ...known };
    const one = says === null ? service(name, fields) : offered(name, says, fields);
    return versioned ? { ...one, version: JSON.stringify(one) } : one;
  });

const change = fc.oneof(
  { weight: 6, arbitrary: some.map((put) => ({ put })) },
  { weight: 3, arbitrary: some.map((drop) => ({ drop })) },
  {
    weight: 1,
    arbitrary: fc.record({
      all: fc.array(some, { maxLength: 6 }),
      unread: fc.subarray(['shop', 'default', '*']),
    }),
  },
);

test('after any changes, the result equals a full detection', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const live = new LiveDetection(rules, options, forgetful());
      const all = new Map<ServiceKey, Service>();
      for (const each of changes) {
        if ('put' in each) {
          live.put(each.put);
          all.set(serviceKey(each.put), each.put);
        } else if ('drop' in each) {
          live.drop(serviceKey(each.drop));
          all.delete(serviceKey(each.drop));
        } else {
          const byKey = new Map(each.all.map((one) => [serviceKey(one), one]));
          live.replace([...byKey.values()], new Set(each.unread));
          const stands = new Set<string>(each.unread);
          for (const [key, { namespace }] of all)
            if (!stands.has('*') && !stands.has(namespace)) all.delete(key);
          for (const [key, one] of byKey) all.set(key, one);
        }
        expect(live.detect()).toEqual(detect(all.values(), rules, options));
        expect(live.size).toBe(all.size);
      }
    }),
    { numRuns: 200 },
  );
});

test('irrelevant changes cost nothing: the result is the same object', () => {
  const live = new LiveDetection(rules, options);
  live.put(service('prometheus', { labels: { app: 'prometheus' }, ports: ['web:9090'] }));
  const before = live.detect();
  live.put(service('shop', { labels: { app: 'shop' } }));
  live.drop(keyFor('default/shop'));
  expect(live.detect()).toBe(before);
});

test('a Service that no detector claims any more is no longer a backend', () => {
  const live = new LiveDetection(rules, options);
  live.put(service('metrics', { labels: { app: 'loki' }, ports: ['http:80'] }));
  expect(live.detect().candidates).toHaveLength(1);
  live.put(service('metrics', { labels: { app: 'shop' }, ports: ['http:80'] }));
  expect(live.detect().candidates).toEqual([]);
  expect(live.size).toBe(1);
});

test('an unchanged Service is not examined again', () => {
  const live = new LiveDetection(rules, options);
  const one = {
    ...service('metrics', { labels: { app: 'loki' }, ports: ['http:80'] }),
    version: '7',
  };
  live.put(one);
  const before = live.detect();
  live.put({ ...one, labels: { app: 'shop' } });
  expect(live.detect()).toBe(before);
  live.put({ ...one, labels: { app: 'shop' }, version: '8' });
  expect(live.detect().candidates).toEqual([]);
});

test('incremental steps give the same result, yield after each Service and namespace, and include changes that arrive meanwhile', async () => {
  const live = new LiveDetection(rules, options);
  const loki = (namespace: string, name: string): Service =>
    service(name, { namespace, labels: { app: 'loki' }, ports: ['http:3100'] });
  const all = [loki('a', 'loki'), loki('a', 'logs'), loki('b', 'loki'), loki('c', 'late')];
  live.replace(all.slice(0, 3), new Set());
  let pauses = 0;
  const found = await live.detectInSteps(() => {
    pauses += 1;
    if (pauses === 4) {
      live.put(all[3] as Service);
      live.drop(keyFor('b/loki'));
    }
    return Promise.resolve();
  });
  expect(found).toEqual(detect([all[0], all[1], all[3]] as Service[], rules, options));
  expect(pauses).toBeGreaterThanOrEqual(6);
});

test('a namespace that changes all the time is grouped once, and changes of others are included', async () => {
  const loki = (namespace: string, name: string): Service =>
    service(name, { namespace, labels: { app: 'loki' }, selector: { app: name }, ports: ['http:3100'] });
  const live = new LiveDetection(rules, options);
  live.put(loki('busy', 'first'));
  let steps = 0;
  const found = await live.detectInSteps(() => {
    steps++;
    live.put({ ...loki('busy', 'first'), version: String(steps) });
    if (steps === 3) live.put(loki('calm', 'second'));
    return undefined;
  });
  // Of each namespace: its Service is examined, compared with others and grouped, and the namespace is done.
  expect(found.candidates.map(({ service: { name, version } }) => [name, version])).toEqual([
    ['first', undefined],
    ['second', undefined],
  ]);
  expect(steps).toBe(8);
  expect(live.detect().candidates[0]?.service.version).toBe('8');
});

test('Services that are not examined yet also count when a namespace is transferred', () => {
  const live = new LiveDetection(rules, options);
  const one = service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] });
  live.put(one);
  expect(live.servicesIn('monitoring')).toEqual([one]);
  live.detect();
  expect(live.servicesIn('monitoring')).toEqual([one]);
});

test('changes between two steps are never lost, and detection always ends', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(some, { minLength: 1, maxLength: 10 }),
      fc.array(fc.tuple(fc.boolean(), some), { minLength: 1, maxLength: 12 }),
      async (first, changes) => {
        const live = new LiveDetection(rules, options, forgetful());
        const all = new Map(first.map((one) => [serviceKey(one), one]));
        for (const one of all.values()) live.put(one);
        let steps = 0;
        await live.detectInSteps(() => {
          const [puts, one] = changes[steps++ % changes.length] ?? [];
          if (one === undefined || steps > 2_000) throw new Error('it goes on and on');
          const changed = { ...one, version: `step ${steps}` };
          if (puts === true) {
            live.put(changed);
            all.set(serviceKey(one), changed);
          } else {
            live.drop(serviceKey(one));
            all.delete(serviceKey(one));
          }
          return undefined;
        });
        expect(live.detect()).toEqual(detect(all.values(), rules, options));
      },
    ),
  );
});

test('a change keeps all unaffected backends as the same objects', () => {
  const live = new LiveDetection(rules, options);
  const at = (name: string, annotations = {}, app = name): Service =>
    service(name, { labels: { app: 'loki' }, selector: { app }, ports: ['http:3100'], annotations });
  for (const name of ['a', 'b', 'c']) live.put(at(name));
  live.put(at('c-twin', {}, 'c'));
  const named = (name: string) =>
    live
      .detect()
      .candidates.find(({ service: each, alternates }) => [each.name, ...alternates].includes(name));
  const [b, c] = [named('b'), named('c')];
  expect(c?.sharesPods).toEqual(['c', 'c-twin']);
  live.put(at('a', { team: 'shop' }));
  live.put(at('new'));
  // As before each detection.
  live.prefer(new Map([[keyFor('monitoring/c'), { at: 1 }]]));
  expect(named('new')).toBeDefined();
  expect(named('b')).toBe(b);
  expect(named('c')).toBe(c);
  live.put(at('b', {}, 'c'));
  expect(named('b')).not.toBe(b);
  expect(named('c')?.sharesPods).toEqual(['b', 'c', 'c-twin']);
});

describe('the former targets of a Service that its owner changed', () => {
  const loki = (name: string, fields: ServiceFields): Service =>
    service(name, { labels: { app: 'loki' }, ports: ['http:3100'], ...fields });
  const twin = loki('twin', { selector: { app: 'l', tier: 'x' } });
  const named = loki('named', { selector: { app: 'l' } });
  const beside = (live: LiveDetection): readonly string[] | undefined =>
    live.detect().candidates.find(({ service: { name } }) => name === 'twin')?.sharesPods;

  test.each([
    ['another selector', loki('named', { selector: { app: 'z' } })],
    ['none, as an ExternalName', loki('named', { type: 'ExternalName' })],
    ['none, and no evidence of its type', service('named', { ports: ['x:1'] })],
  ])('count for others if it has %s', (_, now) => {
    for (const isRecreated of [false, true]) {
      const live = new LiveDetection(rules, options);
      live.put(named);
      live.put(twin);
      live.detect();
      if (isRecreated) live.drop(serviceKey(named));
      live.detect();
      live.put(now);
      expect(beside(live)).toEqual(['named', 'twin']);
    }
  });

  test('also count with other options', () => {
    const before = new LiveDetection(rules, options);
    before.put(named);
    before.detect();
    before.put(loki('named', { selector: { app: 'z' } }));
    before.detect();
    const live = new LiveDetection(rules, { ...options, clusterDomain: 'example' }, before.former);
    live.put(loki('named', { selector: { app: 'z' } }));
    live.put(twin);
    expect(beside(live)).toEqual(['named', 'twin']);
  });

  test('do not count after its deletion, nor for itself', () => {
    const live = new LiveDetection(rules, options);
    live.put(twin);
    live.put(named);
    live.detect();
    live.drop(serviceKey(named));
    expect(beside(live)).toBeUndefined();
    live.put(loki('named', { selector: { app: 'z' } }));
    const found = live.detect().candidates.find(({ service: { name } }) => name === 'named');
    expect(found).not.toHaveProperty('sharesPods');
  });

  test('may be any Pods after more changes than the history holds, which other Services of the namespace are not affected by', () => {
    const live = new LiveDetection(rules, options);
    live.put(twin);
    live.put(loki('calm', { selector: { tier: 'x' } }));
    live.detect();
    live.put(loki('calm', { selector: { app: 'y' } }));
    live.detect();
    for (let n = 0; n < 40; n++) {
      live.put(loki('noisy', { selector: { app: `${n}` } }));
      live.detect();
    }
    expect(beside(live)).toEqual(['calm', 'noisy', 'twin']);
  });
});

test('a namespace in which everything changes all the time has a bounded history', () => {
  const former = new FormerSelectors({ selectors: 4, namespace: 10, services: 6, namespaces: 2 });
  const at = (name: string, app: number, namespace = 'noisy'): Service =>
    service(name, { namespace, selector: { app: `${app}` } });
  for (let n = 0; n < 20; n++) for (let app = 0; app < 3; app++) former.record(at(`s${n}`, app));
  const known = Array.from({ length: 20 }, (_, n) => former.of(at(`s${n}`, 0)));
  expect(known.slice(0, 14)).toEqual(Array.from({ length: 14 }, () => undefined));
  expect(known.slice(14).every((each) => each !== undefined)).toBe(true);
  const sizes = known.map((each) => (each instanceof Map ? each.size : 0));
  expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(10);
  former.record(at('a', 1, 'calm'));
  former.record(at('a', 1, 'third'));
  expect(former.of(at('a', 1, 'calm'))).toBeDefined();
});
