import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyFor } from '../../test/fixtures/unit/service.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import {
  EndpointIndex,
  MOST_ADDRESSES,
  MOST_NAMESPACE_ADDRESSES,
  type SliceState,
} from './endpoint-index.ts';
import { slicesIn } from './endpoint-slices.ts';

const ips = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `10.${from >> 8}.${from & 255}.${n}`);
const slice = (service: string, ...addresses: readonly string[]): SliceState => ({
  service: keyFor(service),
  ready: true,
  ...(addresses.length === 0 ? {} : { addresses: addresses.join(' ') }),
});
const inNamespace = (index: EndpointIndex, namespace: string) =>
  Object.fromEntries(index.addressesIn({ cluster: HOME_CLUSTER, namespace }));

test('the addresses of a Service are those of all its slices, ready or not, each once', () => {
  const { select } = slicesIn('n');
  const read = (name: string, ...endpoints: readonly object[]): SliceState =>
    select({
      metadata: { name, labels: { 'kubernetes.io/service-name': 'a' } },
      endpoints,
    } as never) as SliceState;
  const index = new EndpointIndex(
    new Map([
      [
        '1',
        read('1', { addresses: ['10.0.0.2'] }, { addresses: ['010.0.0.1'], conditions: { ready: false } }),
      ],
      ['2', read('2', { addresses: ['10.0.0.1', 'FD00::0:1'] }, {})],
      ['3', slice('other/a', '10.0.0.9')],
    ]),
  );
  expect(inNamespace(index, 'n')).toEqual({
    a: { listed: ['10.0.0.1', '10.0.0.2', 'fd00::1'], isCut: false },
  });
});

test.each([7, '1 2', 'x'.repeat(300)])(
  'a slice with an unsupported address, %j, is incomplete',
  (address) => {
    const endpoints = [{ addresses: ['10.0.0.1', address] }];
    const metadata = { labels: { 'kubernetes.io/service-name': 'a' } };
    expect(slicesIn('n').select({ metadata, endpoints } as never)).toMatchObject({ isCut: true });
  },
);

test('a slice with more addresses than the limit is marked', () => {
  const endpoints = ips(0, 200).flatMap((_, n) => ips(n + 1, 5).map((ip) => ({ addresses: [ip] })));
  const state = slicesIn('n').select({
    metadata: { labels: { 'kubernetes.io/service-name': 'a' } },
    endpoints,
  } as never);
  expect(state).toMatchObject({ isCut: true });
  expect(state).not.toHaveProperty('addresses');
});

test('addresses beyond the limits of a Service or a namespace are not kept, and marked as missing', () => {
  const index = new EndpointIndex();
  for (let n = 0; n < 8; n++) index.put(`a${n}`, slice('n/a', ...ips(n, 100)));
  expect(inNamespace(index, 'n').a?.listed).toHaveLength(500);
  expect(inNamespace(index, 'n').a?.isCut).toBe(true);
  for (let n = 0; n < 100; n++) index.put(`s${n}`, slice(`n/s${n}`, ...ips(300 + n, 100)));
  index.put('z', slice('other/z', '10.0.0.1'));
  const all = Object.values(inNamespace(index, 'n'));
  expect(all.reduce((sum, { listed }) => sum + listed.length, 0)).toBeLessThanOrEqual(
    MOST_NAMESPACE_ADDRESSES,
  );
  expect(inNamespace(index, 'n').s99).toEqual({ listed: [], isCut: true });
  expect(inNamespace(index, 'other').z).toEqual({ listed: ['10.0.0.1'], isCut: false });
});

test('after any changes, the state equals a new index, and nothing deleted remains', () => {
  const some = fc.record({
    key: fc.constantFrom('1', '2', '3', '4'),
    slice: fc.option(
      fc
        .record({ service: fc.constantFrom('n/a', 'n/b', 'm/a'), count: fc.nat({ max: MOST_ADDRESSES / 4 }) })
        .map(({ service, count }) => slice(service, ...ips(1, count))),
    ),
  });
  fc.assert(
    fc.property(fc.array(some), (changes) => {
      const index = new EndpointIndex();
      const all = new Map<string, SliceState>();
      for (const { key, slice: state } of changes) {
        if (state === null) {
          index.drop(key);
          all.delete(key);
        } else {
          index.put(key, state);
          all.set(key, state);
        }
      }
      const fresh = new EndpointIndex(all);
      for (const namespace of ['n', 'm'])
        expect(inNamespace(index, namespace)).toEqual(inNamespace(fresh, namespace));
      expect(new Set(index.services())).toEqual(new Set(fresh.services()));
    }),
  );
});

test('after any changes, the addresses equal those of a new index, and are the same map while nothing changes', () => {
  const step = fc.record({
    key: fc.constantFrom('1', '2', '3', '4'),
    service: fc.constantFrom('n/a', 'n/b', 'other/a'),
    addresses: fc.option(fc.subarray(['10.0.0.1', '10.0.0.2', '10.0.0.3'])),
    isAsked: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const index = new EndpointIndex();
      const slices = new Map<string, SliceState>();
      for (const { key, service, addresses, isAsked } of steps) {
        if (addresses === null) {
          index.drop(key);
          slices.delete(key);
        } else {
          const state = slice(service, ...addresses);
          index.put(key, state);
          slices.set(key, state);
        }
        if (isAsked) index.addressesIn({ cluster: HOME_CLUSTER, namespace: 'n' });
      }
      for (const namespace of ['n', 'other', 'none']) {
        const place = { cluster: HOME_CLUSTER, namespace };
        expect(inNamespace(index, namespace)).toEqual(inNamespace(new EndpointIndex(slices), namespace));
        expect(index.addressesIn(place)).toBe(index.addressesIn(place));
      }
    }),
  );
});
