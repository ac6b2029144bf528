import { expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { offered, service } from '../../test/fixtures/unit/service.ts';
import { observed } from '../../test/fixtures/unit/toolset.ts';
import { membersOf } from '../model/backend.ts';
import { byAge } from '../model/backend-id.ts';
import { type ConditionType, conditionOf } from '../model/condition.ts';
import type { DiscoveredService, Verdict } from '../model/discovery.ts';
import { OUTAGE_PLACE } from '../model/discovery.ts';
import type { Published } from '../model/published.ts';
import type { AgentState } from '../outputs/output.ts';
import { publishedGroups } from '../planning/backend-groups.ts';
import { type Loss, removals } from '../planning/removals.ts';
import { BackendIds, idsOf } from './backend-ids.ts';
import type { EngineEvent } from './events.ts';
import { ReadModel, type ReadModelOptions } from './read-model.ts';

test('only visible changes increase the revision and are notified: not each of the thousand probes of a pass', () => {
  const readModel = new ReadModel({ now: () => new Date(0) });
  let told = 0;
  readModel.subscribe(() => told++);
  const quiet: EngineEvent[] = [
    { kind: 'probe-began' },
    { kind: 'probe-ended', type: 'loki', milliseconds: 3 },
    { kind: 'watch-event', change: 'upsert' },
    { kind: 'generated', cycle: 1, ok: true },
  ];
  for (const event of quiet) readModel.apply(event);
  expect([readModel.revision, told]).toEqual([0, 0]);

  const published = observed({ data: {}, labels: {}, annotations: {}, managers: [], version: '7' });
  readModel.apply({ kind: 'observed', live: published });
  expect([readModel.revision, told, readModel.published]).toEqual([1, 1, published]);
  readModel.apply({ kind: 'source-failed', error: new Error('away'), reason: 'network', retryIn: 1 });
  expect([readModel.revision, told, readModel.dependencies.kubernetes.status]).toEqual([2, 2, 'failing']);
});

test('a published backend says if the agent could not be updated, until it is', () => {
  const { readModel, found, published } = setting();
  found(loki('a'));
  published({ 'a.monitoring': 'a' });
  const message = () => conditionOf(readModel.backends.backends[0]?.conditions ?? [], 'Published')?.message;
  const agent = { kind: 'agent-state', cycle: 1, before: undefined } as const;
  readModel.apply({ ...agent, state: { problem: { where: 'HolmesGPT', what: 'no rights' } } });
  expect(message()).toBe(
    'it is in the published documents; the agent could not be updated, so it may have earlier ones: no rights',
  );
  readModel.apply({ ...agent, state: {} });
  expect(message()).toBe('it is in the published documents');
});

const NO_PROBES = {
  cycle: 1,
  full: true,
  before: [],
  problems: [],
  examined: 1,
  milliseconds: 1,
  detecting: 1,
};

/** A read model with a clock that is set by hand. */
function setting(options: Partial<ReadModelOptions> = {}) {
  let clock = 0;
  const readModel = new ReadModel({ now: () => new Date(clock), ...options });
  const ids = new BackendIds();
  return {
    readModel,
    at(time: number): void {
      clock = time;
    },
    found(...services: DiscoveredService[]): void {
      readModel.apply({
        kind: 'pass',
        ...NO_PROBES,
        services,
        ids: ids.assign(services),
        changedAt: undefined,
      });
    },
    /** What is published: tools of Services of the namespace `monitoring`, by the names of both. */
    published(
      services: Readonly<Record<string, string>>,
      more: Partial<Published> & { overrides?: string } = {},
    ) {
      const tools = Object.entries(services).map(([name, of]) => ({
        name,
        type: 'loki',
        endpoint: `http://${of}:3100`,
        description: 'logs',
        namespace: 'monitoring',
        metadata: { service: of },
      }));
      const { overrides, ...rest } = more;
      const data = {
        'toolset.json': JSON.stringify({ tools }),
        ...(overrides === undefined ? {} : { 'overrides.yaml': overrides }),
      };
      const live = observed({ data, labels: {}, annotations: {}, ...rest });
      ids.keep(publishedGroups(live));
      readModel.apply({ kind: 'observed', live });
    },
    reconciled(result: Partial<Extract<EngineEvent, { kind: 'reconciled' }>> = {}): void {
      const rest = { tools: undefined, revision: 1, recorded: true, milliseconds: 1 };
      readModel.apply({ kind: 'reconciled', cycle: 1, ok: true, problems: [], ...rest, ...result });
    },
    /** Status, reason and time of a condition of the first backend. */
    condition(type: ConditionType): readonly unknown[] {
      const found = conditionOf(readModel.backends.backends[0]?.conditions ?? [], type);
      return [found?.status, found?.reason, found?.lastTransitionTime.getTime()];
    },
  };
}

const loki = (name = 'loki', created?: string): DiscoveredService =>
  discovered(
    service(name, {
      labels: { 'app.kubernetes.io/name': 'loki' },
      ports: ['http:3100'],
      ...(created === undefined ? {} : { created }),
    }),
  );

/** A backend with several Services, of which the first is the entry point. */
const among = (chosen: DiscoveredService, ...others: DiscoveredService[]): DiscoveredService => ({
  ...chosen,
  alternates: others.map(({ service: { name } }) => name),
  members: [chosen, ...others].flatMap(membersOf).sort(byAge),
});

const probed = (backend: DiscoveredService, verdict: Partial<Verdict>): DiscoveredService => ({
  ...backend,
  verdict: { ...backend.verdict, ...verdict },
});
const DOWN: Partial<Verdict> = { health: 'unhealthy', fault: 'timeout', reason: 'no answer within 5 s' };

test('the history of a backend has an entry for each change, and the time of the last probe', () => {
  const { readModel, at, found } = setting();
  let clock = 0;
  const pass = (verdict: Partial<Verdict>): void => {
    at(++clock);
    found(probed(loki(), verdict));
  };
  for (let round = 0; round < 20; round++) pass({});
  pass({ health: 'unhealthy', fault: 'timeout', reason: 'no answer within 5.0 s' });
  pass({ health: 'unhealthy', fault: 'timeout', reason: 'no answer within 5.1 s' });
  pass({ health: 'unhealthy', fault: 'resolution', reason: 'its name does not resolve' });
  pass({ health: 'unhealthy', reason: 'GET / answered 500 a text' });
  pass({ health: 'unhealthy', reason: 'GET / answered 500 another text' });
  const history = readModel.history('monitoring/loki');
  expect(history?.health.map(({ time, reason }) => [time.getTime(), reason])).toEqual([
    [1, 'GET / answered 200'],
    [21, 'no answer within 5.0 s'],
    [23, 'its name does not resolve'],
    [24, 'GET / answered 500 a text'],
  ]);
  expect(history?.checkedAt).toEqual(new Date(25));
});

test('a backend keeps its id, its history and the times of its conditions when another Service becomes the entry point', () => {
  const { readModel, at, found, condition } = setting();
  const [old, young] = [loki('loki-a', '2026-01-01T00:00:00Z'), loki('loki-b', '2026-01-02T00:00:00Z')];
  at(1);
  found(among(young, old));
  at(2);
  found(among(old, young));
  at(3);
  found(young);
  const [backend, ...others] = readModel.backends.backends;
  expect(others).toEqual([]);
  expect([backend?.id, backend?.entryPoint.service.name]).toEqual(['monitoring/loki-a', 'loki-b']);
  expect(readModel.history('monitoring/loki-a')?.discoveredAt).toEqual(new Date(1));
  expect(condition('Healthy')).toEqual(['True', 'ProbeSucceeded', 1]);
});

test('the condition of a backend whose removal is held says until when, as soon as that is published', () => {
  const { found, published, readModel } = setting({ removalHold: () => 300_000 });
  const of = (tool: string): Loss => ({
    ...{ tool, namespace: 'monitoring', service: `monitoring/${tool}`, cause: 'unhealthy' },
  });
  const { note = '' } = removals([of('loki'), of('b')], new Map([['monitoring', 2]]), undefined, 0, {
    ...{ hold: 300_000, once: false },
  });
  const message = () =>
    conditionOf(readModel.backends.backends[0]?.conditions ?? [], 'Published')?.message ?? '';
  found(probed(loki(), DOWN));
  published({ loki: 'loki' });
  expect(message()).toMatch(/^it stays published for now, and would otherwise be left out \(.*\)$/);
  published({ loki: 'loki' }, { annotations: { 'kubernaut.io/removal-held': note } });
  expect(message()).toMatch(/\); it stays until 1970-01-01T00:05:00Z at the latest, because most tools/);
});

