import { describe, expect, test } from 'vitest';
import { discovered, options, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { AddressBook } from '../model/addresses.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Service } from '../model/service.ts';
import { detect } from './detect.ts';
import { withReach } from './reach.ts';

/** EndpointSlices, by `namespace/name`; `…` at the end: there are more. */
function bookOf(slices: Readonly<Record<string, readonly string[]>>): AddressBook {
  return {
    addressesIn: ({ namespace }) =>
      new Map(
        Object.entries(slices).flatMap(([key, ips]) => {
          const [place, name = ''] = key.split('/');
          const listed = ips.filter((ip) => ip !== '…');
          return place === namespace ? [[name, { listed, isCut: listed.length < ips.length }] as const] : [];
        }),
      ),
  };
}

const loki = (name: string, fields: Partial<Service> = {}): Service => ({
  ...service(name, { labels: { app: 'loki' }, ports: ['http:3100'] }),
  ...fields,
});

/** The backends among Services, and the Services that matter. */
function foundIn(services: readonly Service[]) {
  const detection = detect(services, rules, {
    ...options,
    allowExternalNames: true,
    allowedHosts: ['*.svc.cluster.local', 'logs.example.com'],
  });
  const found = detection.candidates
    .flatMap((candidate) => [candidate, ...candidate.fallbacks])
    .map((candidate) => ({ ...candidate, verdict: discovered(loki('any')).verdict }));
  return { found, services: detection.services };
}

/** What is known of Services beside their selectors, by `namespace/name`. */
function reached(services: readonly Service[], book?: AddressBook): Record<string, DiscoveredService> {
  const detection = foundIn(services);
  return Object.fromEntries(
    withReach(detection.found, detection.services, book).services.map((each) => [
      `${each.service.namespace}/${each.service.name}`,
      each,
    ]),
  );
}

const OPTED_OUT = { 'kubernaut.io/toolset': 'false' };

describe('Services of one namespace share Pods', () => {
  const named = loki('named', { selector: { app: 'l', zz: '1' } });

  test.each([
    ['no selector, and a slice for the same Pod', {}, ['10.0.0.1']],
    ['an overlapping selector', { selector: { app: 'l', yy: '1' } }, ['10.0.0.1', '10.0.0.9']],
  ])('if one has %s', (_, fields, ips) => {
    const book = bookOf({ 'monitoring/named': ['10.0.0.1', '10.0.0.2'], 'monitoring/twin': ips });
    expect(reached([named, loki('twin', fields)], book)['monitoring/twin']?.sharesPods).toEqual([
      'named',
      'twin',
    ]);
  });

  test('if the slice of one has the cluster IP of the other', () => {
    const services = [loki('named', { clusterIPs: ['10.96.0.7'] }), loki('twin', { headless: true })];
    const book = bookOf({ 'monitoring/named': ['10.0.0.1'], 'monitoring/twin': ['10.96.0.7'] });
    expect(reached(services, book)['monitoring/twin']?.sharesPods).toEqual(['named', 'twin']);
  });

  describe('through the cluster IP of a third one', () => {
    const door = (fields: Partial<Service> = {}): Service =>
      loki('door', { clusterIPs: ['10.96.0.7'], annotations: OPTED_OUT, ...fields });

    test.each<[string, Service, Record<string, readonly string[]>]>([
      ['that has its Pods by address', door(), { 'monitoring/door': ['10.0.0.1'] }],
      ['that has its Pods by selector', door({ selector: { app: 'l' } }), {}],
      ['that has its cluster IP', door(), { 'monitoring/door': ['10.96.0.1'] }],
      ['with more addresses than are kept', door(), { 'monitoring/door': ['10.9.9.9', '…'] }],
    ])('%s', (_, third, slices) => {
      const services = [{ ...named, clusterIPs: ['10.96.0.1'] }, third, loki('twin')];
      const book = bookOf({
        'monitoring/named': ['10.0.0.1'],
        'monitoring/twin': ['10.0.0.9', '10.96.0.7'],
        ...slices,
      });
      expect(reached(services, book)['monitoring/twin']?.sharesPods).toContain('named');
    });

    test('and of a fourth, even in a circle', () => {
      const services = [named, door(), loki('far', { clusterIPs: ['10.96.0.8'] }), loki('twin')];
      const book = bookOf({
        'monitoring/named': ['10.0.0.1'],
        'monitoring/door': ['10.0.0.1', '10.96.0.8'],
        'monitoring/far': ['10.96.0.7', '10.96.0.8'],
        'monitoring/twin': ['10.96.0.8'],
      });
      expect(reached(services, book)['monitoring/twin']?.sharesPods).toEqual([
        'door',
        'far',
        'named',
        'twin',
      ]);
    });

    test('but a Service of some of its Pods does not connect it to the others', () => {
      const services = [named, loki('umbrella', { headless: true }), loki('twin')];
      const book = bookOf({
        'monitoring/named': ['10.0.0.1'],
        'monitoring/umbrella': ['10.0.0.1', '10.0.0.2'],
        'monitoring/twin': ['10.0.0.2'],
      });
      expect(reached(services, book)['monitoring/twin']?.sharesPods).toEqual(['twin', 'umbrella']);
    });

    test('as it is now: a change of its selector counts', () => {
      // The same object each time, as while no EndpointSlice changes.
      const slices = new Map([['twin', { listed: ['10.96.0.7'], isCut: false }]]);
      const book: AddressBook = { addressesIn: () => slices };
      const before = [named, door(), loki('twin')];
      const after = [named, door({ selector: { app: 'l' } }), loki('twin')];
      const sharing = (found: readonly DiscoveredService[], services: readonly Service[]) =>
        withReach(found, services, book).services.find(({ service: { name } }) => name === 'twin')
          ?.sharesPods;
      const twin = foundIn(before).found.filter(({ service: { name } }) => name === 'twin');
      const others = foundIn(after).found.filter(({ service: { name } }) => name !== 'twin');
      expect(sharing(twin, before)).toEqual(['door', 'twin']);
      expect(sharing([...twin, ...others], after)).toEqual(['door', 'named', 'twin']);
    });
  });

  test('also with one that is not a backend, of which only slices are known', () => {
    const book = bookOf({ 'monitoring/plain': ['10.0.0.1'], 'monitoring/twin': ['10.0.0.1'] });
    expect(reached([loki('twin')], book)['monitoring/twin']?.sharesPods).toEqual(['plain', 'twin']);
  });

  test('but not with an external address, nor with those of another namespace', () => {
    const services = [named, loki('twin'), loki('other', { namespace: 'shop' })];
    const book = bookOf({
      'monitoring/named': ['10.0.0.1'],
      'monitoring/twin': ['10.0.0.2'],
      'shop/other': ['10.0.0.1'],
    });
    for (const each of Object.values(reached(services, book))) expect(each.sharesPods).toBeUndefined();
  });

  test('the oldest first, whatever the evidence', () => {
    const services = [
      loki('a', { selector: { app: 'l' }, created: '2026-03-01T00:00:00Z' }),
      loki('b', { created: '2026-01-01T00:00:00Z' }),
      loki('c', { selector: { app: 'l' }, created: '2026-02-01T00:00:00Z' }),
    ];
    const book = bookOf({ 'monitoring/a': ['10.0.0.1'], 'monitoring/b': ['10.0.0.1'] });
    expect(reached(services, book)['monitoring/a']?.sharesPods).toEqual(['b', 'c', 'a']);
  });

  test('with every other one if there are more addresses than are kept, which is reported', () => {
    const services = [loki('big'), loki('small'), loki('named')];
    const book = bookOf({ 'monitoring/big': ['10.0.0.1', '…'], 'monitoring/small': ['10.0.0.2'] });
    const all = reached(services, book);
    expect(all['monitoring/big']?.sharesPods).toEqual(['big', 'named', 'small']);
    expect(all['monitoring/small']?.sharesPods).toEqual(['big', 'small']);
    const { problems } = withReach(Object.values(all), services, book);
    expect(problems.map(({ where }) => where)).toEqual(['Service monitoring/big']);
  });
});

describe('credentials are shared', () => {
  const services = [
    loki('named', { selector: { app: 'l' } }),
    loki('twin', { selector: { app: 'l' }, ports: service('', { ports: ['http:3101'] }).ports }),
  ];
  const samePods = (book?: AddressBook): readonly string[] | undefined =>
    reached(services, book)['monitoring/twin']?.samePods;

  test('by selectors if slices cannot be read at all, as with manifests', () => {
    expect(samePods()).toEqual(['named']);
  });

  test('if all addresses of one are addresses of the other', () => {
    expect(
      samePods(bookOf({ 'monitoring/named': ['10.0.0.1', '10.0.0.2'], 'monitoring/twin': ['10.0.0.2'] })),
    ).toEqual(['named']);
  });

  test.each([
    ['an address elsewhere', { 'monitoring/named': ['10.0.0.1'], 'monitoring/twin': ['10.66.6.6'] }],
    [
      'one address elsewhere',
      { 'monitoring/named': ['10.0.0.1'], 'monitoring/twin': ['10.0.0.1', '6.6.6.6'] },
    ],
    [
      'addresses that are not all known',
      { 'monitoring/named': ['10.0.0.1'], 'monitoring/twin': ['10.0.0.1', '…'] },
    ],
    ['addresses where the other has none', { 'monitoring/twin': ['10.0.0.1'] }],
    ['no address at all', { 'monitoring/named': ['10.0.0.1'], 'monitoring/twin': [] }],
    ['no slice', { 'monitoring/named': ['10.0.0.1'] }],
  ])('but not with one that has %s', (_, slices: Record<string, readonly string[]>) => {
    expect(samePods(bookOf(slices))).toEqual([]);
  });

  test('but not if reading slices is denied', () => {
    expect(samePods({ addressesIn: () => undefined })).toEqual([]);
  });
});

describe("the target of a Service's owner", () => {
  const external = (name: string, externalName: string, fields: Partial<Service> = {}): Service =>
    loki(name, { type: 'ExternalName', externalName, ...fields });

  test('is the Service that an ExternalName names, in any namespace and any spelling', () => {
    for (const host of [
      'named.shop.svc.cluster.local',
      'named.shop.svc',
      'pod-0.named.shop.svc.cluster.local',
    ])
      expect(reached([external('twin', host)])['monitoring/twin']?.targets).toContain('named.shop.svc');
  });

  test('is found through chains of ExternalNames, including cycles', () => {
    const services = [
      external('twin', 'next.shop.svc.cluster.local'),
      external('next', 'last.team.svc.cluster.local', { namespace: 'shop', labels: {} }),
      external('last', 'twin.monitoring.svc.cluster.local', { namespace: 'team', labels: {} }),
    ];
    const { targets } = reached(services)['monitoring/twin'] ?? {};
    expect(targets).toEqual(expect.arrayContaining(['next.shop.svc', 'last.team.svc']));
  });

  test('includes Services with the same Pods, by selector or by address', () => {
    const services = [
      external('twin', 'door.shop.svc.cluster.local'),
      loki('door', { namespace: 'shop', selector: { app: 'l' } }),
      loki('named', { namespace: 'shop', selector: { app: 'l', x: 'y' }, annotations: OPTED_OUT }),
      loki('plain', { namespace: 'shop' }),
    ];
    const book = bookOf({ 'shop/door': ['10.0.0.1'], 'shop/plain': ['10.0.0.1'] });
    expect(reached(services, book)['monitoring/twin']?.targets).toEqual(
      expect.arrayContaining(['door.shop.svc', 'named.shop.svc', 'plain.shop.svc']),
    );
  });

  test('is the host of an external endpoint that the operator allows', () => {
    const annotations = {
      'kubernaut.io/toolset': 'true',
      'kubernaut.io/toolset-endpoint': 'http://named.shop.svc.cluster.local:3100',
    };
    expect(reached([loki('twin', { annotations })])['monitoring/twin']?.targets).toContain('named.shop.svc');
  });

  test('is the Service with the address of a Pod that it names', () => {
    const services = [external('twin', '10-0-0-1.shop.pod.cluster.local')];
    expect(reached(services, bookOf({ 'shop/named': ['10.0.0.1'] }))['monitoring/twin']?.targets).toContain(
      'named.shop.svc',
    );
  });

  test('works in one direction only: the target of a Service gains nothing from it', () => {
    const all = reached([
      external('twin', 'named.shop.svc.cluster.local'),
      loki('named', { namespace: 'shop' }),
    ]);
    expect(all['shop/named']).not.toHaveProperty('targets');
    expect(all['shop/named']).not.toHaveProperty('sharesPods');
  });

  test('shares no credentials, whatever its selector', () => {
    const annotations = {
      'kubernaut.io/toolset': 'true',
      'kubernaut.io/toolset-endpoint': 'http://logs.example.com:3100',
    };
    const selector = { app: 'l' };
    for (const twin of [
      external('loki-twin', 'logs.example.com', { selector }),
      loki('loki-twin', { selector, annotations }),
    ]) {
      const all = reached([loki('loki', { selector }), twin]);
      expect(all['monitoring/loki-twin']?.samePods ?? []).toEqual([]);
    }
  });
});

test('an ExternalName is no twin by its selector, and no part of its installation has its Pods', () => {
  const external = { type: 'ExternalName', externalName: 'x.example.com', selector: { app: 'l' } };
  const apart = reached([loki('loki', { selector: { app: 'l' } }), loki('other', external)]);
  expect(apart['monitoring/other']?.alternates).toEqual([]);
  for (const other of ['loki', 'loki-gateway']) {
    const [one, another] = [other, other === 'loki' ? 'loki-gateway' : 'loki'];
    const all = reached([loki(one, { selector: { app: 'l' } }), loki(another, external)]);
    for (const each of Object.values(all)) {
      expect(each.alternates).toHaveLength(1);
      expect(each.samePods).toEqual([]);
    }
  }
});

test('unchanged parts are the same object', () => {
  const { candidates, services } = detect([loki('a'), loki('b')], rules, options);
  const found = candidates.map((each) => ({ ...each, verdict: discovered(loki('any')).verdict }));
  const addresses = ['10.0.0.1'];
  const once = withReach(found, services, bookOf({ 'monitoring/a': addresses })).services;
  const again = withReach(found, services, bookOf({ 'monitoring/a': addresses })).services;
  expect(again).toEqual(once);
  for (const [index, each] of again.entries()) expect(each).toBe(once[index]);
  const [a, b] = withReach(found, services, bookOf({ 'monitoring/a': ['10.0.0.2'] })).services;
  expect(a).not.toBe(once[0]);
  expect(b).toBe(once[1]);
});

test('while addresses stay the same, a Service that changes its target counts for the others', () => {
  const addresses = new Map([['a', { listed: ['10.0.0.1'], isCut: false }]]);
  const book: AddressBook = { addressesIn: () => addresses };
  const { candidates } = detect([loki('a'), loki('b')], rules, options);
  const found = candidates.map((each) => ({ ...each, verdict: discovered(loki('any')).verdict }));
  const shares = (b: Service) => withReach(found, [loki('a'), b], book).services[0]?.sharesPods;
  expect(shares(loki('b'))).toBeUndefined();
  expect(shares(loki('b', { clusterIPs: ['10.0.0.1'] }))).toEqual(['a', 'b']);
  expect(shares(loki('b', { externalName: '10.0.0.1' }))).toEqual(['a', 'b']);
  expect(shares(loki('b'))).toBeUndefined();
});

test('a part has the addresses of its Service, and is no Service beside it', () => {
  const ports = [
    { name: 'grafana', port: 3000, protocol: 'TCP' as const },
    { name: 'loki', port: 3100, protocol: 'TCP' as const },
  ];
  const lgtm: Service = { ...loki('lgtm', { labels: { app: 'lgtm' }, selector: { app: 'l' } }), ports };
  const twin = loki('twin');
  const named = loki('named', { selector: { app: 'l' } });
  const book = bookOf({
    'monitoring/lgtm': ['10.0.0.1'],
    'monitoring/named': ['10.0.0.1', '10.0.0.2'],
    'monitoring/twin': ['10.0.0.1'],
  });
  const all = reached([lgtm, named, twin], book);
  expect(all['monitoring/lgtm:3100']).toMatchObject({
    addresses: ['10.0.0.1'],
    sharesPods: ['lgtm', 'named', 'twin'],
    samePods: ['named'],
  });
  expect(all['monitoring/lgtm:3100']?.targets).toBeUndefined();
  const alike = reached(
    [lgtm, named],
    bookOf({ 'monitoring/lgtm': ['10.0.0.1'], 'monitoring/named': ['10.0.0.1'] }),
  );
  expect(alike['monitoring/named']?.samePods).toEqual(['lgtm:3100']);
  expect(all['monitoring/named']?.samePods).toEqual([]);
  expect(all['monitoring/twin']?.sharesPods).toEqual(['lgtm', 'named', 'twin']);
});
