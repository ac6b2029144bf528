import { describe, expect, test, vi } from 'vitest';
import {
  enginesOnFakeTimers,
  FakeSource,
  HEALTHY,
  loki,
  namesOf,
  type RunningEngine,
} from '../../test/fixtures/unit/engine.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import type { Verdict } from '../model/discovery.ts';
import type { Service } from '../model/service.ts';
import { ScheduledProber } from '../probing/scheduled-prober.ts';
import type { EngineOptions } from './engine.ts';
import type { EngineTarget } from './target.ts';

let running: RunningEngine;
const startEngine = enginesOnFakeTimers();

/** An engine whose backends answer when the test says so. Those that are named here are healthy at once. */
function setup(
  quick: readonly string[] = [],
  more: Partial<EngineOptions> = {},
  home: Partial<EngineTarget> = {},
) {
  running = startEngine(more, home);
  const { probe, publisher, settle } = running;
  const open = new Map<string, PromiseWithResolvers<Verdict>>();
  probe.mockImplementation(({ service: { name } }) => {
    if (quick.includes(name)) return Promise.resolve(HEALTHY);
    const answer = Promise.withResolvers<Verdict>();
    open.set(name, answer);
    return answer.promise;
  });
  const toolset = () =>
    JSON.parse(publisher.live?.data['toolset.json'] ?? '{"tools":[]}').tools as {
      readonly name: string;
      readonly endpoint: string;
      readonly metadata: { readonly service: string };
    }[];
  return {
    ...running,
    open,
    toolset,
    answer: async (name: string, verdict: Verdict = HEALTHY) => {
      open.get(name)?.resolve(verdict);
      await settle(100);
    },
    probed: (name: string) => probe.mock.calls.filter(([each]) => each.service.name === name).length,
    /** Time until a tool is published, in milliseconds. */
    async timeUntil(tool: string): Promise<number> {
      let waited = 0;
      for (; waited < 20_000 && !publisher.tools.includes(tool); waited++) await settle(1);
      return waited;
    },
  };
}

const many = (count: number, name: string): Service[] =>
  Array.from({ length: count }, (_, index) => loki(`${name}-${index}`));
const withPort = (name: string, port: number): Service => ({
  ...loki(name),
  ports: [{ name: 'http', port, protocol: 'TCP' }],
});
const UNHEALTHY: Verdict = { ...HEALTHY, health: 'unhealthy', proof: 'unproven', reason: 'it answered 500' };

test.each([15_000, 300_000])(
  'an outage that shows gradually is held as a whole: interval %i ms',
  async (refreshInterval) => {
    let isOut = false;
    const steps = [{ asked: 'GET /', answered: '' }];
    const prober = new ScheduledProber(
      { probe: async () => ({ ...(isOut ? UNHEALTHY : HEALTHY), steps }) },
      { refreshInterval, now: () => performance.now(), random: () => 0 },
    );
    const { all } = startEngine();
    const { source, publisher, settle } = startEngine({ stages: { ...all.stages, prober } });
    const backends = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index) => ({
      ...loki(name),
      namespace: 'xxxyzz'.charAt(index),
    }));
    const pass = async (milliseconds: number) => {
      for (let time = 0; time < milliseconds; time += refreshInterval) {
        source.sync(backends);
        await settle(refreshInterval);
      }
    };
    source.sync([]);
    // Each is first probed at another time, and therefore due at another time.
    for (const backend of backends) {
      source.upsert(backend);
      await settle(refreshInterval / 6);
    }
    isOut = true;
    const before = publisher.tools;
    expect(before).toHaveLength(6);
    for (let time = 0; time < 300_000; time += refreshInterval) {
      await pass(refreshInterval);
      expect(publisher.tools).toEqual(before);
    }
    await pass(900_000);
    expect(publisher.tools).toEqual([]);
  },
);