test('conditions follow from discovery, the published state and decisions, and keep their transition times', () => {
  const { at, found, published, reconciled, condition } = setting();
  at(1);
  found(loki());
  expect(condition('Published')).toEqual(['Unknown', 'NotObserved', 1]);
  at(2);
  published({});
  expect(condition('Published')).toEqual(['False', 'NotYetPublished', 2]);
  at(3);
  reconciled({ cuts: [{ limit: 'namespace_tools', key: 'monitoring/loki', why: 'too many' }] });
  expect(condition('Published')).toEqual(['False', 'LimitReached', 2]);
  reconciled({ cuts: [] });
  at(4);
  published({ loki: 'loki' });
  expect(condition('Published')).toEqual(['True', 'InToolset', 4]);
  at(5);
  found(probed(loki(), DOWN));
  expect(condition('Healthy')).toEqual(['False', 'Timeout', 5]);
  expect(condition('Published')).toEqual(['True', 'KeptForNow', 4]);
  at(6);
  published({});
  expect(condition('Published')).toEqual(['False', 'Unhealthy', 6]);
});

test('a backend in only one document has that in its condition', () => {
  const { found, published, reconciled, condition } = setting();
  found(loki());
  published({ loki: 'loki' });
  const omission = { key: 'monitoring/loki', tool: 'loki', why: 'it needs some', keptIn: 'toolset.json' };
  reconciled({ omissions: [{ ...omission, cause: 'credentials' }] });
  expect(condition('Published')).toEqual(['False', 'NeedsCredentials', 0]);
  reconciled({ omissions: [{ ...omission, cause: 'unsupported' }] });
  expect(condition('Published')).toEqual(['True', 'NotSupportedByAgent', 0]);
});

