import { describe, expect, test } from 'vitest';
import { detect } from '../../src/detection/detect.ts';
import { ANY_INTEREST } from '../../src/model/interest.ts';
import type { Service } from '../../src/model/service.ts';
import { overridesSchema } from '../../src/outputs/overrides-schema.ts';
import { admit } from '../../src/planning/admission.ts';
import { toolsOf } from '../../src/planning/tools.ts';
import { trimmed } from '../../src/sources/trim.ts';
import { discovered, options, rules } from '../fixtures/unit/detection.ts';
import { service } from '../fixtures/unit/service.ts';

const ANNOTATED = { 'kubernaut.io/toolset': 'true' };
const first = { namespace: 'evil', labels: { app: 'prometheus' }, ports: [9090] };
const selector = { app: 'p', tier: 'a' };
const prom = service('prom', { ...first, selector });
const again = service('zebra', { ...first, selector: { ...selector, more: 'x' } });
const OFF = { 'evil/prom': { enabled: false } };

function published(services: readonly Service[], tools: object = OFF) {
  const { candidates } = detect(services, rules, options);
  const { verdict } = discovered(prom);
  const found = candidates.map((each) => ({ ...each, verdict }));
  const overrides = overridesSchema.parse({ tools });
  const admitted = admit(found, { namespaces: ['evil', 'good'] }, overrides);
  const made = toolsOf(admitted.services, admitted.overrides, new Map(), admitted.held);
  return { tools: made.tools.map(({ key }) => key), notes: [...admitted.notes, ...made.notes] };
}

test('a disabled Service does not come back as another Service of its Pods', () => {
  const annotated = (annotations: Record<string, string>): Service => ({ ...prom, annotations });
  const originals = [
    prom,
    annotated({ 'kubernaut.io/toolset': 'false' }),
    annotated({ 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-endpoint': 'http://elsewhere' }),
  ];
  for (const original of originals)
    for (const other of [{ ...selector, more: 'x' }, { app: 'p' }, selector]) {
      const found = published([original, { ...again, selector: other }]);
      expect(found.tools).toEqual([]);
    }
});

test('a warning says so, and how to publish it nevertheless', () => {
  // Two Services with some of its Pods each are backends of their own.
  const whole = service('prom', { ...first, selector: { app: 'p' } });
  const part = (name: string): Service => service(name, { ...first, selector: { app: 'p', part: name } });
  const all = [whole, part('yak'), part('zebra')];
  expect(published(all).notes).toEqual(
    ['yak', 'zebra'].map((name) => ({
      where: `Service evil/${name}`,
      what: 'is left out: it leads to Pods of evil/prom, which overrides.yaml switches off',
      fix: `if you want it, write enabled: true under tools, evil/${name}`,
    })),
  );
  expect(published(all, { ...OFF, 'evil/zebra': { enabled: true } }).tools).toEqual(['evil/zebra']);
});

test('other Pods, another product in the same Pods, and another namespace are not affected', () => {
  const others = [
    service('zebra', { ...first, selector: { app: 'p', tier: 'b' } }),
    service('loki', { namespace: 'evil', labels: { app: 'loki' }, ports: ['http:3100'], selector }),
    service('prom', { ...first, namespace: 'good', selector }),
  ];
  expect(published([prom, ...others]).tools.sort()).toEqual(['evil/loki', 'evil/zebra', 'good/prom']);
});

const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, 'v']));

/** A Service as it is read from the cluster: not all entries of a long selector are kept. */
function read(given: Service): Service {
  const { ports, labels, selector: all, annotations } = given;
  return { ...given, ...trimmed({ ports, labels, selector: all, annotations }, ANY_INTEREST) };
}

const mcp = { namespace: 'evil', labels: { app: 'mcp-server' }, ports: ['mcp:8000'] };

describe.each([
  ['enabled: false', { enabled: false }, first],
  ['approved: false', { approved: false }, mcp],
])('%s of a Service applies to all that share its Pods', (_, word, fields) => {
  const tools = { 'evil/z': word };
  const original = service('z', { ...fields, selector });
  const twin = (own: Record<string, string>, more: object = {}): Service =>
    read(service('twin', { ...fields, selector: own, ...more }));

  test.each([
    ['an equal selector', twin(selector)],
    ['one entry more', twin({ ...selector, more: 'x' })],
    ['one entry less', twin({ app: 'p' })],
    ['a headless Service', twin({ ...selector, more: 'x' }, { headless: true })],
    ['more entries than are compared', twin({ ...selector, ...many(30) })],
    ['more entries than are stored, with the shared ones last', twin({ ...many(60), ...selector })],
    [
      'another type by annotation',
      read(service('twin', { namespace: 'evil', ports: ['http:80'], selector, annotations: ANNOTATED })),
    ],
  ])('with %s', (__, other) => {
    expect(published([original, other], tools).tools).toEqual([]);
  });

  test.each([
    ['opts out', { annotations: { 'kubernaut.io/toolset': 'false' } }],
    ['becomes an ExternalName', { type: 'ExternalName' }],
    ['gets a selector with very many entries', { selector: { ...selector, ...many(60) } }],
    ['becomes another type by annotation', { labels: {}, annotations: ANNOTATED }],
  ])('even if the Service %s', (__, change) => {
    const changed = read({ ...original, ...change });
    expect(published([changed, twin({ ...selector, more: 'x' })], tools).tools).toEqual([]);
  });

  test('but not to other Pods, as far as selectors can be compared', () => {
    const others = [
      twin({ ...selector, tier: 'b', ...many(60) }),
      service('y', { ...fields, selector: { app: 'y' } }),
      service('twin', { namespace: 'calm', ports: ['http:80'], labels: fields.labels, selector: many(60) }),
    ];
    expect(published([original, ...others], tools).tools.sort()).toEqual(['calm/twin', 'evil/y']);
  });
});

test('a Service that waits because another Service of its Pods is refused gets a warning', () => {
  const others = ['z', 'y'].map((part) => service(part, { ...mcp, selector: { app: 'p', part } }));
  const all = [...others, service('twin', { ...mcp, selector: { app: 'p' } })];
  expect(published(all, { 'evil/z': { approved: false } }).notes).toContainEqual({
    where: 'Service evil/twin',
    what: 'goes with evil/z, which overrides.yaml refuses, so it waits for approval and is not published until then (mcp)',
    fix: 'if you trust it: dynamic-toolset approve evil/twin',
  });
  const tools = { 'evil/z': { approved: false }, 'evil/twin': { approved: 'mcp' } };
  expect(published(all, tools).tools).toEqual(['evil/twin', 'evil/y']);
});