describe('slow backends', () => {
  test.each([
    ['were there before', false],
    ['come with it', true],
  ])('50 that never respond and %s do not delay a new one', async (_, together) => {
    const { source, settle, timeUntil } = setup(['first', 'alone', 'fresh']);
    const dead = many(50, 'dead');
    source.sync([loki('first'), ...(together ? [] : dead)]);
    await settle(20_000);
    // What one change costs while nothing else is there.
    source.upsert(loki('alone'));
    const alone = await timeUntil('alone.monitoring');
    await settle(20_000);
    for (const each of together ? dead : []) source.upsert(each);
    source.upsert(loki('fresh'));
    // The debounce is 10 ms at each end.
    expect(alone).toBeLessThanOrEqual(40);
    expect(await timeUntil('fresh.monitoring')).toBeLessThanOrEqual(alone + 15);
  });

  test('a result enters on its own while others are being probed', async () => {
    const { source, publisher, settle, answer } = setup();
    source.sync([]);
    await settle();
    for (const name of ['a', 'b', 'c']) source.upsert(loki(name));
    await settle(100);
    await answer('b');
    expect(publisher.tools).toEqual(namesOf('b'));
    await answer('a');
    expect(publisher.tools).toEqual(namesOf('a', 'b'));
    await answer('c', UNHEALTHY);
    expect(publisher.tools).toEqual(namesOf('a', 'b'));
  });

  test('results that arrive together cause one publication, and many in a row cause few', async () => {
    const { source, publisher, settle, open } = setup();
    source.sync([]);
    await settle();
    const before = publisher.applied.length;
    for (const each of many(100, 'x')) source.upsert(each);
    await settle(100);
    for (const [index, each] of [...open.values()].entries()) {
      each.resolve(HEALTHY);
      if (index % 10 === 9) await settle(10);
    }
    await settle();
    expect(publisher.tools).toHaveLength(100);
    expect(publisher.applied.length - before).toBeLessThanOrEqual(5);
  });

  test('a prober that is never ready delays no probe', async () => {
    const { source, publisher, prepare, settle } = setup(['a', 'b']);
    source.sync([loki('a')]);
    await settle();
    prepare.mockImplementation(() => new Promise(() => {}));
    source.upsert(loki('b'));
    await settle(100);
    expect(publisher.tools).toEqual(namesOf('a', 'b'));
  });

  test('problems of a prober count when it reports them', async () => {
    const { source, prepare, settle, told } = setup(['a']);
    prepare.mockResolvedValue([{ where: 'namespace n', what: 'is denied' }] as never);
    source.sync([loki('a')]);
    await settle();
    expect(told('pass').at(-1)?.problems).toContainEqual({ where: 'namespace n', what: 'is denied' });
  });
});

describe('the first publication', () => {
  test('waits for new backends for two seconds, and continues without those that have no verdict', async () => {
    const { source, publisher, settle, answer } = setup();
    source.sync([loki('a'), loki('slow')]);
    await settle(500);
    await answer('a');
    await settle(1_200);
    expect(publisher.applied).toHaveLength(0);
    await settle(400);
    expect(publisher.tools).toEqual(namesOf('a'));
    await answer('slow');
    expect(publisher.tools).toEqual(namesOf('a', 'slow'));
  });

  test('does not wait if all have a verdict', async () => {
    const { source, publisher, settle } = setup(['a', 'b']);
    source.sync([loki('a'), loki('b')]);
    await settle(100);
    expect(publisher.tools).toEqual(namesOf('a', 'b'));
    expect(publisher.applied).toHaveLength(1);
  });

  test('waits for the published state for ten seconds, and keeps it afterwards', async () => {
    const first = setup(['a', 'b']);
    first.source.sync([loki('a'), loki('b')]);
    await first.settle();
    await first.stop();
    const { publisher } = first;
    const { source, settle, answer, told } = setup([], {}, { publisher });
    const before = publisher.applied.length;
    source.sync([loki('a'), loki('b'), loki('new')]);
    await settle(1_000);
    await answer('b');
    await answer('new');
    await settle(8_500);
    expect(told('pass')).toEqual([]);
    expect(publisher.applied).toHaveLength(before);
    await settle(1_000);
    expect(publisher.tools).toEqual(namesOf('a', 'b', 'new'));
    await answer('a');
    expect(
      told('pass')
        .at(-1)
        ?.services.map(({ verdict }) => verdict.health),
    ).toEqual(Array(3).fill('healthy'));
  });

  test('waits for all backends if it is the only one', async () => {
    const { source, publisher, settle, answer, ended } = setup(['a'], { once: true });
    source.sync([loki('a'), loki('slow')]);
    await settle(60_000);
    expect(publisher.applied).toHaveLength(0);
    await answer('slow');
    await ended;
    expect(running.publisher.tools).toEqual(namesOf('a', 'slow'));
  });
});