test('a backend that the agent does not get because of its own configuration has that in its condition', () => {
  const { found, published, reconciled, condition, readModel } = setting();
  const agent = (state: AgentState): void =>
    readModel.apply({ kind: 'agent-state', cycle: 1, state, before: undefined });
  found(loki());
  published({ loki: 'loki' });
  const left = { key: 'monitoring/loki', tool: 'loki', why: 'a server of your own', leftOutOf: 'its file' };
  agent({ leftOut: [{ ...left, cause: 'listed' }] });
  expect(condition('Published')).toEqual(['False', 'ListedByAgent', 0]);
  reconciled({ omissions: [] });
  agent({ leftOut: [{ ...left, cause: 'removed' }] });
  expect(condition('Published')).toEqual(['False', 'DisabledByAgent', 0]);
  // Both count, whichever came last.
  const omission = { ...left, cause: 'unsupported', leftOutOf: 'toolset.json' } as const;
  const leftOutOf = () => readModel.backends.backends[0]?.leftOutOf;
  reconciled({ omissions: [omission] });
  expect(leftOutOf()?.toSorted()).toEqual(['its file', 'toolset.json']);
  agent({ leftOut: [{ ...left, cause: 'listed' }] });
  expect(leftOutOf()?.toSorted()).toEqual(['its file', 'toolset.json']);
  reconciled({ omissions: [] });
  agent({});
  expect(condition('Published')).toEqual(['True', 'InToolset', 0]);
});

test('a published document without a backend is read while a rollback holds', () => {
  const outputs = { leftOutOf: () => () => ['custom_toolset.yaml'] };
  const { found, published, readModel } = setting({ outputs });
  const leftOutOf = () => readModel.backends.backends[0]?.leftOutOf;
  const annotations = { 'kubernaut.io/rolled-back-from': 'x', 'kubernaut.io/rolled-back-to': '3' };
  found(loki());
  published({ loki: 'loki' });
  expect(leftOutOf()).toEqual([]);
  published({ loki: 'loki' }, { annotations });
  expect(leftOutOf()).toEqual(['custom_toolset.yaml']);
  readModel.apply({ kind: 'observed', live: undefined });
  expect(leftOutOf()).toEqual([]);
});

