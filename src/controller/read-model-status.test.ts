/** What the read model says of the process itself: what it depends on, what it counts, and its other targets. */
import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { loki } from '../../test/fixtures/unit/engine.ts';
import { observed } from '../../test/fixtures/unit/toolset.ts';
import { conditionOf } from '../model/condition.ts';
import { OUTAGE_PLACE } from '../model/discovery.ts';
import type { Published } from '../model/published.ts';
import { plan } from '../planning/plan.ts';
import { idsOf } from './backend-ids.ts';
import type { EngineEvent } from './events.ts';
import { ReadModel } from './read-model.ts';

const NOTHING_PUBLISHED: EngineEvent = { kind: 'observed', live: undefined };
const PUBLISHED = {
  kind: 'published',
  cycle: 1,
  plan: plan({ documents: {}, tools: [] }, undefined, '1'),
  target: 'ConfigMap ns/toolset',
} as const;
const failed = (kind: 'publish-failed' | 'observe-failed' | 'discovery-failed', message = 'not now') =>
  ({ kind, cycle: 1, attempt: 1, error: new Error(message), retryIn: 1 }) as const;
const sourceFailed = {
  kind: 'source-failed',
  error: new Error('away'),
  reason: 'network',
  retryIn: 1,
} as const;
const reconciled = (more: object = {}): EngineEvent => ({
  ...{ kind: 'reconciled', cycle: 1, ok: true, problems: [], tools: undefined, revision: 1 },
  ...{ recorded: true, milliseconds: 1 },
  ...more,
});

function setup() {
  let clock = 0;
  const model = new ReadModel({ now: () => new Date(clock) });
  let told = 0;
  model.subscribe(() => told++);
  const [backend] = [discovered(loki('a'))];
  return {
    model,
    told: () => told,
    at(time: number): void {
      clock = time;
    },
    apply: (...events: readonly EngineEvent[]): void => {
      for (const event of events) model.apply(event);
    },
    pass: (more: object = {}): EngineEvent => ({
      ...{ kind: 'pass', cycle: 3, full: true, before: [], problems: [], examined: 12, milliseconds: 250 },
      ...{ detecting: 1, changedAt: undefined, services: [backend], ids: idsOf([backend], new Map()) },
      ...more,
    }),
  };
}

test('at the start it waits for everything, and has counted nothing', () => {
  const { model } = setup();
  expect(model).toMatchObject({ revision: 0, cycle: 0, disproven: 0 });
  expect(model.counters).toEqual({ cycles: 0, examined: 0, publications: 0, failures: 0, drift: 0 });
  const waiting = { status: 'waiting', since: new Date(0) };
  expect(model.dependencies).toEqual({ kubernetes: waiting, configmap: waiting, discovery: waiting });
  expect(model.ready).toEqual({ kubernetes: false, configmap: false, discovery: false });
  expect(model.tools).toEqual([]);
});

test('a pass updates the backends, and shows that the cluster can be read', () => {
  const { model, at, apply, pass } = setup();
  at(5);
  apply(pass({ disproven: 2 }), pass({ disproven: 2 }));
  expect(model).toMatchObject({
    cycle: 3,
    disproven: 2,
    lastDiscovery: new Date(5),
    lastDuration: 250,
    counters: { cycles: 2, examined: 12 },
    ready: { kubernetes: true, configmap: false, discovery: true },
  });
  apply(pass());
  expect(model.disproven).toBe(0);
});

describe('a dependency', () => {
  test('that fails has its error and the time, until it works again', () => {
    const { model, at, apply, pass } = setup();
    at(10);
    apply(pass(), NOTHING_PUBLISHED);
    at(20);
    apply(sourceFailed, failed('discovery-failed', 'a bug'), failed('observe-failed', 'no rights'));
    at(30);
    apply(sourceFailed);
    expect(model.dependencies).toEqual({
      kubernetes: { status: 'failing', since: new Date(20), error: 'away' },
      configmap: { status: 'failing', since: new Date(20), error: 'no rights' },
      discovery: { status: 'failing', since: new Date(20), error: 'a bug' },
    });
    // The result of a probe leads to a pass, too.
    apply(pass());
    expect(model.dependencies.kubernetes).toMatchObject({ status: 'failing', since: new Date(20) });
    apply(failed('discovery-failed', 'a bug'));
    at(40);
    apply({ kind: 'source-recovered' }, pass(), NOTHING_PUBLISHED);
    at(50);
    apply(pass(), NOTHING_PUBLISHED);
    const ok = { status: 'ok', since: new Date(40) };
    expect(model.dependencies).toStrictEqual({ kubernetes: ok, configmap: ok, discovery: ok });
  });

  test('is the cluster, if it is unreachable at the start', () => {
    const { model } = setup();
    model.sourceUnavailable('no route to host');
    expect(model.revision).toBe(1);
    expect(model.dependencies.kubernetes).toMatchObject({ status: 'failing', error: 'no route to host' });
  });
});