describe('a backend in use', () => {
  test('that changes keeps its state until it has a verdict', async () => {
    const { source, toolset, publisher, settle, answer } = setup(['other']);
    source.sync([withPort('a', 3100)]);
    await settle(100);
    await answer('a');
    const [before] = toolset();
    const written = publisher.applied.length;
    source.upsert(withPort('a', 80));
    await settle(5_000);
    expect(toolset()).toEqual([before]);
    expect(publisher.applied).toHaveLength(written);
    await answer('a');
    expect(toolset()).toMatchObject([{ endpoint: expect.stringContaining(':80') }]);
    expect(publisher.applied).toHaveLength(written + 1);
  });

  test('that changes and never responds is unknown after ten seconds, and keeps the address that it had', async () => {
    const { source, toolset, settle, answer, told } = setup();
    source.sync([withPort('a', 3100)]);
    await settle(100);
    await answer('a');
    source.upsert(withPort('a', 80));
    await settle(9_500);
    expect(toolset()).toMatchObject([{ endpoint: expect.stringContaining(':3100') }]);
    await settle(1_000);
    expect(told('pass').at(-1)?.services).toMatchObject([
      { endpoint: { port: 3100 }, verdict: { health: 'unknown' } },
    ]);
    expect(toolset()).toMatchObject([{ endpoint: expect.stringContaining(':3100') }]);
  });

  test('a verdict on a Service from before its change does not count', async () => {
    const { source, settle, answer, open, told } = setup();
    source.sync([]);
    await settle();
    source.upsert(withPort('a', 3100));
    await settle(100);
    const stale = open.get('a');
    source.upsert(withPort('a', 80));
    await settle(100);
    await answer('a');
    stale?.resolve(UNHEALTHY);
    await settle();
    expect(told('pass').at(-1)?.services).toMatchObject([
      { endpoint: { port: 80 }, verdict: { health: 'healthy' } },
    ]);
  });

  test('keeps its state while its other entry points are tried', async () => {
    const way = (name: string): Service =>
      service(name, { labels: { app: 'loki' }, selector: { app: 'loki' }, ports: ['http-metrics:3100'] });
    const { source, toolset, settle, answer, prober, engine, open } = setup();
    source.sync([way('loki-gateway'), way('loki-read')]);
    await settle(100);
    await answer('loki-gateway');
    expect(toolset()).toMatchObject([{ metadata: { service: 'loki-gateway' } }]);
    const before = toolset();
    // It leaves after three failures over half a minute.
    for (let failure = 0; failure < 3; failure++) {
      prober.invalidate(keyFor('monitoring/loki-gateway'));
      engine.wake();
      await settle(20_000);
      await answer('loki-gateway', UNHEALTHY);
    }
    expect(open.has('loki-read')).toBe(true);
    expect(toolset()).toEqual(before);
    await answer('loki-read');
    expect(toolset()).toMatchObject([{ metadata: { service: 'loki-read' } }]);
  });
});

test('a new backend that fails is unhealthy while its other entry point never responds', async () => {
  const way = (name: string): Service =>
    service(name, { labels: { app: 'loki' }, selector: { app: 'loki' }, ports: ['http-metrics:3100'] });
  const { source, settle, answer, told } = setup();
  source.sync([]);
  await settle();
  source.upsert(way('loki-gateway'));
  source.upsert(way('loki-read'));
  await settle(100);
  await answer('loki-gateway', UNHEALTHY);
  await settle(1_500);
  expect(told('pass').at(-1)?.services).toEqual([]);
  await settle(1_000);
  expect(told('pass').at(-1)?.services).toMatchObject([
    { service: { name: 'loki-gateway' }, verdict: { health: 'unhealthy' } },
  ]);
});