test('a replica that does not publish uses what it reads, and not its earlier decisions', () => {
  let leads = true;
  const { found, published, reconciled, condition, readModel } = setting({ leads: () => leads });
  found(loki());
  published({});
  reconciled({ cuts: [{ limit: 'namespace_tools', key: 'monitoring/loki', why: 'too many' }] });
  expect(condition('Published')[1]).toBe('LimitReached');
  leads = false;
  found(loki());
  expect(condition('Published')[1]).toBe('NotYetPublished');
  expect(conditionOf(readModel.backends.backends[0]?.conditions ?? [], 'Published')?.message).toContain(
    'the leader',
  );
});

test('a replica that does not publish does not tell why an agent does not get a tool', () => {
  let leads = true;
  const { found, published, reconciled, condition } = setting({ leads: () => leads });
  found(loki());
  published({ loki: 'loki' });
  reconciled({
    omissions: [{ key: 'monitoring/loki', tool: 'loki', why: 'needs some', cause: 'credentials' }],
  });
  expect(condition('Published')[1]).toBe('NeedsCredentials');
  leads = false;
  found(loki());
  expect(condition('Published')[1]).toBe('InToolset');
});

test('a rollback, invalid overrides and a failed publication are reasons, until they end', () => {
  const { found, published, reconciled, condition, readModel } = setting();
  found(loki());
  const reason = (): unknown => condition('Published')[1];
  published(
    {},
    { annotations: { 'kubernaut.io/rolled-back-from': 'x', 'kubernaut.io/rolled-back-to': '3' } },
  );
  expect(reason()).toBe('HeldByRollback');
  published({}, { annotations: { 'kubernaut.io/override-error': 'line 1' } });
  expect(reason()).toBe('OverridesInvalid');
  published({});
  readModel.apply({ kind: 'publish-failed', cycle: 1, attempt: 1, error: new Error('denied'), retryIn: 1 });
  expect(reason()).toBe('PublicationFailed');
  reconciled();
  expect(reason()).toBe('NotYetPublished');
});

test('overrides disable a backend, and invalid ones change nothing', () => {
  const { found, published, condition, readModel } = setting();
  found(loki());
  const off = 'tools: {monitoring/loki: {enabled: false}}';
  published({}, { overrides: off });
  expect(condition('Published')[1]).toBe('DisabledByOverride');
  expect(readModel.backends.backends[0]?.enabled).toBe(false);
  published({}, { overrides: `${off} nonsense` });
  expect(condition('Published')[1]).toBe('DisabledByOverride');
  published({});
  expect([condition('Published')[1], readModel.backends.backends[0]?.enabled]).toEqual([
    'NotYetPublished',
    true,
  ]);
});

test("the operator's approval policy counts, and a changed configuration counts at once", () => {
  let mcpPolicy: 'approve' | 'publish' = 'approve';
  const { found, published, condition, readModel } = setting({ policy: () => ({ mcpPolicy }) });
  const server = discovered(offered('mine', { type: 'mcp' }, { ports: ['http:8080'] }));
  found(server);
  published({});
  expect([condition('Approved')[1], condition('Published')[1]]).toEqual([
    'WaitingForApproval',
    'NotApproved',
  ]);
  mcpPolicy = 'publish';
  readModel.apply({ kind: 'reconfigured', changes: [] });
  expect([condition('Approved')[1], condition('Published')[1]]).toEqual([
    'PolicyPublishes',
    'NotYetPublished',
  ]);
});

test('a backend that is not found stays known while its tool is published', () => {
  const { readModel, at, found, published, condition } = setting();
  found(loki());
  published({ loki: 'loki' });
  at(1);
  found();
  expect(condition('Detected')).toEqual(['False', 'NotFound', 1]);
  expect(condition('Published')).toEqual(['True', 'KeptForNow', 0]);
  expect(readModel.history('monitoring/loki')?.discoveredAt).toEqual(new Date(0));
  published({});
  expect(readModel.backends.backends).toEqual([]);
});