test('an event changes nothing but what it is about', () => {
  const { model, apply, pass } = setup();
  apply(failed('discovery-failed'));
  expect(model.dependencies.configmap.status).toBe('waiting');
  apply(failed('observe-failed'));
  expect(model.publishProblems).toEqual([]);
  expect(model.counters.failures).toBe(0);
  apply(reconciled());
  expect(model.lastPublished).toBeUndefined();
  apply(PUBLISHED, pass());
  expect(model.counters).toMatchObject({ publications: 1, cycles: 1 });
});

describe('whether a backend is published', () => {
  const conditions = (model: ReadModel) => {
    const [backend] = model.backends.backends;
    return conditionOf(backend?.conditions ?? [], 'Published')?.status;
  };

  test('is known once it was read that nothing is', () => {
    const { model, apply, pass } = setup();
    apply(pass());
    expect(conditions(model)).toBe('Unknown');
    apply(NOTHING_PUBLISHED);
    expect(conditions(model)).toBe('False');
  });

  test('stays known after what was published was deleted', () => {
    const { model, apply, pass } = setup();
    const data = { 'toolset.json': '{"tools":[]}' };
    apply(pass(), { kind: 'observed', live: observed({ data, labels: {}, annotations: {} }) });
    apply(NOTHING_PUBLISHED);
    expect(conditions(model)).toBe('False');
  });

  test('follows from the last publication that failed, until one succeeds', () => {
    const { model, apply, pass } = setup();
    apply(pass(), NOTHING_PUBLISHED);
    const reason = () => {
      const [backend] = model.backends.backends;
      return conditionOf(backend?.conditions ?? [], 'Published')?.message;
    };
    const before = reason();
    apply(failed('publish-failed', 'no rights'));
    expect(reason()).toContain('no rights');
    apply(reconciled({ ok: false }));
    expect(reason()).toContain('no rights');
    apply(reconciled());
    expect(reason()).toBe(before);
  });
});

test('in an outage, the health of a backend that worked is unknown, and that of another one stands', () => {
  const { model, apply, pass } = setup();
  const [healthy, sick] = [discovered(loki('a')), discovered(loki('b'), 'unhealthy')];
  apply(pass());
  expect([healthy, sick].map((each) => model.healthNow(each))).toEqual(['healthy', 'unhealthy']);
  apply(pass({ problems: [{ where: OUTAGE_PLACE, what: 'no backend is reachable' }] }));
  expect([healthy, sick].map((each) => model.healthNow(each))).toEqual(['unknown', 'unhealthy']);
});

test('publications, failures and external changes are counted', () => {
  const { model, at, apply } = setup();
  const drift = { kind: 'drift', cycle: 1, keys: [], diff: [] } as const;
  at(7);
  apply(PUBLISHED, failed('publish-failed'), failed('publish-failed'), failed('observe-failed'), drift);
  apply({ kind: 'recreated', cycle: 1, overrides: false }, drift);
  expect(model.counters).toEqual({ cycles: 0, examined: 0, publications: 1, failures: 2, drift: 3 });
  expect(model.lastPublished).toEqual(new Date(7));
});

test.each<[string, EngineEvent]>([
  ['a pass', setup().pass()],
  ['a source that fails', sourceFailed],
  ['a discovery that fails', failed('discovery-failed')],
  ['what is published', NOTHING_PUBLISHED],
  ['a read that fails', failed('observe-failed')],
  ['a publication that fails', failed('publish-failed')],
  ['a reconciliation', reconciled()],
  ['a publication', PUBLISHED],
  ['an external change', { kind: 'drift', cycle: 1, keys: [], diff: [] }],
  ['a ConfigMap that is made anew', { kind: 'recreated', cycle: 1, overrides: false }],
  ['an agent', { kind: 'agent-state', cycle: 1, state: {}, before: undefined }],
  ['another configuration', { kind: 'reconfigured', changes: [] }],
  ['what is published elsewhere', { ...NOTHING_PUBLISHED, targetId: 'toy' }],
])('listeners are called for %s', (_, event) => {
  const { model, told, apply } = setup();
  apply(event);
  expect([model.revision, told()]).toEqual([1, 1]);
});

