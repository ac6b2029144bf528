import { expect, test } from 'vitest';
import type { AgentState, EngineEvent } from '../controller/events.ts';
import type { DiscoveredService, Verdict } from '../model/discovery.ts';
import { FAILURE_REASONS } from '../model/failure-reason.ts';
import type { Plan } from '../model/published.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { engineMetrics } from './engine-metrics.ts';
import { MetricSet } from './metric-set.ts';

const KNOWN = new Set(['prometheus', 'loki']);

function service(
  name: string,
  type: string,
  health: 'healthy' | 'unhealthy' = 'healthy',
  namespace = 'monitoring',
  cluster = '',
): DiscoveredService {
  return {
    type,
    service: { cluster, namespace, name },
    alternates: [],
    verdict: { health },
  } as unknown as DiscoveredService;
}
const pass = (
  before: DiscoveredService[],
  services: DiscoveredService[],
  change: { readonly full?: boolean; readonly changedAt?: number; readonly cycle?: number } = {},
): EngineEvent => ({
  kind: 'pass',
  cycle: 1,
  full: true,
  before,
  services,
  ids: new Map(),
  problems: [],
  examined: services.length,
  milliseconds: 120,
  detecting: 2,
  changedAt: undefined,
  ...change,
});
const tools = (...types: string[]): PublishedTool[] =>
  types.map((type, index) => ({ name: `${index}`, type, endpoint: '', description: '', metadata: {} }));
const reconciled = (change: Partial<Extract<EngineEvent, { kind: 'reconciled' }>> = {}): EngineEvent => ({
  kind: 'reconciled',
  cycle: 1,
  ok: true,
  problems: [],
  milliseconds: 30,
  tools: tools(),
  revision: undefined,
  recorded: true,
  ...change,
});
const published: EngineEvent = { kind: 'published', cycle: 1, plan: {} as Plan, target: 'x' };
const probed = (type: string, verdict: Partial<Verdict>): EngineEvent => ({
  kind: 'probed',
  type,
  verdict: { health: 'unhealthy', authRequired: false, proof: 'unproven', reason: '', steps: [], ...verdict },
});
const note = (where: string) => ({ where, what: 'is left out' });

/** What is scraped once these events were counted, 1 s after the start of the clock. */
async function scrape(events: readonly EngineEvent[]): Promise<string[]> {
  const set = new MetricSet();
  const { count } = engineMetrics(set, {
    known: (type) => KNOWN.has(type),
    documents: (target) => (target === undefined ? ['toolset.json', 'custom_toolset.yaml'] : ['toy.json']),
    now: () => 1_000,
  });
  for (const event of events) count(event);
  return (await set.registry.metrics()).split('\n');
}

function sampled(lines: readonly string[], line: string): string | undefined {
  return lines
    .find((each) => each.startsWith(`dynamic_toolset_${line} `))
    ?.split(' ')
    .at(-1);
}

const problem = { where: 'HolmesGPT', what: 'no rights' };
const agentState = (state: AgentState | undefined): EngineEvent => ({
  kind: 'agent-state',
  cycle: 1,
  state,
  before: undefined,
});

const a = service('a', 'prometheus');
const events: EngineEvent[] = [
  pass([], [a, service('b', 'loki', 'unhealthy')]),
  pass([a], [a, service('c', 'x'.repeat(50))]),
];

test('a backend of another cluster has the label cluster, and one of the home cluster has none', async () => {
  const east = service('a', 'prometheus', 'healthy', 'monitoring', 'a/east');
  const published = [
    ...tools('prometheus'),
    ...tools('prometheus').map((each) => ({ ...each, name: 'b', cluster: 'a/east' })),
  ];
  const lines = await scrape([pass([], [a, east]), reconciled({ tools: published })]);
  for (const [name, rest] of [
    ['services_discovered_total', ',namespace="monitoring"'],
    ['services_healthy', ''],
    ['tools_count', ''],
  ] as const)
    expect(lines.filter((line) => line.startsWith(`dynamic_toolset_${name}{`)).sort()).toEqual([
      `dynamic_toolset_${name}{type="prometheus"${rest},cluster="a/east"} 1`,
      `dynamic_toolset_${name}{type="prometheus"${rest}} 1`,
    ]);
});