test('the tool of a backend is found by any of its Services, and the rest are custom tools', () => {
  const { readModel, found, published } = setting();
  found(among(loki('loki-a'), loki('loki-b')), loki('other'));
  published({ renamed: 'loki-b', 'other.monitoring': 'gone', mine: 'gone too' });
  const { backends, ownTools } = readModel.backends;
  expect(backends.map(({ id, published: tool }) => [id, tool?.name])).toEqual([
    ['monitoring/loki-a', 'renamed'],
    ['monitoring/other', 'other.monitoring'],
  ]);
  expect(ownTools.map((own) => own.published.name)).toEqual(['mine']);
});

test('the published state is parsed once per version', () => {
  const { readModel, found, published } = setting();
  found(loki());
  published({ loki: 'loki' });
  const { tools, revision } = readModel;
  const [backend] = readModel.backends.backends;
  published({ loki: 'loki' });
  expect(readModel.tools).toBe(tools);
  expect(readModel.backends.backends[0]).toBe(backend);
  expect(readModel.revision).toBe(revision + 1);
});

test('in an outage the health of a backend that worked is unknown, and its tool stays', () => {
  const { readModel, at, found, published, condition } = setting();
  found(loki());
  published({ loki: 'loki' });
  at(1);
  const problems = [{ where: OUTAGE_PLACE, what: 'no backend is reachable' }];
  const services = [loki()];
  const ids = idsOf(services, new Map());
  readModel.apply({ kind: 'pass', ...NO_PROBES, services, ids, problems, changedAt: undefined });
  expect(condition('Healthy')).toEqual(['Unknown', 'Unreachable', 1]);
  expect(condition('Published')).toEqual(['True', 'InToolset', 0]);
  at(2);
  found(loki());
  expect(condition('Healthy')).toEqual(['True', 'ProbeSucceeded', 2]);
});

test('an unchanged backend is the same object, and a changed one is not', () => {
  const { readModel, found, published } = setting();
  const [one, other] = [loki('loki-a'), loki('loki-b')];
  found(one, other);
  published({ a: 'loki-a' });
  const [first, second] = readModel.backends.backends;
  found(one, probed(other, DOWN));
  const [same, changed] = readModel.backends.backends;
  expect(same).toBe(first);
  expect([changed?.id, changed === second]).toEqual([second?.id, false]);
  published({ a: 'loki-a', b: 'loki-b' });
  const [again, added] = readModel.backends.backends;
  expect(again?.conditions).toBe(first?.conditions);
  expect(conditionOf(added?.conditions ?? [], 'Published')?.reason).toBe('KeptForNow');
});

test('a backend is the same object after a generation with equal cuts', () => {
  const { readModel, found, published, reconciled } = setting();
  const cuts = () => [{ limit: 'namespace_tools', key: 'monitoring/other', why: 'too many' } as const];
  found(loki('loki-a'));
  published({ a: 'loki-a' });
  reconciled({ cuts: cuts(), omissions: [] });
  const [before] = readModel.backends.backends;
  reconciled({ cuts: cuts(), omissions: [] });
  expect(readModel.backends.backends[0]).toBe(before);
  reconciled({ cuts: [] });
  expect(readModel.backends.backends[0]).not.toBe(before);
});

test('a target other than the home target has its own state, and changes nothing else', () => {
  const { readModel, at, found, published } = setting();
  found(discovered(offered('loki')));
  published({ loki: 'loki' });
  const before = [readModel.ready, readModel.tools, readModel.counters, readModel.backends.backends];
  const targetId = 'toy';
  const failed = { kind: 'publish-failed', cycle: 1, attempt: 1, retryIn: 1 } as const;
  at(1_000);
  readModel.apply({ ...failed, error: new Error('not now'), targetId });
  expect(readModel.targets.get(targetId)).toMatchObject({ status: 'failing', error: 'not now' });
  const { revision } = readModel;
  at(2_000);
  readModel.apply({ ...failed, error: new Error('not now'), targetId });
  expect(readModel.revision).toBe(revision);
  readModel.apply({ kind: 'observed', live: undefined, targetId });
  expect(readModel.targets.get(targetId)).toEqual({
    status: 'ok',
    since: new Date(2_000),
    problems: [],
    tools: 0,
    lastPublished: undefined,
  });
  expect([readModel.ready, readModel.tools, readModel.counters, readModel.backends.backends]).toEqual(before);
});