test('a subscription ends', () => {
  const { model, apply } = setup();
  let calls = 0;
  const end = model.subscribe(() => calls++);
  apply(PUBLISHED);
  end();
  apply(PUBLISHED);
  expect(calls).toBe(1);
});

test('the problems of the last reconciliation are those of the publication', () => {
  const { model, apply } = setup();
  const problem = { where: 'ConfigMap ns/toolset', what: 'is nearly too large' };
  apply(reconciled({ problems: [problem] }));
  expect(model.publishProblems).toEqual([problem]);
  apply(reconciled());
  expect(model.publishProblems).toEqual([]);
});

test('an agent that cannot be updated is a problem, and affects no check', () => {
  const { model, told, apply, pass } = setup();
  const problem = { where: 'HolmesGPT', what: 'no rights' };
  apply(pass(), NOTHING_PUBLISHED, { kind: 'agent-state', cycle: 1, state: { problem }, before: undefined });
  expect(model.agentProblem).toEqual(problem);
  const before = told();
  apply({ kind: 'reconfigured' } as never);
  apply({ kind: 'agent-state', cycle: 1, state: { problem }, before: undefined });
  expect(told()).toBe(before + 2);
  expect(model.ready).toEqual({ kubernetes: true, configmap: true, discovery: true });
  apply(reconciled(), { kind: 'drift', cycle: 1, keys: [], diff: [] });
  expect(model.agentProblem).toEqual(problem);
  apply({ kind: 'agent-state', cycle: 2, state: {}, before: { problem } });
  expect(model.agentProblem).toBeUndefined();
});

describe('another target', () => {
  const targetId = 'toy';
  const live = observed({
    data: {
      'toolset.json': JSON.stringify({
        tools: [{ name: 'a', type: 'loki', endpoint: 'http://a', description: 'a', metadata: {} }],
      }),
    },
    labels: {},
    annotations: {},
  } satisfies Published);

  test('has a status with its time, and its last error while it fails', () => {
    const { model, at, apply } = setup();
    const status = () => model.targets.get(targetId);
    at(1);
    apply({ ...failed('publish-failed'), targetId });
    at(2);
    apply({ ...reconciled({ ok: false, problems: [{ where: 'x', what: 'y' }] }), targetId });
    expect(status()).toEqual({
      status: 'failing',
      since: new Date(1),
      error: 'not now',
      problems: [{ where: 'x', what: 'y' }],
      tools: undefined,
      lastPublished: undefined,
    });
    at(3);
    apply({ kind: 'observed', live, targetId }, { ...PUBLISHED, targetId });
    expect(status()).toStrictEqual({
      status: 'ok',
      since: new Date(3),
      problems: [{ where: 'x', what: 'y' }],
      tools: 1,
      lastPublished: new Date(3),
    });
    at(4);
    apply({ ...failed('observe-failed', 'no rights'), targetId });
    expect(status()).toMatchObject({ status: 'failing', since: new Date(4), error: 'no rights', tools: 1 });
  });

  test('has the problem of its agent', () => {
    const { model, apply } = setup();
    const agentProblem = { where: 'HolmesGPT', what: 'no rights' };
    const agent = { kind: 'agent-state', cycle: 1, before: undefined, targetId } as const;
    apply({ ...agent, state: { problem: agentProblem } });
    expect(model.targets.get(targetId)).toMatchObject({ status: 'waiting', agentProblem });
    apply({ ...agent, state: {} });
    expect(model.targets.get(targetId)?.agentProblem).toBeUndefined();
    expect(model.agentProblem).toBeUndefined();
  });

  test('waits for its first event', () => {
    const { model, at, apply } = setup();
    at(9);
    apply({ ...reconciled({ problems: [{ where: 'x', what: 'y' }] }), targetId });
    expect(model.targets.get(targetId)).toMatchObject({ status: 'waiting', since: new Date(0) });
  });

  test('is one of several, and is not affected by unrelated events', () => {
    const { model, told, apply } = setup();
    apply({ ...NOTHING_PUBLISHED, targetId }, { ...NOTHING_PUBLISHED, targetId: 'other' });
    expect([...model.targets.keys()]).toEqual([targetId, 'other']);
    const before = told();
    apply({ kind: 'generated', cycle: 1, ok: true, targetId }, { ...NOTHING_PUBLISHED, targetId });
    apply({ kind: 'generated', cycle: 1, ok: true, targetId: 'unknown' });
    expect(told()).toBe(before);
    expect(model.targets.size).toBe(2);
  });
});
