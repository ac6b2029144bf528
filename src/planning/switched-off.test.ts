import { expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { maybeSwitchedOff, switchedOffBeside } from './switched-off.ts';

const backend = (
  name: string,
  type = 'loki',
  fields: Partial<DiscoveredService> = {},
): DiscoveredService => ({
  ...discovered(service(name, { labels: { app: 'loki' }, ports: ['http:3100'] })),
  type,
  detector: type,
  ...fields,
});
const LOKI = backend('loki');
/** Another Service of the Pods of `monitoring/loki`. */
const TWIN = backend('twin', 'loki', { sharesPods: ['loki', 'twin'] });
const TEMPO = backend('tempo', 'tempo', { sharesPods: ['loki'] });
const OFF = { 'monitoring/loki': { enabled: false } };
const WHY = 'it leads to Pods of monitoring/loki, which overrides.yaml switches off';

const beside = (
  found: readonly DiscoveredService[],
  each: DiscoveredService,
  tools: object = OFF,
): string | undefined => switchedOffBeside(found, overridesSchema.parse({ tools }))(each);

test.each<[string, DiscoveredService, DiscoveredService[], object, string | undefined]>([
  ['another Service of its Pods is disabled too', TWIN, [LOKI, TWIN], OFF, WHY],
  ['by either form of the key', TWIN, [LOKI, TWIN], { 'loki.monitoring': { enabled: false } }, WHY],
  ['even if the disabled Service is not a backend', TWIN, [TWIN], OFF, WHY],
  ['nothing is disabled without overrides', TWIN, [LOKI, TWIN], {}, undefined],
  ['nor if it is enabled', TWIN, [LOKI, TWIN], { 'monitoring/loki': { enabled: true } }, undefined],
  ['a Service of other Pods stays', backend('other'), [LOKI], OFF, undefined],
  [
    'a namesake in another namespace stays',
    TWIN,
    [LOKI, TWIN],
    { 'apps/loki': { enabled: false } },
    undefined,
  ],
  [
    'so does the one of another cluster',
    { ...TWIN, service: { ...TWIN.service, cluster: 'east' } },
    [TWIN],
    OFF,
    undefined,
  ],
  [
    'a Service in any namespace that leads to it is disabled too',
    backend('alias', 'loki', {
      service: { ...LOKI.service, namespace: 'apps', name: 'alias' },
      targets: ['loki.monitoring.svc.cluster.local'],
    }),
    [LOKI],
    OFF,
    WHY,
  ],
  ['overrides enable it', TWIN, [LOKI, TWIN], { ...OFF, 'monitoring/twin': { enabled: true } }, undefined],
  ['overrides approve it', TWIN, [LOKI, TWIN], { ...OFF, 'monitoring/twin': { approved: 'mcp' } }, undefined],
  [
    'overrides approve it, and refuse it by the other form of the key',
    TWIN,
    [LOKI, TWIN],
    { ...OFF, 'monitoring/twin': { approved: 'mcp' }, 'twin.monitoring': { approved: false } },
    WHY,
  ],
  [
    'it leads to a Service that is not disabled',
    { ...backend('alias'), targets: ['other.apps.svc.cluster.local'] },
    [LOKI],
    OFF,
    undefined,
  ],
  ['it is the disabled one itself', { ...LOKI, sharesPods: ['loki', 'twin'] }, [LOKI, TWIN], OFF, undefined],
  ['overrides refuse it', TWIN, [LOKI, TWIN], { ...OFF, 'monitoring/twin': { approved: false } }, WHY],
  [
    'overrides approve only another Service of its backend',
    { ...TWIN, alternates: ['twin-read'] },
    [LOKI, TWIN],
    { ...OFF, 'twin-read.monitoring': { approved: true } },
    WHY,
  ],
  [
    'overrides enable it by another Service of its backend',
    { ...TWIN, alternates: ['twin-read'] },
    [LOKI, TWIN],
    { ...OFF, 'twin-read.monitoring': { enabled: true } },
    undefined,
  ],
  ['another product in the same Pods stays', TEMPO, [LOKI, TEMPO], OFF, undefined],
  [
    'unless its type comes only from an annotation',
    { ...TEMPO, detector: 'custom' },
    [LOKI, TEMPO],
    OFF,
    WHY,
  ],
  [
    'or the type of the disabled one does',
    TEMPO,
    [{ ...LOKI, type: 'loki-like', detector: 'custom' }, TEMPO],
    OFF,
    WHY,
  ],
  [
    'a product is recognized by any of its Services',
    TEMPO,
    [backend('loki-main', 'loki', { alternates: ['loki'] }), TEMPO],
    OFF,
    undefined,
  ],
])('%s', (_, each, found, tools, expected) => {
  expect(beside(found, each, tools)).toBe(expected);
});

test('disabling a custom tool does not disable a Service of that name', () => {
  expect(beside([LOKI, TWIN], TWIN, { loki: { enabled: false } })).toBeUndefined();
});

const MAYBE =
  'it is not published now, and may lead to Pods of monitoring/loki, which overrides.yaml switches off; if it does not, write enabled: true for monitoring/gone there';
const GONE = backend('gone');

test.each<[string, DiscoveredService, DiscoveredService[], object, string | undefined]>([
  ['may have led to Pods of a disabled Service of its namespace', GONE, [LOKI], OFF, MAYBE],
  ['even if that one is not known', GONE, [], OFF, MAYBE],
  ['did not if nothing is disabled there', GONE, [LOKI], { 'apps/loki': { enabled: false } }, undefined],
  [
    'did not if it was another product',
    { ...GONE, type: 'tempo', detector: 'tempo' },
    [LOKI],
    OFF,
    undefined,
  ],
  [
    'may have if only its owner said that it was',
    { ...GONE, type: 'tempo', detector: 'custom' },
    [LOKI],
    OFF,
    MAYBE,
  ],
  [
    'counts as enabled if overrides say so of one of its Services',
    { ...GONE, alternates: ['gone-read'] },
    [LOKI],
    { ...OFF, 'monitoring/gone-read': { enabled: true } },
    undefined,
  ],
])('a backend that is no longer published %s', (_, each, known, tools, expected) => {
  expect(maybeSwitchedOff(() => known, overridesSchema.parse({ tools }))(each)).toBe(expected);
});

test('the known backends are asked for once, and only if something is disabled', () => {
  let times = 0;
  const known = (): readonly DiscoveredService[] => {
    times += 1;
    return [LOKI];
  };
  maybeSwitchedOff(known, overridesSchema.parse({}))(GONE);
  expect(times).toBe(0);
  const explain = maybeSwitchedOff(known, overridesSchema.parse({ tools: OFF }));
  explain(GONE);
  explain(TWIN);
  expect(times).toBe(1);
});

const LGTM = backend('lgtm', 'grafana', { servicePort: 3000 });
const partOf = (port: number, type: string, fields: Partial<DiscoveredService> = {}): DiscoveredService =>
  backend('part', type, { service: { ...LOKI.service, name: `lgtm:${port}` }, servicePort: port, ...fields });
const PART = partOf(3100, 'loki');
const OFF_LGTM = { 'monitoring/lgtm': { enabled: false } };
const OFF_PART = { 'monitoring/lgtm:3100': { enabled: false } };
/** Another Service of the Pods of `monitoring/lgtm`. */
const ALIAS = backend('alias', 'loki', { sharesPods: ['lgtm', 'alias'], servicePort: 3100 });
/** `monitoring/lgtm` with a port of each of its products. */
const WHOLE = {
  ...LGTM,
  service: {
    ...LGTM.service,
    ports: [
      { name: 'grafana', port: 3000, protocol: 'TCP' as const },
      { name: 'loki', port: 3100, protocol: 'TCP' as const },
    ],
  },
};
/** The ports of such a Service, where one has another name and number. */
const named = (name: string, port: number) => [
  { name: 'grafana', port: 3000, protocol: 'TCP' as const },
  { name, port, protocol: 'TCP' as const },
];
/** Another Service of these Pods, with a port that leads to another number. */
const gateway = (port: number, targetPort: number): DiscoveredService => ({
  ...ALIAS,
  service: { ...ALIAS.service, ports: [{ name: 'http', port, targetPort, protocol: 'TCP' as const }] },
  servicePort: port,
});
const PART_OF = 'it is a part of monitoring/lgtm, which overrides.yaml switches off';

test.each<[string, DiscoveredService, DiscoveredService[], object, string | undefined]>([
  [
    'the parts of a disabled Service are disabled, whatever their type',
    PART,
    [LGTM, PART],
    OFF_LGTM,
    PART_OF,
  ],
  ['even if the Service is not a backend', PART, [PART], { 'lgtm.monitoring': { enabled: false } }, PART_OF],
  [
    'unless overrides enable the part',
    PART,
    [LGTM, PART],
    { ...OFF_LGTM, 'monitoring/lgtm:3100': { enabled: true } },
    undefined,
  ],
  [
    'the Service of a disabled part stays',
    { ...LGTM, sharesPods: ['lgtm', 'alias'] },
    [LGTM, PART],
    OFF_PART,
    undefined,
  ],
  [
    'so do its other parts',
    partOf(3200, 'tempo', { sharesPods: ['lgtm', 'alias'] }),
    [PART],
    OFF_PART,
    undefined,
  ],
  [
    'also if the disabled part is not found',
    partOf(3200, 'tempo', { sharesPods: ['lgtm', 'alias'], usualPorts: [3200, 80] }),
    [],
    OFF_PART,
    undefined,
  ],
  [
    'another Service for the product of a disabled part is disabled',
    ALIAS,
    [PART, ALIAS],
    OFF_PART,
    WHY.replace('loki', 'lgtm:3100'),
  ],
  ['by its port if the part is not found', ALIAS, [ALIAS], OFF_PART, WHY.replace('loki', 'lgtm:3100')],
  [
    'one for another product is not',
    { ...ALIAS, type: 'tempo', detector: 'tempo' },
    [PART],
    OFF_PART,
    undefined,
  ],
  [
    'nor one for another port if the part is not found',
    { ...ALIAS, servicePort: 3200, usualPorts: [3200] },
    [],
    OFF_PART,
    undefined,
  ],
  [
    'a part of another Service is not',
    { ...PART, service: { ...PART.service, name: 'other:3100' } },
    [LGTM],
    OFF_LGTM,
    undefined,
  ],
  [
    'another part of its Service for the same product is disabled',
    partOf(3200, 'loki'),
    [PART],
    OFF_PART,
    WHY.replace('loki', 'lgtm:3100'),
  ],
  ['a disabled part is no reason for itself', PART, [PART], OFF_PART, undefined],
  [
    'another Service for a product behind a disabled Service is disabled',
    { ...ALIAS, usualPorts: [3100, 80] },
    [WHOLE, ALIAS],
    OFF_LGTM,
    WHY.replace('loki', 'lgtm'),
  ],
  [
    'whatever its port is, and whatever the name of the port of the disabled one',
    { ...gateway(80, 3100), usualPorts: [3100, 80] },
    [{ ...WHOLE, service: { ...WHOLE.service, ports: named('lok', 3100) } }],
    OFF_LGTM,
    WHY.replace('loki', 'lgtm'),
  ],
  [
    'one for a product that is not behind it stays',
    {
      ...backend('tempo', 'tempo', { sharesPods: ['lgtm', 'tempo'], servicePort: 3200 }),
      usualPorts: [3200, 80],
    },
    [WHOLE],
    OFF_LGTM,
    undefined,
  ],
  [
    'so does one that has a common port with it',
    {
      ...backend('tempo', 'tempo', { sharesPods: ['lgtm', 'tempo'], servicePort: 3200 }),
      usualPorts: [3200, 80],
    },
    [{ ...WHOLE, service: { ...WHOLE.service, ports: named('http', 80) } }],
    OFF_LGTM,
    undefined,
  ],
  [
    'and one beside a disabled Service with one port',
    { ...ALIAS, usualPorts: [3100] },
    [
      {
        ...LGTM,
        service: { ...LGTM.service, ports: [{ port: 3000, targetPort: 3100, protocol: 'TCP' as const }] },
      },
    ],
    OFF_LGTM,
    undefined,
  ],
  [
    'a part with another number for the product of a disabled part that is not found is disabled',
    partOf(80, 'loki', { usualPorts: [3100, 80] }),
    [],
    OFF_PART,
    WHY.replace('loki', 'lgtm:3100'),
  ],
  [
    'so is a Service that leads to its port, whatever it proves to be',
    { ...gateway(80, 3100), usualPorts: [9090] },
    [],
    OFF_PART,
    WHY.replace('loki', 'lgtm:3100'),
  ],
])('parts: %s', (_, each, found, tools, expected) => {
  expect(beside(found, each, tools)).toBe(expected);
});

test('a part that is not published may have led to a disabled one of the same port or type', () => {
  const overrides = overridesSchema.parse({ tools: OFF_PART });
  const why = (gone: DiscoveredService, known: DiscoveredService[]) =>
    maybeSwitchedOff(() => known, overrides)(gone)?.slice(0, 66);
  const may = 'it is not published now, and may lead to Pods of monitoring/lgtm:3';
  expect(why(ALIAS, [])).toBe(may);
  expect(why({ ...ALIAS, servicePort: 1 }, [PART])).toBe(may);
  expect(why({ ...ALIAS, servicePort: 1, usualPorts: [] }, [])).toBeUndefined();
});
