import { expect, test } from 'vitest';
import type { EngineEvent } from '../engine/events.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { engineMetrics } from './engine-metrics.ts';

const KNOWN = new Set(['prometheus', 'loki']);

function service(name: string, type: string, health: 'healthy' | 'unhealthy' = 'healthy'): DiscoveredService {
  return {
    type,
    service: { namespace: 'monitoring', name },
    verdict: { health },
  } as unknown as DiscoveredService;
}
const pass = (before: DiscoveredService[], services: DiscoveredService[]): EngineEvent => ({
  kind: 'pass',
  cycle: 1,
  full: true,
  before,
  services,
  problems: [],
  examined: services.length,
  milliseconds: 120,
});

async function scraped(events: readonly EngineEvent[], line: string): Promise<string | undefined> {
  const { registry, count } = engineMetrics('1.2.3', (type) => KNOWN.has(type));
  for (const event of events) count(event);
  const lines = (await registry.metrics()).split('\n');
  return lines
    .find((each) => each.startsWith(`dynamic_toolset_${line} `))
    ?.split(' ')
    .at(-1);
}

const a = service('a', 'prometheus');
const events: EngineEvent[] = [
  pass([], [a, service('b', 'loki', 'unhealthy')]),
  pass([a], [a, service('c', 'x'.repeat(50))]),
];

test.each<[string, readonly EngineEvent[], string, string | undefined]>([
  ['the version', [], 'build_info{version="1.2.3"}', '1'],
  [
    'what stays is not discovered again',
    events,
    'services_discovered_total{type="prometheus",namespace="monitoring"}',
    '1',
  ],
  [
    "a tenant's own type is no label",
    events,
    'services_discovered_total{type="other",namespace="monitoring"}',
    '1',
  ],
  ['healthy now', events, 'services_healthy{type="prometheus"}', '1'],
  ['what is gone is not counted any more', events, 'services_unhealthy{type="loki"}', undefined],
  ['time of passes, in seconds', events, 'discovery_duration_seconds_sum', '0.24'],
  [
    'drift by key',
    [{ kind: 'drift', cycle: 1, keys: ['toolset.json'], diff: [] }],
    'configmap_drift_detected_total{kind="toolset.json"}',
    '1',
  ],
  [
    'a deletion is drift too',
    [{ kind: 'recreated', cycle: 1, overrides: true }],
    'configmap_drift_detected_total{kind="deleted"}',
    '1',
  ],
  ['broken overrides', [{ kind: 'overrides-invalid', cycle: 1, faults: 'x' }], 'override_errors_total', '1'],
  [
    'held removals',
    [{ kind: 'removal-held', cycle: 1, tools: ['a'], retryIn: 1 }],
    'removals_held_total',
    '1',
  ],
  ['rollbacks', [{ kind: 'rolled-back', cycle: 1, to: 2, faults: [] }], 'rollbacks_total', '1'],
  [
    'failures',
    [{ kind: 'publish-failed', cycle: 1, error: new Error('x'), retryIn: 1 }],
    'configmap_updates_total{result="failure"}',
    '1',
  ],
  [
    'the source',
    [{ kind: 'source-failed', error: new Error('x'), retryIn: 1 }],
    'discovery_errors_total',
    '1',
  ],
  [
    'a reconciliation that failed is no success',
    [{ kind: 'reconciled', cycle: 1, ok: false, problems: [] }],
    'last_success_timestamp_seconds{stage="reconciliation"}',
    undefined,
  ],
])('%s', async (_, given, line, value) => {
  expect(await scraped(given, line)).toBe(value);
});
