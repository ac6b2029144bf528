import { expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { passEvent } from '../../test/fixtures/unit/pass-event.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { EngineEvent } from '../controller/events.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Plan } from '../model/published.ts';
import { engineLog } from './engine-log.ts';
import type { Logger } from './logger.ts';

type Logged = Readonly<Record<string, unknown>>;

function logged(...events: EngineEvent[]): Logged[] {
  return loggedAt(...events.map((event) => [0, event] as const));
}

/** The lines of events at these seconds. */
function loggedAt(...events: (readonly [second: number, event: EngineEvent])[]): Logged[] {
  const lines: Logged[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    lines.push({ level, ...fields, message });
  const loggerWith = (more: object): object => {
    const of = (level: string) => (fields: object, message: string) =>
      at(level)({ ...fields, ...more }, message);
    return {
      ...{ level: 'info', debug: of('debug'), info: of('info'), warn: of('warn'), error: of('error') },
      child: loggerWith,
    };
  };
  let time = 0;
  const tell = engineLog(loggerWith({}) as Logger, () => time);
  for (const [second, event] of events) {
    time = second * 1000;
    tell(event);
  }
  return lines;
}

const cycle = 4;
const found = (health?: 'unhealthy'): DiscoveredService =>
  discovered(service('prometheus', { labels: { app: 'prometheus' }, ports: [9090] }), health);
const pass = (before: DiscoveredService[], services: DiscoveredService[], full = true): EngineEvent =>
  passEvent(services, { cycle, full, before, examined: 7, milliseconds: 1234 });

test('a backend that is found, fails and is removed', () => {
  const backend = { cycle, service_type: 'prometheus', service_name: 'prometheus', namespace: 'monitoring' };
  expect(
    logged(
      pass([], [found()], false),
      pass([found()], [found('unhealthy')], false),
      pass([found('unhealthy')], [], false),
    ).filter(({ message }) => message !== 'discovery completed'),
  ).toMatchObject([
    {
      ...backend,
      level: 'info',
      component: 'service_discovery',
      healthy: true,
      message: 'backend discovered',
    },
    {
      ...backend,
      level: 'warn',
      component: 'health_check',
      healthy: false,
      message: 'backend became unhealthy',
    },
    { ...backend, level: 'info', component: 'service_discovery', message: 'backend gone' },
  ]);
});

test('a backend whose entry point changes is not gone', () => {
  const other = service('prometheus-operated', { labels: { app: 'prometheus' }, ports: [9090] });
  const now: DiscoveredService = {
    ...discovered(other),
    alternates: ['prometheus'],
    evidence: [{ signal: 'group', detail: 'prometheus is preferred, and this one is used until it works' }],
  };
  expect(logged(pass([found()], [now], false)).slice(0, -1)).toMatchObject([
    {
      message: 'backend is reached by another Service',
      service_name: 'prometheus-operated',
      former_service_name: 'prometheus',
      reason: 'prometheus is preferred, and this one is used until it works',
    },
  ]);
});

test('the end of a discovery has its counts, and one without changes is logged at debug', () => {
  expect(logged(pass([found()], [found()]))).toMatchObject([
    {
      level: 'info',
      event_type: 'security',
      event: 'discovery_completed',
      triggered_by: 'interval',
      services_examined: 7,
      discovered_count: 1,
      prometheus_count: 1,
      duration: 1.234,
    },
  ]);
  expect(logged(pass([], [], false))).toMatchObject([{ level: 'debug', triggered_by: 'change' }]);
});

const RECONCILED: EngineEvent = {
  kind: 'reconciled',
  cycle,
  ok: true,
  problems: [],
  milliseconds: 1,
  tools: undefined,
  revision: undefined,
  recorded: true,
};

test('recovery is logged once', () => {
  const error = new Error('x');
  const lines = logged(
    { kind: 'source-failed', error, reason: 'network', retryIn: 1 },
    pass([], []),
    { kind: 'source-recovered' },
    { kind: 'source-recovered' },
    { kind: 'publish-failed', cycle, attempt: 1, error, retryIn: 1 },
    { ...RECONCILED, ok: false },
    RECONCILED,
    pass([], []),
    RECONCILED,
  );
  expect(
    lines.map(({ message }) => message).filter((message) => /again|recovered/.test(String(message))),
  ).toEqual(['Services can be read again', 'reconciliation recovered after 1 failure']);
});

test.each([
  [['data toolset.json', 'annotation a'], 'toolset published to ConfigMap a/b'],
  [['annotation a', 'label b'], 'metadata of ConfigMap a/b updated; its documents are unchanged'],
])('a publication of %j', (changes, message) => {
  const plan = { action: 'update', changes } as unknown as Plan;
  expect(logged({ kind: 'published', cycle, plan, target: 'ConfigMap a/b' })).toEqual([
    expect.objectContaining({ message }),
  ]);
});

test.each<[EngineEvent, Logged]>([
  [
    {
      kind: 'published',
      cycle,
      plan: { action: 'update', changes: ['data toolset.json'] } as unknown as Plan,
      target: 'ConfigMap a/b',
    },
    {
      level: 'info',
      event_type: 'security',
      event: 'configmap_reconciliation_success',
      operation: 'update',
      status: 'success',
      keys_updated: ['data toolset.json'],
    },
  ],
  [
    { kind: 'recreated', cycle, overrides: true },
    { level: 'warn', event_type: 'security', event: 'configmap_deleted_detected' },
  ],
  [
    { kind: 'drift', cycle, keys: ['toolset.json'], diff: [{ kind: 'removed', text: '-x' }] },
    { level: 'warn', event: 'configmap_changed_by_others', drift_keys: ['toolset.json'], drift_count: 1 },
  ],
  [
    { kind: 'overrides-invalid', cycle, faults: 'line 1', tools: 2 },
    { level: 'warn', override_key: 'overrides.yaml' },
  ],
  [
    { kind: 'publish-failed', cycle, attempt: 3, error: new Error('x'), retryIn: 4_000 },
    {
      level: 'error',
      status: 'failure',
      retry_attempt: 3,
      retry_in: 4,
      stacktrace: expect.stringContaining('Error: x'),
    },
  ],
])('%j', (event, fields) => {
  expect(logged(event)).toMatchObject([{ cycle, component: 'reconciliation', ...fields }]);
});

test('another reason of an unhealthy backend is logged, but not the same reason in other words', () => {
  const failing = (verdict: Partial<DiscoveredService['verdict']>): DiscoveredService => {
    const service = found('unhealthy');
    return { ...service, verdict: { ...service.verdict, ...verdict } };
  };
  const refused = failing({ fault: 'connection', reason: 'GET /: connection refused' });
  const silent = failing({ fault: 'timeout', reason: 'no answer within 5.0 s' });
  const later = failing({ fault: 'timeout', reason: 'no answer within 5.1 s' });
  const lines = logged(pass([refused], [silent], false), pass([silent], [later], false));
  expect(lines.filter(({ component }) => component === 'health_check')).toMatchObject([
    {
      level: 'info',
      service_name: 'prometheus',
      reason: 'no answer within 5.0 s',
      message: 'backend is unhealthy for another reason',
    },
  ]);
});

test('an outage and its end', () => {
  expect(logged({ kind: 'outage', outage: 'dns' }, { kind: 'outage', outage: undefined })).toMatchObject([
    { level: 'warn', outage: 'dns', message: expect.stringContaining("this Pod's DNS") },
    { level: 'info', message: expect.stringContaining('reachable again') },
  ]);
});

test('a target other than the home target is named, and its failure does not hide that another one recovers', () => {
  const failed = {
    kind: 'publish-failed',
    cycle,
    attempt: 1,
    error: new Error('x'),
    retryIn: 1_000,
  } as const;
  const reconciled = {
    kind: 'reconciled',
    cycle,
    ok: true,
    problems: [{ where: 'w', what: 'is left out' }],
    milliseconds: 1,
    tools: [],
    revision: 1,
    recorded: true,
  } as const;
  const targetId = 'toy';
  const lines = logged({ ...failed, targetId }, reconciled, { ...reconciled, targetId }, reconciled);
  expect(lines.map(({ level, target, message }) => [level, target, message])).toEqual([
    ['error', 'toy', 'the toolset was not published: x'],
    ['warn', undefined, 'w: is left out'],
    ['warn', 'toy', 'w: is left out'],
    ['info', 'toy', 'reconciliation recovered after 1 failure'],
  ]);
});

const FAILURES: readonly (readonly [failure: EngineEvent, message: string, level: string])[] = [
  [
    { kind: 'publish-failed', cycle, attempt: 1, error: new Error('x'), retryIn: 1 },
    'the toolset was not published: x',
    'error',
  ],
  [
    { kind: 'observe-failed', cycle, error: new Error('x'), retryIn: 1 },
    'the published toolset cannot be read: x',
    'warn',
  ],
  [
    { kind: 'watch-failed', error: new Error('x') },
    'cannot watch the published toolset, so external changes are noticed only with each full resync: x',
    'warn',
  ],
  [
    { kind: 'discovery-failed', cycle, attempt: 1, error: new Error('x'), retryIn: 1 },
    'discovery failed, so the last result is kept: x',
    'error',
  ],
  [
    { kind: 'source-failed', error: new Error('x'), reason: 'network', retryIn: 1 },
    'Services cannot be read, so the last known ones are kept: x',
    'error',
  ],
  [
    { kind: 'agent', cycle, outcome: { kind: 'agent-failed', error: new Error('x'), retryIn: 1 } },
    'the agent was not updated: x',
    'error',
  ],
];

test.each(FAILURES)('a failure that is retried is logged once a minute: %j', (failure, message, level) => {
  const lines = loggedAt(
    ...Array.from({ length: 30 }, (_, index): [number, EngineEvent] => [index * 5, failure]),
  );
  expect(lines).toHaveLength(30);
  const visible = lines.filter((line) => line.level !== 'debug');
  expect(visible.map((line) => [line.level, line.message])).toEqual(Array(3).fill([level, message]));
});

test('a source that fails does not hide that the source of another cluster fails for the same reason', () => {
  const failed = { kind: 'source-failed', error: new Error('x'), reason: 'network', retryIn: 1 } as const;
  const lines = logged(failed, { ...failed, cluster: 'east' }, failed, { ...failed, cluster: 'east' });
  expect(lines.map(({ level, cluster }) => [level, cluster])).toEqual([
    ['error', undefined],
    ['error', 'east'],
    ['debug', undefined],
    ['debug', 'east'],
  ]);
});

test('what ends a failure makes the next one visible at once', () => {
  const ends: readonly EngineEvent[] = [
    RECONCILED,
    { kind: 'observed', live: undefined },
    pass([], []),
    { kind: 'source-recovered' },
    { kind: 'agent', cycle, outcome: { kind: 'agent-reloaded', target: 'Deployment a/b' } },
  ];
  const failures = FAILURES.filter(([{ kind }]) => kind !== 'watch-failed');
  for (const [index, [failure]] of failures.entries()) {
    const lines = logged(failure, ends[index] as EngineEvent, failure);
    const isSame = (line: Logged): boolean => line.message === lines[0]?.message;
    expect(lines.filter(isSame).map(({ level }) => level)).toEqual(Array(2).fill(lines[0]?.level));
  }
});

test('that the agent is up to date again is logged once, with the number of failures', () => {
  const failed: EngineEvent = {
    kind: 'agent',
    cycle,
    outcome: { kind: 'agent-failed', error: new Error('x'), retryIn: 1 },
  };
  const restarted: EngineEvent = { kind: 'agent', cycle, outcome: { kind: 'agent-restarted', target: 'T' } };
  const failing = { problem: { where: 'HolmesGPT', what: 'x' } };
  const lines = logged(
    { kind: 'agent-state', cycle, state: {}, before: undefined },
    failed,
    { kind: 'agent-state', cycle, state: failing, before: {} },
    failed,
    restarted,
    { kind: 'agent-state', cycle, state: {}, before: failing },
    { kind: 'agent-state', cycle, state: undefined, before: failing },
  );
  expect(lines.filter(({ message }) => String(message).includes('again'))).toEqual([
    {
      level: 'info',
      component: 'agent',
      cycle,
      failures: 2,
      message: 'the agent has the published toolset again',
    },
  ]);
});

test('the end of failures says how many there were', () => {
  const failed: EngineEvent = {
    kind: 'publish-failed',
    cycle,
    attempt: 1,
    error: new Error('x'),
    retryIn: 1,
  };
  const lines = logged(failed, failed, { ...RECONCILED, ok: false }, failed, RECONCILED, RECONCILED);
  expect(lines.filter(({ level }) => level === 'info')).toEqual([
    {
      level: 'info',
      component: 'reconciliation',
      cycle,
      status: 'success',
      failures: 3,
      message: 'reconciliation recovered after 3 failures',
    },
  ]);
});
