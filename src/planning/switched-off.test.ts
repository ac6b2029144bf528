import { expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { switchedOffBeside } from './switched-off.ts';

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
const WHY = 'is left out: it leads to Pods of monitoring/loki, which overrides.yaml switches off';

const beside = (
  found: readonly DiscoveredService[],
  each: DiscoveredService,
  tools: object = OFF,
): string | undefined => switchedOffBeside(found, overridesSchema.parse({ tools }))(each);

test.each<[string, DiscoveredService, DiscoveredService[], object, string | undefined]>([
  ['another Service of its Pods goes with it', TWIN, [LOKI, TWIN], OFF, WHY],
  ['by either key', TWIN, [LOKI, TWIN], { 'loki.monitoring': { enabled: false } }, WHY],
  ['also where the one that is off is no backend at all', TWIN, [TWIN], OFF, WHY],
  ['nothing goes where nothing is off', TWIN, [LOKI, TWIN], {}, undefined],
  ['nor where it is on', TWIN, [LOKI, TWIN], { 'monitoring/loki': { enabled: true } }, undefined],
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
    'one that leads to it from anywhere goes with it',
    backend('alias', 'loki', {
      service: { ...LOKI.service, namespace: 'apps', name: 'alias' },
      targets: ['loki.monitoring.svc.cluster.local'],
    }),
    [LOKI],
    OFF,
    WHY,
  ],
  [
    'a person switches it on',
    TWIN,
    [LOKI, TWIN],
    { ...OFF, 'monitoring/twin': { enabled: true } },
    undefined,
  ],
  [
    'by another Service of its backend, too',
    { ...TWIN, alternates: ['twin-read'] },
    [LOKI, TWIN],
    { ...OFF, 'twin-read.monitoring': { enabled: true } },
    undefined,
  ],
  ['another product in the same Pods stays', TEMPO, [LOKI, TEMPO], OFF, undefined],
  ['unless its type is only its owner’s word', { ...TEMPO, detector: 'custom' }, [LOKI, TEMPO], OFF, WHY],
  [
    'or the one of what is off is',
    TEMPO,
    [{ ...LOKI, type: 'loki-like', detector: 'custom' }, TEMPO],
    OFF,
    WHY,
  ],
  [
    'a product counts by any of its Services',
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