test.each<[string, readonly EngineEvent[], string, string | undefined]>([
  [
    'a backend that stays is not discovered again',
    events,
    'services_discovered_total{type="prometheus",namespace="monitoring"}',
    '1',
  ],
  [
    'a backend with another entry point is not discovered again',
    [
      pass([], [{ ...a, alternates: ['b'] }]),
      pass([{ ...a, alternates: ['b'] }], [service('b', 'prometheus')]),
    ],
    'services_discovered_total{type="prometheus",namespace="monitoring"}',
    '1',
  ],
  [
    "a tenant's own type is not a label value",
    events,
    'services_discovered_total{type="other",namespace="monitoring"}',
    '1',
  ],
  ['healthy now', events, 'services_healthy{type="prometheus"}', '1'],
  ['unhealthy now', events.slice(0, 1), 'services_unhealthy{type="loki"}', '1'],
  ['a backend that is gone is no longer counted', events, 'services_unhealthy{type="loki"}', undefined],
  ['duration of full discoveries, in seconds', events, 'discovery_duration_seconds_sum', '0.24'],
  ['duration of other discoveries', [pass([], [], { full: false })], 'discovery_duration_seconds_count', '0'],
  ['duration of detection, in seconds', events, 'detector_duration_seconds_sum', '0.004'],
  ['namespaces denied', [{ kind: 'namespaces-denied', count: 2 }], 'namespaces_denied', '2'],
  [
    'changes that were watched',
    [{ kind: 'watch-event', change: 'delete' }],
    'watch_events_total{kind="delete"}',
    '1',
  ],
  [
    'watches that ended',
    [{ kind: 'watch-ended', reason: 'expired' }],
    'watch_restarts_total{reason="expired"}',
    '1',
  ],
  [
    'probes in progress',
    [
      { kind: 'probe-began' },
      { kind: 'probe-began' },
      { kind: 'probe-ended', type: 'loki', milliseconds: 20 },
    ],
    'probe_inflight',
    '1',
  ],
  [
    'time of probes, in seconds',
    [{ kind: 'probe-began' }, { kind: 'probe-ended', type: 'loki', milliseconds: 20 }],
    'health_check_duration_seconds_sum{type="loki"}',
    '0.02',
  ],
  ['an outage', [{ kind: 'outage', outage: 'dns' }], 'probe_outage{cause="dns"}', '1'],
  [
    'an outage of another kind',
    [
      { kind: 'outage', outage: 'dns' },
      { kind: 'outage', outage: 'network' },
    ],
    'probe_outage{cause="dns"}',
    '0',
  ],
  ...(
    [
      ['contradicted', { proof: 'contradicted' }],
      ['unreachable', { health: 'unknown' }],
      ['resolution', { health: 'unknown', fault: 'resolution' }],
      ['tls', { fault: 'tls' }],
      ['protocol', { fault: 'protocol' }],
      ['timeout', { fault: 'timeout' }],
      ['not_ready', { fault: 'not_ready' }],
      ['connection', { fault: 'connection' }],
      ['status', {}],
    ] as const
  ).map(([reason, verdict]): [string, readonly EngineEvent[], string, string] => [
    `a probe that failed: ${reason}`,
    [probed('loki', verdict)],
    `health_check_failures_total{type="loki",reason="${reason}"}`,
    '1',
  ]),
  [
    'a probe that failed by a bug',
    [{ kind: 'probed', type: 'loki', verdict: undefined }],
    'discovery_errors_total{type="loki",reason="bug"}',
    '1',
  ],
  [
    'the source failed',
    [{ kind: 'source-failed', error: new Error('x'), reason: 'timeout', retryIn: 1 }],
    'discovery_errors_total{type="all",reason="timeout"}',
    '1',
  ],
  ['publications', [published], 'configmap_updates_total{result="success"}', '1'],
  [
    'publications that failed',
    [{ kind: 'publish-failed', cycle: 1, attempt: 1, error: new Error('x'), retryIn: 1 }],
    'configmap_updates_total{result="failure"}',
    '1',
  ],
  [
    'time of a reconciliation, in seconds',
    [reconciled()],
    'configmap_reconcile_duration_seconds_sum',
    '0.03',
  ],
  [
    'time from the first change to its publication, in seconds',
    [pass([], [], { changedAt: 400 }), pass([], [], { changedAt: 700 }), published],
    'change_to_publish_seconds_sum',
    '0.6',
  ],
  [
    'a change found during an earlier publication counts with its own publication',
    [pass([], [], { changedAt: 400, cycle: 2 }), published, reconciled(), { ...published, cycle: 2 }],
    'change_to_publish_seconds_sum',
    '0.6',
  ],
  [
    'a change of no consequence is not published late',
    [pass([], [], { changedAt: 400 }), reconciled(), published],
    'change_to_publish_seconds_count',
    '0',
  ],
  [
    'drift by document',
    [{ kind: 'drift', cycle: 1, keys: ['toolset.json'], diff: [] }],
    'configmap_drift_detected_total{kind="toolset.json"}',
    '1',
  ],
  [
    'drift of several parts of a document',
    [{ kind: 'drift', cycle: 1, keys: ['toolset.json#2', 'toolset.json#3'], diff: [] }],
    'configmap_drift_detected_total{kind="toolset.json"}',
    '1',
  ],
  [
    'a deletion is drift too',
    [{ kind: 'recreated', cycle: 1, overrides: true }],
    'configmap_drift_detected_total{kind="deleted"}',
    '1',
  ],
  [
    'documents that were made',
    [{ kind: 'generated', cycle: 1, ok: true }],
    'generations_total{document="toolset.json",result="success"}',
    '1',
  ],
  [
    'documents that were not',
    [{ kind: 'generated', cycle: 1, ok: false }],
    'generations_total{document="custom_toolset.yaml",result="failure"}',
    '1',
  ],
  [
    'tools that are published',
    [reconciled({ tools: tools('loki', 'loki', 'prometheus') })],
    'tools_count{type="loki"}',
    '2',
  ],
  ['tools with types from users', [reconciled({ tools: tools('mine') })], 'tools_count{type="other"}', '1'],
  ['invalid overrides', [{ kind: 'generated', cycle: 1, ok: false }], 'overrides_valid', '0'],
  [
    'overrides that are valid again',
    [
      { kind: 'generated', cycle: 1, ok: false },
      { kind: 'generated', cycle: 2, ok: true },
    ],
    'overrides_valid',
    '1',
  ],
  ['absent overrides', [], 'overrides_valid', '1'],
  ['a failure that never was', [], 'discovery_errors_total{type="all",reason="network"}', '0'],
  [
    'a look at some Services is no discovery',
    [pass([], [], { full: false })],
    'last_success_timestamp_seconds{stage="discovery"}',
    undefined,
  ],
  [
    'broken overrides',
    [{ kind: 'overrides-invalid', cycle: 1, faults: 'x', tools: 2 }],
    'override_errors_total',
    '1',
  ],
  [
    'entries of overrides that are left out, each once while it is',
    [
      reconciled({ problems: [note('overrides.yaml, tool a'), note('Service x')] }),
      reconciled({ problems: [note('overrides.yaml, tool a'), note('overrides.yaml, tool b')] }),
    ],
    'override_conflicts_total',
    '2',
  ],
  [
    'held removals',
    [{ kind: 'removal-held', cycle: 1, tools: ['a'], retryIn: 1 }],
    'removals_held_total',
    '1',
  ],
  ['rollbacks', [{ kind: 'rolled-back', cycle: 1, to: 2, faults: [] }], 'rollbacks_total', '1'],
  ['the revision', [reconciled({ revision: 7 })], 'revision', '7'],
  [
    'a history that cannot be written',
    [reconciled({ recorded: false })],
    'history_last_write_successful',
    '0',
  ],
  [
    'one that can again',
    [reconciled({ recorded: false }), reconciled()],
    'history_last_write_successful',
    '1',
  ],
  ['an agent of which nothing is known', [reconciled()], 'agent_up_to_date', undefined],
  ['an agent that has what is published', [agentState({})], 'agent_up_to_date', '1'],
  ['an agent that cannot be updated', [agentState({}), agentState({ problem })], 'agent_up_to_date', '0'],
  ['one that is updated again', [agentState({ problem }), agentState({})], 'agent_up_to_date', '1'],
  [
    'an agent that is no longer configured',
    [agentState({ problem }), agentState(undefined)],
    'agent_up_to_date',
    undefined,
  ],
  [
    'a changed configuration',
    [{ kind: 'reconfigured', changes: [] }],
    'config_reloads_total{result="success"}',
    '1',
  ],
  [
    'a broken configuration',
    [{ kind: 'configuration-refused', error: new Error('x') }],
    'config_reloads_total{result="failure"}',
    '1',
  ],
  [
    'a broken configuration that is in force no more',
    [{ kind: 'configuration-refused', error: new Error('x') }],
    'config_last_reload_successful',
    '0',
  ],
  [
    'a configuration that was mended',
    [{ kind: 'configuration-refused', error: new Error('x') }, { kind: 'configuration-mended' }],
    'config_last_reload_successful',
    '1',
  ],
  [
    'a reconciliation that failed is no success',
    [reconciled({ ok: false })],
    'last_success_timestamp_seconds{stage="reconciliation"}',
    undefined,
  ],
])('%s', async (_, given, line, value) => {
  expect(sampled(await scrape(given), line)).toBe(value);
});