describe('backends that may turn out to be one', () => {
  const pods = { app: 'shared' };
  const better = service('prometheus', {
    labels: { app: 'prometheus' },
    selector: pods,
    ports: ['web:9090'],
  });
  const worse = service('thanos-of-prometheus', {
    labels: { app: 'thanos' },
    selector: pods,
    ports: ['http:9090'],
  });
  const IS_PROMETHEUS: Verdict = { ...HEALTHY, provenAs: 'prometheus' };

  test('are merged the same way, whichever responds first', async () => {
    const { source, toolset, settle, answer } = setup();
    source.sync([]);
    await settle();
    source.upsert(better);
    source.upsert(worse);
    await settle(100);
    await answer('thanos-of-prometheus', IS_PROMETHEUS);
    expect(toolset()).toEqual([]);
    await answer('prometheus');
    expect(toolset().map(({ metadata }) => metadata.service)).toEqual(['prometheus']);
  });

  test('none can delay another one forever by arriving later', async () => {
    const { source, toolset, settle, answer } = setup();
    source.sync([]);
    await settle();
    source.upsert(worse);
    for (let later = 0; later < 4; later++) {
      source.upsert({
        ...better,
        name: `prometheus-${later}`,
        labels: { app: 'prometheus', instance: String(later) },
      });
      await settle(100);
      if (later === 0) await answer('thanos-of-prometheus', IS_PROMETHEUS);
      await settle(900);
    }
    expect(toolset().map(({ metadata }) => metadata.service)).toEqual(['thanos-of-prometheus']);
  });

  test('one of them waits for the other for at most two seconds', async () => {
    const { source, toolset, settle, answer } = setup();
    source.sync([]);
    await settle();
    source.upsert(better);
    source.upsert(worse);
    await settle(100);
    await answer('thanos-of-prometheus', IS_PROMETHEUS);
    await settle(1_700);
    expect(toolset()).toEqual([]);
    await settle(300);
    expect(toolset().map(({ metadata }) => metadata.service)).toEqual(['thanos-of-prometheus']);
  });

  test('of two that request one name the older one gets it, whichever responds first', async () => {
    const asking = (name: string, created: string): Service => ({
      ...loki(name, { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-name': 'logs' }),
      created,
    });
    const { source, toolset, settle, answer } = setup();
    source.sync([]);
    await settle();
    source.upsert(asking('young', '2026-02-02T00:00:00Z'));
    source.upsert(asking('old', '2026-01-01T00:00:00Z'));
    await settle(100);
    await answer('young');
    expect(toolset()).toEqual([]);
    await answer('old');
    const named = toolset().map(({ name, metadata }) => [name, metadata.service]);
    expect(new Map(named as [string, string][]).get('logs')).toBe('old');
  });
});

describe('time', () => {
  test('a failed backend is probed again without any change', async () => {
    const { source, publisher, settle, answer, probed } = setup();
    source.sync([loki('a')]);
    await settle(100);
    await answer('a', UNHEALTHY);
    expect(publisher.tools).toEqual([]);
    await settle(20_000);
    expect(probed('a')).toBe(2);
    await answer('a');
    expect(publisher.tools).toEqual(namesOf('a'));
  });

  test('a probe that throws is a problem of one backend, and is repeated', async () => {
    const { source, publisher, settle, open, told, probed } = setup(['b']);
    source.sync([loki('a'), loki('b')]);
    await settle(100);
    open.get('a')?.reject(new TypeError('oops'));
    await settle(100);
    expect(publisher.tools).toEqual(namesOf('b'));
    expect(told('pass').at(-1)?.problems).toContainEqual(
      expect.objectContaining({ where: 'Service monitoring/a', what: expect.stringContaining('oops') }),
    );
    expect(probed('a')).toBe(1);
    await settle(20_000);
    expect(probed('a')).toBe(2);
    open.get('a')?.resolve(HEALTHY);
    await settle();
    expect(publisher.tools).toEqual(namesOf('a', 'b'));
    expect(told('pass').at(-1)?.problems).toEqual([]);
  });

  test('a change that is found late counts from the time it was made', async () => {
    const { source, settle, answer, told } = setup();
    source.sync([]);
    await settle();
    const changed = performance.now();
    source.upsert(loki('a'));
    await settle(700);
    await answer('a');
    const found = told('pass').filter(({ changedAt }) => changedAt !== undefined);
    expect(found.map(({ changedAt }) => changedAt)).toEqual([changed]);
    expect(found.map(({ services }) => services.length)).toEqual([1]);
  });

  test('each full resync reads the published state, and probes each backend that is due', async () => {
    const { source, publisher, settle, probed } = setup(['a']);
    source.sync([loki('a')]);
    await settle(3_700_000);
    // The watch missed it.
    publisher.write({ data: { ...publisher.live?.data, 'toolset.json': '{"tools":[]}' } });
    await settle(10_000);
    expect(publisher.tools).toEqual([]);
    expect(probed('a')).toBe(1);
    source.sync([loki('a')]);
    await settle();
    expect(publisher.tools).toEqual(namesOf('a'));
    expect(probed('a')).toBe(2);
  });

  test('a full discovery ends when all that were due have a verdict, or after ten seconds', async () => {
    const { source, settle, answer, told } = setup();
    const full = () =>
      told('pass').flatMap(({ full, milliseconds }) => (full ? Math.round(milliseconds / 1_000) : []));
    source.sync([loki('a'), loki('b')]);
    await settle(100);
    await answer('a');
    await answer('b');
    expect(full()).toEqual([0]);
    await settle(3_700_000);
    source.sync([loki('a'), loki('b')]);
    await settle(1_000);
    await answer('a');
    expect(full()).toEqual([0]);
    await answer('b');
    expect(full()).toEqual([0, 1]);
    await settle(3_700_000);
    source.sync([loki('a'), loki('b')]);
    await settle(11_000);
    await answer('a');
    expect(full()).toEqual([0, 1, 11]);
  });

  test('a deleted Service is no longer probed', async () => {
    const { source, settle, open, probed } = setup();
    source.sync([loki('a')]);
    await settle(100);
    source.emit({ kind: 'delete', key: keyFor('monitoring/a') });
    await settle(100);
    open.get('a')?.reject(new TypeError('oops'));
    await settle(60_000);
    expect(probed('a')).toBe(1);
  });
});

describe('a failed discovery', () => {
  test('backs off, whatever changes meanwhile', async () => {
    const { source, prepare, settle, told } = setup(['a']);
    source.sync([loki('a')]);
    await settle();
    prepare.mockRejectedValue(new Error('a bug'));
    for (let change = 0; change < 300; change++) {
      source.upsert(loki('b', { change: String(change) }));
      await settle(100);
    }
    const failures = told('discovery-failed');
    // 1 + 2 + 4 + 8 + 16 s, each up to a quarter less.
    expect(failures.length).toBeGreaterThanOrEqual(4);
    expect(failures.length).toBeLessThanOrEqual(7);
    expect(failures.map(({ attempt }) => attempt)).toEqual(failures.map((_, index) => index + 1));
  });

  test('is repeated even if nothing changes', async () => {
    const { source, prepare, settle, told } = setup(['a']);
    prepare.mockRejectedValueOnce(new Error('a bug'));
    source.sync([loki('a')]);
    await settle(500);
    expect(told('discovery-failed')).toHaveLength(1);
    const before = prepare.mock.calls.length;
    await settle(5_000);
    expect(prepare.mock.calls.length).toBe(before + 1);
  });

  test('does not forget the time of a pending change', async () => {
    const { source, prober, settle, told } = setup(['a']);
    source.sync([]);
    await settle();
    vi.spyOn(prober, 'prepare').mockImplementationOnce(() => {
      throw new Error('a bug');
    });
    const changed = performance.now();
    source.upsert(loki('a'));
    await settle(5_000);
    expect(told('discovery-failed')).toHaveLength(1);
    expect(told('pass').flatMap(({ changedAt }) => changedAt ?? [])).toEqual([changed]);
  });
});

describe('runs', () => {
  test('a burst of changes causes few, and so does a burst of results', async () => {
    const { source, settle, told, open } = setup();
    source.sync([]);
    await settle();
    let before = told('pass').length;
    for (const each of many(60, 'x')) {
      source.upsert(each);
      await settle(1);
    }
    await settle();
    expect(told('pass').length - before).toBeLessThanOrEqual(10);
    before = told('pass').length;
    for (const each of open.values()) {
      each.resolve(HEALTHY);
      await settle(1);
    }
    await settle();
    expect(told('pass').length - before).toBeLessThanOrEqual(10);
    expect(told('pass').at(-1)?.services).toHaveLength(60);
  });

  test('a failed backend that is due starts a new round, for which the prober is prepared', async () => {
    const { source, settle, answer, prepare, probed } = setup();
    source.sync([loki('a')]);
    await settle(100);
    await answer('a', UNHEALTHY);
    const before = prepare.mock.calls.length;
    await settle(20_000);
    expect(probed('a')).toBe(2);
    expect(prepare.mock.calls.length).toBe(before + 1);
  });

  test('changed names and approvals cause one', async () => {
    const { source, publisher, settle, told } = setup(['a']);
    source.sync([loki('a')]);
    await settle();
    for (const overrides of ['{ enabled: true }', '{ enabled: true, approved: custom }']) {
      const before = told('pass').length;
      publisher.edit('overrides.yaml', `tools: { monitoring/a: ${overrides} }`);
      await settle();
      expect(told('pass').length).toBe(before + 1);
    }
  });

  test('an unreadable published state at the start does not prevent the publication', async () => {
    const { source, publisher, settle, told } = setup(['a', 'b']);
    publisher.before = (what) => {
      if (what === 'read') throw new Error('not now');
    };
    source.sync([loki('a')]);
    await settle(500);
    const reads = publisher.reads;
    source.upsert(loki('b'));
    // The next attempt to publish is after 750 ms at the earliest.
    await settle(100);
    expect(told('pass').at(-1)?.services).toHaveLength(2);
    // Discovery does not read it again.
    expect(publisher.reads).toBe(reads);
    publisher.before = () => {};
    await settle(5_000);
    expect(publisher.tools).toEqual(namesOf('a', 'b'));
  });
});

describe('an old snapshot', () => {
  test('is not published by a new leader, which first reads the entry points in use', async () => {
    const { engine, source, publisher, state, settle, toolset } = setup(['a']);
    state.leads = false;
    source.sync([loki('a')]);
    await settle();
    state.leads = true;
    const read = vi.spyOn(publisher, 'read');
    read.mockImplementationOnce(async () => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return publisher.live;
    });
    engine.onStartedLeading();
    await settle(400);
    expect(publisher.applied).toHaveLength(0);
    await settle(400);
    expect(toolset()).toHaveLength(1);
  });

  test('is not published with other options: their source lists everything first', async () => {
    const { engine, all, source, settle, told } = setup(['a']);
    source.sync([loki('a')]);
    await settle();
    const before = told('reconciled').length;
    const next = new FakeSource();
    engine.reconfigure({ ...all, source: next });
    await settle(30_000);
    expect(told('reconciled')).toHaveLength(before);
    next.sync([loki('a')]);
    await settle();
    expect(told('reconciled')).toHaveLength(before + 1);
  });
});

test('problems of the prober before probes are reported with a single pass', async () => {
  const { source, prepare, settle, told, ended } = setup(['a'], { once: true });
  prepare.mockImplementation(async () => {
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    return [{ where: 'namespace n', what: 'is denied' }] as never;
  });
  source.sync([loki('a')]);
  await settle(10_000);
  await ended;
  expect(told('pass')[0]?.problems).toContainEqual({ where: 'namespace n', what: 'is denied' });
});
