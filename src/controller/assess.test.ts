import { expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { observed, toolset } from '../../test/fixtures/unit/toolset.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Published } from '../model/published.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { contentHash } from '../planning/content-hash.ts';
import { plan } from '../planning/plan.ts';
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

test('while a rollback holds, notes say that they are about what is published after it', () => {
  const orders = discovered(service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
  const generation = { ...NEWER, mcpPolicy: 'approve' } as const;
  const findings = { contradicted: [], generation, outputs: OUTPUTS, removal: undefined, now: 0 };
  const assessedWith = (live: Published) =>
    assess({ ...findings, found: [loki, orders] }, situationOf(observed(live), [], {}), {});
  const before = assessedWith(withOverrides(''));
  const waits = expect.stringMatching(/^waits for approval and is not published until then/);
  expect(before.notes).toContainEqual(expect.objectContaining({ what: waits }));

  const rollback = { to: 1, from: contentHash(before.generated.documents) };
  const { documents, labels, annotations } = plan({ ...toolset(first.documents), rollback }, undefined, '1');
  const during = assessedWith({ data: documents, labels, annotations });
  expect(during.decision.rollback).toBe('holds');
  const later = expect.stringMatching(/^once the rollback ends, this applies: waits for approval/);
  expect(during.notes).toContainEqual(expect.objectContaining({ what: later }));
  expect(during.notes).toHaveLength(before.notes.length);
});