test('tools removed by limits are counted by limit, and no longer when the limit is not reached', async () => {
  const cut = { limit: 'namespace_tools', key: 'evil/a', why: '' } as const;
  const limited = reconciled({ cuts: [cut, { ...cut, key: 'evil/b' }] });
  const metric = 'tools_limited{limit="namespace_tools"}';
  expect(Number(sampled(await scrape([limited]), metric))).toBe(2);
  expect(Number(sampled(await scrape([limited, reconciled({ cuts: [] })]), metric))).toBe(0);
});

test('the time of a success is recorded', async () => {
  const lines = await scrape([reconciled(), pass([], [])]);
  for (const stage of ['discovery', 'reconciliation'])
    expect(Number(sampled(lines, `last_success_timestamp_seconds{stage="${stage}"}`))).toBeGreaterThan(
      1_700_000_000,
    );
});

test('1,000 hostile names, types and namespaces cause only a fixed number of series', async () => {
  const hostile = Array.from({ length: 1_000 }, (_, n) => `evil"} 1\n${n}\u0000{`);
  const services = hostile.map((text) => service(text, text, 'healthy', text));
  const lines = await scrape([
    pass([], services),
    ...hostile.flatMap((text): EngineEvent[] => [
      { kind: 'probe-began' },
      { kind: 'probe-ended', type: text, milliseconds: 1 },
      probed(text, { reason: text }),
      { kind: 'source-failed', error: new Error(text), reason: 'network', retryIn: 1 },
      reconciled({ problems: [note(`overrides.yaml, tool ${text}`)] }),
    ]),
    reconciled({ tools: tools(...hostile) }),
  ]);
  const series = (name: string): number =>
    lines.filter((line) => line.startsWith(`dynamic_toolset_${name}{`)).length;
  expect(series('services_discovered_total')).toBe(201);
  for (const name of ['services_healthy', 'health_check_failures_total', 'tools_count'])
    expect(series(name), name).toBe(1);
  expect(series('discovery_errors_total')).toBe(FAILURE_REASONS.length);
  expect(lines.filter((line) => line.startsWith('dynamic_toolset_')).length).toBeLessThan(350);
  // A text of several lines stays in its own.
  for (const line of lines) expect(line).toMatch(/^$|^# (HELP|TYPE) |^[a-z0-9_]+(\{.*\})? ([\d.e+-]+|Nan)$/);
});

const withTarget = (name: string): string =>
  name.includes('{') ? name.replace('}', ',target="toy"}') : `${name}{target="toy"}`;

test('events about another target have the label target, and do not count for the home target', async () => {
  const lines = await scrape([
    reconciled({ tools: tools('loki'), revision: 7 }),
    { ...reconciled({ tools: tools('loki', 'loki'), revision: 3, recorded: false }), targetId: 'toy' },
    pass([], [a], { changedAt: 0, cycle: 2 }),
    { ...published, cycle: 2, targetId: 'toy' },
    { kind: 'publish-failed', cycle: 2, attempt: 1, error: new Error('x'), retryIn: 1, targetId: 'toy' },
    { kind: 'drift', cycle: 2, keys: ['toy.json'], diff: [], targetId: 'toy' },
    { ...agentState({ problem }), targetId: 'toy' },
  ]);
  const of = (name: string) => [sampled(lines, name), sampled(lines, withTarget(name))];
  expect(of('tools_count{type="loki"}')).toEqual(['1', '2']);
  expect(of('revision')).toEqual(['7', '3']);
  expect(of('history_last_write_successful')).toEqual(['1', '0']);
  expect(of('agent_up_to_date')).toEqual([undefined, '0']);
  expect(of('configmap_updates_total{result="success"}')).toEqual(['0', '1']);
  expect(of('configmap_updates_total{result="failure"}')).toEqual(['0', '1']);
  expect(of('configmap_drift_detected_total{kind="toy.json"}')).toEqual([undefined, '1']);
  expect(of('change_to_publish_seconds_sum')).toEqual(['0', '1']);
  expect(of('generations_total{document="toy.json",result="success"}')).toEqual([undefined, '0']);
  expect(of('override_conflicts_total')).toEqual(['0', undefined]);
});
