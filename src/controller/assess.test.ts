import { expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { observed } from '../../test/fixtures/unit/toolset.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Published } from '../model/published.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { type Assessment, assess, type GeneratedSnapshot, situationOf } from './assess.ts';

const prometheus = (probed?: 'unhealthy' | 'auth'): DiscoveredService =>
  discovered(service('prometheus', { labels: { app: 'prometheus' }, ports: [9090] }), probed);
const loki = discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));
const withOverrides = (text: string): Published => ({
  data: { 'overrides.yaml': text },
  labels: {},
  annotations: {},
});
const NEWER = { credentials: {}, holmesgptVersion: '0.32', kinds: new Map() } as const;
const OLDER = { ...NEWER, holmesgptVersion: '0.20' } as const;

const assessed = (
  found: readonly DiscoveredService[],
  overrides: string,
  generation: typeof NEWER | typeof OLDER,
  lastGenerated?: GeneratedSnapshot,
): Assessment =>
  assess(
    { found, contradicted: [], generation, outputs: OUTPUTS, removal: undefined, now: 0 },
    situationOf(observed(withOverrides(overrides)), [], {}),
    { lastGenerated },
  );

const NO_LOKI = 'tools: { loki.default: { enabled: false } }';
const first = assessed([prometheus(), loki], '', NEWER).generated;

test('unchanged inputs are not generated again', () => {
  expect(assessed([prometheus(), loki], '', NEWER, first).generated).toBe(first);
});

test.each([
  ['a backend fell ill', [prometheus('unhealthy'), loki], '', NEWER],
  ['a backend wants credentials', [prometheus('auth'), loki], '', NEWER],
  ['a backend is gone', [loki], '', NEWER],
  ['a person wrote overrides', [prometheus(), loki], NO_LOKI, NEWER],
  ['a person wrote overrides that cannot be read', [prometheus(), loki], 'tools: [', NEWER],
  ['the agent is an older one', [prometheus(), loki], '', OLDER],
])('the last result is not reused when %s', (_, found, overrides, generation) => {
  const again = assessed(found, overrides, generation, first);
  expect(again.generated).not.toBe(first);
  expect(again).toEqual(assessed(found, overrides, generation));
});
